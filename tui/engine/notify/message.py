"""A message: what is told, built once from alerts and put into each channel's own form. Redacted, cleaned and bounded here."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

from msgspec import Struct

from ..alert import Alert, Severity, by_badness
from ..clock import date_time
from ..redact import redact
from ..rules import describe
from ..text import CUT, EMPTY, Shown, clean
from ..units import show, show_duration, show_limit
from .channel import Transition

OTHERS_NAMED = 8
"""How many of the alerts of one message are named; the rest is counted."""
BRIEF = 150
"""Characters of the brief form: an SMS with room for what the gateway adds."""
TEST = "TEST from watchfloor, no action needed"


class Message(Struct, frozen=True):
    """One message about one alert or about several with one cause. Times are UTC seconds.

    `keys` are what a receiver that knows messages by key knows it by: the same for all that is told of one thing.
    """

    transition: Transition
    keys: tuple[str, ...]
    severity: Severity
    name: Shown
    what: Shown
    product: Shown
    environment: Shown
    panel: Shown
    target: Shown
    at: float
    since: float
    value: Shown = EMPTY
    threshold: Shown = EMPTY
    count: int = 1
    others: tuple[Shown, ...] = ()
    fold: Shown = EMPTY
    raised_by: Shown = EMPTY
    suspect: Shown = EMPTY
    why: Shown = EMPTY
    playbook: Shown = EMPTY
    link: str = ""
    labels: tuple[tuple[Shown, Shown], ...] = ()
    acked_by: Shown = EMPTY
    whom: Shown = EMPTY
    ended: float | None = None
    test: bool = False

    @property
    def where(self) -> Shown:
        """`shop production`: which system."""
        return Shown(f"{self.product} {self.environment}".strip())

    @property
    def headline(self) -> Shown:
        """What happened, in a line: `P0 firing: error rate 6.2 % > 5 % (shop production)`."""
        more = f" and {self.count - 1} more" if self.count > 1 else ""
        says = f"{self.severity} {self._happened}: {self.what}{more} ({self.where})"
        return clean(f"{TEST}: {says}" if self.test else says)

    @property
    def brief(self) -> Shown:
        """The headline in what an SMS holds."""
        return clean(self.headline, BRIEF)

    @property
    def once(self) -> str:
        """What this message is known by where a try is repeated, in ASCII. What is news of its own (a rise, another person's
        word, a second call) has another one."""
        which = {"acknowledged": self.acked_by, "escalated": f"{self.whom}/{self.at:.0f}"}.get(self.transition, "")
        return quote(f"{self.keys[0]}/{self.transition}/{self.severity}/{self.since:.0f}/{which}", safe="/:")

    @property
    def _happened(self) -> str:
        match self.transition:
            case "acknowledged":
                return f"acknowledged by {self.acked_by}"
            case "resolved":
                return f"resolved after {show_duration((self.ended or self.at) - self.since)}"
            case "escalated":
                return f"escalated to {self.whom}" if self.whom else "escalated"
            case _:
                return "firing"

    @property
    def facts(self) -> tuple[tuple[Shown, Shown], ...]:
        """What is known, as named lines; only what there is."""
        told = (
            ("since", Shown(f"{date_time(self.since)} ({show_duration(self.at - self.since)})")),
            ("suspect", self.suspect),
            ("why it matters", self.why),
            ("severity raised by", self.raised_by),
            ("acknowledged by", self.acked_by),
            ("together because", self.fold),
            ("playbook", self.playbook),
        )
        return tuple((Shown(name), says) for name, says in told if says)

    @property
    def lines(self) -> tuple[Shown, ...]:
        """The detailed form, a line each."""
        facts = [Shown(f"{name}: {says}") for name, says in self.facts]
        also = [Shown(f"also: {each}") for each in self.others]
        link = [Shown(f"link: {self.link}")] if self.link else []
        return (self.headline, *facts, *also, *link)

    @property
    def fields(self) -> dict[str, str]:
        """Plain fields, for a command's environment and an HTTP request's body."""
        return {
            "transition": self.transition,
            "severity": self.severity,
            "name": self.name,
            "what": self.what,
            "headline": self.headline,
            "brief": self.brief,
            "text": "\n".join(self.lines),
            "product": self.product,
            "environment": self.environment,
            "panel": self.panel,
            "target": self.target,
            "value": self.value,
            "threshold": self.threshold,
            "since": date_time(self.since),
            "at": date_time(self.at),
            "age": show_duration(self.at - self.since),
            "count": str(self.count),
            "suspect": self.suspect,
            "why": self.why,
            "playbook": self.playbook,
            "link": self.link,
            "acked_by": self.acked_by,
            "whom": self.whom,
            "key": self.keys[0],
            "test": "true" if self.test else "false",
        }


FIELDS = tuple(
    "transition severity name what headline brief text product environment panel target value threshold since at age count "  # noqa: SIM905  # reads as a list
    "suspect why playbook link acked_by whom key test".split()
)
"""The names of `Message.fields`, for whoever checks a template before there is a message."""


def message_of(
    alerts: Sequence[Alert],
    transition: Transition,
    now: float,
    *,
    product: str = "",
    environment: str = "",
    keys: Sequence[str] = (),
    fold: Shown = EMPTY,
    whom: str = "",
    test: bool = False,
) -> Message:
    """The message about alerts that came to this together; the worst stands for all."""
    lead, *rest = sorted(alerts, key=by_badness)
    others = tuple(_safe(f"{each.severity} {_what(each)}", 160) for each in rest[:OTHERS_NAMED])
    if len(rest) > OTHERS_NAMED:
        others = (*others, Shown(f"{CUT} and {len(rest) - OTHERS_NAMED} more"))
    return Message(
        transition=transition,
        keys=tuple(keys) or (lead.fingerprint,),
        severity=lead.severity,
        name=_safe(lead.rule, 80),
        what=_safe(_what(lead), 200),
        product=_safe(product, 60),
        environment=_safe(environment, 60),
        panel=_safe(lead.panel, 60),
        target=_safe(lead.target, 120),
        at=now,
        since=lead.since,
        value=show(lead.value, lead.unit),
        threshold=show_limit(lead.threshold, lead.unit),
        count=len(alerts),
        others=others,
        fold=_safe(fold, 120) if rest else EMPTY,
        raised_by=_safe(lead.raised_by, 120),
        suspect=_safe(lead.suspect, 200),
        why=_safe(lead.why, 300),
        playbook=_safe(lead.playbook, 80),
        link=_page(lead.link),
        labels=tuple((_safe(name, 60), _safe(value, 120)) for name, value in lead.labels[:20]),
        acked_by=_safe(lead.acked_by, 80),
        whom=_safe(whom, 80),
        ended=lead.ended,
        test=test,
    )


def _safe(text: str, limit: int) -> Shown:
    """Outside text without secrets, as one line of bounded length."""
    return clean(redact(text), limit)


def _what(alert: Alert) -> str:
    """The alert in a few words, in its own where value and threshold do not say it."""
    if alert.state == "resolved":
        now = f", now {show(alert.value, alert.unit)}" if alert.value is not None else f", {alert.says}" if alert.says else ""
        return f"{alert.name}{now}"
    words = describe(alert)
    return words if not alert.says or alert.says in words else f"{alert.rule}: {alert.says}"


def _page(link: str) -> str:
    """A link that may be followed from a message: a web page, of bounded length, with nothing in it that ends a link."""
    if not link.startswith(("https://", "http://")) or len(link) > 1000:
        return ""
    return quote(redact(link), safe=":/?#[]@!$&'()*+,;=%~-._•")
