"""The keys that say something of alerts, on every screen that shows some: each takes the alerts that it is about as shown.

What a dialog needs is imported when one is opened: none is needed for the first picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tui.engine.alert import Alert
from tui.engine.ask import Mark
from tui.engine.silences import Silence
from tui.widgets.top import worst_fold

if TYPE_CHECKING:
    from .dashboard import WatchfloorApp


def acknowledge(dash: WatchfloorApp, pointed: Sequence[Alert]) -> None:
    """`a`."""
    from .answering import acknowledge as answer
    from .answering import may_take_back

    if may_take_back(dash, pointed) or not dash.is_past():
        answer(dash, pointed)


def open_silence(dash: WatchfloorApp, pointed: Sequence[Alert]) -> None:
    """`S`: a silence for what is pointed at, else for line 2's; where one hides it already, its end."""
    if dash.is_past():
        return
    from .silence import EndForm, SilenceForm

    alerts = _open(pointed) or _line_two(dash)
    if not alerts:
        dash.tell("there is no alert to silence")
        return
    shown = {each.fingerprint for each in alerts}
    hiding = [each for each in dash.snapshot.silences if shown & set(each.hides)]
    dash.open_dialog(EndForm(hiding) if hiding else SilenceForm(alerts, holders(dash)))


def says_something(dash: WatchfloorApp, action: str, pointed: Sequence[Alert]) -> bool:
    """Whether a key of these would do something now, or only say why not."""
    if action == "acknowledge" and dash.standing() is not None:
        return True
    alerts = _open(pointed) or _line_two(dash)
    match action:
        case "acknowledge" | "escalate":
            return any(not each.acked_by for each in alerts)
        case "give_back":
            return any(each.acked_by for each in alerts)
    return bool(alerts)


def holders(dash: WatchfloorApp) -> list[str]:
    """The panels whose source holds silences of its own (Alertmanager)."""
    with_one = [each for each in dash.snapshot.panels if each.card and each.card.silencer]
    return [each.name for each in with_one if each.card and each.card.silences_now(each.settings)]


def open_escalation(dash: WatchfloorApp, pointed: Sequence[Alert]) -> None:
    """`E`: pages whoever is next, for what is pointed at, else for line 2's."""
    if dash.is_past():
        return
    from .saying import Escalate

    alerts = _open(pointed) or _line_two(dash)
    clocks = {each.fingerprint: each for each in dash.snapshot.escalations}
    alert = next((each for each in alerts if each.fingerprint in clocks), None)
    if alert is not None:
        dash.open_dialog(Escalate(alert, clocks[alert.fingerprint]))
    elif not alerts:
        dash.tell("there is no alert to page anybody for")
    elif all(each.acked_by for each in alerts):
        dash.tell(f"{alerts[0].acked_by} is at it: A in its detail gives it back first")
    else:
        dash.tell("nobody is on call by the config: it needs [escalation]")


def open_give_back(dash: WatchfloorApp, pointed: Sequence[Alert]) -> None:
    """`A`: what was acknowledged is given back."""
    if dash.is_past():
        return
    from .saying import GiveBack

    acked = [each for each in _open(pointed) if each.acked_by]
    if acked:
        dash.open_dialog(GiveBack(acked))
    else:
        dash.tell("nobody has acknowledged it")


def open_false_positive(dash: WatchfloorApp, pointed: Sequence[Alert]) -> None:
    """`F`: it was none."""
    if dash.is_past():
        return
    from .saying import FalsePositive

    if pointed:
        dash.open_dialog(FalsePositive(pointed[0]))
    else:
        dash.tell("point at an alert first")


def open_maintenance(dash: WatchfloorApp, pointed: Sequence[Alert]) -> None:
    """`M`: a window over the panels of what is pointed at, or its end."""
    if dash.is_past():
        return
    from .saying import Maintenance
    from .silence import EndForm

    chosen = list(dict.fromkeys(each.panel for each in pointed))
    windows = [each for each in dash.snapshot.silences if each.kind == "maintenance"]
    mine = [each for each in windows if not each.panels or set(chosen) & set(each.panels)]
    panels = [each.name for each in dash.snapshot.panels]
    dash.open_dialog(EndForm(mine) if mine and chosen else Maintenance(panels, chosen or panels))


def open_end(dash: WatchfloorApp, silence: Silence) -> None:
    """Plans the end of a silence or maintenance window."""
    if dash.is_past():
        return
    from .silence import EndForm

    dash.open_dialog(EndForm([silence]))


def open_mark(dash: WatchfloorApp) -> None:
    """Asks what happened."""
    from .saying import MarkIt

    dash.open_dialog(MarkIt())


def mark(dash: WatchfloorApp, text: str) -> None:
    """Marks at once: it reaches nobody, and is a line on the charts."""
    if dash.is_past():
        return
    from .answering import ask_and_say

    ask_and_say(dash, Mark(text), f"marked: {text}", "NOT marked")


def _open(alerts: Sequence[Alert]) -> list[Alert]:
    return [each for each in alerts if each.open]


def _line_two(dash: WatchfloorApp) -> list[Alert]:
    fold = worst_fold(dash.snapshot)
    return _open(fold.alerts) if fold else []
