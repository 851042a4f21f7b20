"""Vercel's API, read only: the deployments, newest first, and what the project says is serving.

The API is a messenger: where it has no answer, deployments are *unknown*. What it refuses (401, 403) or limits (429) makes the
poller ask less often; it says itself when it may be asked again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from time import monotonic
from typing import Any
from urllib.parse import quote

from msgspec import Struct

from tui.engine.clock import moment
from tui.engine.connections import Tools
from tui.engine.http_answer import Fetched, retry_after
from tui.engine.panel import Memory
from tui.engine.reading import ProbeError, no_answer
from tui.engine.secrets import SecretError

from .config import DeploysConfig
from .deployment import Deployment, Pointing, read_deployment, read_pointing, seconds

VERSIONS = ("v7", "v6")
"""Of the list: the newest, and the one that look-alikes and older accounts have."""
PAGE = 100
"""The longest page that the API gives."""
PAGES = 5
DAY = 86400.0
CLOCKS_AGREE = 2.0
"""Seconds within which two clocks count as the same: a Date header tells whole seconds."""


class Listed(Struct, frozen=True):
    """Deployments, newest first. `whole` is false where the last 24 h hold more than were read; `unread` counts entries
    without an id."""

    deployments: tuple[Deployment, ...]
    whole: bool
    unread: int = 0


class Project(Struct, frozen=True):
    """What a project says of itself: its name, the deployment that serves production, the last pointing by hand."""

    name: str
    live: Deployment | None
    pointing: Pointing | None


class Vercel:
    """One look's questions, all within one deadline. Every method raises ProbeError where there is no answer."""

    def __init__(self, name: str, config: DeploysConfig, tools: Tools, deadline: float, memory: Memory | None = None) -> None:
        self._config = config.vercel
        self._client = tools.http(name, config.vercel.http())
        self._clock = tools.clock
        self._ends = monotonic() + deadline
        self._memory: Memory = {} if memory is None else memory
        self.ahead = 0.0
        """Seconds by which the API's clock is ahead of ours, where that is more than clocks may differ."""

    async def deployments(self, wanted: int, target: str) -> Listed:
        """At least `wanted` of the newest, as many as there are, and the last 24 h whole where five pages hold them."""
        found: list[Deployment] = []
        unread, until = 0, None
        day_ago = self._clock.utc() - DAY
        for page in range(PAGES):
            data = await self._page(wanted if page == 0 else PAGE, target, until)
            items = [each for each in data["deployments"] if isinstance(each, dict)]
            read = [each for item in items if (each := read_deployment(item, self.ahead))]
            unread += len(data["deployments"]) - len(read)
            found += read
            until = _next(data)
            enough = len(found) >= wanted and bool(read) and (read[-1].created or 0.0) < day_ago
            if until is None or enough:
                return Listed(_newest_first(found), True, unread)
        return Listed(_newest_first(found), False, unread)

    async def project(self) -> Project:
        """The project: what serves, and the last rollback or promotion."""
        data = await self._get(f"/v9/projects/{quote(self._config.project, safe='')}", {})
        targets = data.get("targets")
        production = targets.get("production") if isinstance(targets, dict) else None
        live = read_deployment({"target": "production", **production}, self.ahead) if isinstance(production, dict) else None
        name = data.get("name")
        return Project(name if isinstance(name, str) else "", live, read_pointing(data.get("lastAliasRequest"), self.ahead))

    async def _page(self, limit: int, target: str, until: int | None) -> dict[str, Any]:
        """One page of the list, from the newest version of it that this API has."""
        params = {"projectId": self._config.project, "limit": str(min(limit, PAGE))}
        if target == "production":
            params["target"] = "production"
        if until is not None:
            params["until"] = str(until)
        known = self._memory.get("version")
        versions = [known] if known else list(VERSIONS)
        for version in versions:
            try:
                data = await self._get(f"/{version}/deployments", params)
            except NotThere:
                self._memory.pop("version", None)
                if version == versions[-1]:
                    raise
                continue
            if not isinstance(data.get("deployments"), list):
                raise no_answer("contract", "the reply has no list of deployments", "is `base` a Vercel API?")
            self._memory["version"] = version
            return data
        raise AssertionError("there is at least one version")

    async def _get(self, path: str, params: Mapping[str, str]) -> dict[str, Any]:
        """One object of the API."""
        config = self._config
        try:
            token = await config.token.reveal()
            base = await config.base.reveal()
        except SecretError as error:
            raise no_answer("config", str(error), "set it, or mend its reference in the config") from None
        fetched = await self._client.fetch(
            "GET",
            base.rstrip("/") + path,
            deadline=max(0.01, self._ends - monotonic()),
            headers={"authorization": f"Bearer {token}"},
            params={**params, **config.scope()},
        )
        offset = fetched.clock_offset or 0.0
        self.ahead = offset if abs(offset) > CLOCKS_AGREE else 0.0
        data = _object(fetched)
        if fetched.status != 200:
            raise self._refusal(fetched, data or {})
        if data is None:
            raise no_answer("contract", f"the reply is no JSON object ({fetched.content_type or 'of no type'})", NO_API)
        return data

    def _refusal(self, fetched: Fetched, data: Mapping[str, Any]) -> ProbeError:
        """What an error status means, and what to do about it."""
        error = data.get("error")
        error = error if isinstance(error, dict) else {}
        said = " ".join(part for part in (error.get("code"), error.get("message")) if isinstance(part, str))
        says = f"HTTP {fetched.status}{f': {said}' if said else ''}"
        team = self._config.team
        match fetched.status:
            case 401 | 403:
                self._config.token.forget()
                hint = f"does the token still hold, and for the team {team}?" if team else NO_TEAM
                return no_answer("rights", says, hint, refused=True)
            case 404 | 410:
                hint = f"is {self._config.project} the team {team}'s project?" if team else NO_TEAM_PROJECT
                return NotThere(no_answer("status", says, hint))
            case 429:
                return self._limited(fetched, error)
        return no_answer("status", says, "look at https://www.vercel-status.com" if fetched.status >= 500 else NO_API)

    def _limited(self, fetched: Fetched, error: Mapping[str, Any]) -> ProbeError:
        """It limits us: until when, by its own word."""
        limit = error.get("limit")
        reset = limit.get("reset") if isinstance(limit, dict) else None
        at = seconds(reset * 1000 if isinstance(reset, (int, float)) else None, self.ahead)
        now = self._clock.utc()
        wait = retry_after(fetched.headers)
        if wait is None and at is not None and at > now:
            wait = min(at - now, DAY)
        until = f" until {moment(now + wait, now)}" if wait else ""
        return no_answer(
            "status", f"HTTP 429: it limits us{until}", "ask less often: `interval`", refused=True, retry_after=wait
        )


class NotThere(ProbeError):
    """HTTP 404 or 410: this version of the path, the project, or our sight of it is not there."""

    def __init__(self, error: ProbeError) -> None:
        super().__init__(error.failure, error.status)


NO_API = "is `base` a Vercel API?"
NO_TEAM = "does the token still hold? A team's project without `team` looks just like a bad token"
NO_TEAM_PROJECT = "is `project` right? A team's project needs `team`"


def _object(fetched: Fetched) -> dict[str, Any] | None:
    """The reply's JSON object; None where it is none."""
    try:
        data = json.loads(fetched.body, parse_constant=lambda name: None)
    except (ValueError, RecursionError):
        return None
    return data if isinstance(data, dict) else None


def _next(data: Mapping[str, Any]) -> int | None:
    """Where the next page begins; None after the last."""
    pagination = data.get("pagination")
    following = pagination.get("next") if isinstance(pagination, dict) else None
    return following if isinstance(following, int) and not isinstance(following, bool) else None


def _newest_first(found: list[Deployment]) -> tuple[Deployment, ...]:
    """Each once, the newest first: a page boundary may give one twice."""
    once = {each.uid: each for each in found}
    return tuple(sorted(once.values(), key=lambda each: each.created or 0.0, reverse=True))
