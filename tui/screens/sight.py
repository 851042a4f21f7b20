"""What a screen looks at: everything as it is now, or, rewound, as it was. The same code draws either."""

from __future__ import annotations

from msgspec import Struct

from tui.engine.feed import Snapshot
from tui.engine.history import Trends


class Sight(Struct, frozen=True):
    """A snapshot with the signals before it. `rewound` is the moment in UTC seconds, None where it is now."""

    snapshot: Snapshot
    history: Trends
    rewound: float | None = None
