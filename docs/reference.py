"""Writes docs/config.md from the settings themselves: `python -m docs.reference`. A test says when it is out of date."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from textual.binding import Binding

from tui.config_schema import schema
from tui.engine.panel import load_card
from tui.engine.units import show_duration
from tui.screens.dashboard import WatchfloorApp
from tui.screens.keys import BOARD_KEYS
from tui.screens.live import sign_of

PAGE = Path(__file__).parent / "config.md"
ORDER = ("health", "metrics", "database", "jobs", "deploys", "alerts")

KEYS = """\
Other keys for what the screen offers, by its name (`zoom = "f2"`, `"database.cancel" = "C"`; several with commas between). A
key is named as Textual names it: `f`, `F`, `f2`, `ctrl+f`, `slash`. Nothing that acts takes a lower-case letter. On pages over
the board the names begin with `detail.`, `alert.`, `page.`, `confirm.` or `dialog.`; a remedy's with its panel's name."""

HEAD = """\
# The config

Made from the settings themselves by `make reference`; `watchfloor config schema` gives the same to an editor, `watchfloor
config init` a commented file to start from, `config show` what is in force and where it came from.

- **Where it is looked for**: `--config FILE`, `$WATCHFLOOR_CONFIG`, `./config.toml` (only if you own it and nobody else may
  write it), then the user's config folder. `--env staging` reads `config.staging.toml` beside it. `extends = "base.toml"` lays
  a file over another: tables by key, panels and rules by name, lists whole.
- **Units are said**: `"5s"`, `"10m"`, `"24h"`; `"5 %"` or `0.05`; `"256 MB"`. A bare number where a unit is needed is a
  mistake.
- **Secrets never stand in the file**: `"env:NAME"`, `"file:PATH"` or `"cmd:PROGRAM …"` (no shell, 5 s), whole or in braces
  within a URL, DSN or header: `"postgresql://watch:{env:PGPASS}@db/app"`.
- **Names**: what is measured is `PANEL.SIGNAL`, with labels where a panel measures many things: `health.up{endpoint="readyz"}`,
  `jobs.failure_rate{kind="PUBLISH_*"}`. A rule without labels holds for each series apart.
- **It is read again** when it changes (docs/record.md), all but the theme, `[keys]`, `[journal]`, `[record]` and `[sentry]`:
  they are read at a start alone, and a warning names what of them has changed until Watchfloor is started anew.
- **Mistakes are reported all at once**, with file, line, path and the nearest name; the exit code is 78.
"""


def page() -> str:
    """The whole page."""
    told = schema()
    general = told["properties"]
    parts = [HEAD]
    parts += _table("`[watchfloor]`", general["watchfloor"], told)
    parts += _table("`[actions]`", general["actions"], told)
    parts += _table("`[[rule]]`", general["rule"]["items"], told)
    parts += _table("`[severities]`", general["severities"], told)
    parts += _table("`[escalation]`", general["escalation"], told)
    parts += _table("`[[maintenance]]`", general["maintenance"]["items"], told)
    parts += _table("`[journal]`", general["journal"], told)
    parts += _table("`[record]`", general["record"], told)
    parts += _table("`[sentry]`", general["sentry"], told)
    parts += _keys()
    parts += _channels(general["notify"]["items"]["anyOf"], told)
    kinds = {each["properties"]["kind"]["const"]: each for each in general["panel"]["items"]["anyOf"]}
    for kind in ORDER:
        parts += _table(f'`[[panel]]` with `kind = "{kind}"`', kinds[kind], told)
        parts += _rules(kind)
    return "\n".join(parts) + "\n"


def _table(title: str, model: dict[str, Any], told: dict[str, Any], *, inner: bool = True) -> list[str]:
    """A model's keys, and those of the tables within it where they are wanted."""
    lines = ["", f"## {title}", "", "| key | what it says | default |", "|---|---|---|"]
    within = []
    for key, each in model.get("properties", {}).items():
        shown = _default(each)
        lines.append(f"| `{key}` | {each.get('description', '')} | {shown} |".replace("|}", "\\|}"))
        if inner and (reference := _reference(each)):
            within.append((key, reference))
    for key, reference in within:
        if reference not in ("LevelOfRule", "SeverityClock") or key == "P0":
            lines += ["", f"Within `{key}`:", "", "| key | what it says |", "|---|---|"]
            properties = told["$defs"][reference].get("properties", {})
            lines += [f"| `{name}` | {each.get('description', '')} |" for name, each in properties.items()]
    return lines


def _keys() -> list[str]:
    """What `[keys]` can give other keys to, by name: the board's, the app's, and the remedies of each kind of panel."""
    lines = ["", "## `[keys]`", "", KEYS, "", "| name | key | does |", "|---|---|---|"]
    for each in (*BOARD_KEYS, *WatchfloorApp.BINDINGS):
        if isinstance(each, Binding) and each.id and not each.id[-1].isdecimal():
            signs = " ".join(f"`{sign_of(key)}`" for key in each.key.split(","))
            lines.append(f"| `{each.id}` | {signs} | {each.tooltip or each.description} |")
    for kind in ORDER:
        for action in load_card(kind).load_actions():
            lines.append(f"| `{kind}.{action.verb}` | `{action.key}` | {action.title}: {action.help} |")
    return lines


def _channels(kinds: list[dict[str, Any]], told: dict[str, Any]) -> list[str]:
    """What every channel takes, once, and then what each kind has of its own or says otherwise."""
    first, *rest = (each["properties"] for each in kinds)
    common = {key: each for key, each in first.items() if all(other.get(key, {}).keys() == each.keys() for other in rest)}
    lines = _table("`[[notify]]`, of every kind", {"properties": common}, told)
    for each in kinds:
        own = {key: says for key, says in each["properties"].items() if key != "kind" and says != common.get(key)}
        title = f'`[[notify]]` with `kind = "{each["properties"]["kind"]["const"]}"`'
        lines += _table(title, {"properties": own}, told, inner=False)
    return lines


def _default(key: dict[str, Any]) -> str:
    """What holds where nothing is said, as a person would type it."""
    default = key.get("default")
    if isinstance(default, bool):
        return f"`{str(default).lower()}`"
    if default in (None, "", [], {}) or isinstance(default, (dict, list)):
        return ""
    if "5s" in key.get("examples", ()):
        return f"`{show_duration(default)}`" if default else ""
    return f"`{default}`"


def _reference(node: Any) -> str:
    """The model that a key's value is made of, by name."""
    if isinstance(node, dict):
        if "$ref" in node:
            return str(node["$ref"]).rpartition("/")[2]
        return next((found for value in node.values() if (found := _reference(value))), "")
    if isinstance(node, list):
        return next((found for value in node if (found := _reference(value))), "")
    return ""


def _rules(kind: str) -> list[str]:
    """What a panel measures, and the rules that it brings along."""
    card = load_card(kind)
    lines = ["", f"What `{kind}` measures:", "", "| signal | unit | labels | means |", "|---|---|---|---|"]
    lines += [f"| `{each.name}` | {each.unit} | {', '.join(each.labels)} | {each.help} |" for each in card.signals]
    lines += ["", "Its own rules:", "", "| rule | signal | levels |", "|---|---|---|"]
    for rule in card.rules:
        levels = "; ".join(
            f"{level.severity} {rule.way} {level.limit:g}{f' for {level.hold:g} s' if level.hold else ''}"
            for level in rule.levels
        )
        lines.append(f"| {rule.name} | `{rule.signal}` | {levels} |")
    return lines


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
