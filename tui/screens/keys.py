"""The board's keys, by a name that the config can give other keys to. `?`, the last line and the palette are made from these.

Lower case looks, upper case acts: nothing here reaches production. The keys that do are a panel's own (`PanelView`), made from
what its rows offer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from textual.binding import Binding, BindingType

from tui.engine.feed import Snapshot
from tui.engine.text import clean
from tui.nearest import nearest
from tui.widgets.remedies import may_act

ALERT_KEYS: list[BindingType] = [
    Binding("a", "acknowledge", "ack", id="acknowledge", tooltip="acknowledge; again undoes it"),
    Binding("S", "silence", "silence", id="silence", tooltip="tell nobody for a time; or end that"),
    Binding("E", "escalate", "escalate", id="escalate", tooltip="page whoever is next, now"),
]
"""What a person says of alerts, wherever some are shown."""

REWIND_KEYS: list[BindingType] = [
    Binding("left_square_bracket", "app.rewind(-1)", "rewind", id="rewind.back", tooltip="a step back: held, faster"),
    Binding("right_square_bracket", "app.rewind(1)", "forth", id="rewind.forth", show=False, tooltip="a step forth"),
    Binding("left_curly_bracket", "app.jump(-1)", "earlier", id="rewind.earlier", show=False, tooltip="alert or change before"),
    Binding("right_curly_bracket", "app.jump(1)", "later", id="rewind.later", show=False, tooltip="alert or change after"),
]
"""Through what was recorded, on every screen that shows some of it."""

PANEL_KEYS: list[BindingType] = [
    Binding(str(number), f"app.show_panel({number})", f"panel {number}", id=f"to.panel.{number}", show=False)
    for number in range(1, 10)
]
"""To a panel of the board, from a page that covers it."""

FAR = 10**6
"""More steps than there are rows."""

BOARD_KEYS: list[BindingType] = [
    Binding("enter", "open", "detail", id="open", tooltip="everything known about it"),
    Binding("slash", "filter", "filter", id="filter", tooltip="only rows that hold a word"),
    Binding("s", "sort", "sort", id="sort", tooltip="sort by the next column"),
    ALERT_KEYS[0],
    Binding("z", "zoom", "zoom", id="zoom", tooltip="this panel alone, or all"),
    Binding("m", "mark", "mark", id="mark", tooltip="mark a row to act on it"),
    Binding("r", "poll", "poll now", id="poll", tooltip="ask its sources now"),
    Binding("space", "freeze", "freeze", id="freeze", tooltip="hold still; polling goes on"),
    Binding("y", "copy", "copy", id="copy", tooltip="the row, to the clipboard"),
    Binding("e", "evidence", "evidence", id="evidence", tooltip="the row as evidence, too"),
    Binding("o", "page", "page", id="page", tooltip="its page, as a link"),
    *ALERT_KEYS[1:],
    *REWIND_KEYS,
    Binding("escape", "back", "back", id="back", show=False, tooltip="let go: filter, marks, zoom"),
    Binding("tab", "turn(1)", "next panel", id="panel.next", show=False),
    Binding("shift+tab", "turn(-1)", "previous panel", id="panel.previous", show=False),
    Binding("j,down", "move(1)", "down", id="down", show=False),
    Binding("k,up", "move(-1)", "up", id="up", show=False),
    Binding("h,left", "aside(-1)", "panel to the left", id="left", show=False),
    Binding("l,right", "aside(1)", "panel to the right", id="right", show=False),
    Binding("g,home", f"move(-{FAR})", "first row", id="home", show=False),
    Binding("G,end", f"move({FAR})", "last row", id="end", show=False),
    Binding("pagedown", "leaf(1)", "page down", id="pagedown", show=False),
    Binding("pageup", "leaf(-1)", "page up", id="pageup", show=False),
    *(Binding(str(number), f"go({number})", f"panel {number}", id=f"panel.{number}", show=False) for number in range(1, 10)),
]


PAGES = ("detail", "alert", "page", "confirm", "dialog")
"""What the names of keys begin with that work on the pages over the board, beside the panels' own."""


def unknown_key(keys: Mapping[str, str], bindings: Sequence[BindingType], snapshot: Snapshot) -> str:
    """What to say of a name in `[keys]` that is nobody's, of which nothing would ever be seen; nothing where there is none.
    `bindings` are those of the app."""
    known = [each.id for each in (*BOARD_KEYS, *PANEL_KEYS, *bindings) if isinstance(each, Binding) and each.id]
    of_pages = {*PAGES, *(panel.name for panel in snapshot.panels)}
    wrong = next((name for name in keys if name not in known and name.partition(".")[0] not in of_pages), "")
    if not wrong:
        return ""
    meant = nearest(wrong, known) or "; docs/config.md has their names"
    return f"[keys] there is no key called {clean(wrong, 30)!r}{meant}"


def allowed_keys(keys: Mapping[str, str], snapshot: Snapshot) -> dict[str, str]:
    """The configured keys without those that would let a remedy act on a key that only looks."""
    remedies = {offer.action for panel in snapshot.panels for offer in panel.offers}
    return {name: key for name, key in keys.items() if name not in remedies or all(map(may_act, key.split(",")))}
