"""The one-line file that the poller keeps for `watchfloor status-line`: written whole or not at all, valid for a short time.

Only who polls writes it. A line that has grown too old says to its reader that nobody polls any more.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections import Counter
from pathlib import Path

from msgspec import Struct

from .clock import Clock
from .feed import Snapshot
from .reading import Status, worst
from .redact import redact
from .text import clean
from .threads import in_daemon_thread

VERSION = "1"
GRACE = 2.0
"""Seconds beyond the interval for which a line holds."""
HANGS = 0.5
"""Seconds that an exit waits for the disk to take the line before."""
LONGEST = 80
"""Letters that what an alert is about may take: a label may be of any length, a status bar is not."""


class StatusPlace(Struct, frozen=True):
    """Where the line goes: `path` is the file, `config` the config's whole path, which tells it from others'; `mode` says who
    may read it."""

    path: Path
    config: str
    mode: int = 0o600


class StatusFile:
    """One engine's line. `lasts` is how often it is written anew although nothing changed, in seconds."""

    def __init__(self, place: StatusPlace, clock: Clock, lasts: float) -> None:
        self._place = place
        self._clock = clock
        self._lasts = lasts
        self._said: tuple[str, str, str] | None = None
        self._at = float("-inf")
        self._writing = False
        self._file = threading.Lock()
        self._over = False

    async def tell(self, snapshot: Snapshot) -> None:
        """Writes how everything stands, where that is news or the line grows old; nothing where the one before is under way,
        nor once it was forgotten."""
        said = in_a_line(snapshot)
        if self._over or self._writing or (said == self._said and self._clock.monotonic() - self._at < self._lasts):
            return
        self._writing, self._said, self._at = True, said, self._clock.monotonic()
        fields = (VERSION, self._place.config, f"{self._clock.utc():.3f}", f"{self._lasts + GRACE:g}", *said)
        try:
            await in_daemon_thread(lambda: self._write("\t".join(fields) + "\n"))
        finally:
            self._writing = False

    def forget(self) -> None:
        """This process ends: whoever polls next says so; where nobody does, there is no line. Blocks for the disk."""
        self._over = True
        waited = self._file.acquire(timeout=HANGS)  # what is being written would stand there again
        with contextlib.suppress(OSError):
            self._place.path.unlink(missing_ok=True)
        if waited:
            self._file.release()

    def _write(self, line: str) -> None:
        with self._file:
            if not self._over:
                _replace(self._place, line)


def in_a_line(snapshot: Snapshot) -> tuple[str, str, str]:
    """Since when the oldest alert fires (UTC seconds, or empty), the words before its age, and those behind it:
    `✖ failing  2✖ 1▲ 5●  P0 api error rate 9m12s +3`."""
    counts = Counter(panel.status for panel in snapshot.panels if panel.counts)
    status = worst(counts, default=Status.UNKNOWN)
    parts = " ".join(f"{counts[each]}{each.sign}" for each in sorted(counts, reverse=True))
    head = f"{status.sign} {status.word}  {parts}"
    firing = [each for each in snapshot.alerts if each.state == "firing" and not each.silenced]
    firing.sort(key=lambda each: each.fired_at or each.since)
    if not firing:
        return "", redact(head), ""
    oldest, more = firing[0], f" +{len(firing) - 1}" if len(firing) > 1 else ""
    about = clean(redact(f"{oldest.panel} {oldest.name}"), LONGEST)
    return f"{oldest.fired_at or oldest.since:.0f}", f"{redact(head)}  {oldest.severity} {about} ", more


def _replace(place: StatusPlace, line: str) -> None:
    """The file with this line in place of the one before; a disk that refuses leaves that to grow old."""
    beside = place.path.with_name(f"{place.path.name}.{os.getpid()}")
    with contextlib.suppress(OSError):
        place.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with contextlib.suppress(FileNotFoundError):
            beside.unlink()
        made = os.open(beside, os.O_CREAT | os.O_EXCL | os.O_WRONLY, place.mode)
        try:
            os.fchmod(made, place.mode)
            os.write(made, line.encode("utf-8", "replace"))
        finally:
            os.close(made)
        beside.replace(place.path)
