"""One Prometheus server through prometheus-api-client. STUB, being written by the metrics panel's author."""

from __future__ import annotations

from .http import HttpSettings
from .secrets import SecretText


class PrometheusClient:
    """Instant and range queries with deadlines, in daemon threads."""

    def __init__(self, url: SecretText, settings: HttpSettings) -> None:
        raise NotImplementedError

    async def close(self) -> None:
        """Ends its connections."""
