"""What stays of a stretch of time when it is thinned out: of each probe the worst reading, else the last; of rules likewise."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from .alert import Alert, by_badness
from .frame import Frame, Whole
from .panel import Judged
from .step import Probed, ProbeKey


class Worst:
    """What stays of a stretch: of each probe the worst, else the last; of signals and alerts likewise."""

    def __init__(self) -> None:
        self.seen = False
        self.last = 0.0
        self._frame = Frame()
        self._probes: dict[ProbeKey, Probed] = {}
        self._looked_at: dict[ProbeKey, Probed] = {}
        self._judged: dict[str, dict[str, Judged]] = {}
        self._alerts: dict[str, Alert] = {}

    def look(self, known: Frame, at: float, *, thinned: bool) -> None:
        """Takes the frame as it stood after one more row, which was written at `at`."""
        self.seen, self.last, self._frame = True, max(self.last, at), known
        for key, probed in known.probes.items():
            if self._looked_at.get(key) is not probed:
                self._looked_at[key] = probed
                if key not in self._probes or probed.status >= self._probes[key].status:
                    self._probes[key] = probed if thinned else _as_fresh(probed, at)
        for panel, judged in known.judged.items():
            _take_worst(self._judged.setdefault(panel, {}), judged)
        for fingerprint, alert in known.alerts.items():
            before = self._alerts.get(fingerprint)
            if before is None or by_badness(alert)[:2] <= by_badness(before)[:2]:
                self._alerts[fingerprint] = alert

    @property
    def panels(self) -> str:
        """Whose readings it holds, as `reading.panels` says it."""
        return f",{','.join(dict.fromkeys(panel for panel, _, _ in self._probes))},"

    def whole(self) -> Whole:
        """The set that stays."""
        known = self._frame
        there = [key for key in self._probes if key in known.probes]  # a probe that is gone by the end is not shown
        return Whole(
            tuple((key, self._probes[key]) for key in there),
            {panel: judged for panel, judged in self._judged.items() if panel in known.judged},
            self._alerts,
            known.folds,
            known.said,
        )


def _take_worst(kept: dict[str, Judged], judged: Mapping[str, Judged]) -> None:
    """What the rules said at their worst, else last."""
    for key, each in judged.items():
        before = kept.get(key)
        if before is None or (each is not before and each.status >= before.status):
            kept[key] = each


def _as_fresh(probed: Probed, at: float) -> Probed:
    """Says of a probe whether its figures were fresh when they stood on screen."""
    good = probed.last_good
    fresh = good is not None and probed.trusted and at - good.at <= 2 * probed.interval + probed.deadline
    return replace(probed, fresh=fresh)
