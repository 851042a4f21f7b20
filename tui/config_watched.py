"""What is polled and how it is judged, as a digest: those who share a journal and this have one poller."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from tui.config_databases import database_place, filled, secret_texts_in
from tui.engine.setup import PanelSetup

NOT_WATCHED = ("user", "theme", "version", "keys", "layout", "actions", "sentry", "journal", "record")
"""What two configs may differ in and still have one poller."""


def digest(values: Mapping[str, Any], panels: Sequence[PanelSetup]) -> str:
    """Of the config's values and of the places that its environment variables name: one file means one thing in a shell for
    staging and another in one for production. Secrets are left out; who looks, and how, is too."""
    general = {key: value for key, value in values.get("watchfloor", {}).items() if key not in NOT_WATCHED}
    watched = {key: value for key, value in values.items() if key not in NOT_WATCHED} | {"watchfloor": general}
    text = json.dumps([watched, list(_places(panels))], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _places(panels: Sequence[PanelSetup]) -> Iterator[tuple[str, ...]]:
    """Host, port and path of each URL, or database of each DSN, that an environment variable has a part in."""
    for panel in panels:
        for secret in secret_texts_in(panel.settings):
            if not any(reference.startswith("env:") for reference in secret.references):
                continue
            text = filled(secret)
            if text.startswith(("http://", "https://")):
                parts = urlsplit(text)
                yield panel.name, parts.netloc.rpartition("@")[2], parts.path
            elif place := database_place(secret):
                yield panel.name, *place
