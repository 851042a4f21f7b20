"""config.toml → a checked `Setup`; every mistake reported at once, with file, line, path and what to write.

Knows no panel: a panel's keys are its card's config model. What is wrong is collected, never raised one by one.
"""

from __future__ import annotations

import difflib
import hashlib
import os
import re
import stat
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args

import platformdirs
from pydantic import BaseModel, TypeAdapter, ValidationError

from tui.config_models import ActionsSection, General, RuleSection, SentrySection
from tui.config_places import Path as Place
from tui.config_places import line_of, places
from tui.engine.panel import PanelConfig, PanelLoadError, Threshold, installed_kinds, load_card
from tui.engine.rules import Rule, parse_signal
from tui.engine.secrets import Secret, SecretText
from tui.engine.setup import PanelSetup, Setup
from tui.engine.text import Shown, clean
from tui.engine.units import parse_quantity

LATER = ("severities", "notify", "layout", "escalation", "journal", "record", "maintenance")
"""Tables that config.md describes and a later version reads."""
M = TypeVar("M", bound=BaseModel)
KNOWN = ("watchfloor", "panel", "rule", "actions", "keys", "sentry", "extends")


@dataclass(frozen=True, slots=True)
class Mistake:
    """One thing that is wrong, in a line: where, what was found, what was expected, what was probably meant."""

    file: str
    line: int | None
    path: str
    says: str

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else self.file
        return f"{where}: {self.path + ': ' if self.path else ''}{self.says}"


class ConfigError(Exception):
    """The config cannot be used; `mistakes` holds everything that is wrong with it."""

    def __init__(self, mistakes: Sequence[Mistake]) -> None:
        super().__init__("\n".join(map(str, mistakes)))
        self.mistakes = tuple(mistakes)


@dataclass(frozen=True, slots=True)
class Source:
    """The file or files that a config came from: its merged values, and where each stands."""

    path: Path
    values: dict[str, Any]
    origins: dict[Place, tuple[str, int]]

    def where(self, place: Place) -> tuple[str, int | None]:
        """File and line of a value, or of what holds it."""
        for end in range(len(place), -1, -1):
            if place[:end] in self.origins:
                return self.origins[place[:end]]
        return str(self.path), None


@dataclass(slots=True)
class Loaded:
    """A config that was read and checked: the engine's setup, and what `config show` prints."""

    setup: Setup
    source: Source
    sections: dict[str, BaseModel] = field(default_factory=dict)
    sentry_dsn: SecretText | None = None


# --- finding and reading the file ---------------------------------------------------------------------------------------


def find(given: str | None, environment: str | None) -> Path:
    """The config's path: the one given, $WATCHFLOOR_CONFIG, ./config.toml (the user's own, not writable by others), the XDG
    folder's. With an environment, `config.NAME.toml` beside it. Raises ConfigError."""
    named = given or os.environ.get("WATCHFLOOR_CONFIG")
    if named:
        return _for_environment(Path(named).expanduser(), environment)
    here = _for_environment(Path("config.toml"), environment)
    if here.is_file():
        _check_own(here)
        return here
    usual = _for_environment(platformdirs.user_config_path("watchfloor") / "config.toml", environment)
    if usual.is_file():
        return usual
    says = "no config found: give one with --config, or write one with `watchfloor config init > config.toml`"
    raise ConfigError([Mistake(str(usual), None, "", says)])


def _for_environment(path: Path, environment: str | None) -> Path:
    """`config.staging.toml` beside `config.toml`."""
    return path.with_name(f"{path.stem}.{environment}{path.suffix}") if environment else path


def _check_own(path: Path) -> None:
    """Raises ConfigError for a file that was found, not named, and that somebody else could have put there."""
    found = path.stat()
    if found.st_uid != os.getuid():
        says = f"belongs to somebody else, so it is not read by itself: name it with --config {path}"
    elif found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        says = f"others may write it, so it is not read by itself: chmod go-w {path}, or name it with --config {path}"
    else:
        return
    raise ConfigError([Mistake(str(path), None, "", says)])


def read(path: Path) -> Source:
    """The file's values over those of the file it extends. Raises ConfigError."""
    values, origins = _read_one(path)
    extends = values.pop("extends", None)
    if extends is None:
        return Source(path, values, origins)
    if not isinstance(extends, str):
        raise ConfigError(
            [Mistake(str(path), line_of(_lines(origins), ("extends",)), "extends", 'expected a file: "base.toml"')]
        )
    base, base_origins = _read_one(path.parent / extends)
    if "extends" in base:
        says = "extends a file that itself extends another: one level is all there is"
        raise ConfigError([Mistake(str(path), line_of(_lines(origins), ("extends",)), "extends", says)])
    merged_origins: dict[Place, tuple[str, int]] = {}
    merged = _merge(base, values, (), (), (), base_origins, origins, merged_origins)
    return Source(path, merged, merged_origins)


