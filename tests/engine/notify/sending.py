"""A message as it is told, and what becomes of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from tests.clocks import START
from tests.engine.notify.alerts import ERRORS
from tests.waiting import DEADLINES
from tui.engine.alert import Alert
from tui.engine.connections import Tools
from tui.engine.notify.channel import Channel, Transition, Undelivered
from tui.engine.notify.message import Message, message_of


def said(
    *alerts: Alert, transition: Transition = "firing", whom: str = "", keys: Sequence[str] = (), test: bool = False
) -> Message:
    told = alerts or (ERRORS,)
    return message_of(told, transition, START + 60, product="shop", environment="production", keys=keys, whom=whom, test=test)


async def undelivered(channel: Channel, message: Message, tools: Tools) -> Undelivered:
    with pytest.raises(Undelivered) as found:
        await channel.send(message, tools)
    return found.value


async def hung(channel: Callable[[str], Channel], tools: Tools) -> Undelivered:
    """What is said of a message that arrived and was not answered by a channel's deadline."""
    for deadline in DEADLINES:
        error = await undelivered(channel(f"{deadline}s"), said(), tools)
        if error.maybe:
            return error
    raise AssertionError(f"it did not arrive: {error}")
