"""One component of the web service that is really broken, so that a health endpoint says so."""

import random
import secrets

from tui.demo.faults.fault import Fault
from tui.demo.services.partners import Temper
from tui.demo.stack import Parts

KINDS = ("setting", "login", "storage", "cache", "media")
SETTINGS = ("STRIPE_WEBHOOK_SECRET", "STORAGE_URL")


class BrokenComponent(Fault):
    """A setting is gone, the database refuses its password, a store does not answer, or a port is closed."""

    def __init__(self) -> None:
        self._kind = ""
        self._setting = ""

    async def apply(self, parts: Parts, rng: random.Random) -> None:
        self._kind, self._setting = rng.choice(KINDS), rng.choice(SETTINGS)
        match self._kind:
            case "setting":
                await parts.web.ask({"environment": {self._setting: ""}})
            case "login":
                outdated = parts.database.dsn("shop_api", password=secrets.token_hex(16))
                await parts.web.ask({"environment": {"DATABASE_URL": outdated}})
            case "media":
                await parts.media.close()
            case store:
                parts.partners.tempers[f"{store}/ping"] = Temper(0.0, 0.01, 1.0, 503, "connection reset by peer")

    async def heal(self, parts: Parts) -> None:
        match self._kind:
            case "setting" | "login":
                await parts.web.ask({"environment": parts.environment})
            case "media":
                await parts.media.open()
            case store:
                parts.partners.calm(f"{store}/ping")
        self._kind = ""

    async def active(self, parts: Parts) -> bool:
        return bool(self._kind)
