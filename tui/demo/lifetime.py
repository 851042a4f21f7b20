"""How the stack's processes stay one: each hears its parent on stdin, and ends when that falls silent.

The end of a pipe reaches every platform and every way to die, SIGKILL included. What is said is a line of JSON each way.
"""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

Message = dict[str, Any]
MAX_LINE = 1 << 20


async def heard() -> AsyncIterator[Message]:
    """What the parent says, until it is gone."""
    reader = asyncio.StreamReader(limit=MAX_LINE)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        yield json.loads(line)


def say(message: Message) -> None:
    """One line to the parent."""
    print(json.dumps(message), flush=True)


async def obey(handle: Callable[[Message], Awaitable[Message]]) -> None:
    """Answers each message of the parent; when there is no parent left, the process is over, whatever it was doing."""
    async for message in heard():
        try:
            say(await handle(message))
        except Exception as error:
            say({"error": f"{type(error).__name__}: {error}"})
    os._exit(0)
