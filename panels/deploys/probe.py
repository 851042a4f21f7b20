"""Asks for the newest deployments and for what serves; each that went live is a change."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from msgspec import Struct

from tui.engine.connections import Tools
from tui.engine.panel import Memory, Target
from tui.engine.reading import Change, Failure, Found, Link, ProbeError, Row, Signal, Status, Value, signal
from tui.engine.text import EMPTY, Shown, clean, clean_lines
from tui.engine.units import show_duration

from .config import DeploysConfig
from .deployment import UNDER_WAY, Deployment, Pointing, Stint, stints
from .vercel import DAY, Listed, Project, Vercel

_REPOSITORY = re.compile(r"[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+")
_SHA = re.compile(r"[0-9a-f]{7,64}")
_HOST = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]*")


class Look(Struct, frozen=True):
    """What one look found: the deployments read, and what the project says (None where it has no answer, and why)."""

    listed: Listed
    project: Project | None
    failure: Failure | None
    now: float
    ahead: float = 0.0

    @property
    def live(self) -> str:
        """The id of the deployment that serves production; empty where it is not known."""
        return self.project.live.uid if self.project and self.project.live else ""

    @property
    def serving(self) -> Deployment | None:
        """The deployment that serves production, as the list has it where it does: the project tells less of it."""
        own = {each.uid: each for each in self.listed.deployments}
        return own.get(self.live, self.project.live if self.project else None)

    @property
    def pointing(self) -> Pointing | None:
        """The last rollback or promotion by hand."""
        return self.project.pointing if self.project else None


async def ask(target: Target, tools: Tools, memory: Memory) -> Found:
    """One look at the project's deployments."""
    config: DeploysConfig = target.settings
    vercel = Vercel(f"{target.panel}/vercel", config, tools, target.deadline, memory)
    return found(await look(vercel, tools, config.limit, config.target), config.limit)


async def look(vercel: Vercel, tools: Tools, wanted: int, target: str) -> Look:
    """The deployments, and what serves. Raises ProbeError where there is no list; a list alone is still worth showing."""
    listed = await vercel.deployments(wanted, target)
    try:
        project, failure = await vercel.project(), None
    except ProbeError as error:
        project, failure = None, _which_serves(error.failure)
    return Look(listed, project, failure, tools.clock.utc(), vercel.ahead)


def found(look: Look, limit: int) -> Found:
    """The look as signals, rows and changes. Where it is not known what serves, all of it is *unknown*."""
    listed = look.listed.deployments
    served = stints(listed, look.live, look.pointing)
    shown = list(listed[:limit])
    if look.serving is not None and look.serving not in shown:
        shown.append(look.serving)
    rows = tuple(_row(each, look, served) for each in shown)
    status = Status.OK if look.failure is None else Status.UNKNOWN
    return Found(status, _signals(listed, served, look), rows, _changes(listed, served, look), look.failure, _notes(look))


def _which_serves(failure: Failure) -> Failure:
    """The project's failure, saying what is missing without it."""
    return Failure(
        failure.phase, clean(f"which one serves: {failure.says}"), failure.hint, failure.refused, failure.retry_after
    )


def _signals(listed: Sequence[Deployment], served: Sequence[Stint], look: Look) -> tuple[Signal, ...]:
    """The figures over what was listed."""
    lately = [each for each in listed if each.created is not None and look.now - each.created <= DAY]
    ended = [each for each in listed if each.failed or each.state == "READY"]
    newest = next((each for each in ended if each.production), None)
    own = {each.uid: each for each in listed}
    starts = [each.since for each in served if each.uid in own and own[each.uid].went_live == each.since]
    return (
        signal("deployments_failed_24h", sum(each.failed for each in lately)),
        signal("newest_failed", None if newest is None else float(newest.failed)),
        signal("success_rate", sum(not each.failed for each in ended) / len(ended) if ended else None, "ratio"),
        signal("last_deploy_age", look.now - max(starts) if starts else None, "s"),
        signal("building", sum(each.state in UNDER_WAY for each in listed)),
    )