def _lines(origins: Mapping[Place, tuple[str, int]]) -> dict[Place, int]:
    return {place: line for place, (_, line) in origins.items()}


def _read_one(path: Path) -> tuple[dict[str, Any], dict[Place, tuple[str, int]]]:
    """One file's values and their places. Raises ConfigError."""
    try:
        text = path.read_text(encoding="utf-8")
        values = tomllib.loads(text)
    except OSError as error:
        raise ConfigError([Mistake(str(path), None, "", f"cannot be read: {(error.strerror or str(error)).lower()}")]) from None
    except UnicodeDecodeError:
        raise ConfigError([Mistake(str(path), None, "", "is not UTF-8 text")]) from None
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"line (\d+)", str(error))
        says = f"not TOML: {re.sub(r' [(]at .*[)]$', '', str(error)).lower()}"
        raise ConfigError([Mistake(str(path), int(found.group(1)) if found else None, "", says)]) from None
    return values, {place: (str(path), line) for place, line in places(text).items()}


def _merge(
    base: Any,
    over: Any,
    place: Place,
    base_place: Place,
    over_place: Place,
    base_origins: Mapping[Place, tuple[str, int]],
    over_origins: Mapping[Place, tuple[str, int]],
    origins: dict[Place, tuple[str, int]],
) -> Any:
    """Tables override key by key, arrays of tables by their entries' names, all else is replaced; `origins` learns whence."""

    def keep(source: Mapping[Place, tuple[str, int]], old: Place, new: Place) -> None:
        for each, origin in source.items():
            if each[: len(old)] == old:
                origins.setdefault((*new, *each[len(old) :]), origin)

    def inner(a: Any, b: Any, at: Place, in_base: Place, in_over: Place) -> Any:
        return _merge(a, b, at, in_base, in_over, base_origins, over_origins, origins)

    if isinstance(base, dict) and isinstance(over, dict):
        merged = {}
        for key in (*base, *(key for key in over if key not in base)):
            at, in_base, in_over = (*place, key), (*base_place, key), (*over_place, key)
            if key in base and key in over:
                merged[key] = inner(base[key], over[key], at, in_base, in_over)
            else:
                merged[key] = base.get(key, over.get(key))
                keep(*((base_origins, in_base) if key in base else (over_origins, in_over)), at)
        return merged
    if _tables(base) and _tables(over):
        mine = {_name(entry): index for index, entry in enumerate(over)}
        listed: list[Any] = []
        for index, entry in enumerate(base):
            at = (*place, len(listed))
            if (other := mine.pop(_name(entry), None)) is not None:
                listed.append(inner(entry, over[other], at, (*base_place, index), (*over_place, other)))
            else:
                keep(base_origins, (*base_place, index), at)
                listed.append(entry)
        for index in mine.values():
            keep(over_origins, (*over_place, index), (*place, len(listed)))
            listed.append(over[index])
        return listed
    keep(over_origins, over_place, place)
    return over


def _tables(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(each, dict) for each in value)


def _name(entry: Mapping[str, Any]) -> str:
    return str(entry.get("name") or entry.get("kind") or entry.get("url") or "")


# --- checking -----------------------------------------------------------------------------------------------------------


def load(path: Path) -> Loaded:
    """The checked config. Raises ConfigError with every mistake there is."""
    return _Check(read(path)).run()


