"""`watchfloor config check|show|schema|init`."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Mapping, Sequence
from typing import TYPE_CHECKING

from tui.commands.printing import in_json, say
from tui.config import Loaded
from tui.config_rule_models import RuleSection
from tui.config_schema import schema
from tui.engine.connections import Tools
from tui.engine.installed import installed_kinds
from tui.engine.panel import Checked, PanelLoadError, load_card, load_named
from tui.engine.reading import series_key
from tui.engine.redact import redact
from tui.engine.rules import Measure, Rule
from tui.engine.secrets import SecretText
from tui.engine.setup import PanelSetup, Setup
from tui.engine.text import Shown, clean
from tui.engine.units import show_many

if TYPE_CHECKING:
    from tui.engine.notify.channel import Channel

CONNECT_DEADLINE = 15.0
BAD_CONFIG = 78
UNREACHED = 1

STARTER = """\
#:schema watchfloor.schema.json
# The line above lets editors complete and check as you type: watchfloor config schema > watchfloor.schema.json
[watchfloor]
version = 1
name = "shop"
environment = "production"        # on line 1; counts as production unless it is called dev, test, demo, staging, …
interval = "5s"
# theme = "day"                   # for a terminal with a light ground; "contrast" for a projector

# [actions]
# allow = ["jobs.*", "database.cancel"]     # remedies that may run from here; nothing without it
"""


def check_config(loaded: Loaded, *, connect: bool) -> int:
    """Says that the config is well and, with `connect`, tries each source once; returns the exit code."""
    setup = loaded.setup
    for warning in setup.warnings:
        say(f"note: {warning}")
    for panel in setup.panels:
        if panel.broken:
            say(f"panel {panel.name}: {panel.broken}")
    panels, rules = show_many(len(setup.panels), "panel"), show_many(len(setup.rules), "rule")
    say(f"{loaded.source.path}: {panels}, {rules}{_told(setup)}, no mistakes")
    if not connect:
        return 0
    found = asyncio.run(_connect(setup))
    for each in found:
        say(f"{'reached ' if each.reached else 'NOT reached'}  {each.source}: {redact(each.says)}")
        for line in each.missing:
            say(f"             → {redact(line)}")
    return 0 if all(each.reached for each in found) else UNREACHED


def _told(setup: Setup) -> str:
    """How many ways there are to tell people, where there are any."""
    return f", {show_many(len(setup.channels), 'channel')}" if setup.channels else ""


async def _connect(setup: Setup) -> Sequence[Checked]:
    """Every panel's sources and every channel, side by side; nobody is told anything."""
    tools = Tools(setup.environment)
    try:
        found = await asyncio.gather(
            *(_panel(panel, tools) for panel in setup.panels if panel.card and panel.card.check),
            *_journal(setup),
            *(_channel(channel, tools) for channel in setup.channels if not channel.on_screen),
        )
    finally:
        await tools.close()
    return [each for checked in found for each in checked]


async def _panel(panel: PanelSetup, tools: Tools) -> Sequence[Checked]:
    """One panel's sources, within a deadline of their own."""
    assert panel.card is not None
    try:
        async with asyncio.timeout(CONNECT_DEADLINE):
            found: Sequence[Checked] = await load_named(panel.card.check)(panel.settings, tools)
            return found
    except TimeoutError:
        return [Checked(clean(panel.name), False, Shown(f"no answer within {CONNECT_DEADLINE:.0f}s"))]
    except Exception as error:  # a defect in one panel's check must not hide the others' answers
        return [Checked(clean(panel.name), False, clean(redact(f"{type(error).__name__}: {error}")))]


def _journal(setup: Setup) -> Sequence[Awaitable[Sequence[Checked]]]:
    """The team's journal, where there is one."""
    if setup.journal_url is None:
        return ()
    from tui.engine.team.check import check

    async def checked(url: SecretText) -> Sequence[Checked]:
        return [await check(url)]

    return (checked(setup.journal_url),)


async def _channel(channel: Channel, tools: Tools) -> Sequence[Checked]:
    try:
        async with asyncio.timeout(CONNECT_DEADLINE):
            return [await channel.check(tools)]
    except TimeoutError:
        return [Checked(clean(channel.title), False, Shown(f"no answer within {CONNECT_DEADLINE:.0f}s"))]
    except Exception as error:  # a defect in one channel's check must not hide the others' answers
        return [Checked(clean(channel.title), False, clean(redact(f"{type(error).__name__}: {error}")))]


def show_config(loaded: Loaded) -> int:
    """Prints every value in force with where it came from; secrets as their references."""
    for place, value in _leaves(loaded.source.values, ()):
        file, line = loaded.source.where(place)
        say(f"{_dotted(place)} = {in_json(value, default=str)}   # {file}{f':{line}' if line else ''}")
    for name, model in loaded.sections.items():
        if isinstance(model, RuleSection):
            continue  # what a rule comes to is said below, in one line
        unset = {field for field in type(model).model_fields if field not in model.model_fields_set}
        for key, value in model.model_dump(mode="json", include=unset).items():
            if value not in (None, "", [], {}):
                say(f"{name}.{key} = {in_json(value)}   # default")
    for rule in loaded.setup.rules:
        say(f"rule {rule.name}: {rule.panel}.{series_key(rule.signal, rule.labels)} {_rule_in_words(rule)}")
    return 0


def _rule_in_words(rule: Rule) -> str:
    """What the rule compares, from where on, and how long and how often before it fires."""
    kind = type(rule.measure).__name__.lower()
    plain = type(rule.measure) is Measure
    words = [
        f"{each.severity} {rule.way} {each.limit:g} for {each.hold:g}s"
        if plain
        else f"{each.severity} {kind} {rule.way} {each.limit:g} ({rule.measure.limit(rule, each)}) for {each.hold:g}s"
        for each in rule.levels
    ]
    if rule.in_a_row > 1:
        words.append(f"{rule.in_a_row} in a row")
    if rule.keep_firing_for:
        words.append(f"kept firing for {rule.keep_firing_for:g}s")
    words += [f"{each.severity} where {each.label} is {each.pattern}" for each in rule.raises]
    return ", ".join(words)


def _leaves(value: object, place: tuple[str | int, ...]) -> list[tuple[tuple[str | int, ...], object]]:
    """Every plain value with its place."""
    if isinstance(value, Mapping):
        return [leaf for key, each in value.items() for leaf in _leaves(each, (*place, key))]
    if isinstance(value, list) and value and isinstance(value[0], Mapping):
        return [leaf for index, each in enumerate(value) for leaf in _leaves(each, (*place, index))]
    return [(place, value)]


def _dotted(place: tuple[str | int, ...]) -> str:
    text = ""
    for part in place:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def print_schema() -> int:
    """Prints the JSON Schema of the whole config, with every installed kind of panel."""
    say(json.dumps(schema(), indent=2, ensure_ascii=False))
    return 0


def print_starter() -> int:
    """Prints a commented config with a piece for every kind of panel."""
    say(STARTER)
    for kind in sorted(installed_kinds(), key=lambda each: (each != "health", each)):
        try:
            card = load_card(kind)
        except PanelLoadError:
            continue
        lines = card.example.rstrip().splitlines()
        # Of every other kind all is commented, so that taking one "# " away from each line gives the piece as it is.
        say("\n".join(line if kind == "health" else f"# {line}".rstrip() for line in lines))
        say("")
    return 0
