"""What the two roles may do: the one that looks, the one that acts; and the GRANT that gives what is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from tui.engine.text import Shown, clean

from .activity import Seen
from .sql import statement

if TYPE_CHECKING:
    from tui.engine.postgres import Session


class Rights(Struct, frozen=True):
    """The roles' names and rights. `acts_as` is empty where the server knows no role of that name (a login that is mapped):
    then only trying tells."""

    looks_as: str
    sees_all: bool
    acts_as: str = ""
    signals_all: bool = False
    actor_sees_all: bool = False
    member_of: frozenset[str] = frozenset()

    @property
    def missing_to_look(self) -> str:
        """The GRANT that the looking role lacks; empty where it has it."""
        return "" if self.sees_all else f"GRANT pg_monitor TO {quoted(self.looks_as)};"

    @property
    def missing_to_act(self) -> str:
        """The GRANT that the acting role lacks; empty where it has all, or nobody can tell."""
        if not self.acts_as:
            return ""
        wanted = (("pg_monitor", self.actor_sees_all), ("pg_signal_backend", self.signals_all))
        missing = [role for role, has in wanted if not has]
        return f"GRANT {', '.join(missing)} TO {quoted(self.acts_as)};" if missing else ""

    def against(self, seen: Seen) -> Shown | None:
        """Why the acting role may not signal this session; None where it may. A role may signal its own sessions and those
        of roles it is a member of without any further right."""
        if not self.missing_to_act or seen.user in self.member_of:
            return None
        return clean(f"{self.acts_as} may not: {self.missing_to_act}")


async def read_rights(session: Session, login: str) -> Rights:
    """The rights, by asking as the role that looks; `login` is the one that acts. Raises ProbeError."""
    row = await session.one(statement("rights"), {"login": login})
    return Rights(
        looks_as=row["looks_as"],
        sees_all=bool(row["sees_all"]),
        acts_as=row["acts_as"] or "",
        signals_all=bool(row["signals_all"]),
        actor_sees_all=bool(row["actor_sees_all"]),
        member_of=frozenset(row["member_of"] or ()),
    )


def quoted(name: str) -> str:
    """A role's name as SQL takes it."""
    plain = name.isidentifier() and name == name.lower() and name.isascii()
    return name if plain else '"' + name.replace('"', '""') + '"'


def cannot_end(seen: Seen, rights: Rights | None) -> Shown | None:
    """Why a session is not ours to cancel or terminate, whatever it does; None where it is."""
    if seen.is_ours:
        return Shown("it is one of Watchfloor's own")
    if seen.hidden:
        missing = f": {rights.missing_to_look}" if rights and rights.missing_to_look else ""
        return clean(f"we do not see what it does{missing}")
    if not seen.is_client:
        return clean(f"it is no client but a {seen.kind}")
    if seen.superuser or seen.replication:
        return clean(f"{seen.user} is a {'superuser' if seen.superuser else 'replication role'}: not from here")
    return rights.against(seen) if rights else None


def cannot_cancel(seen: Seen, rights: Rights | None) -> Shown | None:
    """Why a session's statement cannot be cancelled now; None where it can."""
    if (reason := cannot_end(seen, rights)) is not None:
        return reason
    if seen.in_idle_transaction:
        return Shown("a cancel has no effect: it runs nothing, but holds its transaction open. T ends it")
    return None if seen.is_active else clean(f"a cancel has no effect: it is {seen.state}")
