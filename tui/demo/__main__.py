"""`python -m tui.demo`: the process that owns a stack. Started by `tui.demo.client`, never by hand.

Its first line on stdin says what to start; then it answers `{"ready": …}` or `{"error": [what, try]}` and lives until
its stdin closes or a signal comes. Everything else that runs is its child and ends with it.
"""

import asyncio
import os
import secrets
import signal
import sys
import traceback
from contextlib import suppress
from pathlib import Path
from typing import Any

from tui.demo.control import serve
from tui.demo.deployments.api import Refusal, check
from tui.demo.errors import DemoError
from tui.demo.faults.manager import Faults
from tui.demo.folder import Folder
from tui.demo.lifetime import heard, say
from tui.demo.stack import Parts

LAST = "db-pool"
"""Leaves no connection for the others, so it comes after them."""


class House:
    """One stack, and what may be asked of it while it runs."""

    def __init__(self, told: dict[str, Any]) -> None:
        self._told = told
        self._folder = Folder(Path(told["folder"]))
        self.parts = Parts(self._folder, told["seed"])
        self._faults = Faults(self.parts)

    async def start(self) -> dict[str, Any]:
        await self.parts.start(self._told["seed"], bundled=self._told["bundled"])
        for name in sorted(self._told["faults"], key=lambda name: name == LAST):
            await self._faults.apply(name, self._told["seed"])
        token = secrets.token_urlsafe(24)
        port = await serve(token, self._handle)
        controls = {"pid": os.getpid(), "port": port, "token": token}
        self._folder.write(self._folder.control.name, json_line(controls))
        self._folder.point_here()
        return controls

    async def _handle(self, do: str, arguments: dict[str, Any]) -> Any:
        match do:
            case "faults":
                return await self._faults.state()
            case "fault":
                return await self._faults.apply(arguments["name"], arguments["seed"])
            case "heal":
                return await self._faults.heal(arguments["name"])
            case "rollback":
                return await self._roll_back(arguments["id"])
        raise DemoError(f"The stack does not know how to {do}", "Is it of the same version?")

    async def _roll_back(self, identity: str) -> str:
        book = self.parts.book
        target = book.find(identity)
        candidates = "Try `watchfloor demo rollback " + book.last_good().uid + "`"
        if target is None:
            raise DemoError(f"There is no deployment {identity}", candidates)
        try:
            check(book, target)
        except Refusal as error:
            raise DemoError(str(error).rstrip("."), candidates) from None
        await book.roll_back(target)
        return f"{target.uid} ({target.sha[:7]}, {target.message}) serves production"


def json_line(value: Any) -> str:
    import json

    return json.dumps(value) + "\n"


async def live() -> None:
    """Starts, says so, and ends when the owner is gone or a signal comes."""
    over = asyncio.Event()
    loop = asyncio.get_running_loop()
    for which in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        loop.add_signal_handler(which, over.set)
    owner = heard()
    house = House(await anext(owner))

    async def wait_for_owner() -> None:
        async for _ in owner:
            pass
        over.set()

    waiting = asyncio.create_task(wait_for_owner())
    ending = asyncio.create_task(over.wait())
    starting = asyncio.create_task(house.start())
    await asyncio.wait({starting, ending}, return_when=asyncio.FIRST_COMPLETED)
    if starting.done():
        error = starting.exception()
        if error is None:
            say({"ready": starting.result()})
            await ending
        else:
            traceback.print_exception(error, file=sys.stderr)
            with suppress(BrokenPipeError):
                say({"error": _explained(error)})
    await house.parts.stop()
    waiting.cancel()
    os._exit(0)


def _explained(error: BaseException) -> list[str]:
    if isinstance(error, DemoError):
        return [error.what, error.try_]
    what = f"The stack did not start: {type(error).__name__}: {error}"
    return [what, "Try again; if it stays so, please report it"]


if __name__ == "__main__":
    with suppress(StopAsyncIteration):
        asyncio.run(live())
