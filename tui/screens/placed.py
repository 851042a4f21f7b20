"""Textual's side of `arrangement.py`: a container whose children stand where a function says."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from textual.containers import Container
from textual.geometry import NULL_OFFSET, NULL_SPACING, Region, Size
from textual.layout import ArrangeResult, Layout, WidgetPlacement
from textual.widget import Widget

Regions = Callable[[Size], Mapping[Widget, Region]]
"""Where each child stands in a container of a size; who is not named is not shown."""


class Placed(Layout):
    """Textual's side of `arrangement.places`: each widget where it is said to stand."""

    name = "placed"

    def __init__(self, regions: Regions) -> None:
        self._regions = regions

    def arrange(self, parent: Widget, children: list[Widget], size: Size, greedy: bool = True) -> ArrangeResult:
        """Places the panels and the detail."""
        regions = self._regions(size)
        return [WidgetPlacement(regions[each], NULL_OFFSET, NULL_SPACING, each) for each in children if each in regions]


class Panels(Container):
    """Holds the panels and the detail beside them."""

    DEFAULT_CSS = "Panels { height: 1fr; width: 100%; }"

    def __init__(self, regions: Regions, children: Sequence[Widget]) -> None:
        super().__init__(*children, id="panels")
        self._placed = Placed(regions)

    @property
    def layout(self) -> Layout:
        """How the panels stand."""
        return self._placed

    def place_anew(self) -> None:
        """The panels' needs have changed. Textual keeps an arrangement until children come or go, so it must be told."""
        self._clear_arrangement_cache()
        self.refresh(layout=True)
