"""What another clock says of itself, by ours."""

from __future__ import annotations

import pytest

from tui.engine.clock import ahead_of_ours


@pytest.mark.parametrize(
    ("said", "step", "ahead"),
    [
        (100.0, 0.0, 0.0),  # as we asked
        (107.0, 0.0, 0.0),  # as the answer came, seven seconds later
        (110.0, 0.0, 3.0),
        (97.0, 0.0, -3.0),
        (99.0, 1.0, 0.0),  # it says whole seconds: 99.9, maybe
        (96.0, 1.0, -3.0),
    ],
)
def test_what_an_answer_took_on_its_way_is_no_offset(said: float, step: float, ahead: float) -> None:
    assert ahead_of_ours(said, asked=100.0, answered=107.0, step=step) == ahead
