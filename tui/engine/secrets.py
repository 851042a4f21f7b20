"""Secrets: named in the config, read when needed, never shown.

A secret stands in the config as `env:NAME`, `file:PATH` or `cmd:ARGV…` (no shell, 5 s), as a whole string or, in braces,
inside a URL, DSN or header (`postgresql://app:{env:PGPASS}@db/app`). Values are read when first used, again after a refusal
(`forget`), and every value ever read is known to `redact.py`, which masks it wherever text leaves the process.
"""

from __future__ import annotations

import os
import re
import shlex
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote, urlsplit

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

COMMAND_TIMEOUT = 5.0
"""Seconds that a secret's command may take."""
LONGEST = 65_536
"""Bytes that a secret's command may print."""
_REFERENCE = re.compile(r"(env|file|cmd):(.+)", re.S)
_EMBEDDED = re.compile(r"\{((?:env|file|cmd):[^{}]+)\}")
_STAND_IN = "X"
"""In place of a reference while the text around it is looked at."""
_SECRET_HEADER = re.compile(r"authorization|cookie|token|secret|key|password", re.I)
_DSN_PASSWORD = re.compile(r"(?:^|\s)password\s*=\s*('[^']*'|\S+)", re.I)

known_values: set[str] = set()
"""Every secret value that was read in this process. Read by `redact.py` alone."""


class SecretError(Exception):
    """A secret could not be read; the message says which and what to do, never its value."""


class SecretText:
    """Text with secrets in it. Prints masked; `reveal` gives the real thing, off the event loop where that takes time."""

    __slots__ = ("_cache", "_parts", "is_url", "source")

    def __init__(self, source: str, *, is_url: bool = False) -> None:
        self.source = source
        self.is_url = is_url
        self._cache: dict[str, str] = {}
        if whole := _REFERENCE.fullmatch(source):
            self._parts: tuple[tuple[bool, str], ...] = ((True, whole.group()),)
        else:
            pieces = _EMBEDDED.split(source)
            self._parts = tuple((index % 2 == 1, piece) for index, piece in enumerate(pieces) if piece)

    @property
    def references(self) -> tuple[str, ...]:
        """The references in it, as written."""
        return tuple(text for secret, text in self._parts if secret)

    @property
    def masked(self) -> str:
        """The text with its references in place of their values: what may be shown, and what identifies it."""
        return self.source

    def __repr__(self) -> str:
        return f"SecretText({self.source!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SecretText) and other.source == self.source

    def __hash__(self) -> int:
        return hash(self.source)

    async def reveal(self) -> str:
        """The text with every secret in its place. Raises SecretError."""
        for reference in self.references:
            if reference not in self._cache:
                value = await _read(reference)
                known_values.add(value)
                self._cache[reference] = value
        whole = len(self._parts) == 1
        return "".join(
            (self._cache[text] if whole or not self.is_url else quote(self._cache[text], safe="")) if secret else text
            for secret, text in self._parts
        )

    def forget(self) -> None:
        """Reads every secret anew next time: a refusal may mean that it was rotated."""
        self._cache.clear()


async def _read(reference: str) -> str:
    """The value behind one reference. Raises SecretError."""
    kind, _, rest = reference.partition(":")
    match kind:
        case "env":
            value = os.environ.get(rest)
            if value is None:
                raise SecretError(f"the environment variable {rest} is not set")
            return _worth(value, f"the environment variable {rest}")
        case "file":
            try:
                return _worth(Path(rest).expanduser().read_text(encoding="utf-8"), rest)  # noqa: ASYNC240  # a local file of a line
            except (OSError, UnicodeError) as error:
                raise SecretError(f"{rest} could not be read: {getattr(error, 'strerror', None) or 'not text'}") from None
        case _:
            return await _run(shlex.split(rest))


def _worth(value: str, where: str) -> str:
    """The value without the line break that most ways of storing it add. Raises SecretError where nothing is left."""
    stripped = value.strip()
    if not stripped:
        raise SecretError(f"{where} is empty")
    return stripped


async def _run(argv: list[str]) -> str:
    """What a secret's command prints. Raises SecretError, without what it printed."""
    from .programs import run  # late: few secrets are kept so

    try:
        ended = await run(argv, within=COMMAND_TIMEOUT, hears="stdout", keeps=LONGEST)
    except TimeoutError:
        raise SecretError(f"{argv[0]} did not answer within {COMMAND_TIMEOUT:g}s") from None
    except OSError as error:
        raise SecretError(f"{argv[0]} could not be started: {error.strerror}") from None
    if ended.code:
        raise SecretError(f"{argv[0]} ended with exit code {ended.code}")
    return _worth(ended.wrote.decode(errors="replace"), f"what {argv[0]} prints")


def _check_reference(reference: str) -> None:
    """Raises ValueError for a reference that cannot work, so that the config's report names it with its line."""
    kind, _, rest = reference.partition(":")
    if kind == "env" and rest not in os.environ:
        raise ValueError(f"the environment variable {rest} is not set")
    if kind == "file" and not Path(rest).expanduser().is_file():
        raise ValueError(f"there is no file {rest}")
    if kind == "cmd" and not shlex.split(rest):
        raise ValueError("cmd: needs a program to run")


