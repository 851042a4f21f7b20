"""Asks an Alertmanager or a Prometheus what fires there; each alert becomes one of the reading's."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence

from tui.engine.connections import Tools
from tui.engine.panel import Memory, Target
from tui.engine.reading import Found, Status, Theirs, TheirSilence, labels_of, no_answer, signal
from tui.engine.text import EMPTY, Shown, clean
from tui.engine.units import show_duration

from .config import AlertsConfig
from .known import forgotten, remember, seen_before, taken
from .source import Envelope, ManagedAlert, ManagedSilence, RuleAlert, Source

SAYS = ("summary", "message", "title", "description")
WHY = ("description", "impact", "why")
LINKS = ("runbook_url", "runbook", "dashboard_url", "dashboard", "link")
"""Annotations, in the order in which they are looked for."""


async def ask(target: Target, tools: Tools, memory: Memory) -> Found:
    """One look at what fires there."""
    source = Source.of(target, tools)
    config: AlertsConfig = target.settings
    if target.name == "alertmanager":
        alerts, silences = await managed(source, config)
    else:
        alerts, silences = await of_rules(source, config), ()
    now, before = tools.clock.utc(), seen_before(memory)
    there = {each.fingerprint for each in alerts}
    gone = {print_: seen for print_, seen in before.items() if print_ not in there}
    began = await source.began(target.name) if gone else None
    held = forgotten(gone, began, now) if began is not None else {}
    listed = taken(alerts, before)
    remember(memory, now, listed, held)
    notes = [source.note] if source.note else []
    if held and began is not None:
        notes.append(f"it began anew {show_duration(now - began)} ago: whether what fired before is over is not known yet")
    return found(alerts, listed, [alert for alert, _ in held.values()], silences, notes)


def found(
    alerts: Sequence[Theirs],
    listed: Sequence[Theirs],
    held: Sequence[Theirs],
    silences: tuple[TheirSilence, ...],
    notes: Sequence[str],
) -> Found:
    """Their alerts as a probe's finding: those that are `listed`, and those that were and of which it is not known whether they
    are over. That some fire is no failure of the source: it answered."""
    told = [each for each in alerts if each.state == "firing" and not each.silenced]
    signals = (
        signal("firing", None if held else len(told)),
        signal("silenced", None if held else sum(bool(each.silenced) for each in alerts)),
    )
    if len(listed) < len(alerts):
        notes = [*notes, f"{len(listed):,} of {len(alerts):,} shown, the worst, then the oldest"]
    status = Status.UNKNOWN if held else Status.OK
    return Found(status, signals, notes=tuple(map(clean, notes)), alerts=(*listed, *held), silences=silences)


async def managed(source: Source, config: AlertsConfig) -> tuple[list[Theirs], tuple[TheirSilence, ...]]:
    """An Alertmanager's alerts and its silences in force. Raises ProbeError."""
    alerts = await source.read("/api/v2/alerts", list[ManagedAlert])
    silences = await source.read("/api/v2/silences", list[ManagedSilence])
    active = [each for each in silences if each.status.state == "active"]
    by_id = {each.id: each for each in active}
    wanted = [_managed(each, by_id, source, config) for each in alerts if config.wants(each.labels)]
    return sorted(wanted, key=_badness), tuple(_silence(each, source) for each in active)


def _managed(alert: ManagedAlert, silences: Mapping[str, ManagedSilence], source: Source, config: AlertsConfig) -> Theirs:
    notes = alert.annotations
    return Theirs(
        alert.fingerprint,
        alert.labels.get("alertname", "alert"),
        labels_of(alert.labels),
        config.severity(alert.labels),
        "firing",
        source.at(alert.starts_at),
        _note(notes, SAYS),
        _why(notes),
        _link(notes, alert.generator),
        silenced=_hushed(alert, silences, source),
    )


def _hushed(alert: ManagedAlert, silences: Mapping[str, ManagedSilence], source: Source) -> Shown:
    """By what an alert is kept quiet there."""
    state = alert.status
    by = next((silences[each] for each in state.silenced_by if each in silences), None)
    if by:
        return clean(f"by {by.created_by} until {source.written(by.ends_at)}: {by.comment}")
    if state.silenced_by:
        return Shown("silenced there")
    if state.inhibited_by:
        return Shown("inhibited there by another alert")
    return Shown("muted there at these hours") if state.muted_by else EMPTY


def _silence(silence: ManagedSilence, source: Source) -> TheirSilence:
    return TheirSilence(
        silence.id,
        tuple((each.name, each.value, each.is_regex, each.is_equal) for each in silence.matchers),
        source.at(silence.starts_at),
        source.at(silence.ends_at),
        clean(silence.created_by, 60),
        clean(silence.comment),
    )


async def of_rules(source: Source, config: AlertsConfig) -> list[Theirs]:
    """A Prometheus's own pending and firing alerts. Raises ProbeError."""
    answer = await source.read("/api/v1/alerts", Envelope)
    if answer.data is None:  # whatever it says, it does not say that nothing fires
        raise no_answer(
            "contract", f"names no alerts: {answer.error or answer.status}", "is this a Prometheus? look at its log"
        )
    return sorted((_of_rule(each, source, config) for each in answer.data.alerts if config.wants(each.labels)), key=_badness)


def _of_rule(alert: RuleAlert, source: Source, config: AlertsConfig) -> Theirs:
    """A Prometheus gives no fingerprint: an alert there is its labels."""
    labels = labels_of(alert.labels)
    print_ = hashlib.sha256(json.dumps(labels).encode()).hexdigest()[:16]
    return Theirs(
        print_,
        alert.labels.get("alertname", "alert"),
        labels,
        config.severity(alert.labels),
        "firing" if alert.state == "firing" else "pending",
        source.at(alert.active_at) if alert.active_at else 0.0,
        _note(alert.annotations, SAYS),
        _why(alert.annotations),
        _link(alert.annotations, ""),
        "prometheus",
        _number(alert.value),
    )


def _badness(alert: Theirs) -> tuple[object, ...]:
    return alert.state != "firing", alert.severity, alert.since, alert.fingerprint


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _note(annotations: Mapping[str, str], names: Sequence[str]) -> Shown:
    return next((clean(annotations[name].strip(), 200) for name in names if annotations.get(name)), EMPTY)


def _why(annotations: Mapping[str, str]) -> Shown:
    """Why it matters, where something else says what is wrong already."""
    why = _note(annotations, WHY)
    return EMPTY if why == _note(annotations, SAYS) else why


def _link(annotations: Mapping[str, str], generator: str) -> str:
    """A page about it: a runbook, a dashboard, the expression's graph."""
    named = [annotations.get(name, "") for name in LINKS] + [generator]
    return next((each for each in named if each.startswith(("https://", "http://"))), "")
