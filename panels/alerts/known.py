"""What is known of the source's alerts from look to look: which were taken, and when each was last in an answer.

    in an answer ──gone from the next──▶ over
                   └─ the source began anew since: it has forgotten, and whoever tells it of alerts has a moment to do so again

An Alertmanager keeps no alerts over a restart (Prometheus tells it again each minute, `--rules.alert.resend-delay`), and a
Prometheus fires nothing before it has evaluated its rules.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

from tui.engine.panel import BEFORE, Memory
from tui.engine.reading import Reading, Theirs

MOST = 1000
"""So many alerts are taken, and beyond them those that were taken before; where there are more, the rest is counted."""
TOLD_AGAIN = 180.0
"""Seconds after its beginning in which a source may not yet have been told again what fires."""
KEPT = "known"

Seen = Mapping[str, tuple[Theirs, float]]
"""By fingerprint: an alert that was taken, and when it last stood in an answer (UTC seconds)."""


class Known(Struct, frozen=True):
    """What was taken at one look (`at`, UTC seconds)."""

    at: float
    seen: Seen


def seen_before(memory: Memory) -> Seen:
    """What was taken at the last look, by whoever took it: this process, or the one that polled before it did."""
    known: Known | None = memory.get(KEPT)
    before: Reading | None = memory.get(BEFORE)
    if before is not None and (known is None or before.at > known.at):
        return {each.fingerprint: (each, before.at) for each in before.alerts}
    return known.seen if known else {}


def remember(memory: Memory, at: float, listed: Sequence[Theirs], held: Seen) -> None:
    """What was taken now: what was listed, and what is not known to be over."""
    memory[KEPT] = Known(at, {**held, **{each.fingerprint: (each, at) for each in listed}})


def taken(alerts: Sequence[Theirs], before: Seen) -> tuple[Theirs, ...]:
    """Of alerts in their order (the worst, then the oldest) so many. One that was taken before stays for as long as it is
    there: what a worse one pushed off the list would look resolved."""
    return (*alerts[:MOST], *(each for each in alerts[MOST:] if each.fingerprint in before))


def forgotten(gone: Seen, began: float, now: float) -> Seen:
    """Of what is gone from the answers that which a source may only have forgotten, because it `began` (UTC seconds) after it
    last had it, and not long ago."""
    if now - began > TOLD_AGAIN:
        return {}
    return {print_: (alert, at) for print_, (alert, at) in gone.items() if at < began}
