"""A command of one's own: argv, never a shell. It gets the message as JSON on stdin and as variables, and tells whom it will.

Exit code 0 means that it was told; anything else, or no end within the deadline, that it was not.
"""

from __future__ import annotations

import json
import os
import shutil
from typing import TYPE_CHECKING

from pydantic import Field

from ..panel import Checked
from ..programs import run
from ..redact import redact
from ..text import EMPTY, Shown, clean
from .channel import Channel, Undelivered
from .message import Message

if TYPE_CHECKING:
    from ..connections import Tools

COMPLAINT = 4096
"""Bytes of what it writes to stderr that are kept."""


class Command(Channel):
    """`kind = "command"`: a program that is run for each message."""

    argv: tuple[str, ...] = Field(min_length=1)
    """The program and its arguments, run without a shell. The message is on its stdin as JSON, and in variables called
    `WATCHFLOOR_HEADLINE`, `WATCHFLOOR_SEVERITY`, `WATCHFLOOR_BRIEF`, …"""

    async def send(self, message: Message, tools: Tools) -> Shown:
        """Runs it and waits for its end; kills it, and what it started, at the deadline."""
        program = self.argv[0]
        try:
            ended = await run(
                self.argv,
                within=self.deadline,
                hears="stderr",
                keeps=COMPLAINT,
                given=json.dumps(message.fields).encode(),
                env={**os.environ, **variables(message)},
            )
        except TimeoutError:
            raise Undelivered(f"{program} did not end within {self.deadline:g}s", maybe=True) from None
        except OSError as error:
            raise Undelivered(f"{program} could not be started: {error.strerror or error}", final=True) from None
        if ended.code:
            last = ended.wrote.decode("utf-8", "replace").strip().splitlines()[-1:] or [""]
            raise Undelivered(redact(f"{program} ended with exit code {ended.code}{': ' if last[0] else ''}{last[0]}"))
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
