"""One component of the web service that is really broken, so that a health endpoint says so."""

import random

from tui.demo.faults.fault import Fault
from tui.demo.services.partners import Temper
from tui.demo.stack import Parts

KINDS = ("setting", "login", "storage", "cache", "media")
SETTINGS = ("STRIPE_WEBHOOK_SECRET", "STORAGE_URL")


class BrokenComponent(Fault):
    """A setting is gone, the database refuses new logins, a store does not answer, or a port is closed."""

    def __init__(self) -> None:
        self._kind = ""
        self._setting = ""

    async def apply(self, parts: Parts, rng: random.Random) -> None:
        self._kind, self._setting = rng.choice(KINDS), rng.choice(SETTINGS)
        match self._kind:
            case "setting":
                await parts.web.ask({"environment": {self._setting: ""}})
            case "login":
                await _login(parts, allowed=False)
            case "media":
                await parts.media.close()
            case store:
                parts.partners.tempers[f"{store}/ping"] = Temper(0.0, 0.01, 1.0, 503, "connection reset by peer")

    async def heal(self, parts: Parts) -> None:
        match self._kind:
            case "setting":
                await parts.web.ask({"environment": {self._setting: parts.environment[self._setting]}})
            case "login":
                await _login(parts, allowed=True)
            case "media":
                await parts.media.open()
            case store:
                parts.partners.calm(f"{store}/ping")
        self._kind = ""

    async def active(self, parts: Parts) -> bool:
        return bool(self._kind)


async def _login(parts: Parts, *, allowed: bool) -> None:
    async with parts.database.session() as superuser:
        await superuser.execute("ALTER ROLE shop_api LOGIN" if allowed else "ALTER ROLE shop_api NOLOGIN")
