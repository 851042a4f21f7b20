"""What the config says of a PostgreSQL database."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from tui.engine.panel import PanelConfig
from tui.engine.secrets import Dsn, SecretText
from tui.engine.units import Duration, Size


class DatabaseConfig(PanelConfig):
    """The `[[panel]]` of kind `database`."""

    kind: Literal["database"] = "database"
    dsn: Dsn
    """Where it is, and as whom to look: a role in pg_monitor. Nothing is ever written with it."""
    dsn_for_actions: Dsn | None = None
    """As whom to cancel and terminate: a role in pg_monitor and pg_signal_backend. Without it the one that looks acts."""
    long_query: Duration = 5.0
    """A statement that runs longer is listed, and degrades the panel."""
    pool_size: int | None = Field(default=None, ge=1, le=100_000)
    """How many connections the application's pool may take, where that is less than the server's own limit."""
    quota: Size | None = None
    """How large the database may become; its share of this is watched."""
    statements: Literal["difference", "total"] = "difference"
    """Whether the statements' figures are those since the last poll, or since they were last reset."""

    @property
    def acts_with(self) -> SecretText:
        """The DSN that actions go through."""
        return self.dsn_for_actions or self.dsn
