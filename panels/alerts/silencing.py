"""Silences in an Alertmanager, by its API v2: made and ended there, so that everybody whom it tells is spared.

`POST /silences` needs every field; `DELETE /silence/{id}` expires one. Its clock may differ from ours: a start in the past is
taken as now, and the end is moved by as much as its clock is off.
"""

from __future__ import annotations

import datetime
from typing import Any
from urllib.parse import quote

import msgspec

from tui.engine.connections import Tools
from tui.engine.decoding import decodable
from tui.engine.reading import ProbeError, no_answer
from tui.engine.silences import Silence

from .source import Matching, Source

WITHIN = 8.0
"""Seconds for both requests."""


class Made(msgspec.Struct, frozen=True):
    """The answer to a silence that was made."""

    id: str = msgspec.field(name="silenceID")


class Alertmanager:
    """The engine's `Silencer` over an Alertmanager."""

    async def make(self, panel: str, settings: Any, tools: Tools, silence: Silence) -> str:
        """Makes the silence; returns its id there. Raises ProbeError."""
        source = Source(panel, settings, tools, settings.alertmanager, WITHIN)
        await source.send("GET", "/api/v2/status")  # how far its clock is off
        matchers = [Matching(each.name, each.value, each.is_regex, each.is_equal) for each in silence.matchers]
        body = {
            "matchers": matchers,
            "startsAt": _written(silence.since + source.ahead),
            "endsAt": _written(silence.until + source.ahead),
            "createdBy": silence.who,
            "comment": silence.reason,
        }
        fetched = await source.send("POST", "/api/v2/silences", msgspec.json.encode(body))
        try:
            return msgspec.json.decode(fetched.body, type=decodable(Made)).id
        except msgspec.MsgspecError as error:
            raise no_answer("contract", f"it says no id of the silence: {error}", "look whether it was made") from None

    async def end(self, panel: str, settings: Any, tools: Tools, id_: str) -> None:
        """Expires it; one that is over, or that is known no longer, is as it should be. Raises ProbeError."""
        source = Source(panel, settings, tools, settings.alertmanager, WITHIN)
        try:
            await source.send("DELETE", f"/api/v2/silence/{quote(id_, safe='')}")
        except ProbeError as error:
            if "HTTP 404" not in error.failure.says and "already expired" not in error.failure.says:
                raise


def _written(at: float) -> str:
    return datetime.datetime.fromtimestamp(at, datetime.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


SILENCER = Alertmanager()
