"""The project's deployments: what was built when, and which build has the production domain. No HTTP here."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Literal

PROJECT = "prj_cliply"
NAME = "cliply"
TEAM = "cliply"
PEOPLE = (("Ines Vidal", "inesvidal"), ("Tomasz Lis", "tlis"), ("Ruth Okafor", "rokafor"), ("Jun Mori", "junmori"))
DAY = 86_400.0

PAST = (
    # days ago, branch, message, state, production
    (4.9, "main", "Sync Stripe plans nightly", "READY", True),
    (4.1, "feat/vertical-crop", "Vertical crop preview", "READY", False),
    (3.2, "main", "Retry TikTok uploads after a rate limit", "READY", True),
    (2.4, "main", "Upgrade the encoder to 7.1", "ERROR", True),
    (2.3, "main", "Pin the encoder's shared libraries", "READY", True),
    (1.3, "main", "Index clips by project", "READY", True),
    (0.9, "fix/oauth-refresh", "Refresh OAuth tokens a day before they expire", "READY", False),
    (0.6, "main", "Refresh OAuth tokens a day before they expire", "READY", True),
)


@dataclass
class Deployment:
    """One build. Times are seconds since the epoch; the API writes milliseconds."""

    uid: str
    sha: str
    branch: str
    message: str
    author: tuple[str, str]
    created: float
    ready: float | None
    state: str
    production: bool
    regression: dict[str, Any] | None = None
    """What this build broke, as the web service is told it; the API says nothing of it."""

    @property
    def can_serve(self) -> bool:
        return self.production and self.state == "READY"


Outcome = Literal["pending", "succeeded", "failed"]


@dataclass
class Alias:
    """The last time that production was pointed by hand."""

    origin: str
    target: str
    requested: float
    outcome: Outcome = "pending"


@dataclass
class Book:
    """All deployments, the newest first. `roll_out` is told which build the web service is to run from now on."""

    rng: random.Random
    roll_out: Callable[[Deployment], Awaitable[None]]
    all: list[Deployment] = field(default_factory=list)
    live: str = ""
    alias: Alias | None = None

    def __post_init__(self) -> None:
        now = time.time()
        for days, branch, message, state, production in PAST:
            jitter = self.rng.uniform(-0.05, 0.05)
            deployment = self._make(now - (days + jitter) * DAY, branch, message, state, production)
            self.all.insert(0, deployment)
            if deployment.can_serve:
                self.live = deployment.uid

    @property
    def current(self) -> Deployment:
        found = self.find(self.live)
        assert found is not None
        return found

    def find(self, identity: str) -> Deployment | None:
        """By its id, or by its address."""
        return next((each for each in self.all if identity in (each.uid, host(each))), None)

    @property
    def newest(self) -> Deployment:
        """The production build that was made last, whatever became of it."""
        return next(each for each in self.all if each.production)

    def last_good(self) -> Deployment:
        """The newest production build, other than the live one, that can serve and broke nothing."""
        return next(each for each in self.all if each.can_serve and each.regression is None and each.uid != self.live)

    async def deploy(self, message: str, regression: dict[str, Any] | None = None) -> Deployment:
        """A new production build goes live."""
        deployment = self._make(time.time() - 40, "main", message, "READY", True)
        deployment.regression = regression
        self.all.insert(0, deployment)
        await self._point(deployment)
        return deployment

    def fail(self, message: str) -> Deployment:
        """A new production build ends in an error: what was live stays so."""
        deployment = self._make(time.time() - 40, "main", message, "ERROR", True)
        self.all.insert(0, deployment)
        return deployment

    async def roll_back(self, target: Deployment, takes: float = 0.0) -> None:
        """Points production at an earlier build; what is pending can be read from `alias` meanwhile."""
        self.alias = Alias(self.live, target.uid, time.time())
        await asyncio.sleep(takes)
        try:
            await self._point(target)
        except Exception:
            self.alias.outcome = "failed"
            raise
        self.alias.outcome = "succeeded"

    async def _point(self, deployment: Deployment) -> None:
        await self.roll_out(deployment)
        self.live = deployment.uid

    def _make(self, created: float, branch: str, message: str, state: str, production: bool) -> Deployment:
        letters = "abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"
        return Deployment(
            uid="dpl_" + "".join(self.rng.choices(letters, k=24)),
            sha=f"{self.rng.getrandbits(160):040x}",
            branch=branch,
            message=message,
            author=self.rng.choice(PEOPLE),
            created=created,
            ready=created + self.rng.uniform(25, 38) if state == "READY" else None,
            state=state,
            production=production,
        )


def host(deployment: Deployment) -> str:
    """The address that every build keeps."""
    return f"{NAME}-{deployment.uid[4:13].lower()}-{TEAM}.vercel.app"