class _Check:
    """One pass over a config, collecting mistakes."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.mistakes: list[Mistake] = []
        self.warnings: list[Shown] = []
        self.sections: dict[str, BaseModel] = {}

    def run(self) -> Loaded:
        values = self.source.values
        for key in values:
            if key in LATER:
                self.warnings.append(clean(f"[{key}] in the config is for a later version and is not used yet"))
            elif key not in KNOWN:
                self.mistake((key,), f"unknown table{_nearest(key, (*KNOWN, *LATER))}")
        general = self.section(General, values.get("watchfloor", {}), ("watchfloor",)) or General()
        actions = self.section(ActionsSection, values.get("actions", {}), ("actions",)) or ActionsSection()
        sentry = self.section(SentrySection, values.get("sentry", {}), ("sentry",))
        panels = self.panels(values.get("panel", []))
        rules = self.rules(values.get("rule", []), panels)
        keys = self.keys(values.get("keys", {}))
        self.check_allowed(actions, panels)
        sentry_dsn = self.sentry_dsn(sentry)
        if self.mistakes:
            raise ConfigError(self.mistakes)
        setup = Setup(
            name=general.name,
            environment=general.environment,
            production=general.counts_as_production,
            identity=hashlib.sha256(
                f"{general.name}\0{general.environment}\0{self.source.path.resolve()}".encode()
            ).hexdigest()[:12],
            user=general.who(),
            interval=general.interval,
            deadline=general.deadline,
            panels=tuple(panels),
            rules=tuple(rules),
            allow=actions.allow,
            theme=general.theme,
            keys=keys,
            warnings=tuple(self.warnings),
        )
        return Loaded(setup, self.source, self.sections, sentry_dsn)

    def mistake(self, place: Place, says: str) -> None:
        """Notes what is wrong with the value at a place."""
        file, line = self.source.where(place)
        self.mistakes.append(Mistake(file, line, _path(place, self.source.values), says))

    def section(self, model: type[M], values: object, place: Place) -> M | None:
        """A table as its model; None, with every mistake noted, where it does not fit."""
        if not isinstance(values, dict):
            self.mistake(place, f"expected a table, found {_found(values)}")
            return None
        try:
            checked = model.model_validate(values)
        except ValidationError as error:
            for each in error.errors():
                loc = tuple(part for part in each["loc"] if part != "[key]")
                inner = model.place_of(values, loc) if issubclass(model, PanelConfig) else loc
                self.mistake((*place, *inner), _says(each, model, loc))
            return None
        self.sections[_path(place, self.source.values)] = checked
        return checked

    def panels(self, tables: object) -> list[PanelSetup]:
        """Every `[[panel]]`, by the model of its kind."""
        if not isinstance(tables, list) or not tables:
            self.mistake(("panel",), 'nothing to watch: write a [[panel]] with a kind, such as kind = "health"')
            return []
        found = [self.panel(table, ("panel", index)) for index, table in enumerate(tables)]
        panels = [each for each in found if each]
        seen: dict[str, int] = {}
        for index, table in enumerate(tables):
            name = str(table.get("name") or table.get("kind")) if isinstance(table, dict) else ""
            if name and name in seen:
                self.mistake(("panel", index, "name"), f"two panels are called {name}: give each a name of its own")
            seen[name] = index
        return panels

    def panel(self, table: object, place: Place) -> PanelSetup | None:
        """One `[[panel]]`; one whose package cannot be loaded becomes a panel that says so."""
        if not isinstance(table, dict):
            self.mistake(place, f"expected a table, found {_found(table)}")
            return None
        kind = table.get("kind")
        kinds = installed_kinds()
        if not isinstance(kind, str) or kind not in kinds:
            known = ", ".join(sorted(kinds))
            says = (
                f"unknown kind {kind!r}{_nearest(str(kind), kinds)}; there are: {known}"
                if kind
                else f"which kind? one of {known}"
            )
            self.mistake((*place, "kind"), says)
            return None
        try:
            card = load_card(kind)
        except PanelLoadError as error:
            return PanelSetup(str(table.get("name") or kind), kind, None, PanelConfig(kind=kind), error.says)
        settings = self.section(card.config, table, place)
        return PanelSetup(settings.title, kind, card, settings) if settings else None

    def rules(self, tables: object, panels: Sequence[PanelSetup]) -> list[Rule]:
        """The panels' own rules, with those of the config in place of or beside them."""
        rules = {(rule.panel, rule.name): rule for panel in panels for rule in _own_rules(panel)}
        if not isinstance(tables, list):
            self.mistake(("rule",), "expected [[rule]] tables")
            return []
        names: set[str] = set()
        for index, table in enumerate(tables):
            place: Place = ("rule", index)
            section = self.section(RuleSection, table, place)
            if section is None:
                continue
            if section.name in names:
                self.mistake((*place, "name"), f"two rules are called {section.name}: give each a name of its own")
            names.add(section.name)
            own = [key for key in rules if key[1] == section.name]
            if not section.enabled:
                if not own:
                    self.mistake(
                        (*place, "name"), f"no panel has a rule of this name{_nearest(section.name, [k[1] for k in rules])}"
                    )
                for key in own:
                    del rules[key]
                continue
            rule = self.rule(section, place, panels)
            if rule:
                for key in own:
                    if key[0] == rule.panel:
                        del rules[key]
                rules[rule.panel, rule.name] = rule
        return list(rules.values())

    def rule(self, section: RuleSection, place: Place, panels: Sequence[PanelSetup]) -> Rule | None:
        """A rule on a signal that a panel has, with limits in the signal's unit."""
        try:
            panel_name, signal_name, labels = parse_signal(section.signal)
        except ValueError as error:
            self.mistake((*place, "signal"), str(error))
            return None
        panel = next((each for each in panels if each.name == panel_name), None)
        if panel is None:
            if not self.mistakes or panels:
                self.mistake(
                    (*place, "signal"), f"there is no panel {panel_name}{_nearest(panel_name, [p.name for p in panels])}"
                )
            return None
        if panel.card is None:
            return None
        spec = next((each for each in panel.card.signals if each.name == signal_name), None)
        if spec is None:
            known = [each.name for each in panel.card.signals]
            says = (
                f"the panel {panel_name} has no signal {signal_name}{_nearest(signal_name, known)}; it has: {', '.join(known)}"
            )
            self.mistake((*place, "signal"), says)
            return None
        if unknown := sorted(set(labels) - set(spec.labels)):
            has = ", ".join(spec.labels) or "none"
            self.mistake((*place, "signal"), f"{signal_name} has no label {', '.join(unknown)}; its labels: {has}")
            return None
        levels = []
        way: Literal["above", "below"] = "above"
        for severity, level in section.levels():
            way = "above" if level.above is not None else "below"
            key: Place = (way,) if severity == section.severity else (severity, way)
            try:
                limit = parse_quantity(level.above if way == "above" else level.below, spec.unit)
            except ValueError as error:
                self.mistake((*place, *key), str(error))
                continue
            levels.append(Threshold(severity, limit, level.hold))
        return Rule(
            section.name,
            panel_name,
            signal_name,
            spec.unit,
            way,
            tuple(levels),
            tuple(sorted(labels.items())),
            section.window,
            clean(section.why),
            section.link,
            section.playbook,
        )

    def keys(self, table: object) -> tuple[tuple[str, str], ...]:
        """`[keys]`: other keys for what the screen offers, by its name."""
        if not isinstance(table, dict) or not all(isinstance(each, str) for each in table.values()):
            self.mistake(("keys",), 'expected names and keys, such as  "panel.zoom" = "Z"')
            return ()
        return tuple(sorted(table.items()))

    def check_allowed(self, actions: ActionsSection, panels: Sequence[PanelSetup]) -> None:
        """Patterns that allow nothing are mistakes: somebody would find out when it matters."""
        names = [f"{panel.name}.{action.verb}" for panel in panels if panel.card for action in panel.card.load_actions()]
        everything = all(panel.card for panel in panels)
        for index, pattern in enumerate(actions.allow):
            if everything and names and not self.mistakes and not any(fnmatchcase(name, pattern) for name in names):
                self.mistake(
                    ("actions", "allow", index),
                    f"{pattern!r} allows nothing{_nearest(pattern, names)}; there are: {', '.join(names)}",
                )

    def sentry_dsn(self, sentry: SentrySection | None) -> SecretText | None:
        """The DSN by reference; None where it is off."""
        if sentry is None or sentry.dsn is None:
            return None
        try:
            return TypeAdapter(Secret).validate_python(sentry.dsn)
        except ValidationError as error:
            self.mistake(("sentry", "dsn"), _says(error.errors()[0], SentrySection, ("dsn",)))
            return None


