"""`[[rule]]` → the rule it says, with limits in the unit of what is compared, in place of a panel's own or beside them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol, TypeVar

from msgspec.structs import replace
from pydantic import BaseModel

from tui.config_places import Path as Place
from tui.config_rule_models import LevelOfRule, RuleSection
from tui.engine.panel import Card, SignalSpec, Threshold
from tui.engine.rules import Measure, Raise, Rule, parse_signal
from tui.engine.rules.rule import NEWEST
from tui.engine.text import clean
from tui.engine.units import Unit, parse_duration, parse_quantity
from tui.nearest import nearest

M = TypeVar("M", bound=BaseModel)


class Check(Protocol):
    """The pass over a config that a rule stands in."""

    cards: dict[str, Card | None]

    def mistake(self, place: Place, says: str) -> None: ...

    def section(self, model: type[M], values: object, place: Place) -> M | None: ...


def change(check: Check, rules: dict[tuple[str, str], Rule], tables: Sequence[object]) -> None:
    """Puts the rules of every `[[rule]]` among the panels' own, by panel and name; mistakes are noted."""
    names: set[str] = set()
    for index, table in enumerate(tables):
        place: Place = ("rule", index)
        section = check.section(RuleSection, table, place)
        if section is None:
            continue
        if section.name in names:
            check.mistake((*place, "name"), f"two rules are called {section.name}: give each a name of its own")
        names.add(section.name)
        own = [key for key in rules if key[1] == section.name]
        if not section.enabled:
            _switch_off(check, rules, own, section.name, place)
        elif rule := rule_of(check, section, place):
            rules.pop((rule.panel, rule.name), None)  # one that replaces another stands where it was written
            rules[rule.panel, rule.name] = rule


def _switch_off(
    check: Check, rules: dict[tuple[str, str], Rule], own: Sequence[tuple[str, str]], name: str, place: Place
) -> None:
    if not own:
        check.mistake((*place, "name"), f"no panel has a rule of this name{nearest(name, [known for _, known in rules])}")
    for key in own:
        del rules[key]


def rule_of(check: Check, section: RuleSection, place: Place) -> Rule | None:
    """The rule that a section says; None, with every mistake noted, where it says none."""
    try:
        panel, name, labels = parse_signal(section.signal)
    except ValueError as error:
        check.mistake((*place, "signal"), str(error))
        return None
    spec = _signal(check, panel, name, place)
    if spec is None or not _labels_fit(check, spec, labels, section, place):
        return None
    unit: Unit = "count" if section.baseline else spec.unit
    try:
        measure = _measure(section, spec)
    except ValueError as error:
        check.mistake((*place, "slo" if section.slo is not None else "events_in"), str(error))
        return None
    rule = Rule(
        section.name,
        panel,
        name,
        unit,
        "above",
        (),
        tuple(sorted(labels.items())),
        measure,
        clean(section.why),
        section.link,
        section.playbook,
        section.in_a_row,
        section.keep_firing_for,
        tuple(Raise(label, pattern, each) for label, by in section.raises.items() for pattern, each in by.items()),
        next(iter(spec.labels), ""),
    )
    return _with_levels(check, rule, section, place)


def _signal(check: Check, panel: str, name: str, place: Place) -> SignalSpec | None:
    """The signal by its name; None where there is none, or nobody can say because its panel's package is broken."""
    if panel not in check.cards:
        check.mistake((*place, "signal"), f"there is no panel {panel}{nearest(panel, check.cards)}")
        return None
    card = check.cards[panel]
    if card is None:
        return None
    spec = next((each for each in card.signals if each.name == name), None)
    if spec is None:
        known = [each.name for each in card.signals]
        says = f"the panel {panel} has no signal {name}{nearest(name, known)}; it has: {', '.join(known)}"
        check.mistake((*place, "signal"), says)
    return spec