def _row(each: Deployment, look: Look, served: Sequence[Stint]) -> Row:
    """One deployment. `served_for` and `live_since` are seconds and UTC seconds, None where it never served."""
    mine = [stint for stint in served if stint.uid == each.uid]
    since = mine[-1].since if mine else each.went_live if each.uid == look.live else None
    at = since or each.created
    pointing = look.pointing
    cells: dict[str, Value] = {
        "state": each.word,
        "created": each.created,
        "commit": each.commit,
        "branch": each.branch,
        "author": each.author,
        "message": clean(each.message.strip().partition("\n")[0], 200),
        "age": None if at is None else max(0.0, look.now - at),
        "live": each.uid == look.live if look.live else None,
        "live_since": since,
        "served_for": sum((stint.until or look.now) - stint.since for stint in mine) if mine else None,
        "rolled_back": _rolled_back(each, pointing, look.live),
        "pointed": clean(pointing.key) if pointing and pointing.status == "succeeded" and each.uid == look.live else EMPTY,
        "pointing": _pointing_to(each, pointing, look.now),
        "production": each.production,
        "can_return": each.went_live is not None and each.state == "READY" and each.rollback_candidate,
        "built_in": each.ready - each.building if each.ready and each.building and each.ready >= each.building else None,
        "error": each.error,
        "source": each.source,
        "address": clean(each.url, 200) if _HOST.fullmatch(each.url) else EMPTY,
        "page": clean(each.page, 300) if each.page.startswith("https://") else EMPTY,
    }
    status = Status.FAILING if each.failed else Status.DEGRADED if each.state == "BLOCKED" else Status.OK
    long = {"message": clean_lines(each.message)} if "\n" in each.message.strip() else {}
    return Row(each.uid, cells, status, links=_links(each), long=long)


def _rolled_back(each: Deployment, pointing: Pointing | None, live: str) -> bool:
    """Whether somebody took production away from it by hand, which says that it was not good."""
    return bool(
        pointing
        and pointing.kind == "rollback"
        and pointing.status == "succeeded"
        and each.uid == pointing.origin
        and each.uid != live
    )


def _pointing_to(each: Deployment, pointing: Pointing | None, now: float) -> Shown:
    """What is under way towards it, in words; empty where nothing is."""
    if not pointing or not pointing.under_way or pointing.target != each.uid:
        return EMPTY
    return clean(f"{pointing.kind} under way for {show_duration(now - pointing.at)}")


def _links(each: Deployment) -> tuple[Link, ...]:
    """Its page at the vendor, itself, its commit; only addresses that are what they should be."""
    links = []
    if each.page.startswith("https://"):
        links.append(Link(Shown("deployment"), each.page))
    if _HOST.fullmatch(each.url):
        links.append(Link(Shown("site"), f"https://{each.url}"))
    if _REPOSITORY.fullmatch(each.repository) and _SHA.fullmatch(each.sha):
        links.append(Link(Shown("commit"), f"https://github.com/{each.repository}/commit/{each.sha}"))
    return tuple(links)


def _changes(listed: Sequence[Deployment], served: Sequence[Stint], look: Look) -> tuple[Change, ...]:
    """What changed production: each deployment when it went live, and the last pointing by hand. One that failed to build
    changed nothing."""
    own: Mapping[str, Deployment] = {each.uid: each for each in listed}
    found = [
        Change(each.uid, stint.since, "deployment", clean(f"deploy {each.title}"), clean(each.message.strip(), 120))
        for stint in served
        if (each := own.get(stint.uid)) and each.went_live == stint.since
    ]
    pointing = look.pointing
    if pointing and pointing.status == "succeeded":
        goal, origin = (_called(uid, own) for uid in (pointing.target, pointing.origin))
        title = clean(f"{pointing.kind} to {goal}")
        found.append(Change(pointing.key, pointing.at, "deployment", title, clean(f"from {origin}" if origin else "")))
    return tuple(found)


def _called(uid: str, own: Mapping[str, Deployment]) -> str:
    """What a deployment is called, whether or not it is listed."""
    return own[uid].title if uid in own else uid


def _notes(look: Look) -> tuple[Shown, ...]:
    """What must be known to read the rows rightly."""
    notes = []
    pointing = look.pointing
    own = {each.uid: each for each in look.listed.deployments}
    if pointing and pointing.under_way:
        since = show_duration(look.now - pointing.at)
        notes.append(f"{pointing.kind} to {_called(pointing.target, own)} under way for {since}")
    elif pointing and pointing.status == "failed" and look.now - pointing.at < DAY:
        notes.append(f"the {pointing.kind} to {_called(pointing.target, own)} failed")
    elif pointing and pointing.kind == "rollback" and pointing.status == "succeeded" and pointing.target == look.live:
        notes.append("rolled back: new deployments wait until one is promoted")
    if look.project and not look.project.live:
        notes.append("the API does not say which deployment serves")
    if not look.listed.whole:
        notes.append(f"counts hold the newest {len(look.listed.deployments)} alone: the last 24h have more")
    if look.listed.unread:
        notes.append(f"{look.listed.unread} entries could not be read")
    if look.ahead:
        way = "ahead of" if look.ahead > 0 else "behind"
        notes.append(f"its clock is {show_duration(abs(look.ahead))} {way} ours: times are put right")
    return tuple(clean(note) for note in notes)
