"""What keeps alerts quiet: silences and maintenance windows that people made, as the journal has them, and those of the config.

    silenced               until its time is over, or it is ended     our alerts and other systems' that match
    maintained             likewise                                   all alerts of its panels
    the config's window    by the clock                               likewise

What was quiet asks for an answer from the end of that on: nobody was told before. Nothing here asks, sends or writes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import Struct
from msgspec.structs import replace

from .alert import Alert
from .clock import day_and_time
from .entries import Maintained, Silenced, SilenceEnded
from .journal import Entry
from .maintenance import Window, in_force
from .silences import Silence, matches
from .text import EMPTY, Shown, clean

ALIKE = 60.0
"""Seconds by which another system's clock may have put the end of a silence elsewhere."""
REMEMBERED = 86400.0
"""Seconds for which a silence that is over is remembered, for when an alert began to want an answer."""


class Hush(Struct, frozen=True):
    """A silence as it was said; `until` is its end, also where it was ended early."""

    said: Silenced
    who: Shown
    at: float
    until: float

    def covers(self, alert: Alert) -> bool:
        """Whether it is about this alert, at any time. One that Alertmanager holds shows with its alerts there."""
        return not self.said.at and matches(self.said.matchers, alert)


class Quiet:
    """Every silence and window so far. `windows` are the config's."""

    def __init__(self, windows: Sequence[Window] = ()) -> None:
        self._windows = tuple(windows)
        self._hushes: dict[str, Hush] = {}
        self._maintained: dict[str, Window] = {}

    def use(self, windows: Sequence[Window]) -> None:
        """The config was read again: its windows."""
        self._windows = tuple(windows)

    def apply(self, entry: Entry) -> None:
        """Takes one entry of the journal; what is about something else is passed by."""
        match entry.said:
            case Silenced() as said:
                self._hushes[said.id] = Hush(said, entry.who, entry.at, said.until)
            case Maintained(id_, panels, since, until, reason):
                self._maintained[id_] = Window(panels, since, until, None, clean(reason), entry.who, id_)
            case SilenceEnded(id_):
                self._end(id_, entry.at)

    def _end(self, id_: str, at: float) -> None:
        if hush := self._hushes.get(id_):
            self._hushes[id_] = replace(hush, until=min(hush.until, at))
        if window := self._maintained.get(id_):
            self._maintained[id_] = replace(window, until=min(window.until, at))

    def forget(self, now: float) -> None:
        """Drops what was over long ago."""
        self._hushes = {key: each for key, each in self._hushes.items() if each.until > now - REMEMBERED}
        self._maintained = {key: each for key, each in self._maintained.items() if each.until > now - REMEMBERED}

    def made_here(self, there: Silence) -> Silenced | None:
        """What was said here when a silence that another system holds was made; None where it was made elsewhere. That system
        gave it an id of its own."""
        found = [
            each
            for each in self._hushes.values()
            if each.said.at == there.at and set(each.said.matchers) == set(there.matchers)
            if abs(each.said.until - there.until) <= ALIKE
        ]
        return max(found, key=lambda each: each.at).said if found else None

    # --- what follows from it ---------------------------------------------------------------------------------------

    def over(self, alert: Alert, now: float) -> Shown:
        """What of it covers an open alert now (UTC seconds), in words; empty where nothing does."""
        if not alert.open:
            return EMPTY
        hushes = [each for each in self._hushes.values() if each.at <= now < each.until and each.covers(alert)]
        longest = max(hushes, key=lambda each: each.until, default=None)
        return clean(f"by {longest.who} until {day_and_time(longest.until, now)}: {longest.said.reason}") if longest else EMPTY

    def ended(self, alert: Alert, since: float, now: float) -> float:
        """When the last of it ended that kept the alert quiet after `since`; that where nothing did. All are UTC seconds."""
        ends = [each.until for each in self._hushes.values() if since < each.until <= now and each.covers(alert)]
        windows = [each.ended(now) for each in self._all_windows() if each.covers(alert.panel)]
        return max([since, *ends, *(each for each in windows if each is not None)])

    def maintenance(self, panel: str, now: float) -> Shown:
        """What to say of a panel that is under maintenance; empty where it is not."""
        found = in_force(self._all_windows(), panel, now)
        if found is None:
            return EMPTY
        window, (_, until) = found
        return clean(f"maintenance until {day_and_time(until, now)}{f': {window.reason}' if window.reason else ''}")

    def silences(self, alerts: Iterable[Alert], now: float) -> tuple[Silence, ...]:
        """Our silences and windows in force, the newest first, each with what it keeps quiet."""
        alerts = [each for each in alerts if each.open]
        found = [
            Silence(
                *(key, "silence", each.at, each.until, each.who, clean(each.said.reason), each.said.matchers),
                hides=tuple(alert.fingerprint for alert in alerts if each.covers(alert)),
            )
            for key, each in self._hushes.items()
            if not each.said.at and each.at <= now < each.until
        ]
        for window in self._all_windows():
            if span := window.now(now):
                found.append(
                    Silence(
                        *(window.id, "maintenance", *span, window.who, window.reason),
                        panels=window.panels,
                        hides=tuple(alert.fingerprint for alert in alerts if window.covers(alert.panel)),
                        from_config=not window.id,
                    )
                )
        return tuple(sorted(found, key=lambda each: (-each.since, each.id)))

    def _all_windows(self) -> tuple[Window, ...]:
        return (*self._windows, *self._maintained.values())