def _labels_fit(check: Check, spec: SignalSpec, labels: dict[str, str], section: RuleSection, place: Place) -> bool:
    """Whether the signal has the labels that the rule names."""
    has = ", ".join(spec.labels) or "none"
    unknown = sorted(set(labels) - set(spec.labels))
    if unknown:
        check.mistake((*place, "signal"), f"{spec.name} has no label {', '.join(unknown)}; its labels: {has}")
    raised = sorted(set(section.raises) - set(spec.labels))
    for label in raised:
        near = nearest(label, spec.labels)
        check.mistake((*place, "raise", label), f"{spec.name} has no label {label}{near}; its labels: {has}")
    return not unknown and not raised


def _measure(section: RuleSection, spec: SignalSpec) -> Measure:
    """What of the signal is compared. Raises ValueError where that kind of rule does not fit the signal.

    Each kind is imported where it is asked for: most configs have none of them.
    """
    if section.absent is not None:
        from tui.engine.rules.absent import Absent

        return Absent()
    if section.baseline:
        from tui.engine.rules.baseline import WINDOW, Baseline

        return Baseline(parse_duration(section.baseline), section.window or WINDOW)
    if section.change_over is not None:
        from tui.engine.rules.change import Change

        return Change(section.change_over)
    if section.events_in is not None:
        return _events(section.events_in, section.events, spec)
    if section.slo is not None:
        return _burn(section.slo, spec)
    if section.window:
        from tui.engine.rules.mean import Mean

        return Mean(section.window)
    return NEWEST


def _events(window: float, counted: Literal["increase", "sum"], spec: SignalSpec) -> Measure:
    """Events of a signal that counts. Raises ValueError for any other."""
    from tui.engine.rules.events import Events

    if spec.unit != "count":
        raise ValueError(f"{spec.name} is no number of events: its unit is {spec.unit}")
    return Events(window, counted)


def _burn(slo: float, spec: SignalSpec) -> Measure:
    """The burn rate of an objective on a share of errors or of successes. Raises ValueError for any other signal."""
    from tui.engine.rules.burn import Burn

    if spec.unit != "ratio" and spec.name != "up":
        raise ValueError(f"an objective is on a share, such as error_rate or up: the unit of {spec.name} is {spec.unit}")
    if not 0 < slo < 1:
        raise ValueError('an objective leaves room for errors: write slo = "99.9 %"')
    return Burn(slo, of_successes=spec.worse == "lower")


def _with_levels(check: Check, rule: Rule, section: RuleSection, place: Place) -> Rule:
    """The rule with its levels, each limit in the unit of what is compared."""
    if section.absent is not None and section.severity:
        return replace(rule, unit="s", levels=(Threshold(section.severity, section.absent),))
    if section.slo is not None:
        from tui.engine.rules.burn import LEVELS

        return replace(rule, unit="count", levels=LEVELS)
    levels = []
    way: Literal["above", "below"] = "above"
    for severity, level in section.levels():
        way = "above" if level.above is not None else "below"
        key: Place = (way,) if severity == section.severity else (severity, way)
        try:
            levels.append(Threshold(severity, _limit(level, section, rule.unit), level.hold))
        except ValueError as error:
            check.mistake((*place, *key), str(error))
    return replace(rule, way=way, levels=tuple(levels))


def _limit(level: LevelOfRule, section: RuleSection, unit: Unit) -> float:
    """A limit in its unit. Raises ValueError, saying what to write."""
    value = level.above if level.above is not None else level.below
    if section.baseline and not isinstance(value, (int, float)):
        raise ValueError("with baseline a limit is a factor: write 2 for twice as much")
    if section.change_over is not None:
        if isinstance(value, str) and value.lstrip().startswith("-"):
            return -parse_quantity(value.lstrip()[1:], unit)
        if isinstance(value, float) and value < 0:
            return -parse_quantity(-value, unit)
    return parse_quantity(value, unit)
