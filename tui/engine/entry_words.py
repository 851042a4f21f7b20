"""Every kind of entry in a line for a person, and what an entry is about: for `watchfloor journal` and the report.

Entries name alerts by fingerprint and deeds by id; what those are stands in other entries, which `Names` remembers. A kind
that this version does not know is printed with its data: nothing that was recorded is left out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from typing import Any

from .alert import Alert
from .clock import date_time, day_and_time
from .entries import (
    Acknowledged,
    AlertMoved,
    CalledFalse,
    CameBack,
    ChangeSeen,
    Claimed,
    ConfigRead,
    Maintained,
    Marked,
    Paged,
    Silenced,
    SilenceEnded,
    Told,
    Unacknowledged,
    Untold,
)
from .journal import Entry
from .text import Shown, clean
from .units import show_duration

SHORT = 12
"""Characters of a fingerprint that stand for an alert which no entry names."""
PROVEN = {True: "verified", False: "not verified", None: "could not tell"}


class Names:
    """What fingerprints and deeds mean, from the entries that say so; and the panels that each is about."""

    def __init__(self, entries: Iterable[Entry] = ()) -> None:
        self._alerts: dict[str, Alert] = {}
        self._deeds: dict[str, str] = {}
        for each in entries:
            self.learn(each)

    def learn(self, entry: Entry) -> None:
        """Remembers what an entry names."""
        if entry.kind == "intent" and entry.deed:
            self._deeds[entry.deed] = str(entry.data.get("action", ""))
        elif isinstance(said := entry.said, AlertMoved):
            self._alerts[said.alert.fingerprint] = said.alert

    def alert(self, fingerprint: str) -> Shown:
        """`api error rate {route="/x"}`; the fingerprint's beginning where no entry says what it is."""
        found = self._alerts.get(fingerprint)
        return named(found) if found else clean(f"alert {fingerprint[:SHORT]}")

    def panel_of(self, fingerprint: str) -> str:
        """The panel of an alert; empty where no entry says so."""
        found = self._alerts.get(fingerprint)
        return found.panel if found else ""

    def action_of(self, deed: str | None) -> str:
        """A deed's action; empty where its intent is not there."""
        return self._deeds.get(deed or "", "")

    def panels(self, entry: Entry) -> frozenset[str]:
        """The panels that an entry is about; none where it is about no one in particular."""
        if entry.deed:
            action = str(entry.data.get("action") or self.action_of(entry.deed))
            return frozenset({action.rpartition(".")[0]} - {""})
        match entry.said:
            case AlertMoved(alert=alert):
                return frozenset({alert.panel})
            case Maintained(panels=panels):
                return frozenset(panels)
            case ChangeSeen(panel=panel):
                return frozenset({panel})
            case Silenced(matchers=matchers):
                return frozenset(
                    each.value for each in matchers if each.name == "panel" and each.is_equal and not each.is_regex
                )
            case said:
                return frozenset(map(self.panel_of, _fingerprints(said))) - {""}


def named(alert: Alert) -> Shown:
    """An alert's panel, rule and labels: `api error rate {route="/x"}`."""
    labels = ",".join(f'{name}="{value}"' for name, value in alert.labels)
    return clean(f"{alert.panel} {alert.rule}" + (f" {{{labels}}}" if labels else ""))


def said_by(entry: Entry) -> Shown:
    """Who said it, and on which host where it was another one: `anna@bastion-2`."""
    return clean(f"{entry.who}@{entry.origin}") if entry.origin else entry.who


def line_of(entry: Entry, names: Names) -> Shown:
    """`2026-11-21 03:12:09Z  anna@bastion-2  acknowledged P1 api error rate`."""
    return clean(f"{date_time(entry.at)}  {said_by(entry)}  {entry.kind:<8} {in_words(entry, names)}", 2000)


