"""The config's JSON Schema, for editors: every table and key, with the sentence that stands under it in the code."""

from __future__ import annotations

import ast
import inspect
import textwrap
from typing import Any

from pydantic import BaseModel

from tui.config_models import ActionsSection, General, RuleSection, SentrySection
from tui.engine.panel import PanelLoadError, installed_kinds, load_card


def schema() -> dict[str, Any]:
    """The whole config's schema, with every installed kind of panel; a panel's keys depend on its kind."""
    definitions: dict[str, Any] = {}
    kinds = []
    for kind in installed_kinds():
        try:
            card = load_card(kind)
        except PanelLoadError:
            continue
        made = _of(card.config, definitions)
        made.get("properties", {}).setdefault("kind", {})["const"] = kind
        made["required"] = sorted({*made.get("required", []), "kind"})
        made["title"] = card.title
        kinds.append(made)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Watchfloor",
        "type": "object",
        "properties": {
            "extends": {"type": "string", "description": "A file whose values this one overrides."},
            "watchfloor": _of(General, definitions),
            "actions": _of(ActionsSection, definitions),
            "sentry": _of(SentrySection, definitions),
            "keys": {"type": "object", "additionalProperties": {"type": "string"}, "description": "Other keys, by name."},
            "panel": {"type": "array", "items": {"anyOf": kinds}, "minItems": 1},
            "rule": {"type": "array", "items": _of(RuleSection, definitions)},
        },
        "$defs": definitions,
    }


def _of(model: type[BaseModel], definitions: dict[str, Any]) -> dict[str, Any]:
    """A model's schema; the models within it go to the definitions. Each key gets its sentence."""
    made = model.model_json_schema(ref_template="#/$defs/{model}", by_alias=True)
    definitions.update(made.pop("$defs", {}))
    for each in _models(model):
        told = made if each is model else definitions.get(each.__name__, {})
        for name, sentence in sentences(each).items():
            key = each.model_fields[name].alias or name
            if key in told.get("properties", {}):
                told["properties"][key].setdefault("description", sentence)
    return made


def _models(model: type[BaseModel]) -> set[type[BaseModel]]:
    """The model and those within its fields."""
    found = {model}
    for info in model.model_fields.values():
        for each in _within(info.annotation):
            if each not in found:
                found |= _models(each)
    return found


def _within(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [found for each in getattr(annotation, "__args__", ()) for found in _within(each)]


def sentences(model: type[BaseModel]) -> dict[str, str]:
    """The docstring under each field of a model and its bases. Read from the source when asked for: having pydantic do it at
    every start costs 40 ms."""
    found: dict[str, str] = {}
    for base in reversed(model.__mro__):
        if not issubclass(base, BaseModel) or base is BaseModel:
            continue
        body = ast.parse(textwrap.dedent(inspect.getsource(base))).body[0]
        assert isinstance(body, ast.ClassDef)
        for field, below in zip(body.body, body.body[1:], strict=False):
            if (
                isinstance(field, ast.AnnAssign)
                and isinstance(field.target, ast.Name)
                and isinstance(below, ast.Expr)
                and isinstance(below.value, ast.Constant)
            ):
                found[field.target.id] = " ".join(str(below.value.value).split())
    return {name: text for name, text in found.items() if name in model.model_fields}
