"""Other systems' alerts: from the readings that carry them to alerts like ours; and what a target depends on.

in a reading ──▶ pending or firing, as they say ──gone from a good reading──▶ resolved (shown a while)
                         └─ no answer, or none lately: stays as it was, *unknown since*
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from msgspec.structs import replace

from .alert import Alert
from .ask import Matcher
from .feed import ProbeState
from .reading import Status, Theirs
from .silences import Silence, matches
from .text import Shown, clean

RESOLVED_SHOWN = 300.0
"""Seconds for which one that is over is still listed, as ours are."""
TARGETS = ("target", "endpoint", "instance", "host", "hostname", "node", "pod", "container", "tenant")
"""Labels that say what an alert is about, in the order in which they are looked for."""

States = Mapping[str, Sequence[ProbeState]]


def theirs_now(states: States, before: Iterable[Alert], monotonic: float, now: float) -> tuple[Alert, ...]:
    """Every other system's alerts as they stand at `now` (UTC seconds), with those that ended lately. `before` is what was
    judged last: one that was there and is no longer has ended."""
    known: dict[str, dict[str, Alert]] = {}
    for alert in before:
        if alert.source:
            known.setdefault(alert.panel, {})[alert.fingerprint] = alert
    found: list[Alert] = []
    for panel, probes in states.items():
        answered = [probe for probe in probes if probe.good is not None]
        if panel in known or any(probe.good and probe.good.alerts for probe in answered):
            found += _of_panel(panel, answered, known.get(panel, {}), monotonic, now)
    return tuple(found)


def _of_panel(
    panel: str, probes: Sequence[ProbeState], before: Mapping[str, Alert], monotonic: float, now: float
) -> Iterable[Alert]:
    """One panel's. Where its source has no answer they stay as they were, and say so."""
    if not probes:
        return [replace(each, unknown_since=each.unknown_since or now) if each.open else each for each in before.values()]
    silent = any(_silent(probe, monotonic) for probe in probes)
    at = min(probe.good.at for probe in probes if probe.good)
    present = [alert_of(panel, each, at, before) for probe in probes if probe.good for each in probe.good.alerts]
    names = {each.fingerprint for each in present}
    ended = [_ended(alert, at) for print_, alert in before.items() if print_ not in names]
    kept = [each for each in ended if each and each.ended is not None and now - each.ended <= RESOLVED_SHOWN]
    return [*(replace(each, unknown_since=at) if silent else each for each in present), *kept]


def _silent(probe: ProbeState, monotonic: float) -> bool:
    """Whether the last question had no answer, or there was none lately."""
    return (probe.reading is not None and probe.reading.error is not None) or probe.stale(monotonic)


def alert_of(panel: str, theirs: Theirs, at: float, before: Mapping[str, Alert]) -> Alert:
    """Their alert, read at `at`, as one of ours: its fingerprint is theirs behind the panel's name, its words what they say.
    When it fired is only known where it was seen pending; else it did as soon as it began."""
    print_ = f"{panel}:{theirs.fingerprint}"
    known = before.get(print_)
    labels = dict(theirs.labels)
    fired, loud = theirs.since, None
    if known and known.since == theirs.since:
        fired = known.fired_at or at
        loud = at if known.silenced_there and not theirs.silenced else known.loud_since
    return Alert(
        fingerprint=print_,
        rule=theirs.name,
        panel=panel,
        signal=theirs.name,
        labels=theirs.labels,
        severity=theirs.severity,
        state=theirs.state,
        value=theirs.value,
        threshold=0.0,
        unit="count",
        way="above",
        since=theirs.since,
        fired_at=fired if theirs.state == "firing" else None,
        says=theirs.says,
        why=theirs.why,
        link=theirs.link,
        source=theirs.source,
        target=next((labels[name] for name in TARGETS if labels.get(name)), ""),
        silenced_there=theirs.silenced,
        silenced=theirs.silenced,
        loud_since=loud,
    )


def _ended(alert: Alert, at: float) -> Alert | None:
    """One that is gone: resolved where it fired, nothing where it was pending."""
    if alert.state == "pending":
        return None
    return alert if alert.state == "resolved" else replace(alert, state="resolved", ended=at, unknown_since=None)


def status_of_theirs(alerts: Iterable[Alert], panel: str) -> Status:
    """What other systems' alerts make of the panel that reads them: ours count where they belong."""
    return max((each.status for each in alerts if each.source and each.panel == panel and each.open), default=Status.OK)


def rooted(alerts: Iterable[Alert], states: States) -> tuple[Alert, ...]:
    """The alerts, each with the target whose failure explains its own: up from the row of its target, over the rows that are
    not well, as far as that goes."""
    rows = {
        panel: {row.key: row for probe in probes if probe.good for row in probe.good.rows} for panel, probes in states.items()
    }

    def root(alert: Alert) -> str:
        known = rows.get(alert.panel, {})
        row, seen, found = known.get(alert.target), {alert.target}, ""
        while row and row.parent in known and row.parent not in seen and known[row.parent].status is not Status.OK:
            row = known[row.parent]
            found = row.key
            seen.add(found)
        return found

    return tuple(replace(each, root=found) if each.target and (found := root(each)) else each for each in alerts)


def silences_of(states: States, alerts: Sequence[Alert]) -> tuple[Silence, ...]:
    """The silences that other systems hold, each with what it keeps quiet of what that system says."""
    found = []
    for panel, probes in states.items():
        there = [each for each in alerts if each.source and each.panel == panel and each.open]
        for silence in (each for probe in probes if probe.good for each in probe.good.silences):
            matchers = tuple(Matcher(*each) for each in silence.matchers)
            found.append(
                Silence(
                    *(f"{panel}/{silence.id}", "silence", silence.since, silence.until, silence.who, silence.reason, matchers),
                    at=panel,
                    hides=tuple(each.fingerprint for each in there if matches(matchers, each)),
                )
            )
    return tuple(found)


def in_words(alert: Alert) -> Shown:
    """One of theirs in a few words: its name, and what it is about."""
    return clean(f"{alert.rule}{f' {alert.target}' if alert.target and alert.target not in alert.rule else ''}")
