"""The handover as Markdown: what is still open first. A section with nothing in it says so."""

from __future__ import annotations

import re
from collections.abc import Sequence

from .alert import Alert
from .clock import clock_time, date_time
from .redact import redact
from .report import Done, Happened, Hush, Report, Tally, Unheard
from .report_alerts import Fired
from .rules import describe
from .text import Shown
from .units import show_duration

_STEERS = re.compile(r"([\\`*_\[\]<>|#~])")


def markdown(report: Report, name: str, environment: str, who: str) -> str:
    """The whole report; `who` hands over."""
    span = show_duration(report.until - report.since)
    lines = [
        f"# {_text(name)} · {_text(environment)}: handover",
        "",
        f"{date_time(report.since)} to {date_time(report.until)} ({span}), by {_text(who)}. Times are UTC.",
        *_section(f"Still open ({len(report.open)})", [_alert(each, report.until) for each in report.open], "Nothing fires."),
        *_section(f"Alerts that ended ({len(report.over)})", [_alert(each, report.until) for each in report.over], "None."),
        *_section("Silences and maintenance that still run", [_hush(each, report.until) for each in report.hushes], "None."),
        *_section("Deeds", [_deed(each, report.until) for each in report.done], "Nothing was done."),
        *_section("Changes", [_change(each, report.until) for each in report.changes], "None were seen or marked."),
        *_section("Notifications that failed", [_unheard(each, report.until) for each in report.unheard], "None."),
        *_rules(report.rules),
    ]
    return "\n".join(lines) + "\n"


def _section(title: str, lines: Sequence[str], empty: str) -> list[str]:
    return ["", f"## {title}", "", *([f"- {each}" for each in lines] or [empty])]


def _alert(fired: Fired, now: float) -> str:
    """`**P1** api error rate 6.2 % > 5 %, since 03:01:40Z, 12m so far; acknowledged by ben after 2m10s`."""
    end = now if fired.ended is None else fired.ended
    lasted = f"{show_duration(end - fired.began)}{' so far' if fired.ended is None else ''}"
    parts = [f"**{fired.alert.severity}** {_what(fired.alert)}, {_when(fired.began, now)}, {lasted}", _acked(fired)]
    if fired.paged:
        parts.append(f"paged: {_text(', '.join(fired.paged))}")
    if fired.false:
        parts.append(f"called false: {_text(fired.false)}")
    if fired.alert.suspect:
        parts.append(f"before it: {_text(fired.alert.suspect)}")
    return "; ".join(parts)


def _what(alert: Alert) -> str:
    """What was wrong, behind the panel's name."""
    return _text(f"{alert.panel} {describe(alert)}")


def _when(at: float, now: float) -> Shown:
    """The clock time where it was today, else with its day."""
    return clock_time(at) if date_time(at)[:10] == date_time(now)[:10] else date_time(at)


def _acked(fired: Fired) -> str:
    if fired.acked_at is None:
        return "**nobody acknowledged it**"
    after = show_duration(max(0.0, fired.acked_at - fired.began))
    return f"acknowledged by {_text(fired.acked_by)} after {after}"


def _hush(hush: Hush, now: float) -> str:
    kind = "maintenance of" if hush.maintenance else "silence of"
    begins = f"from {date_time(hush.since)} " if hush.since > now else ""
    span = f"{begins}until {date_time(hush.until)} ({show_duration(hush.until - now)} left)"
    return f"{kind} {_text(hush.what)}: {span}, by {_text(hush.who)}: {_text(hush.reason)}"


def _deed(done: Done, now: float) -> str:
    what = f"{_when(done.at, now)} {_text(done.who)}: {_text(done.action)}, {_text(done.what)}"
    if done.outcome is None:
        settled = f" (settled by {_text(done.settled)})" if done.settled else ""
        return f"{what}: **its outcome was never recorded: it may have happened**{settled}"
    items = "; ".join(_outcome(*each) for each in done.outcome)
    proof = {True: ", verified", False: ", **not verified**", None: ", nobody could see whether it worked"}[done.verified]
    acted = any(result in ("done", "outcome unknown") for _, result, _ in done.outcome)
    return f"{what}: {items or 'nothing was sent'}{proof if acted else ''}"


def _outcome(key: str, result: str, says: str) -> str:
    return f"{_text(key)} {_text(result)}{f' ({_text(says)})' if says else ''}"


def _change(happened: Happened, now: float) -> str:
    change = happened.change
    by = f" ({_text(happened.who)})" if happened.who else ""
    detail = f": {_text(change.detail)}" if change.detail else ""
    return f"{_when(change.at, now)} {_text(change.kind)} {_text(change.title)}{detail}{by}"


def _unheard(unheard: Unheard, now: float) -> str:
    return f"{_when(unheard.at, now)} {_text(unheard.channel)}: {_text(unheard.what)}: {_text(unheard.says)}"


def _rules(tallies: Sequence[Tally]) -> list[str]:
    """A table of how often each rule fired, and how often that was false."""
    head = ["", "## Rules that fired", ""]
    if not tallies:
        return [*head, "None."]
    rows = [f"| {_text(each.panel)} | {_text(each.rule)} | {each.fired} | {each.false} |" for each in tallies]
    return [*head, "| panel | rule | fired | called false |", "|---|---|---|---|", *rows]


def _text(text: str) -> Shown:
    """Outside text in Markdown: nothing secret, and nothing in it is markup."""
    return Shown(_STEERS.sub(r"\\\1", redact(text)))
