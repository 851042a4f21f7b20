"""Words for commands that print: status glyphs, and alerts in a line."""

from __future__ import annotations

import json
import os
import sys
from typing import Any, TextIO

from tui.engine.alert import Alert
from tui.engine.reading import Status
from tui.engine.rules import describe
from tui.engine.text import Shown, escaped_for_terminals
from tui.engine.units import show_duration
from tui.locales import for_stdout


def glyph(status: Status) -> str:
    """The status's sign, in what the locale and the output's encoding can hold."""
    return for_stdout(status.sign)


def alert_line(alert: Alert, now: float) -> Shown:
    """`P0 ✖ firing  api  error rate 6.2 % > 5 %  9m12s`."""
    suspect = f"   ◆ {alert.suspect}" if alert.suspect else ""
    age = show_duration(now - alert.since)
    return Shown(
        f"{alert.severity} {glyph(alert.status)} {alert.state:<8} {alert.panel:<10} {describe(alert)}   {age}{suspect}"
    )


def in_json(data: object, indent: int | None = None, default: Any = None) -> str:
    """Data as JSON that may also be printed on a terminal: names stay as they are, but for what would steer it."""
    return escaped_for_terminals(json.dumps(data, ensure_ascii=False, indent=indent, default=default))


def say(text: str) -> None:
    """A line to stdout, whatever its encoding can hold."""
    if problem := _written(sys.stdout, text):
        complain(f"what was to be printed could not be written: {problem}")


def complain(text: str) -> None:
    """A line to stderr."""
    _written(sys.stderr, text)


def _written(stream: TextIO | None, text: str) -> str:
    """A line; returns why it could not be written, once: from then on the stream goes nowhere, and the command goes on to its
    own exit code, which may be a deed's. That nobody reads any more (`| head`), or ever did, is no problem."""
    if stream is None:
        return ""
    encoding = stream.encoding or "utf-8"
    try:
        print(text.encode(encoding, "replace").decode(encoding), file=stream, flush=True)
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        return "" if isinstance(error, BrokenPipeError) else error.strerror or str(error)
    return ""
