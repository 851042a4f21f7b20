"""A deployment as Vercel's API tells it, and which of them served when. Data alone; nothing here asks.

READY and `target: production` do not mean that a deployment serves: after a rollback an older one does, and what is built
after it waits until somebody promotes it. What serves is the project's word (`targets.production`); what served before is
put together from when each got the production domain and from the last rollback or promotion.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

from tui.engine.text import EMPTY, Shown, clean

WORDS = {
    "READY": "ready",
    "ERROR": "error",
    "BUILDING": "building",
    "INITIALIZING": "starting",
    "QUEUED": "queued",
    "CANCELED": "canceled",
    "BLOCKED": "blocked",
    "DELETED": "deleted",
}
UNDER_WAY = frozenset({"BUILDING", "INITIALIZING", "QUEUED"})
LAST_MOMENT = 7_258_118_400.0
"""The year 2200: a time beyond it is no time."""
_PREFIXES = ("github", "gitlab", "bitbucket", "git")


class Deployment(Struct, frozen=True):
    """One build. Times are UTC seconds by our clock; None where the API has none. `uid`, `url` and `page` are raw."""

    uid: str
    state: str
    production: bool
    created: float | None = None
    building: float | None = None
    ready: float | None = None
    assigned: float | None = None
    """When it got the production domain, where that is told; `None` with `aliased` true: at some time."""
    aliased: bool = True
    """Whether it ever got its domains."""
    staged: bool = False
    """Built for production, waiting to be promoted."""
    rollback_candidate: bool = True
    sha: str = ""
    branch: Shown = EMPTY
    author: Shown = EMPTY
    message: str = ""
    error: Shown = EMPTY
    failed: bool = False
    source: Shown = EMPTY
    url: str = ""
    page: str = ""
    repository: str = ""

    @property
    def commit(self) -> Shown:
        """The short sha; where there is none (deployed from a shell), the beginning of the deployment's own id."""
        return clean(self.sha[:7] or self.uid.removeprefix("dpl_")[:7])

    @property
    def title(self) -> Shown:
        """Commit and branch: what people call it."""
        return clean(f"{self.commit} {self.branch}".strip())

    @property
    def word(self) -> Shown:
        """Its state in a word."""
        return clean(WORDS.get(self.state, self.state.lower()) or "?", 12)

    @property
    def went_live(self) -> float | None:
        """When it began to serve production by itself; None where it never did."""
        if not self.production or self.staged or not self.aliased or self.failed or self.state not in ("READY", "DELETED"):
            return None
        return self.assigned or self.ready or self.created


class Pointing(Struct, frozen=True):
    """The last time that somebody pointed production at a deployment by hand."""

    kind: str
    """`rollback` or `promote`."""
    status: str
    """`pending`, `in-progress`, `succeeded`, `failed`, `skipped`."""
    origin: str
    target: str
    at: float

    @property
    def under_way(self) -> bool:
        """Whether it is not decided yet."""
        return self.status in ("pending", "in-progress")

    @property
    def key(self) -> str:
        """Its identity as a change."""
        return f"{self.kind}:{self.target}@{self.at:.0f}"


class Stint(Struct, frozen=True):
    """A time in which one deployment served. `until` is None while it still does."""

    uid: str
    since: float
    until: float | None


def stints(deployments: Sequence[Deployment], live: str, pointing: Pointing | None) -> list[Stint]:
    """Which deployment served when, oldest first, as far as the list and the last pointing tell. `live` is the one that
    serves now, empty where that is not known.

    While a rollback stands, what was built after it waits to be promoted, whatever it says of its domains.
    """
    starts = [(at, each.uid) for each in deployments if (at := each.went_live) is not None]
    if pointing and pointing.status == "succeeded":
        if pointing.kind == "rollback" and live in ("", pointing.target):
            starts = [start for start in starts if start[0] <= pointing.at]
        starts.append((pointing.at, pointing.target))
    starts.sort()
    ends: list[float | None] = [at for at, _ in starts[1:]]
    return [Stint(uid, since, until) for (since, uid), until in zip(starts, [*ends, None], strict=False)]


