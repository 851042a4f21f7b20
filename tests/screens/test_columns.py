"""Names whose width terminals disagree on, on a terminal that thinks otherwise: no figure moves into another column."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pyte
import pytest
from msgspec.structs import replace
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from textual._compositor import Compositor
from textual.strip import Strip

from tests import story
from tests.screens.conftest import Open, Stage
from tui.engine.feed import Snapshot
from tui.engine.reading import Row, Status
from tui.engine.text import clean
from tui.widgets.tight import is_sure, rendered

NAMES = (
    "tone \U0001f44d\U0001f3fd x", "\u0928\u092e\u0938\u094d\u0924\u0947 \u0935\u093f\u0936\u094d\u0935",
    "new \U0001fae8\U0001fabf", "\u1100\u1161\u11a8 jamo", "Z\u0338\u20dd ring",
    "\U0001d158\U0001d165\U0001d16e note", "\u65e5\u672c\u8a9e", "plain",
    "\u05e2\u05d1\u05e8\u05d9\u05ea \u0645\u0631\u062d\u0628\u0627",
    "\U0001f44d\U0001f3fd" * 60,
)  # fmt: skip
WIDTHS = {"nothing": 0, "one": 1, "two": 2, "four": 4}
"""What the terminal takes for the width of everything that is not sure."""


def snapshot(turn: int = 0) -> Snapshot:
    """The night, with these names in the database's rows; they go on by one with each turn."""
    base = story.snapshot()
    probe = base.panels[2].probes[0]
    assert probe.good is not None
    names = NAMES[turn:] + NAMES[:turn]
    rows = tuple(
        Row(
            f"{at}@{name}",
            {"pid": clean(at), "state": clean(name), "query": clean(name), "for": 3.0 + at + turn},
            Status.FAILING,
        )
        for at, name in enumerate(names)
    )
    good = replace(probe.good, rows=rows)
    panels = (*base.panels[:2], replace(base.panels[2], probes=(replace(probe, reading=good, good=good),)), *base.panels[3:])
    return replace(base, panels=panels, name=clean(NAMES[turn]))


@pytest.fixture(params=list(WIDTHS.values()), ids=list(WIDTHS))
def terminal(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[pyte.Screen]:
    """A terminal that draws what the screen's compositor sends."""
    screen = pyte.Screen(120, 36)
    stream, console = pyte.Stream(screen), Console(color_system="256", force_terminal=True)
    known: Callable[[str], int] = pyte.screens.wcwidth
    drawn = Compositor.render_update

    def draw(compositor: Compositor, *given: object, **named: object) -> object:
        update = drawn(compositor, *given, **named)  # type: ignore[arg-type]  # passed on as it came
        if update is not None:
            stream.feed(update.render_segments(console))  # type: ignore[union-attr]  # each of ours has it
        return update

    monkeypatch.setattr(pyte.screens, "wcwidth", lambda each: known(each) if is_sure(each) else request.param)
    monkeypatch.setattr(Compositor, "render_update", draw)
    yield screen


def test_figures_behind_a_name_that_runs_to_the_left_are_no_part_of_it() -> None:
    console = Console(color_system="256", force_terminal=True)
    hebrew, figures = "\u05e2\u05d1\u05e8\u05d9\u05ea", "   0   1   75.0 %"
    drawn = rendered(Strip([Segment(hebrew, Style(bold=True)), Segment(figures)]), 0, 3, console)
    assert "\u200e" in drawn[drawn.index(hebrew) : drawn.index(figures)]
    assert "\u200e" not in rendered(Strip([Segment("\u65e5\u672c \U0001f44d\U0001f3fd"), Segment(figures)]), 0, 3, console)


def astray(stage: Stage, terminal: pyte.Screen) -> list[str]:
    """The lines on which text that is sure does not stand where it should."""
    found = []
    for y, strip in enumerate(stage.app.screen._compositor.render_strips()):
        x = 0
        for segment in strip:
            there = "".join(terminal.buffer[y][at].data for at in range(x, x + segment.cell_length))
            if is_sure(segment.text) and there != segment.text:
                found.append(f"{y}: {segment.text!r} is {there!r}")
            x += segment.cell_length
    return found


async def test_every_figure_stays_in_its_column(opened: Open, terminal: pyte.Screen) -> None:
    async with opened(size=(120, 36), first=snapshot()) as stage:
        assert astray(stage, terminal) == []
        await stage.press("3", "j", "j")
        for turn in range(1, 4):
            await stage.publish(snapshot(turn))
            assert astray(stage, terminal) == []
        await stage.press("enter")
        assert astray(stage, terminal) == []
        await stage.press("escape", "z")
        assert astray(stage, terminal) == []
