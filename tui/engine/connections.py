"""What probes and actions reach the world with: HTTP clients, Postgres connections, Prometheus clients.

Made in one place, so that settings, limits, deadlines and the TLS context are the same everywhere: one HTTP client a
target (a shared one costs 23 times more at 200 origins, costs.md), at most two Postgres connections a database (one looks,
one acts), and nothing that can outlive the process's exit.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from .clock import Clock, SystemClock
from .http import HttpClient, HttpSettings
from .secrets import SecretText

if TYPE_CHECKING:
    from .history import History
    from .postgres import Database
    from .prometheus import PrometheusClient
    from .reading import Labels


class Tools:
    """The means of one engine. Lives in the engine's loop; `close` ends every connection."""

    def __init__(self, environment: str = "", clock: Clock | None = None, history: History | None = None) -> None:
        self.environment = environment
        self.clock: Clock = clock or SystemClock()
        self.history = history
        self.in_maintenance: Callable[[str], bool] = lambda panel: False
        """Whether a panel is under maintenance now: what is measured then counts against no uptime."""
        self.open_series: Callable[[str], Iterable[Labels]] = lambda panel: ()
        """The labels of a panel's series on which an alert is pending or firing."""
        self._http: dict[tuple[str, HttpSettings], HttpClient] = {}
        self._databases: dict[tuple[str, bool], Database] = {}
        self._prometheus: dict[tuple[str, HttpSettings], PrometheusClient] = {}

    def alerting(self, panel: str, label: str) -> frozenset[str]:
        """What of a panel has an open alert, by the values of one of its labels. A probe that tells the most telling of many
        tells these, too: what falls off its list would look resolved."""
        return frozenset(value for labels in self.open_series(panel) for name, value in labels if name == label)

    def http(self, target: str, settings: HttpSettings | None = None) -> HttpClient:
        """The client of one target (`panel/name`): its own two connections, so that none can delay another."""
        key = (target, settings or HttpSettings())
        if key not in self._http:
            self._http[key] = HttpClient(key[1])
        return self._http[key]

    def postgres(self, dsn: SecretText, *, acts: bool = False) -> Database:
        """The process's connection to one database, shared by all panels: the one that looks (read-only), or the one that
        acts, which is opened for a deed and closed after it."""
        key = (dsn.source, acts)
        if key not in self._databases:
            from .postgres import Database  # late: psycopg costs 160 ms, and a health-only config needs none

            self._databases[key] = Database(dsn, acts=acts, clock=self.clock)
        return self._databases[key]

    def prometheus(self, url: SecretText, settings: HttpSettings | None = None) -> PrometheusClient:
        """The client of one Prometheus server."""
        key = (url.source, settings or HttpSettings())
        if key not in self._prometheus:
            from .prometheus import PrometheusClient  # late: requests and its friends cost 100 ms

            self._prometheus[key] = PrometheusClient(url, key[1])
        return self._prometheus[key]

    async def close(self) -> None:
        """Ends every connection; waits for none longer than a second."""
        closing = [
            *(client.close() for client in self._http.values()),
            *(database.close() for database in self._databases.values()),
            *(client.close() for client in self._prometheus.values()),
        ]
        self._http, self._databases, self._prometheus = {}, {}, {}
        if closing:
            await asyncio.wait([asyncio.ensure_future(each) for each in closing], timeout=1.0)