def read_deployment(item: Mapping[str, Any], ahead: float) -> Deployment | None:
    """A deployment from the API's object; None where it has no id. `ahead` is how far the API's clock is ahead of ours."""
    uid = _text(item, "uid") or _text(item, "id")
    if not uid:
        return None
    meta = item.get("meta")
    meta = meta if isinstance(meta, dict) else {}
    state = _text(item, "readyState") or _text(item, "state")
    assigned = item.get("aliasAssigned")
    alias_error = item.get("aliasError")
    return Deployment(
        uid=uid,
        state=state.upper(),
        production=item.get("target") == "production",
        created=seconds(item.get("created") or item.get("createdAt"), ahead),
        building=seconds(item.get("buildingAt"), ahead),
        ready=seconds(item.get("ready"), ahead),
        assigned=seconds(assigned, ahead),
        aliased=bool(assigned) if "aliasAssigned" in item else True,
        staged=item.get("readySubstate") == "STAGED",
        rollback_candidate=item.get("isRollbackCandidate") is not False,
        sha=_of_commit(meta, "CommitSha"),
        branch=clean(_of_commit(meta, "CommitRef"), 60),
        author=clean(_author(meta, item.get("creator")), 60),
        message=_of_commit(meta, "CommitMessage"),
        error=_error(item, alias_error),
        failed=state.upper() == "ERROR" or bool(alias_error),
        source=clean(_text(item, "source"), 30),
        url=_text(item, "url"),
        page=_text(item, "inspectorUrl"),
        repository=_repository(meta),
    )


def read_pointing(data: object, ahead: float) -> Pointing | None:
    """The project's `lastAliasRequest`; None where there was none."""
    if not isinstance(data, dict):
        return None
    at, target = seconds(data.get("requestedAt"), ahead), _text(data, "toDeploymentId")
    if at is None or not target:
        return None
    kind = "rollback" if _text(data, "type") == "rollback" else "promote"
    return Pointing(kind, _text(data, "jobStatus"), _text(data, "fromDeploymentId"), target, at)


def seconds(milliseconds: object, ahead: float = 0.0) -> float | None:
    """UTC seconds by our clock of a time in ms; None for what is no time (also `true`, which some fields are)."""
    if isinstance(milliseconds, bool) or not isinstance(milliseconds, (int, float)):
        return None
    try:
        found = milliseconds / 1000 - ahead
    except OverflowError:
        return None
    return found if math.isfinite(found) and 0 < found < LAST_MOMENT else None


def _text(data: Mapping[str, Any], name: str) -> str:
    value = data.get(name)
    return value if isinstance(value, str) else ""


def _of_commit(meta: Mapping[str, Any], what: str) -> str:
    """A fact of the commit, whichever host it came from; empty for what was deployed from a shell."""
    return next((found for prefix in _PREFIXES if (found := _text(meta, prefix + what))), "")


def _author(meta: Mapping[str, Any], creator: object) -> str:
    """Who wrote it, else who deployed it."""
    creator = creator if isinstance(creator, dict) else {}
    return _of_commit(meta, "CommitAuthorName") or _text(creator, "username") or _text(creator, "email")


def _error(item: Mapping[str, Any], alias_error: object) -> Shown:
    """Why it failed, in the API's words."""
    said = _text(item, "errorMessage") or _text(item, "errorCode")
    if not said and isinstance(alias_error, dict):
        said = f"got no domain: {_text(alias_error, 'message') or _text(alias_error, 'code')}"
    return clean(said, 300)


def _repository(meta: Mapping[str, Any]) -> str:
    """`owner/name` at GitHub; empty elsewhere."""
    owner, name = _text(meta, "githubOrg"), _text(meta, "githubRepo")
    return f"{owner}/{name}" if owner and name else ""
