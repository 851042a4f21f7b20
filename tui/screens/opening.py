"""The way from screen to screen: each is declared once, by name, and made when it is opened first; what it is about is told it
before it is pushed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from textual.app import App
from textual.screen import Screen

from tui.engine.feed import Offer

from .board import Board
from .selection import Selection

if TYPE_CHECKING:
    from tui.engine.alert import Fold

    from .dialog import Form


def _detail() -> Screen[Any]:
    from .detail import Detail

    return Detail()


def _confirm() -> Screen[Any]:
    from .confirm import Confirm

    return Confirm()


def _alert() -> Screen[Any]:
    from .alert import AlertDetail

    return AlertDetail()


def _dialog() -> Screen[Any]:
    from .dialog import Dialog

    return Dialog()


def _help() -> Screen[Any]:
    from .help import Help

    return Help()


def _palette() -> Screen[Any]:
    from .palette import Palette

    return Palette()


class Opening(App[int], inherit_bindings=False):
    """An app whose first screen is the board, and what opens over it."""

    SCREENS = {
        "board": Board, "detail": _detail, "alert": _alert, "confirm": _confirm, "dialog": _dialog, "help": _help,
        "palette": _palette,
    }  # fmt: skip

    def get_default_screen(self) -> Screen[Any]:
        """The board is the first screen."""
        return self.get_screen("board")

    def open_detail(self, selection: Selection) -> None:
        """Everything known about a row or figure, or a line of alerts."""
        if selection.fold is not None:
            self.open_alert(selection.fold)
            return
        from .detail import Detail

        screen = self.get_screen("detail", Detail)
        screen.about(selection)
        self.push_screen("detail")

    def open_alert(self, fold: Fold) -> None:
        """Everything known about a line of alerts."""
        from .alert import AlertDetail

        screen = self.get_screen("alert", AlertDetail)
        screen.about(fold)
        self.push_screen("alert")

    def open_dialog(self, form: Form) -> None:
        """A person is about to say something of alerts: what would come of it is shown first."""
        from .dialog import Dialog

        screen = self.get_screen("dialog", Dialog)
        screen.begin(form)
        self.push_screen("dialog")

    def action_show_panel(self, number: int) -> None:
        """A panel's number, on a page that covers the board."""
        self.show_panel(number)

    def show_panel(self, number: int) -> None:
        """To a panel of the board by its number, from wherever one is."""
        while not isinstance(self.screen, Board):
            self.pop_screen()
        self.screen.action_go(number)

    def open_plan(self, offer: Offer, keys: tuple[str, ...]) -> None:
        """Asks for a plan and shows it when it stands."""
        from .confirm import Confirm

        screen = self.get_screen("confirm", Confirm)
        screen.begin(offer, keys)
        self.push_screen("confirm")

    def action_help(self) -> None:
        """The keys that work on the screen below."""
        from .help import Help

        screen = self.get_screen("help", Help)
        if self.screen is not screen:
            screen.about(self.screen)
            self.push_screen("help")

    def action_palette(self) -> None:
        """Everything by name."""
        from .palette import Palette

        screen = self.get_screen("palette", Palette)
        if self.screen is not screen:
            screen.begin(self.screen)
            self.push_screen("palette")
