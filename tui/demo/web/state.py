"""What the handlers of the web service share: settings, database, partners, metrics and the release that is live."""

import random
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import web
from psycopg.rows import dict_row

from tui.demo.database.pool import Pool
from tui.demo.web.metrics import Metrics

REQUIRED = ("DATABASE_URL", "STORAGE_URL", "STRIPE_WEBHOOK_SECRET", "ADMIN_TOKEN", "READER_TOKEN", "CRON_SECRET")
"""Settings without which the service is not ready."""

PARTNER_DEADLINE = 10.0


class Refused(Exception):
    """A request that cannot be served, with the status and the words for its answer."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


@dataclass(frozen=True)
class Regression:
    """What a release broke: a route that raises, for some of its requests."""

    route: str
    share: float
    error: str
    message: str


@dataclass
class Release:
    """The build that is live."""

    sha: str = ""
    regression: Regression | None = None

    def serve(self, route: str) -> None:
        """Runs this release's own code for the route, with whatever is wrong in it."""
        broken = self.regression
        if broken is not None and broken.route == route and random.random() < broken.share:
            raise {"KeyError": KeyError, "TypeError": TypeError}.get(broken.error, RuntimeError)(broken.message)


@dataclass
class State:
    """One for the service; handlers get it by `state(request)`."""

    environment: dict[str, str]
    pool: Pool
    partners: aiohttp.ClientSession
    metrics: Metrics
    release: Release
    answered: dict[str, tuple[str, int, dict[str, Any]]] = field(default_factory=dict)
    """Answers by idempotency key: path, status and body."""

    def missing(self) -> list[str]:
        return [name for name in REQUIRED if not self.environment.get(name)]

    async def rows(self, query: str, arguments: Iterable[Any] = ()) -> list[dict[str, Any]]:
        """One statement in a transaction of its own. Its text is ours; what comes from outside is an argument."""
        async with self.pool.connection() as connection, connection.cursor(row_factory=dict_row) as cursor:
            await cursor.execute(query.encode(), tuple(arguments))
            return await cursor.fetchall() if cursor.description else []

    async def partner(self, operation: str) -> None:
        """Asks another company's API, and counts how it went; what it refuses becomes a 502 that says so, its silence a 504."""
        company = operation.partition("/")[0]
        try:
            await self._ask(operation)
        except Refused:
            self.metrics.external.labels(company, "failure").inc()
            raise
        self.metrics.external.labels(company, "success").inc()

    async def _ask(self, operation: str) -> None:
        try:
            async with self.partners.post(f"/{operation}") as answer:
                body = await answer.json()
        except TimeoutError:
            raise Refused(504, "gateway_timeout", f"{operation}: no answer within {PARTNER_DEADLINE:.0f} s") from None
        except aiohttp.ClientError as error:
            raise Refused(502, "bad_gateway", f"{operation}: {error}") from None
        if answer.status >= 400:
            raise Refused(502, "bad_gateway", f"{operation} answered {answer.status}: {body.get('message')}")


STATE = web.AppKey("state", State)


def state(request: web.Request) -> State:
    return request.app[STATE]


def bearer(request: web.Request) -> str:
    """The token of the `Authorization` header, empty without one."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token if scheme.lower() == "bearer" else ""


async def body(request: web.Request, *needed: str) -> dict[str, Any]:
    """The JSON object that was sent, with the members it must have."""
    try:
        sent = await request.json()
    except ValueError:
        sent = None
    if not isinstance(sent, dict) or any(name not in sent for name in needed):
        raise Refused(400, "bad_request", f"a JSON object with {', '.join(needed)} is needed")
    return sent
