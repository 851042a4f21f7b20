"""How a signal is named in the config: `PANEL.SIGNAL`, with labels where it has any."""

from __future__ import annotations

import re

_LABEL = re.compile(r'\s*([A-Za-z_]\w*)\s*=\s*"((?:[^"\\]|\\.)*)"\s*', re.S)
_ESCAPED = re.compile(r"\\(.)", re.S)


def parse_signal(text: str) -> tuple[str, str, dict[str, str]]:
    """Panel, signal and labels in `jobs.failure_rate{kind="PUBLISH_*"}`, as `series_key` writes them. Raises ValueError,
    saying what to write."""
    head, brace, rest = text.partition("{")
    panel, dot, name = head.strip().partition(".")
    if not dot or not panel or not name:
        raise ValueError('expected PANEL.SIGNAL, such as "metrics.error_rate" or "jobs.failure_rate{kind=\\"CLIP_RENDER\\"}"')
    return panel, name.strip(), _labels(rest.rstrip()) if brace else {}


def _labels(rest: str) -> dict[str, str]:
    """The labels in `kind="CLIP_RENDER", route="/a,b"}`. Raises ValueError."""
    if not rest.endswith("}"):
        raise ValueError("the labels are not closed: expected }")
    labels: dict[str, str] = {}
    place, end = 0, len(rest) - 1
    while rest[place:end].strip():
        found = _LABEL.match(rest, place, end)
        if not found or (found.end() < end and rest[found.end()] != ","):
            raise ValueError(f'expected label="value", found {rest[place:end].strip()}')
        labels[found.group(1)] = _ESCAPED.sub(lambda at: "\n" if at.group(1) == "n" else at.group(1), found.group(2))
        place = found.end() + 1
    return labels
