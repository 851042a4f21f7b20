"""What may be shown and kept: secrets by value. Literals of SQL and ids in messages, by shape: `folding.py`.

Every secret that was ever read is known by value and masked wherever text leaves the process (journal, logs, errors, crash
reports).
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from urllib.parse import quote, quote_plus

from .secrets import known_values
from .text import clean

MASK = "•••"
_SHORTEST = 4
"""A secret shorter than this would mask ordinary words; none worth the name is."""

_USERINFO = re.compile(r"(?<=://)([^/\s:@]*):([^/\s]+)@")
_KEY_VALUE = re.compile(
    r"""((?:\b|_)(?:password|passwd|pwd|token|secret|api[_-]?key|authorization)["']?\s*[=:]\s*)"""
    r"""((?:bearer|basic|token)\s+)?("[^"]*"|'[^']*'|\S+)""",
    re.I,
)


def redact(text: str) -> str:
    """Text with every known secret, and what looks like a password in a URL or assignment, masked."""
    for written in _ways_to_write(frozenset(known_values)):
        text = text.replace(written, MASK)
    text = _USERINFO.sub(rf"\1:{MASK}@", text)
    return _KEY_VALUE.sub(rf"\1\2{MASK}", text)


@lru_cache(maxsize=8)
def _ways_to_write(values: frozenset[str]) -> tuple[str, ...]:
    """Every form in which a secret may stand in a text, the longest first: as it is, in a URL, in JSON, as Python quotes it,
    cleaned for the screen, and each long line of one that has several (a key)."""
    forms: set[str] = set()
    for value in values:
        escaped = json.dumps(value)[1:-1]
        forms |= {value, quote(value, safe=""), quote(value), quote_plus(value), escaped, repr(value)[1:-1]}
        forms |= {json.dumps(value, ensure_ascii=False)[1:-1], str(clean(value, len(value) + 1))}
        forms |= {line for line in value.splitlines() if len(line) >= 2 * _SHORTEST}
    return tuple(sorted((form for form in forms if len(form) >= _SHORTEST), key=lambda form: (-len(form), form)))
