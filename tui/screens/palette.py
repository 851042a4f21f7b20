"""Everything by name: type a few letters, press enter. The panels, the keys of the screen below, the alerts, the themes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from msgspec import Struct
from textual.events import Key
from textual.screen import Screen

from tui.engine.alert import Fold
from tui.engine.silences import in_words
from tui.engine.text import EMPTY, Shown, clean
from tui.themes import theme_names
from tui.widgets.footer import Hint
from tui.widgets.ink import BLANK, Line, Piece, apart, cut_line, spaces
from tui.widgets.remedies import may_act

from .alert_keys import mark, open_end, open_maintenance, open_mark
from .answering import settle
from .board import Board
from .help import TO_PANELS, grouped, name_of
from .page import Page


class Entry(Struct, frozen=True):
    """One thing to do, by its name. `note` stands at the right: its key, or what it is."""

    name: Shown
    note: Shown
    do: Callable[[], Any]


class Palette(Page):
    """A list that narrows as one types."""

    def __init__(self) -> None:
        super().__init__()
        self._entries: list[Entry] = []
        self._words = ""
        self._place = 0

    def begin(self, below: Screen[Any]) -> None:
        """Collects what there is to do on the screen below."""
        self._words, self._place, self.top = "", 0, 0
        self._entries = [
            *self._panels(), *self._actions(below), *self._alerts(), *self._sayings(below), *self._intents(), *self._themes()
        ]  # fmt: skip

    def _panels(self) -> list[Entry]:
        dash = self.dash
        return [
            Entry(clean(f"panel {state.name}"), Shown(str(number)), partial(dash.show_panel, number))
            for number, state in enumerate(dash.snapshot.panels, 1)
        ]

    def _actions(self, below: Screen[Any]) -> list[Entry]:
        bindings = [active.binding for active in below.active_bindings.values()]
        found = []
        for binding, signs in grouped(bindings):
            if not binding.action.startswith((*TO_PANELS, "app.palette", "palette", "move(", "leaf(")):
                do = partial(self.dash.run_action, binding.action, below)
                found.append(Entry(name_of(binding), clean(signs), do))
        return [*found, *self._without_key(below)]

    def _without_key(self, below: Screen[Any]) -> list[Entry]:
        """The remedies of the panel in focus that have no key which may act."""
        if not isinstance(below, Board) or below.focused_panel is None:
            return []
        offers = [offer for offer in below.focused_panel.offers() if not may_act(offer.key)]
        return [Entry(clean(f"{each.title}: {each.help}"), EMPTY, partial(below.action_act, each.action)) for each in offers]

    def _alerts(self) -> list[Entry]:
        dash, found = self.dash, []
        for alert in dash.snapshot.alerts:
            fold = next((each for each in dash.snapshot.folds if alert.fingerprint in each.fingerprints), None)
            name = clean(f"alert {alert.severity} {alert.rule} {' '.join(value for _, value in alert.labels)}".rstrip())
            found.append(Entry(name, Shown(alert.state), partial(dash.open_alert, fold or Fold(alert.fingerprint, (alert,)))))
        return found

    def _sayings(self, below: Screen[Any]) -> list[Entry]:
        """What may be said without a key of its own: maintenance, a mark, the end of each silence."""
        dash = self.dash
        pointed = below.pointed() if isinstance(below, Board) else ()
        found = [
            Entry(Shown("maintenance: a window that pages nobody"), EMPTY, partial(open_maintenance, dash, pointed)),
            Entry(Shown("mark a change: mark TEXT"), EMPTY, partial(open_mark, dash)),
        ]
        for each in dash.snapshot.silences:
            words = clean(f"end {each.kind}: {each.reason or ', '.join(each.panels) or in_words(each.matchers)}")
            found.append(Entry(words, EMPTY, partial(open_end, dash, each)))
        return found

    def _mark(self) -> list[Entry]:
        """`mark TEXT` as it is typed."""
        verb, _, text = self._words.partition(" ")
        if verb != "mark" or not text.strip():
            return []
        says = text.strip()
        return [Entry(clean(f"mark: {says}"), Shown("on every chart"), partial(mark, self.dash, says))]

    def _intents(self) -> list[Entry]:
        dash = self.dash
        return [
            Entry(
                clean(f"dealt with: {each.action} {each.what}"),
                Shown("outcome never recorded"),
                partial(settle, dash, each),
            )
            for each in dash.snapshot.open_intents
        ]

    def _themes(self) -> list[Entry]:
        dash = self.dash
        return [Entry(clean(f"theme {name}"), EMPTY, partial(dash.use_theme, name)) for name in theme_names()]

    def matching(self) -> list[Entry]:
        """The entries that hold every word typed."""
        words = self._words.casefold().split()
        return self._mark() or [each for each in self._entries if all(word in each.name.casefold() for word in words)]

    def on_key(self, event: Key) -> None:
        """Letters narrow, arrows choose, enter does it."""
        if event.key in ("escape", "ctrl+c"):
            return
        event.stop()
        event.prevent_default()
        found = self.matching()
        if event.key == "enter":
            self.dash.pop_screen()
            if found:
                chosen = found[min(self._place, len(found) - 1)]
                self.dash.call_later(chosen.do)
            return
        if event.key in ("down", "tab"):
            self._place = min(self._place + 1, max(0, len(found) - 1))
        elif event.key in ("up", "shift+tab"):
            self._place = max(0, self._place - 1)
        elif event.key == "backspace":
            self._words, self._place = self._words[:-1], 0
        elif event.is_printable and event.character:
            self._words, self._place = (self._words + event.character)[:60], 0
        self.draw_body()

    def hints(self) -> tuple[Sequence[Hint], Sequence[Hint]]:
        """What is typed may hold a question mark."""
        hints, _ = super().hints()
        return [Hint(Shown("enter"), Shown("does it")), Hint(Shown("↓ ↑"), Shown("choose")), *hints], []

    def page(self, width: int) -> Sequence[Line]:
        """What is typed, and what matches."""
        caret = Piece(Shown(self.dash.glyphs.caret), "focus")
        lines = [Line((spaces(1), Piece(Shown(": "), "dim"), Piece(clean(self._words), "focus"), caret)), BLANK]
        room = max(1, self.canvas("body").size.height - 3)
        found = self.matching()
        first = max(0, self._place - room + 1)
        for place, each in enumerate(found[first : first + room], first):
            here = place == self._place
            sign = Piece(Shown(self.dash.glyphs.cursor if here else " "), "focus")
            lines.append(
                apart([sign, Piece(each.name)], [spaces(1), Piece(each.note, "dim"), spaces(1)], width)._replace(cursor=here)
            )
        return lines if found else [*lines, cut_line(Line((spaces(1), Piece(Shown("nothing matches"), "dim"))), width)]
