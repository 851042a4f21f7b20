"""What leaves for the terminal's clipboard: a row, the row as evidence, its page. Whether it arrives there, nobody says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .selection import Selection, evidence, page_of, words_of

if TYPE_CHECKING:
    from .dashboard import WatchfloorApp


def send_row(dash: WatchfloorApp, selection: Selection | None) -> None:
    """The row on one line."""
    if selection is None or selection.drawn is None:
        dash.tell("select a row first")
    else:
        dash.send_to_clipboard(words_of(selection))


def send_evidence(dash: WatchfloorApp, selection: Selection | None) -> None:
    """The row with where it stands, when it was measured and from whom."""
    if selection is None or selection.drawn is None:
        dash.tell("select a row first")
    else:
        dash.send_to_clipboard(evidence(selection, dash.snapshot))


def send_page(dash: WatchfloorApp, selection: Selection | None) -> None:
    """The address of the row's page, also as a link."""
    page = page_of(selection) if selection else None
    if page is None:
        dash.tell("there is no page for this")
    else:
        dash.send_to_clipboard(page.url, link=page.url)
