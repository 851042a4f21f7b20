"""The story as it would have been recorded: a poll of everything each five seconds, and what happened as marks."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from tests import story
from tui.engine.history import History
from tui.engine.judge import Judgement
from tui.engine.past import Past, by_panel, unknown
from tui.engine.store_marks import Mark
from tui.engine.text import Shown

EVERY = 5.0
MARKS = (
    Mark(story.DEPLOYED, "change", Shown("deploy 9f3c2a1"), "deploys"),
    Mark(story.ERRORS + 300, "fired", Shown("error rate"), "metrics", "P0"),
    Mark(story.CONNECTIONS + 300, "fired", Shown("connections"), "database", "P1"),
)


class Recorded:
    """What `rewind` asks. `since` is when recording began; in `gap`, from until, nothing was."""

    def __init__(self, since: float = story.NOW - 7200, gap: tuple[float, float] = (0.0, 0.0)) -> None:
        self._since = since
        self._gap = gap
        self._history = story.history()

    def moments(self, since: float, until: float, panel: str | None = None) -> Sequence[float]:
        """Each five seconds, two seconds before the whole ones."""
        first = -(-max(since, self._since) // EVERY) * EVERY - 2
        found = []
        at = first
        while at <= min(until, story.NOW):
            if at >= since and not self._gap[0] < at < self._gap[1]:
                found.append(at)
            at += EVERY
        return found

    def marks(self, since: float, until: float) -> Sequence[Mark]:
        """What happened."""
        return [each for each in MARKS if since <= each.at <= until]

    def span(self) -> tuple[float, float]:
        """From the beginning until now."""
        return self.moments(self._since, story.NOW)[0], story.NOW

    def past(self, at: float) -> Past:
        """The story at that moment."""
        found = self.moments(at - 3600, at)
        if not found:
            return unknown(at)
        shot = story.snapshot(found[-1])
        states = {
            panel.name: [replace(each, good_at=each.good.at if each.good else None) for each in panel.probes]
            for panel in shot.panels
        }
        judged = {panel.name: dict(panel.judged) for panel in shot.panels}
        first = shot.panels[0]
        judgement = Judgement(found[-1], judged, shot.alerts, shot.folds, dict(first.suspected), first.changes)
        return Past(at, by_panel(states), judgement, until(self._history, at), found[-1])


def until(history: History, at: float) -> History:
    """The hour before a moment."""
    return story.history(at) if at < story.NOW - 30 else history