def _own_rules(panel: PanelSetup) -> list[Rule]:
    """A panel's default rules, with the panel's name."""
    if panel.card is None:
        return []
    units = {spec.name: spec.unit for spec in panel.card.signals}
    return [
        Rule(each.name, panel.name, each.signal, units[each.signal], each.way, each.levels, why=clean(each.why))
        for each in panel.card.rules
    ]


# --- saying what is wrong -----------------------------------------------------------------------------------------------


def _says(error: Any, model: type[BaseModel], loc: tuple[str | int, ...]) -> str:
    """A validation error in words: what was found, what was expected, the nearest name."""
    kind, message = error["type"], str(error["msg"])
    if kind == "extra_forbidden":
        known = _known_keys(model, loc[:-1])
        return f"unknown key{_nearest(str(loc[-1]), known)}" + (f"; known: {', '.join(sorted(known))}" if known else "")
    if kind == "missing":
        return "missing"
    if kind == "value_error":
        return message.removeprefix("Value error, ")
    message = message[:1].lower() + message[1:]
    return f"{message.replace('input should be', 'expected')}, found {_found(error.get('input'))}"


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


def _nearest(name: str, known: Any) -> str:
    """`, did you mean …?` where something is near."""
    near = difflib.get_close_matches(name, list(map(str, known)), 1, 0.6)
    return f" {name!r}, did you mean {near[0]!r}?" if near else f" {name!r}"


def _found(value: object) -> str:
    """What was found, short, for a message."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:59]}…"


def _path(place: Place, values: Mapping[str, Any]) -> str:
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
