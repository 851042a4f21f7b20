"""The team's journal: entries shared through PostgreSQL, so that every on-call on every host reads the same.

    entries here ──push, each once, in order──▶ watchfloor_entry ──pull, in order of arrival──▶ entries on every other host
    a deed ──claim──▶ watchfloor_claim: nobody else begins the same on the same target until its outcome, or its time is over

Imported only where `[journal] url` is set: psycopg costs a start 160 ms.
"""

from .sharing import Team

__all__ = ["Team"]
