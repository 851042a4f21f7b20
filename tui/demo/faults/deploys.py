"""A release that breaks a route, and one that never came to be."""

import random
from typing import NamedTuple

from tui.demo.faults.fault import Fault
from tui.demo.stack import Parts


class Change(NamedTuple):
    """A commit, and what it broke without anybody's noticing."""

    message: str
    route: str
    error: str
    words: str


CHANGES = (
    Change("Show archived projects in the sidebar", "/api/projects", "KeyError", "archived_at"),
    Change("Clip lengths as a share of the episode", "/api/clips", "TypeError", "unsupported operand: NoneType / int"),
    Change("Larger upload parts", "/api/upload/init", "ValueError", "part size must be a multiple of 262144"),
    Change("Check upload parts by their tag", "/api/upload/complete", "KeyError", "etag"),
    Change("Chapters in video descriptions", "/api/publish/youtube", "KeyError", "snippet"),
)


class BrokenDeploy(Fault):
    """A new production deployment, after which one route fails for some of its requests."""

    def __init__(self) -> None:
        self._uid = ""

    async def apply(self, parts: Parts, rng: random.Random) -> None:
        change = rng.choice(CHANGES)
        share = rng.uniform(0.4, 0.6) if "/upload" in change.route or "/publish" in change.route else rng.uniform(0.35, 0.6)
        regression = {"route": change.route, "share": share, "error": change.error, "message": change.words}
        self._uid = (await parts.book.deploy(change.message, regression)).uid

    async def heal(self, parts: Parts) -> None:
        await parts.book.roll_back(parts.book.last_good())

    async def active(self, parts: Parts) -> bool:
        return bool(self._uid) and parts.book.live == self._uid

    def clears_by(self, parts: Parts) -> str:
        return f"watchfloor demo rollback {parts.book.last_good().uid}"


class FailedDeploy(Fault):
    """A new production deployment fails to build; what was live stays so, until the next one is built."""

    BUILDS = (
        ("Upgrade the encoder to 7.2", "Pin the encoder's headers to 7.2"),
        ("Check types of the upload client strictly", "Type what the upload client retries"),
        ("Render clip previews on the edge", "Keep the image library out of the edge bundle"),
        ("Split the dashboard into lazy chunks", "Name the dashboard's entry chunk"),
    )
    """What the commit says, and what the one says that mends it."""

    def __init__(self) -> None:
        self._uid = self._mended = ""

    async def apply(self, parts: Parts, rng: random.Random) -> None:
        message, self._mended = rng.choice(self.BUILDS)
        self._uid = parts.book.fail(message).uid

    async def heal(self, parts: Parts) -> None:
        await parts.book.deploy(self._mended)

    async def active(self, parts: Parts) -> bool:
        return parts.book.newest.uid == self._uid