def _whole_secret(value: object) -> SecretText:
    if isinstance(value, SecretText):
        return value
    if not isinstance(value, str):
        raise ValueError('expected "env:NAME", "file:PATH" or "cmd:PROGRAM …"')
    text = SecretText(value)
    if not text.references:
        raise ValueError('a secret never stands in the config: write "env:NAME", "file:PATH" or "cmd:PROGRAM …" instead')
    for reference in text.references:
        _check_reference(reference)
    return text


def _text_with_secrets(value: object) -> SecretText:
    if isinstance(value, SecretText):
        return value
    if not isinstance(value, str) or not value:
        raise ValueError("expected text")
    text = SecretText(value)
    for reference in text.references:
        _check_reference(reference)
    return text


def _clear_password(text: str) -> str | None:
    """What to write instead, where a password stands in clear in a URL or DSN."""
    masked = _EMBEDDED.sub(_STAND_IN, text)
    if "://" in text:
        try:
            password = urlsplit(masked).password
        except ValueError:
            password = None
        if password and password != _STAND_IN:
            return text.replace(f":{password}@", ":{env:NAME}@")
    if (found := _DSN_PASSWORD.search(masked)) and found.group(1) != _STAND_IN:
        return _DSN_PASSWORD.sub(" password={env:NAME}", text).strip()
    return None


def _url(value: object) -> SecretText:
    text = _text_with_secrets(value)
    if instead := _clear_password(text.source):
        raise ValueError(f'a password never stands in the config: write "{instead}"')
    whole = len(text.references) == 1 and text.source == text.references[0]
    if not whole:
        problem = url_problem(_EMBEDDED.sub(_STAND_IN, text.source))
        if problem:
            raise ValueError(problem)
    return SecretText(text.source, is_url=True)


def url_problem(url: str) -> str | None:
    """What is wrong with an HTTP URL, in words; None where it is well."""
    try:
        parts = urlsplit(url)
        port_ok = parts.port is None or parts.port > 0
    except ValueError as error:
        return f"not a URL: {error}"
    if parts.scheme not in ("http", "https"):
        return f'expected a URL that begins with https:// or http://, found "{url[:60]}"'
    if not parts.hostname or not port_ok or any(character.isspace() for character in url):
        return f'not a URL with a host: "{url[:60]}"'
    return None


def _dsn(value: object) -> SecretText:
    text = _text_with_secrets(value)
    if instead := _clear_password(text.source):
        raise ValueError(f'a password never stands in the config: write "{instead}"')
    whole = len(text.references) == 1 and text.source == text.references[0]
    is_url = text.source.startswith(("postgres://", "postgresql://"))
    if not whole and not is_url and "=" not in text.source:
        raise ValueError('expected "postgresql://user@host/database", "host=… dbname=…" or "env:NAME"')
    return SecretText(text.source, is_url=is_url)


class _Schema:
    """Tells pydantic how a SecretText is read (by `parse`) and described."""

    def __init__(self, parse: Any, description: str) -> None:
        self.parse, self.description = parse, description

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            self.parse, serialization=core_schema.plain_serializer_function_ser_schema(lambda text: text.masked)
        )

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"type": "string", "description": self.description}


Secret = Annotated[SecretText, _Schema(_whole_secret, 'a secret: "env:NAME", "file:PATH" or "cmd:PROGRAM …"')]
"""A secret by reference; in clear it is refused."""
SecretUrl = Annotated[SecretText, _Schema(_url, 'a URL; secrets in it as "{env:NAME}"')]
"""An http(s) URL that may hold references; a password in clear is refused."""
Dsn = Annotated[SecretText, _Schema(_dsn, 'where a PostgreSQL is: "env:NAME", or a URL with "{env:NAME}" for its password')]
"""A libpq connection string that may hold references; a password in clear is refused."""


def _header_values(value: object) -> dict[str, SecretText]:
    if not isinstance(value, dict):
        raise ValueError('expected headers such as { Authorization = "Bearer {env:TOKEN}" }')
    found, wrong = {}, []
    for name, each in value.items():
        try:
            found[name] = _header_value(name, each)
        except ValueError as error:
            wrong.append(f"{name}: {error}")
    if wrong:
        raise ValueError("; ".join(wrong))
    return found


def _header_value(name: str, value: object) -> SecretText:
    text = _text_with_secrets(value)
    if _SECRET_HEADER.search(name) and not text.references:
        raise ValueError('looks like a secret, which never stands in the config: write "{env:NAME}"')
    if any(character in name + text.source for character in "\r\n\0"):
        raise ValueError("holds a line break")
    return text


class _HeadersSchema(_Schema):
    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            self.parse,
            serialization=core_schema.plain_serializer_function_ser_schema(
                lambda headers: {name: text.masked for name, text in headers.items()}
            ),
        )

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"type": "object", "additionalProperties": {"type": "string"}, "description": self.description}


Headers = Annotated[dict[str, SecretText], _HeadersSchema(_header_values, 'HTTP headers; secrets in them as "{env:NAME}"')]
"""HTTP headers that may hold references; one that is named like a secret must."""
