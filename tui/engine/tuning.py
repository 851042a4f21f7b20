"""What would have kept a false alert quiet: a higher limit, or a longer `for`, from what was measured in the last hour.

Two ways, each as lines of config that replace the rule: the limit just beyond the worst value measured, or a hold just beyond
the longest stretch past the limit. The words say what each would have meant.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from .alert import Alert
from .ask import Tuning
from .history import KEPT, Trends
from .panel import Threshold
from .reading import series_key
from .rules import Rule
from .rules.mean import Mean
from .rules.rule import Measure
from .text import Shown, clean
from .units import Unit, show, show_duration

MARGIN = 1.05
"""How much beyond the worst value the limit is put."""
STEPS = (5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 180.0, 300.0, 600.0, 900.0, 1200.0, 1800.0, 3600.0)
"""The holds that are offered, in seconds: round ones."""


def tune(alert: Alert, rule: Rule | None, trends: Trends, now: float) -> Tuning:
    """What would have kept the alert quiet over the last hour; words alone where it is another system's, or nothing is known.
    `rule` is the one that made it."""
    if alert.source or rule is None:
        whose = f"{alert.source}'s rule: it is tuned there" if alert.source else "no rule of this config any more"
        return Tuning("", clean(f"{alert.rule} is {whose}"))
    if type(rule.measure) not in (Measure, Mean):
        lasted = show_duration((alert.ended or now) - alert.since)
        words = f"its limit would have to be beyond {show(alert.value, alert.unit)}, or its `for` longer than {lasted}"
        return Tuning("", clean(words))
    points = trends.points(alert.panel, series_key(alert.signal, alert.labels), KEPT, now)
    measured = [(at, value) for at, value in points if not math.isnan(value)]
    beyond = [value for _, value in measured if _breached(alert, value)]
    if not beyond:
        return Tuning("", Shown("nothing measured in the last hour is beyond its limit: no other limit can be derived"))
    worst = max(beyond) if alert.way == "above" else min(beyond)
    limit = _rounded(worst, alert.way, alert.unit)
    hold = next((each for each in STEPS if each > _longest(alert, measured, now)), None)
    lines = _written(rule, alert.threshold, limit, None)
    says = [f"{alert.way} {show(limit, alert.unit)}: the worst was {show(worst, alert.unit)}"]
    if hold is not None:
        lines += ["# or", *(f"# {line}" for line in _written(rule, alert.threshold, None, hold))]
        says.append(f"for {show_duration(hold)}: the longest was {show_duration(_longest(alert, measured, now))}")
    return Tuning("\n".join(lines), clean(" · or ".join(says) + ", in the last hour"))


def _breached(alert: Alert, value: float) -> bool:
    return value > alert.threshold if alert.way == "above" else value < alert.threshold


def _longest(alert: Alert, measured: Sequence[tuple[float, float]], now: float) -> float:
    """Seconds of the longest stretch beyond the limit; one that still goes on lasts until now."""
    longest, began = 0.0, None
    for at, value in measured:
        if _breached(alert, value):
            began = at if began is None else began
            longest = max(longest, at - began)
        elif began is not None:
            longest, began = max(longest, at - began), None
    return longest if began is None else max(longest, now - began)


def _rounded(worst: float, way: str, unit: Unit) -> float:
    """A limit just beyond the worst value, with two digits that count; a count stays whole."""
    wanted = worst * (MARGIN if (way == "above") is (worst >= 0) else 1 / MARGIN)
    if unit == "count":
        return float(math.ceil(worst)) if way == "above" else float(math.floor(worst))
    if not wanted:
        return 0.0
    step = 10.0 ** (math.floor(math.log10(abs(wanted))) - 1)
    places = wanted / step
    return float(f"{(math.ceil(places - 1e-9) if way == 'above' else math.floor(places + 1e-9)) * step:.6g}")


def typed(value: float, unit: Unit) -> str:
    """A limit as it is typed in the config: `"6.5 %"`, `"1.2s"`, `"300 MB"`, `"10/s"`, `12`."""
    match unit:
        case "ratio":
            return f'"{_plain(value * 100)} %"'
        case "s":
            return f'"{_plain(value)}s"' if value >= 1 else f'"{_plain(value * 1000)}ms"'
        case "bytes":
            return f'"{math.ceil(value / 1e6)} MB"' if value >= 1e6 else f'"{math.ceil(value)} B"'
        case "1/s":
            return f'"{_plain(value)}/s"'
        case _:
            return _plain(value)


def _plain(value: float) -> str:
    """Six digits that count, never with an exponent."""
    text = f"{float(f'{value:.6g}'):.12f}"
    return text.rstrip("0").rstrip(".")


def _written(rule: Rule, tuned: float, limit: float | None, hold: float | None) -> list[str]:
    """The whole rule as it would stand in the config, where it replaces the one of its name: everything of it, with the level
    whose limit is `tuned` tuned."""
    return [
        "[[rule]]",
        f"name = {_quoted(rule.name)}",
        f"signal = {_quoted(f'{rule.panel}.{series_key(rule.signal, rule.labels)}')}",
        *([f'window = "{rule.measure.window:g}s"'] if isinstance(rule.measure, Mean) else []),
        *([f"in_a_row = {rule.in_a_row}"] if rule.in_a_row > 1 else []),
        *(_level(rule, level, tuned, limit, hold) for level in rule.levels),
        *([f'keep_firing_for = "{rule.keep_firing_for:g}s"'] if rule.keep_firing_for else []),
        *_raises(rule),
        *(
            f"{key} = {_quoted(says)}"
            for key, says in (("why", rule.why), ("link", rule.link), ("playbook", rule.playbook))
            if says
        ),
    ]


def _level(rule: Rule, level: Threshold, tuned: float, limit: float | None, hold: float | None) -> str:
    is_tuned = level.limit == tuned
    at = limit if is_tuned and limit is not None else level.limit
    held = hold if is_tuned and hold is not None else level.hold
    lasts = f', for = "{held:g}s"' if held else ""
    return f"{level.severity} = {{ {rule.way} = {typed(at, rule.unit)}{lasts} }}"


def _raises(rule: Rule) -> list[str]:
    """`raise = { "tier" = { "enterprise" = "P1" } }`."""
    by_label: dict[str, list[str]] = {}
    for each in rule.raises:
        by_label.setdefault(each.label, []).append(f'{_quoted(each.pattern)} = "{each.severity}"')
    labels = [f"{_quoted(label)} = {{ {', '.join(patterns)} }}" for label, patterns in by_label.items()]
    return [f"raise = {{ {', '.join(labels)} }}"] if labels else []


def _quoted(text: str) -> str:
    """A TOML string; a literal one where that needs no escapes."""
    if "'" not in text and text.isprintable():
        return f"'{text}'" if '"' in text or "\\" in text else f'"{text}"'
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(each if each.isprintable() else f"\\u{ord(each):04x}" for each in escaped) + '"'
