"""`watchfloor notify test`: one marked message to each channel, so that the first real one is not the first."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

from tui.commands.printing import complain, say
from tui.config import Loaded
from tui.engine.alert import Alert
from tui.engine.connections import Tools
from tui.engine.notify.channel import Channel, Transition, Undelivered, delivered
from tui.engine.notify.message import message_of
from tui.engine.setup import Setup
from tui.engine.text import EMPTY, Shown, clean
from tui.engine.units import show_duration
from tui.nearest import nearest

UNTOLD, USAGE = 5, 64


def send_tests(loaded: Loaded, name: str, *, escalation: bool) -> int:
    """Sends a test to the channel of that name, all where none is given; prints a line each and returns the exit code."""
    setup = loaded.setup
    channels = [each for each in setup.channels if not name or each.title == name]
    if name and not channels:
        known = [each.title for each in setup.channels]
        complain(f"there is no channel {name}{nearest(name, known)}; there are: {', '.join(known) or 'none'}")
        return USAGE
    if escalation:
        channels = [each for each in channels if "escalated" in each.on]
    if not channels:
        complain('nobody is told: write a [[notify]] into the config, for an escalation with on = ["escalated", …]')
        return UNTOLD
    told = asyncio.run(_all(setup, channels, "escalated" if escalation else "firing"))
    return 0 if all(told) else UNTOLD


async def _all(setup: Setup, channels: Sequence[Channel], transition: Transition) -> list[bool]:
    """Every channel side by side."""
    tools = Tools(setup.environment)
    try:
        return await asyncio.gather(*(_one(setup, each, transition, tools) for each in channels))
    finally:
        await tools.close()


async def _one(setup: Setup, channel: Channel, transition: Transition, tools: Tools) -> bool:
    """One channel's line: told, or not and why."""
    what = clean(f"{channel.title} ({channel.kind})")
    if channel.on_screen:
        say(f"           {what}: the dashboard's own terminal; its bell rings with the next alert that fires")
        return True
    now = time.time()
    message = message_of(
        [_alert(now)],
        transition,
        now,
        product=setup.name,
        environment=setup.environment,
        keys=["watchfloor/test"],
        whom=f"{setup.user}, as a test" if transition == "escalated" else "",
        test=True,
    )
    note: Shown = EMPTY
    try:
        note = await delivered(channel, message, tools)
    except Undelivered as error:
        perhaps = "; it may have arrived all the same" if error.maybe else ""
        say(f"NOT told   {what}: {error.says}{perhaps}")
        return False
    say(f"told       {what}: in {show_duration(time.time() - now)}{f'; {note}' if note else ''}")
    return True


def _alert(now: float) -> Alert:
    """What a test tells of: nothing."""
    return Alert(
        fingerprint="watchfloor/test",
        rule="test",
        panel="watchfloor",
        signal="test",
        labels=(),
        severity="P3",
        state="firing",
        value=1.0,
        threshold=0.0,
        unit="count",
        way="above",
        since=now,
        fired_at=now,
        says=Shown("sent by hand, to see that it arrives"),
    )
