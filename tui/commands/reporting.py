"""Crash reports, where the config has a DSN for them."""

from __future__ import annotations

import asyncio

from tui.config import Loaded
from tui.engine.secrets import SecretError
from tui.engine.text import EMPTY, Shown, clean


def reporting(loaded: Loaded) -> Shown:
    """Has crashes reported where a DSN is set; where that cannot be, says why: whatever opens opens all the same."""
    if loaded.sentry_dsn is None:
        return EMPTY
    from tui import sentry  # late: only where a DSN is set

    try:
        asyncio.run(sentry.start(loaded.sentry_dsn, loaded.setup.environment))
    except (SecretError, ValueError) as error:
        return clean(f"crashes are not reported: {error}")
    return EMPTY
