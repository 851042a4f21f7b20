"""The handover of a shift: from the journal's entries to what the next person must know.

    entries ──`report`──▶ Report ──`report_words.markdown`──▶ Markdown

Pure: the same entries give the same report. Entries before the span count as far as they hold in it: an alert that fired
yesterday and is open, a silence that still runs.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import Struct
from msgspec.structs import replace

from .entries import ChangeSeen, Maintained, Marked, Silenced, SilenceEnded, Told, Untold
from .entry_words import Names, covered, outcomes_of, proofs_of, said_by, transition_in_words
from .journal import Entry
from .reading import Change
from .report_alerts import Fired, lives
from .text import EMPTY, Shown, clean


class Hush(Struct, frozen=True):
    """A silence or maintenance window that still runs: what it covers, by whom, since when, until when and why."""

    what: Shown
    who: Shown
    since: float
    until: float
    reason: Shown
    maintenance: bool


class Done(Struct, frozen=True):
    """A deed: what was meant, and what came of each item. `outcome` is None where none was recorded."""

    at: float
    who: Shown
    action: Shown
    what: Shown
    outcome: tuple[tuple[Shown, Shown, Shown], ...] | None = None
    """Item, result, and what was said of it."""
    verified: bool | None = None
    """Whether the effect was seen; None where nobody could tell."""
    settled: Shown = EMPTY
    """Who said that an open intent is dealt with."""


class Happened(Struct, frozen=True):
    """A change, and who said so (empty where a probe saw it)."""

    change: Change
    who: Shown = EMPTY


class Unheard(Struct, frozen=True):
    """A notification that did not arrive, and when it was last tried."""

    at: float
    channel: Shown
    what: Shown
    says: Shown


class Tally(Struct, frozen=True):
    """How often a rule fired in the span, and how often that was called false."""

    panel: Shown
    rule: Shown
    fired: int
    false: int


class Report(Struct, frozen=True):
    """A shift, `since` to `until` (UTC seconds)."""

    since: float
    until: float
    open: tuple[Fired, ...] = ()
    over: tuple[Fired, ...] = ()
    hushes: tuple[Hush, ...] = ()
    done: tuple[Done, ...] = ()
    changes: tuple[Happened, ...] = ()
    unheard: tuple[Unheard, ...] = ()
    rules: tuple[Tally, ...] = ()


def report(entries: Sequence[Entry], since: float, until: float) -> Report:
    """The report of a span, from every entry there is, in the order in which they were written."""
    known = sorted((each for each in entries if each.at <= until), key=lambda each: each.at)
    names = Names(known)
    fired = [each for each in lives(known) if each.ended is None or each.ended >= since]
    within = [each for each in known if each.at >= since]
    still = tuple(sorted((each for each in fired if each.ended is None), key=lambda each: (each.alert.severity, each.began)))
    return Report(
        since,
        until,
        still,
        tuple(each for each in fired if each.ended is not None),
        tuple(_hushes(known, until)),
        tuple(_done(known, since)),
        tuple(_changes(within)),
        tuple(_unheard(within, names)),
        tuple(_tallies(each for each in fired if each.began >= since)),
    )


def _hushes(entries: Iterable[Entry], now: float) -> list[Hush]:
    """Silences and maintenance windows that still run, or are still to come."""
    found: dict[str, Hush] = {}
    for entry in entries:
        match entry.said:
            case Silenced() as said:
                found[said.id] = Hush(clean(covered(said)), said_by(entry), entry.at, said.until, clean(said.reason), False)
            case Maintained() as said:
                found[said.id] = Hush(clean(covered(said)), said_by(entry), said.since, said.until, clean(said.reason), True)
            case SilenceEnded(id=ended):
                found.pop(ended, None)
    return sorted((each for each in found.values() if each.until > now), key=lambda each: each.until)


def _done(entries: Iterable[Entry], since: float) -> list[Done]:
    """Deeds that began in the span, and older ones that nobody knows the end of."""
    found: dict[str, Done] = {}
    for entry in entries:
        if entry.deed is None:
            continue
        if entry.kind == "intent":
            action, what = clean(entry.data.get("action", "")), clean(entry.data.get("what", ""))
            found[entry.deed] = Done(entry.at, said_by(entry), action, what)
        elif entry.deed in found:
            found[entry.deed] = _further(found[entry.deed], entry)
    return [each for each in found.values() if each.at >= since or (each.outcome is None and not each.settled)]


def _further(done: Done, entry: Entry) -> Done:
    match entry.kind:
        case "outcome":
            items = ((clean(key), clean(result), clean(says)) for key, result, says in outcomes_of(entry))
            return replace(done, outcome=tuple(items))
        case "proof":
            seen = [verified for _, verified, _ in proofs_of(entry)]
            return replace(done, verified=False if False in seen else None if None in seen or not seen else True)
        case "settled":
            return replace(done, settled=said_by(entry))
        case _:
            return done


def _changes(entries: Iterable[Entry]) -> list[Happened]:
    """Each change once, by when it happened."""
    found: dict[str, Happened] = {}
    for entry in entries:
        match entry.said:
            case Marked(change=change):
                found.setdefault(change.key, Happened(change, said_by(entry)))
            case ChangeSeen(change=change):
                found.setdefault(change.key, Happened(change))
    return sorted(found.values(), key=lambda each: each.change.at)


def _unheard(entries: Iterable[Entry], names: Names) -> list[Unheard]:
    """What a channel did not tell in the end: the last try of each, where none arrived."""
    found: dict[tuple[str, str, str], Unheard] = {}
    for entry in entries:
        match said := entry.said:
            case Told(fingerprint, channel, transition):
                found.pop((fingerprint, channel, transition), None)
            case Untold(fingerprint, channel, transition):
                what = clean(f"{names.alert(fingerprint)} {transition_in_words(transition)}")
                found[fingerprint, channel, transition] = Unheard(entry.at, clean(channel), what, clean(said.says))
    return sorted(found.values(), key=lambda each: each.at)


def _tallies(fired: Iterable[Fired]) -> list[Tally]:
    """Per rule, the one that fired most first."""
    counts: dict[tuple[str, str], list[Fired]] = {}
    for each in fired:
        counts.setdefault((each.alert.panel, each.alert.rule), []).append(each)
    tallies = [
        Tally(clean(panel), clean(rule), len(lives), sum(bool(each.false) for each in lives))
        for (panel, rule), lives in counts.items()
    ]
    return sorted(tallies, key=lambda each: (-each.fired, each.panel, each.rule))
