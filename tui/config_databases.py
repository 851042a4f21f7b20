"""Which database a DSN means, read without connecting and without psycopg: for telling that two settings mean the same one."""

from __future__ import annotations

import getpass
import os
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from pydantic import BaseModel

from tui.engine.secrets import SecretText

Place = tuple[str, str, str]
"""Host, port and database."""
_PAIR = re.compile(r"(\w+)\s*=\s*('[^']*'|\S+)")
_HERE = frozenset({"", "localhost", "127.0.0.1", "::1"})


def database_place(dsn: SecretText) -> Place | None:
    """Host, port and database of a DSN; None where it is none, or where they stand in a file or come from a command."""
    text = filled(dsn)
    try:
        found = _of_url(text) if text.startswith(("postgres://", "postgresql://")) else _of_pairs(text)
    except ValueError:
        return None
    if not found or "service" in found:
        return None
    user = found.get("user") or os.environ.get("PGUSER") or getpass.getuser()
    host = found.get("host") or found.get("hostaddr") or os.environ.get("PGHOST", "")
    return (
        "localhost" if host.lower() in _HERE else host.lower(),
        found.get("port") or os.environ.get("PGPORT") or "5432",
        found.get("dbname") or os.environ.get("PGDATABASE") or user,
    )


def secret_texts_in(settings: Any) -> Iterator[SecretText]:
    """Every text in a panel's settings that may hold secrets, DSNs among them, however deep it stands."""
    match settings:
        case SecretText():
            yield settings
        case BaseModel():
            for name in type(settings).model_fields:
                yield from secret_texts_in(getattr(settings, name))
        case dict():
            for each in settings.values():
                yield from secret_texts_in(each)
        case list() | tuple():
            for each in settings:
                yield from secret_texts_in(each)


def filled(secret: SecretText) -> str:
    """The text with its environment variables in place; other secrets stay away, as reading them may take seconds."""
    text = secret.source
    for reference in secret.references:
        kind, _, name = reference.partition(":")
        value = os.environ.get(name, "") if kind == "env" else ""
        text = value.strip() if text == reference else text.replace(f"{{{reference}}}", value)
    return text


def _of_url(text: str) -> dict[str, str]:
    """A URL's parts by libpq's names. Raises ValueError where it is none."""
    parts = urlsplit(text)
    found = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    several = "," in parts.netloc
    port = "" if several else str(parts.port or "")
    named = {"user": unquote(parts.username or ""), "dbname": unquote(parts.path.lstrip("/")), "port": port}
    host = parts.netloc.rpartition("@")[2] if several else unquote(parts.hostname or "")
    return {name: value for name, value in {**named, "host": host, **found}.items() if value}


def _of_pairs(text: str) -> dict[str, str]:
    return {name: value.strip("'") for name, value in _PAIR.findall(text)}
