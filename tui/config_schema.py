"""The config's JSON Schema, for editors: every table and key, with the sentence that stands under it in the code."""

from __future__ import annotations

import ast
import inspect
import textwrap
from itertools import pairwise
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from tui.config_duty import EscalationSection, MaintenanceSection, SeveritiesSection
from tui.config_models import ActionsSection, General, JournalSection, RecordSection, SentrySection
from tui.config_rule_models import RuleSection
from tui.engine.installed import installed_kinds
from tui.engine.notify.channel import KINDS, load_kind
from tui.engine.panel import PanelLoadError, load_card
from tui.engine.secrets import SecretText


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
            "journal": _of(JournalSection, definitions),
            "record": _of(RecordSection, definitions),
            "sentry": _of(SentrySection, definitions),
            "keys": {"type": "object", "additionalProperties": {"type": "string"}, "description": "Other keys, by name."},
            "panel": {"type": "array", "items": {"anyOf": kinds}, "minItems": 1},
            "rule": {"type": "array", "items": _of(RuleSection, definitions)},
            "severities": _of(SeveritiesSection, definitions),
            "escalation": _of(EscalationSection, definitions),
            "maintenance": {"type": "array", "items": _of(MaintenanceSection, definitions)},
            "notify": {"type": "array", "items": {"anyOf": _channels(definitions)}},
        },
        "$defs": definitions,
    }


def _channels(definitions: dict[str, Any]) -> list[dict[str, Any]]:
    """The schema of each kind of `[[notify]]`."""
    made = []
    for kind in KINDS:
        each = _of(load_kind(kind), definitions)
        each["properties"]["kind"]["const"] = kind
        each["required"] = sorted({*each.get("required", []), "kind"})
        made.append(each)
    return made


class _Schema(GenerateJsonSchema):
    """pydantic's own, with the sentence under each setting, and where a default may be a URL that could have held secrets."""

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        made = super().model_schema(schema)
        for key, says in sentences(schema["cls"]).items():
            made["properties"][key]["description"] = says
        return made

    def encode_default(self, dft: Any) -> Any:
        return dft.masked if isinstance(dft, SecretText) else super().encode_default(dft)


def _of(model: type[BaseModel], definitions: dict[str, Any]) -> dict[str, Any]:
    """A model's schema; the models within it go to the definitions."""
    made = model.model_json_schema(ref_template="#/$defs/{model}", by_alias=True, schema_generator=_Schema)
    definitions.update(made.pop("$defs", {}))
    return made


def sentences(model: type[BaseModel]) -> dict[str, str]:
    """The docstring under each field, by the key that people type; of inherited fields too.

    Read from the source only when the schema is printed: pydantic's own way of doing so costs every start 40 ms.
    """
    said: dict[str, str] = {}
    for each in reversed(model.__mro__):
        if issubclass(each, BaseModel) and each is not BaseModel:
            said |= _written_in(each)
    return {field.alias or name: said[name] for name, field in model.model_fields.items() if name in said}


def _written_in(model: type[BaseModel]) -> dict[str, str]:
    """The strings that stand directly under a field in one class's body."""
    try:
        parsed = ast.parse(textwrap.dedent(inspect.getsource(model))).body[0]
    except (OSError, TypeError, SyntaxError):
        return {}  # made at run time, or shipped without source: then there is nothing to show
    assert isinstance(parsed, ast.ClassDef)
    found = {}
    for field, below in pairwise(parsed.body):
        match field, below:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str() as says)):
                found[name] = " ".join(says.split())
    return found