def in_words(entry: Entry, names: Names) -> str:
    """What an entry says, for a person."""
    if entry.deed:
        return f"{entry.deed[:8]}  {_deed(entry)}"
    said = entry.said
    match said:
        case AlertMoved(alert=alert, was=was, was_severity=before):
            raised = f" (was {before})" if before and before != alert.severity else ""
            return f"{was} → {alert.state}  {alert.severity}{raised} {named(alert)}{_why(alert)}"
        case Acknowledged(alerts=alerts):
            return ", ".join(f"{severity} {names.alert(each)}" for each, severity in alerts)
        case Unacknowledged(fingerprints=fingerprints):
            return ", ".join(map(names.alert, fingerprints))
        case CameBack(alerts=again):
            return "; ".join(f"{names.alert(each)}: {why}" for each, why in again)
        case Silenced() | Maintained():
            return f"{covered(said)} until {date_time(said.until)}: {said.reason}  [{said.id}]"
        case SilenceEnded(id=ended):
            return f"[{ended}]"
        case CalledFalse(fingerprint=fingerprint, rule=rule, why=why):
            return f"{names.alert(fingerprint)} (rule {rule}): {why}"
        case Paged(fingerprint=fingerprint, whom=whom, by_itself=by_itself, says=says):
            by = " (by the escalation clock)" if by_itself else ""
            return f"{whom} for {names.alert(fingerprint)}{by}{f': {said.misses}: {says}' if said.misses else ''}"
        case Marked(change=change):
            return f"{change.title}" if change.at == entry.at else f"{change.title} (at {day_and_time(change.at, entry.at)})"
        case ChangeSeen(panel=panel, change=change):
            return f"{panel}  {change.kind} {change.title} (at {day_and_time(change.at, entry.at)})"
        case Claimed() | Told() | Untold():
            return f"{said.channel}: {names.alert(said.fingerprint)} {transition_in_words(said.transition)}{_tries(said)}"
        case ConfigRead(taken=taken, says=says):
            return f"{'taken' if taken else 'refused, the old one stays'}: {says}"
        case _:
            return json.dumps(dict(entry.data), ensure_ascii=False)


_WHEN = re.compile(r"(/\d+)?@-?\d+(#.*)?$")


def transition_in_words(written: str) -> str:
    """`firing P0`, `acknowledged anna`, `resolved`, `escalated cto`: without the second that tells two of a kind apart."""
    return _WHEN.sub("", written).replace(":", " ", 1).strip() or written


def covered(said: Silenced | Maintained) -> str:
    """What a silence or a maintenance window covers: `panel=api severity=~P2|P3`, `jobs, health`."""
    if isinstance(said, Maintained):
        return ", ".join(said.panels) or "all panels"
    signs = {(True, False): "=", (True, True): "=~", (False, False): "!=", (False, True): "!~"}
    return " ".join(f"{each.name}{signs[each.is_equal, each.is_regex]}{each.value}" for each in said.matchers)


def outcomes_of(entry: Entry) -> list[tuple[str, str, str]]:
    """An outcome's items: key, result, and what was said."""
    return [(str(item[0]), str(item[1]), str(item[2])) for item in _lists(entry.data.get("items"), 3)]


def proofs_of(entry: Entry) -> list[tuple[str, bool | None, str]]:
    """A proof's items: key, whether it was verified, and what was seen."""
    return [(str(item[0]), item[1], str(item[2])) for item in _lists(entry.data.get("proofs"), 3)]


def _deed(entry: Entry) -> str:
    data = entry.data
    match entry.kind:
        case "intent":
            return f"{data.get('action')}  {data.get('what')}"
        case "item":
            return _with(f"{data.get('key')}: {data.get('result')}", data.get("says"))
        case "outcome":
            items = "; ".join(_with(f"{key}: {result}", says) for key, result, says in outcomes_of(entry))
            return items or "nothing was sent"
        case "proof":
            proofs = "; ".join(
                _with(f"{key}: {PROVEN.get(verified, verified)}", says) for key, verified, says in proofs_of(entry)
            )
            return proofs or "nothing to verify"
        case "settled":
            return "settled by a person"
        case _:
            return json.dumps(dict(data), ensure_ascii=False)


def _with(text: str, says: object) -> str:
    return f"{text} ({says})" if says else text


def _lists(found: Any, length: int) -> Sequence[Sequence[Any]]:
    """What is as long as it should be: entries of other versions and hosts are outside text."""
    if not isinstance(found, list):
        return []
    return [each for each in found if isinstance(each, list) and len(each) == length]


def _why(alert: Alert) -> str:
    lasted = f", after {show_duration(alert.ended - alert.since)}" if alert.state == "resolved" and alert.ended else ""
    return f"{lasted}: {alert.says}" if alert.says else lasted


def _tries(said: Claimed | Told | Untold) -> str:
    match said:
        case Untold(says=says, tries=tries):
            return f" after {tries} tries: {says}"
        case Told(tries=tries) if tries > 1:
            return f" after {tries} tries"
        case _:
            return ""


def _fingerprints(said: object) -> Sequence[str]:
    match said:
        case Acknowledged(alerts=alerts):
            return [each for each, _ in alerts]
        case Unacknowledged(fingerprints=fingerprints):
            return fingerprints
        case CameBack(alerts=again):
            return [each for each, _ in again]
        case CalledFalse() | Paged() | Claimed() | Told() | Untold():
            return [said.fingerprint]
        case _:
            return []
