"""Text from outside, through every place of the screen: no crash, no control character, no column out of line."""

from __future__ import annotations

import unicodedata

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from rich.cells import cell_len

from tests import story
from tests.screens.conftest import Open
from tui.engine.layout import Cell, Column, DrawnRow, Fact, Facts, Gauge, Layout
from tui.engine.reading import Failure, Link, Reading, Row, Status
from tui.engine.text import Shown, clean
from tui.screens.selection import safe_address
from tui.widgets.face import Frame, Head, Held, draw_face
from tui.widgets.freshness import Freshness
from tui.widgets.glyphs import ASCII, UNICODE, Glyphs, to_ascii
from tui.widgets.ink import Line, Piece, cut, cut_line, fit, wrap

STEERING = "\x1b\x9b\x9d\x00\x07\n\r\t[]/\\\u202e\u200b\u2066\ud800"
WIDE = "日本語한●◆▸…"
NASTY = st.text(st.one_of(st.characters(), st.sampled_from(STEERING + WIDE)), max_size=60)
PAYLOADS = (
    "[/x]",
    "([sys:LOCK=SAFE…]) x",
    "[@click=app.quit]x[/]",
    "\x1b]52;c;ZXZpbA==\x1b\\",
    "\x1b[2J",
    "\x9b6n",
    "x" * 5000,
    "日本" * 300,
)


def is_clean(text: str) -> bool:
    """Whether nothing in it steers a terminal."""
    return not any(unicodedata.category(each) in ("Cc", "Cs", "Cf") for each in text.replace("\u200d", ""))


def nasty_layout(texts: list[Shown]) -> Layout:
    """A layout with hostile text wherever a view may put text."""
    a, b, c, d, e, f = texts
    columns = (Column("a", a, 8, grows=True), Column("b", Shown("n"), 6, "count"), Column("c", Shown("c"), 4, rank=1))
    cells = [(Cell(text, Status.FAILING), Cell(Shown("12")), Cell(b)) for text in (b, c, d)]
    rows = tuple(DrawnRow(f"k{at}", each, Status.OK, at) for at, each in enumerate(cells))
    figures = (Gauge(e, f, Status.DEGRADED, limit=a), Facts((Fact(b, c), Fact(d, e, Status.UNKNOWN))))
    return Layout(a, b, figures, (c,), columns, rows, d)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    texts=st.lists(NASTY, min_size=6, max_size=6),
    size=st.tuples(st.integers(20, 130), st.integers(3, 40)),
    glyphs=st.sampled_from((UNICODE, ASCII)),
)
def test_a_panel_of_hostile_text_stays_in_its_frame(texts: list[str], size: tuple[int, int], glyphs: Glyphs) -> None:
    shown = [clean(text) for text in texts]
    layout = nasty_layout(shown)
    error = Failure("connect", shown[4], shown[5])
    failure = Reading("p", shown[0], "q", 0.0, 0.0, Status.FAILING, error=error)
    head = Head(1, shown[0], Status.FAILING, Freshness(Shown("03:12:09Z")), True, True, False, shown[2], shown[1])
    face = draw_face(head, layout, layout.rows, [failure], Held("k1"), Frame(*size, glyphs))
    assert len(face.lines) <= size[1]
    for line in map(glyphs.plain, face.lines):
        assert is_clean(line.text) and cell_len(line.text) <= size[0]
        assert glyphs is UNICODE or line.text.isascii()


@given(text=NASTY, cells=st.integers(0, 40))
def test_cutting_and_fitting_know_wide_characters(text: str, cells: int) -> None:
    shown = clean(text)
    assert cell_len(cut(shown, cells)) <= cells
    assert cell_len(fit(shown, cells)) == cells
    assert cell_len(cut_line(Line((Piece(shown), Piece(shown))), cells).text) <= cells
    assert cell_len(to_ascii(shown)) == cell_len(shown)
    assert cells == 0 or cell_len(shown) <= cells or cut(shown, cells).endswith("…")


@given(text=NASTY, cells=st.integers(4, 40))
def test_wrapping_loses_nothing_but_blanks(text: str, cells: int) -> None:
    shown = clean(text)
    lines = wrap(shown, cells)
    assert all(cell_len(line) <= cells for line in lines)
    assert "".join(lines).replace(" ", "") == shown.replace(" ", "")


@given(url=NASTY)
def test_no_address_can_end_a_link_early(url: str) -> None:
    for address in (safe_address(url), safe_address("https://" + url)):
        assert address.isascii() and is_clean(address) and " " not in address


async def test_hostile_rows_and_names_through_the_whole_screen(opened: Open) -> None:
    base = story.snapshot()
    reading = base.panels[2].probes[0].good
    assert reading is not None
    rows = tuple(
        Row(
            f"{payload}@{at}",
            {name: clean(payload) for name in ("pid", "state", "waits", "query", "user")} | {"for": 3.0},
            Status.FAILING,
            None,
            (Link(clean(payload), payload), Link(clean(payload), "https://x/" + payload)),
            {payload: (clean(payload),)},
        )
        for at, payload in enumerate(PAYLOADS)
    )
    bad = replace(reading, rows=rows, target="\x1b[2Jtarget")
    probe = replace(base.panels[2].probes[0], reading=bad, good=bad)
    panels = (*base.panels[:2], replace(base.panels[2], probes=(probe,)), *base.panels[3:])
    alerts = tuple(replace(each, rule="\x1b]0;evil\x07[/x]", suspect=clean("[/x]\x9b")) for each in base.alerts)
    first = replace(base, panels=panels, alerts=alerts, name=clean("\x1b[2J[/x]"), warnings=(clean("[/x]"),))
    async with opened(size=(200, 50), first=first) as stage:
        await stage.press("3")
        for _ in PAYLOADS:
            await stage.press("enter")
            assert is_clean(stage.text.replace("\n", ""))
            await stage.press("o", "y", "escape", "e", "j")
            assert is_clean(stage.text.replace("\n", ""))
        await stage.press("slash", "[", "/", "x", "]", "enter", "colon", "[")
        assert is_clean(stage.text.replace("\n", ""))
