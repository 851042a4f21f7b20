"""A command of one's own: argv, never a shell. It gets the message as JSON on stdin and as variables, and tells whom it will.

Exit code 0 means that it was told; anything else, or no end within the deadline, that it was not.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import signal
from typing import TYPE_CHECKING

from pydantic import Field

from ..panel import Checked
from ..redact import redact
from ..text import EMPTY, Shown, clean
from .channel import Channel, Undelivered
from .message import Message

if TYPE_CHECKING:
    from ..connections import Tools

COMPLAINT = 4096
"""Bytes of what it writes to stderr that are kept."""
BURIED = 1.0
"""Seconds that a killed program's end is waited for."""


class Command(Channel):
    """`kind = "command"`: a program that is run for each message."""

    argv: tuple[str, ...] = Field(min_length=1)
    """The program and its arguments, run without a shell. The message is on its stdin as JSON, and in variables called
    `WATCHFLOOR_HEADLINE`, `WATCHFLOOR_SEVERITY`, `WATCHFLOOR_BRIEF`, …"""

    async def send(self, message: Message, tools: Tools) -> Shown:
        """Runs it and waits for its end; kills it, and what it started, at the deadline."""
        try:
            process = await asyncio.create_subprocess_exec(
                *self.argv,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.PIPE,
                env={**os.environ, **variables(message)},
                start_new_session=True,
            )
        except OSError as error:
            raise Undelivered(f"{self.argv[0]} could not be started: {error.strerror or error}", final=True) from None
        try:
            async with asyncio.timeout(self.deadline):
                complaint = await _served(process, json.dumps(message.fields).encode())
                code = await process.wait()
        except TimeoutError:
            raise Undelivered(f"{self.argv[0]} did not end within {self.deadline:g}s", maybe=True) from None
        finally:
            _kill_all_of(process)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(BURIED):  # so that nothing of it is left when this loop ends
                    await process.communicate()
        if code:
            last = complaint.decode("utf-8", "replace").strip().splitlines()[-1:] or [""]
            raise Undelivered(redact(f"{self.argv[0]} ended with exit code {code}{': ' if last[0] else ''}{last[0]}"))
        return EMPTY

    async def check(self, tools: Tools) -> Checked:
        """Whether the program is there and may be run; it is not run."""
        source = clean(f"{self.title} (command)")
        if shutil.which(self.argv[0]):
            return Checked(source, True, clean(f"{self.argv[0]} is there; it was not run"))
        return Checked(source, False, clean(f"there is no program {self.argv[0]}, or it may not be run"))


def variables(message: Message) -> dict[str, str]:
    """The message as environment variables."""
    return {f"WATCHFLOOR_{name.upper()}": value for name, value in message.fields.items()}


async def _served(process: asyncio.subprocess.Process, message: bytes) -> bytes:
    """Gives it the message and takes what it complains of, to a bound: a flood is read and thrown away."""
    assert process.stdin is not None and process.stderr is not None
    with contextlib.suppress(OSError):  # it need not read
        process.stdin.write(message)
        await process.stdin.drain()
    process.stdin.close()
    kept = b""
    while piece := await process.stderr.read(COMPLAINT):
        kept = (kept + piece)[-COMPLAINT:]
    return kept


def _kill_all_of(process: asyncio.subprocess.Process) -> None:
    """Ends the program's whole group, where it goes on."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
