"""config.toml → a checked `Setup`; every mistake reported at once, with file, line, path and what to write.

Knows no panel: a panel's keys are its card's config model. What is wrong is collected, never raised one by one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from msgspec import Struct, field
from pydantic import BaseModel, TypeAdapter, ValidationError

from tui.config_databases import database_place, secret_texts_in
from tui.config_models import ActionsSection, General, JournalSection, RecordSection, SentrySection
from tui.config_places import Path as Place
from tui.config_source import ConfigError, Mistake, Source, read
from tui.config_watched import digest
from tui.config_words import found_in_words, path_in_words, problem_in_words
from tui.engine.escalation import Duty
from tui.engine.installed import installed_kinds
from tui.engine.maintenance import Window
from tui.engine.panel import Card, PanelConfig, PanelLoadError, load_card
from tui.engine.rules import Rule
from tui.engine.secrets import Secret, SecretText
from tui.engine.setup import PanelSetup, Setup
from tui.engine.text import Shown, clean
from tui.nearest import nearest

if TYPE_CHECKING:
    from tui.engine.notify.channel import Channel

LATER = ("layout",)
"""Tables that config.md describes and a later version reads."""
M = TypeVar("M", bound=BaseModel)
KNOWN = (
    *("watchfloor", "panel", "rule", "actions", "notify", "keys", "journal", "record", "sentry", "extends"),
    *("severities", "escalation", "maintenance"),
)


class Loaded(Struct):
    """A config that was read and checked: the engine's setup, and what `config show` prints."""

    setup: Setup
    source: Source
    record: RecordSection
    sections: dict[str, BaseModel] = field(default_factory=dict)
    sentry_dsn: SecretText | None = None
    named: bool = True
    """Whether somebody said that it is this file which is to be used (`config_trust.py`)."""


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
        self.cards: dict[str, Card | None] = {}
        """By panel name, also of panels whose settings are wrong: their signals are known all the same."""

    def run(self) -> Loaded:
        values = self.source.values
        for key in values:
            if key in LATER:
                self.warnings.append(clean(f"[{key}] in the config is for a later version and is not used yet"))
            elif key not in KNOWN:
                self.mistake((key,), f"unknown table {key!r}{nearest(key, (*KNOWN, *LATER))}")
        general = self.section(General, values.get("watchfloor", {}), ("watchfloor",)) or General()
        actions = self.table(ActionsSection, "actions")
        sentry = self.table(SentrySection, "sentry")
        journal = self.table(JournalSection, "journal")
        record = self.table(RecordSection, "record")
        panels = self.panels(values.get("panel", []))
        rules = self.rules(values.get("rule", []), panels)
        channels = self.channels(values["notify"], panels, rules) if "notify" in values else []
        duty, maintenance = self.duty(panels)
        keys = self.keys(values.get("keys", {}))
        self.check_theme(general.theme)
        self.check_allowed(actions, values.get("panel", []))
        sentry_dsn = self.sentry_dsn(sentry)
        self.check_journal(journal, panels)
        if self.mistakes:
            raise ConfigError(sorted(self.mistakes, key=lambda each: (each.file, each.line or 0)))
        setup = Setup(
            name=general.name,
            environment=general.environment,
            production=general.counts_as_production,
            identity=_identity(general, journal, self.source),
            user=general.who(),
            interval=general.interval,
            deadline=general.deadline,
            panels=tuple(panels),
            rules=tuple(rules),
            channels=tuple(channels),
            allow=actions.allow,
            theme=general.theme,
            keys=keys,
            journal_url=journal.url,
            journal_folder=journal.folder,
            journal_size=journal.size,
            duty=duty,
            maintenance=maintenance,
            warnings=tuple(self.warnings),
            watched=digest(values, panels),
        )
        return Loaded(setup, self.source, record, self.sections, sentry_dsn)

    def mistake(self, place: Place, says: str) -> None:
        """Notes what is wrong with the value at a place."""
        file, line = self.source.where(place)
        self.mistakes.append(Mistake(file, line, path_in_words(place, self.source.values), says))

    def table(self, model: type[M], name: str) -> M:
        """One of the config's own tables; its defaults where it is not there (pydantic takes 2 ms to learn how to check one)
        or does not fit."""
        if name in self.source.values:
            return self.section(model, self.source.values[name], (name,)) or model.model_construct()
        self.sections[name] = absent = model.model_construct()
        return absent

    def section(self, model: type[M], values: object, place: Place) -> M | None:
        """A table as its model; None, with every mistake noted, where it does not fit."""
        if not isinstance(values, dict):
            self.mistake(place, f"expected a table, found {found_in_words(values)}")
            return None
        try:
            checked = model.model_validate(values)
        except ValidationError as error:
            for each in error.errors():
                loc = tuple(part for part in each["loc"] if part != "[key]")
                inner = model.place_of(values, loc) if issubclass(model, PanelConfig) else loc
                self.mistake((*place, *inner), problem_in_words(each, model, loc))
            return None
        self.sections[path_in_words(place, self.source.values)] = checked
        return checked

    def panels(self, tables: object) -> list[PanelSetup]:
        """Every `[[panel]]`, by the model of its kind."""
        if not isinstance(tables, list) or not tables:
            one = "write [[panel]], in two brackets each: there may be several"
            none = 'nothing to watch: write a [[panel]] with a kind, such as kind = "health"'
            self.mistake(("panel",), one if isinstance(tables, dict) else none)
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
            self.mistake(place, f"expected a table, found {found_in_words(table)}")
            return None
        kind = table.get("kind")
        kinds = installed_kinds()
        if not isinstance(kind, str) or kind not in kinds:
            known = ", ".join(sorted(kinds))
            says = (
                f"unknown kind {kind!r}{nearest(str(kind), kinds)}; there are: {known}"
                if kind
                else f"which kind? one of {known}"
            )
            self.mistake((*place, "kind"), says)
            return None
        try:
            card = load_card(kind)
        except PanelLoadError as error:
            self.cards[str(table.get("name") or kind)] = None
            return PanelSetup(str(table.get("name") or kind), kind, None, PanelConfig(kind=kind), error.says)
        self.cards[str(table.get("name") or kind)] = card
        settings = self.section(card.config, table, place)
        return PanelSetup(settings.title, kind, card, settings) if settings else None

    def rules(self, tables: object, panels: Sequence[PanelSetup]) -> list[Rule]:
        """The panels' own rules, with those of the config in place of or beside them."""
        rules = {(rule.panel, rule.name): rule for panel in panels for rule in _own_rules(panel)}
        if not isinstance(tables, list):
            self.mistake(("rule",), "expected [[rule]] tables")
            return []
        if tables:
            from tui.config_rules import change  # late: the panels' own rules need none of it

            change(self, rules, tables)
        return list(rules.values())

    def channels(self, tables: object, panels: Sequence[PanelSetup], rules: Sequence[Rule]) -> list[Channel]:
        """Every `[[notify]]`, by the model of its kind."""
        from tui.config_notify import channels  # late: only where somebody is told

        return channels(self, tables, [each.name for each in panels], rules)

    def duty(self, panels: Sequence[PanelSetup]) -> tuple[Duty, tuple[Window, ...]]:
        """How long alerts may wait and who is called then, and when nobody is."""
        values = self.source.values
        if not values.keys() & {"severities", "escalation", "maintenance"}:
            return Duty(), ()
        from tui.config_duty import duty, maintenance  # late: only where the config has such a table

        names = [panel.name for panel in panels]
        found = duty(self, values.get("severities", {}), values.get("escalation", {}))
        return found, maintenance(self, values.get("maintenance", []), names)

    def keys(self, table: object) -> tuple[tuple[str, str], ...]:
        """`[keys]`: other keys for what the screen offers, by its name."""
        if not isinstance(table, dict) or not all(isinstance(each, str) for each in table.values()):
            self.mistake(("keys",), 'expected names and keys, such as  zoom = "f2"')
            return ()
        return tuple(sorted(table.items()))

    def check_theme(self, name: str) -> None:
        """A theme that is not there; nothing is read where it is the usual one."""
        if name == General.model_fields["theme"].default:
            return
        from tui.themes import theme_names

        if name not in (names := theme_names()):
            says = f"there is no theme {name!r}{nearest(name, names)}; there are: {', '.join(names)}"
            self.mistake(("watchfloor", "theme"), says)

    def check_allowed(self, actions: ActionsSection, tables: object) -> None:
        """Patterns that allow nothing are mistakes: somebody would find out when it matters."""
        cards = [(name, card) for name, card in self.cards.items() if card]
        if not actions.allow or not isinstance(tables, list) or len(cards) < len(tables):
            return  # of a panel that is not known nobody can say what it offers
        try:
            names = [f"{name}.{action.verb}" for name, card in cards for action in card.load_actions()]
        except Exception:  # somebody else's package: the gate says so, where its remedies would be
            return
        for index, pattern in enumerate(actions.allow):
            if not any(fnmatchcase(name, pattern) for name in names):
                says = f"{pattern!r} allows nothing{nearest(pattern, names)}; there are: {', '.join(names) or 'none'}"
                self.mistake(("actions", "allow", index), says)

    def check_journal(self, journal: JournalSection, panels: Sequence[PanelSetup]) -> None:
        """The team's journal in a database that is watched would be gone just when it is needed."""
        if journal.url is None:
            return
        place = database_place(journal.url)
        for panel in panels:
            if any(place and database_place(dsn) == place for dsn in secret_texts_in(panel.settings)):
                says = f"[journal] url is a database that the panel {panel.name} watches: both would be gone at once"
                self.warnings.append(clean(f"{says}. Give the journal one on another server"))

    def sentry_dsn(self, sentry: SentrySection) -> SecretText | None:
        """The DSN by reference; None where it is off."""
        if sentry.dsn is None:
            return None
        try:
            return TypeAdapter(Secret).validate_python(sentry.dsn)
        except ValidationError as error:
            self.mistake(("sentry", "dsn"), problem_in_words(error.errors()[0], SentrySection, ("dsn",)))
            return None


def _identity(general: General, journal: JournalSection, source: Source) -> str:
    """What tells one environment's journal from another's: in a group's folder name and environment do."""
    parts = [general.name, general.environment] + ([] if journal.folder else [str(source.path.resolve())])
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:12]


def _own_rules(panel: PanelSetup) -> list[Rule]:
    """A panel's default rules, with the panel's name."""
    if panel.card is None:
        return []
    specs = {spec.name: spec for spec in panel.card.signals}
    return [
        Rule(
            each.name,
            panel.name,
            each.signal,
            specs[each.signal].unit,
            each.way,
            each.levels,
            why=clean(each.why),
            main=next(iter(specs[each.signal].labels), ""),
        )
        for each in panel.card.rules
    ]
