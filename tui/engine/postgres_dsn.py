"""From a DSN as a person writes it to what libpq is given: services read, names resolved, our own settings added.

Names are looked up here and passed as `hostaddr` (libpq and asyncio's default executor would both block); the `host` stays,
as pgpass and certificates go by it.
"""

from __future__ import annotations

import configparser
import getpass
import os
from pathlib import Path

import psycopg
from msgspec import Struct
from psycopg.conninfo import conninfo_to_dict

from .postgres_words import UNREADABLE, failure
from .reading import Status
from .resolver import NameNotFound, addresses
from .secrets import SecretError, SecretText

APPLICATION = "watchfloor"
"""How our sessions are called in pg_stat_activity, whatever the DSN says: so that we know our own."""
_ALWAYS = {"application_name": APPLICATION}
_UNLESS_GIVEN = {
    "keepalives": "1",
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "15000",
    "gssencmode": "disable",  # libpq would look for Kerberos servers, blocking
}
ONE_ADDRESS = 30
SEVERAL_ADDRESSES = 3
"""Seconds for one address: where others are left to try, a black-holed IPv6 must not cost everything."""


class Destination(Struct, frozen=True):
    """Where to connect, and as whom. `parameters` go to libpq as they are and may hold the password."""

    parameters: dict[str, str]
    login: str
    where: str

    def __repr__(self) -> str:
        return f"Destination({self.login}@{self.where})"


async def destination(dsn: SecretText) -> Destination:
    """The DSN revealed, completed and resolved. Raises DatabaseError where it cannot be read or a name has no address."""
    parameters = await _read(dsn)
    hosts = parameters.get("host", os.environ.get("PGHOST", "")).split(",")
    ports = (parameters.get("port") or os.environ.get("PGPORT") or "5432").split(",")
    where = f"{hosts[0] or 'the local socket'}:{ports[0]}"
    if "hostaddr" not in parameters and any(hosts):
        parameters |= await _resolved(hosts, ports)
    several = "," in parameters.get("hostaddr", "")
    parameters.setdefault("connect_timeout", str(SEVERAL_ADDRESSES if several else ONE_ADDRESS))
    return Destination({**_UNLESS_GIVEN, **parameters, **_ALWAYS}, _login(parameters), where)


async def login(dsn: SecretText) -> str:
    """The role as which the DSN logs in. Raises DatabaseError where it cannot be read."""
    return _login(await _read(dsn))


def _login(parameters: dict[str, str]) -> str:
    return parameters.get("user") or os.environ.get("PGUSER") or getpass.getuser()


async def _read(dsn: SecretText) -> dict[str, str]:
    """The DSN's parameters, those of its service under them. Its own error would quote the password, so none is passed on."""
    try:
        text = await dsn.reveal()
    except SecretError as error:
        raise failure("config", str(error), "", Status.UNKNOWN) from None
    try:
        parameters = {name: str(value) for name, value in conninfo_to_dict(text).items()}
    except psycopg.Error:
        hint = "write postgresql://user@host:5432/database; special characters in its parts as %40, %2F"
        raise failure("config", UNREADABLE, hint, Status.UNKNOWN) from None
    service = parameters.pop("service", "") or os.environ.get("PGSERVICE", "")
    file = parameters.pop("servicefile", "") or os.environ.get("PGSERVICEFILE", "~/.pg_service.conf")
    return {**_service(service, file), **parameters} if service else parameters


def _service(name: str, file: str) -> dict[str, str]:
    """A service's parameters from its file, as libpq would find them. Raises DatabaseError."""
    found = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        found.read_string(Path(file).expanduser().read_text(encoding="utf-8"))
        return dict(found[name])
    except (OSError, UnicodeError, configparser.Error, KeyError):
        raise failure(
            "config", f'there is no service "{name}" in {file}', "add it, or set PGSERVICEFILE", Status.UNKNOWN
        ) from None


async def _resolved(hosts: list[str], ports: list[str]) -> dict[str, str]:
    """Every address of every host, with host and port beside each, as libpq wants parallel lists. Sockets stay as they are."""
    triples: list[tuple[str, str, str]] = []
    problem = ""
    for place, host in enumerate(hosts):
        port = ports[place] if place < len(ports) else ports[0]
        if host.startswith(("/", "@")) or not host:
            triples.append((host, "", port))
            continue
        try:
            triples += [(host, address, port) for address in await addresses(host, int(port))]
        except (NameNotFound, ValueError) as error:
            problem = str(error)
    if not triples:
        raise failure("DNS", f"{', '.join(hosts)}: {problem}", "check the name, DNS and VPN", Status.UNKNOWN)
    host, address, port = (",".join(column) for column in zip(*triples, strict=True))
    return {"host": host, "hostaddr": address, "port": port} if address.strip(",") else {"host": host, "port": port}
