"""A program that the config names: argv, never a shell; within its time, and killed then with all that it started.

What it leaves running when it ends by itself goes on, and holds up nobody, although it may keep the streams open.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Literal

from msgspec import Struct

BURIED = 1.0
"""Seconds that a killed program's end is waited for."""
LAST_WORDS = 0.2
"""Seconds that are waited for what it wrote before its end, where something it started still could write."""
CHUNK = 65_536


class Ended(Struct, frozen=True):
    """How a program ended: its exit code (below 0: by that signal), and the end of what it wrote."""

    code: int
    wrote: bytes


async def run(
    argv: Sequence[str],
    *,
    within: float,
    hears: Literal["stdout", "stderr"],
    keeps: int,
    given: bytes = b"",
    env: Mapping[str, str] | None = None,
) -> Ended:
    """Runs it with `given` on its stdin, and takes what it writes to one stream, the last `keeps` bytes of it; the other stream
    goes nowhere. Raises OSError where it cannot be started, TimeoutError where it does not end `within` seconds."""
    async with _ear() as (reader, mouth):
        try:
            process = await asyncio.create_subprocess_exec(
                *argv,
                stdin=asyncio.subprocess.PIPE,
                stdout=mouth if hears == "stdout" else asyncio.subprocess.DEVNULL,
                stderr=mouth if hears == "stderr" else asyncio.subprocess.DEVNULL,
                env=env,
                start_new_session=True,
            )
        finally:
            os.close(mouth)
        hearing = asyncio.ensure_future(_heard(reader, keeps))
        try:
            async with asyncio.timeout(within):
                await _give(process, given)
                code = await process.wait()
            await asyncio.wait({hearing}, timeout=LAST_WORDS)
        finally:
            await _end(process)
            reader.feed_eof()
        return Ended(code, await hearing)


@asynccontextmanager
async def _ear() -> AsyncIterator[tuple[asyncio.StreamReader, int]]:
    """A pipe of ours: what comes out of it, and the end to write to. A pipe of asyncio's would be waited for to its end."""
    ours, theirs = os.pipe()
    reader = asyncio.StreamReader()
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(ours, "rb", buffering=0)
    )
    try:
        yield reader, theirs
    finally:
        transport.close()


async def _heard(reader: asyncio.StreamReader, keeps: int) -> bytes:
    """The end of what it writes: a flood is read and thrown away."""
    kept = b""
    while piece := await reader.read(CHUNK):
        kept = (kept + piece)[-keeps:]
    return kept


async def _give(process: asyncio.subprocess.Process, given: bytes) -> None:
    """Puts it on its stdin, which it need not read."""
    assert process.stdin is not None
    with contextlib.suppress(OSError):
        process.stdin.write(given)
        await process.stdin.drain()
    process.stdin.close()


async def _end(process: asyncio.subprocess.Process) -> None:
    """Kills its whole group where it goes on; nothing of it is left when this loop ends."""
    if process.returncode is not None:
        return
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(BURIED):
            await process.wait()
