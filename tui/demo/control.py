"""How another process speaks to a running stack: loopback TCP, one line of JSON each way, with a token.

Address and token stand in the stack's folder, which its owner alone can read.
"""

import asyncio
import hmac
import json
import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from tui.demo import ports
from tui.demo.errors import DemoError

Handler = Callable[[str, dict[str, Any]], Awaitable[Any]]
ASK_WITHIN = 30.0
GONE = "Start one with `watchfloor demo`, or `watchfloor demo --headless`"


async def serve(token: str, handle: Handler) -> int:
    """Answers for ever; gives the port."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, ValueError, KeyError, TimeoutError):
            async with asyncio.timeout(ASK_WITHIN):
                asked = json.loads(await reader.readline())
                said = await _handled(asked, token, handle)
                writer.write(json.dumps(said).encode() + b"\n")
                await writer.drain()
        writer.close()

    listening = ports.listen()
    await asyncio.start_server(answer, sock=listening)
    return ports.number(listening)


def ask(controls: dict[str, Any], do: str, **arguments: Any) -> Any:
    """Asks a stack for one thing. Blocks."""
    line = json.dumps({"token": controls["token"], "do": do, "with": arguments}).encode() + b"\n"
    try:
        with socket.create_connection((ports.HOST, controls["port"]), ASK_WITHIN) as connection:
            connection.sendall(line)
            with connection.makefile("rb") as file:
                answer = json.loads(file.readline())
    except (OSError, ValueError) as error:
        raise DemoError(f"The stack does not answer ({error})", GONE) from None
    if "error" in answer:
        raise DemoError(*answer["error"])
    return answer["said"]


async def _handled(asked: dict[str, Any], token: str, handle: Handler) -> dict[str, Any]:
    if not hmac.compare_digest(asked["token"], token):
        return {"error": ["The stack does not know this token", GONE]}
    try:
        return {"said": await handle(asked["do"], asked["with"])}
    except DemoError as error:
        return {"error": [error.what, error.try_]}
    except Exception as error:
        return {"error": [f"The stack could not do it: {type(error).__name__}: {error}", "Try again, or start it anew"]}
