"""What is wrong with a config, in words: what was found, what was expected, what was probably meant."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, get_args

from pydantic import BaseModel

from tui.config_places import Path as Place
from tui.nearest import nearest

LISTS = ("tuple_type", "list_type", "set_type", "frozen_set_type")


def problem_in_words(error: Any, model: type[BaseModel], loc: tuple[str | int, ...]) -> str:
    """A validation error in words: what was found, what was expected, the nearest name."""
    kind, message = error["type"], str(error["msg"])
    if kind == "extra_forbidden":
        known = _known_keys(model, loc[:-1])
        there_are = f"; known: {', '.join(sorted(known))}" if known else ""
        return f"unknown key {str(loc[-1])!r}{nearest(str(loc[-1]), known)}{there_are}"
    if kind == "missing":
        return "missing"
    if kind == "value_error":
        return message.removeprefix("Value error, ")
    if kind in LISTS:
        return f"expected a list: write {_as_list(error.get('input'))}"
    message = message[:1].lower() + message[1:]
    return f"{message.replace('input should be', 'expected')}, found {found_in_words(error.get('input'))}"


def _as_list(value: object) -> str:
    """The list that one value was probably meant as, in TOML."""
    plain = isinstance(value, str | int | float) and not isinstance(value, bool)
    return f"[{json.dumps(value, ensure_ascii=False)}]" if plain and len(str(value)) <= 60 else '["…", "…"]'


def _known_keys(model: type[BaseModel], loc: tuple[str | int, ...]) -> list[str]:
    """The keys of the model at a place within another."""
    here: Any = model
    for part in loc:
        if isinstance(part, str) and isinstance(here, type) and issubclass(here, BaseModel):
            name = next((n for n, f in here.model_fields.items() if part in (n, f.alias)), None)
            here = _inner_model(here.model_fields[name].annotation) if name else None
    if not (isinstance(here, type) and issubclass(here, BaseModel)):
        return []
    return [info.alias or name for name, info in here.model_fields.items()]


def _inner_model(annotation: Any) -> type[BaseModel] | None:
    """The model within an annotation such as `tuple[Endpoint, ...]`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for each in get_args(annotation) if (found := _inner_model(each))), None)


def found_in_words(value: object) -> str:
    """What was found, short, for a message."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:59]}…"


def path_in_words(place: Place, values: Mapping[str, Any]) -> str:
    """A place as a person would say it: `panel web.endpoint[0].url`."""
    words: list[str] = []
    here: Any = values
    for part in place:
        try:
            here = here[part]
        except (KeyError, IndexError, TypeError):
            here = None
        if isinstance(part, int):
            name = here.get("name") or here.get("kind") if isinstance(here, dict) else None
            words[-1] += f" {name}" if name else f"[{part}]"
        else:
            words.append(part)
    return ".".join(words)
