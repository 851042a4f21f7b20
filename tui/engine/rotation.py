"""Who is on call: weeks that take turns, each with a primary and a backup, handed over at an hour of a time zone.

The anchor is the day on which the first week begins. All by the wall clock of the zone, so a hand-over at 09:00 stays at 09:00
when the clocks change. Pure: the same moment, the same people.
"""

from __future__ import annotations

import datetime

from msgspec import Struct

WEEK = datetime.timedelta(weeks=1)


class Turn(Struct, frozen=True):
    """One week of the rotation: who is called first, and who where they do not answer."""

    primary: str
    backup: str = ""


class Rotation(Struct, frozen=True):
    """The turns, in order, over and over. `anchor` is the first week's first day (ISO), `hour` the hand-over in minutes since
    midnight of `zone`."""

    turns: tuple[Turn, ...]
    anchor: str
    hour: int = 540
    zone: str = "UTC"


class Shift(Struct, frozen=True):
    """Who is on call, from when to when (UTC seconds)."""

    primary: str
    backup: str
    since: float
    until: float


def on_call(rotation: Rotation, at: float) -> Shift | None:
    """Who is on call at a moment (UTC seconds); None where the rotation has nobody."""
    if not rotation.turns:
        return None
    from zoneinfo import ZoneInfo  # late: only where there is a rotation

    zone = ZoneInfo(rotation.zone)
    handed = datetime.timedelta(minutes=rotation.hour)
    first = datetime.datetime.fromisoformat(rotation.anchor) + handed
    wall = datetime.datetime.fromtimestamp(at, zone).replace(tzinfo=None)
    week = (wall - first) // WEEK
    # A hand-over in the hour that a change of clocks has twice, or not at all, is one moment all the same.
    week += (at >= _utc(first + WEEK * (week + 1), zone)) - (at < _utc(first + WEEK * week, zone))
    turn = rotation.turns[week % len(rotation.turns)]
    return Shift(turn.primary, turn.backup, _utc(first + WEEK * week, zone), _utc(first + WEEK * (week + 1), zone))


def _utc(wall: datetime.datetime, zone: datetime.tzinfo) -> float:
    """The first moment at which a wall clock of the zone reads so."""
    return wall.replace(tzinfo=zone).timestamp()
