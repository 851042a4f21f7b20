"""A process of the stack, seen from the one that started it: a module of ours, asked by a line, answering by a line."""

import asyncio
import json
import os
import sys
from contextlib import suppress
from pathlib import Path

from tui.demo.lifetime import MAX_LINE, Message

ANSWERS_WITHIN = 20.0


class Child:
    """`python -m MODULE`, in a session of its own, so that a terminal's Ctrl-C reaches the owner of the stack alone."""

    def __init__(self, module: str, log: Path) -> None:
        self._module = module
        self._log = log
        self._process: asyncio.subprocess.Process | None = None
        self._turn = asyncio.Lock()

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.returncode is None

    async def start(self) -> None:
        with os.fdopen(os.open(self._log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)) as log:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-P", "-m", self._module),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                cwd=self._log.parent,
                start_new_session=True,
                limit=MAX_LINE,
            )

    async def ask(self, message: Message) -> Message:
        """Says it and waits for the answer; an answer that is an error is raised."""
        async with self._turn, asyncio.timeout(ANSWERS_WITHIN):
            self.tell(message)
            answer = await self.hear()
        if "error" in answer:
            raise RuntimeError(f"{self._module}: {answer['error']}")
        return answer

    async def hear(self) -> Message:
        """The next thing it says."""
        assert self._process is not None and self._process.stdout is not None
        line = await self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self._module} ended: {_tail(self._log)}")
        answer: Message = json.loads(line)
        return answer

    def tell(self, message: Message) -> None:
        """Says it without waiting."""
        assert self._process is not None and self._process.stdin is not None
        self._process.stdin.write(json.dumps(message).encode() + b"\n")

    async def kill(self) -> None:
        """Ends it at once, without a word."""
        if self._process is not None and self.alive:
            self._process.kill()
            await self._process.wait()

    async def leave(self, within: float) -> None:
        """Closes the line; a child that is not gone in time is killed."""
        await self.finish(within)
        await self.kill()

    async def finish(self, within: float) -> None:
        """Closes the line; a child that is not gone in time brings its work to an end by itself."""
        if self._process is None:
            return
        if self._process.stdin is not None:
            self._process.stdin.close()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._process.wait(), within)


def _tail(log: Path) -> str:
    with suppress(OSError):
        return log.read_text(errors="replace")[-600:].strip() or "it said nothing"
    return "no log"
