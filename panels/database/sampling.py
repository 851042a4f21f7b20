"""Statements by how often they are seen running: what is left where pg_stat_statements is missing.

A sample is the statements active at a poll. A statement's share of all that was seen in the last minutes is its share of
the time that the database worked; how often it is called and how long it takes on average a sample cannot tell.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable

from msgspec import Struct, field

from tui.engine.reading import Row, Value
from tui.engine.text import Shown, clean_lines
from tui.engine.units import show_duration, show_latency, show_ratio

from .activity import Seen

WINDOW = 600.0
"""Seconds over which samples count."""
MOST = 20


class Samples(Struct):
    """The samples of the last minutes: when, and each statement seen with its age then."""

    kept: deque[tuple[float, tuple[tuple[Shown, float], ...]]] = field(default_factory=deque)
    texts: dict[Shown, str] = field(default_factory=dict)

    def add(self, at: float, sessions: Iterable[Seen]) -> None:
        """Takes what runs now; `at` in monotonic seconds. Waiting for a lock is no work."""
        running = [each for each in sessions if each.is_active and not each.is_ours and each.waited is None and each.query]
        self.kept.append((at, tuple((each.folded, each.query_age or 0.0) for each in running)))
        while self.kept and at - self.kept[0][0] > WINDOW:
            self.kept.popleft()
        if len(self.texts) > 500:
            self.texts.clear()
        self.texts.update((each.folded, each.query) for each in running)

    @property
    def span(self) -> float:
        """Seconds from the first sample to the last."""
        return self.kept[-1][0] - self.kept[0][0] if self.kept else 0.0

    def rows(self) -> tuple[Row, ...]:
        """A row a statement, those that were seen most first."""
        seen: Counter[Shown] = Counter()
        longest: dict[Shown, float] = {}
        for _, sample in self.kept:
            for text, age in sample:
                seen[text] += 1
                longest[text] = max(age, longest.get(text, 0.0))
        total = seen.total()
        return tuple(self._row(text, count, count / total, longest[text]) for text, count in seen.most_common(MOST))

    def _row(self, text: Shown, count: int, share: float, longest: float) -> Row:
        """One statement: its figures in words, and in `numbers` as share, longest seconds and times seen."""
        cells: dict[str, Value] = {
            "share": show_ratio(share, 0),
            "longest": show_latency(longest) if longest < 1 else show_duration(longest),
            "seen": Shown(f"{count} ×"),
            "query": text,
            "numbers": (share, longest, float(count)),
        }
        long = {"statement": clean_lines(self.texts.get(text, text))}
        return Row(f"sampled:{text}", cells, long=long, group="sampled")
