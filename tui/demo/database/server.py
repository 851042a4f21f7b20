"""Starts the stack's PostgreSQL and makes its roles, tables and past.

It listens on loopback TCP alone, with a generated password for every role (a socket's path would be too long for some
home folders, and out of reach for the lent user). The data are thrown away, so nothing is synced to disk.
"""

import asyncio
import secrets
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Final

import psycopg
from psycopg import AsyncConnection, sql

from tui.demo import ports
from tui.demo.child import Child
from tui.demo.database import binaries
from tui.demo.errors import DemoError
from tui.demo.folder import Folder

NAME: Final = "shop"
ROLES: Final = ("postgres", "watch", "ops", "shop_api", "shop_worker")
MAX_CONNECTIONS: Final = 60
QUOTA: Final = 24 << 20
"""Bytes that the database may come to; about half of it is used at the start."""
RESERVED: Final = 1
"""Kept for the superuser; few, so that a full server is full for a monitor as well."""
STARTS_WITHIN: Final = 15.0

SETTINGS: Final = {
    "listen_addresses": ports.HOST,
    "unix_socket_directories": "",
    "max_connections": str(MAX_CONNECTIONS),
    "superuser_reserved_connections": str(RESERVED),
    "shared_buffers": "24MB",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "256MB",
    "autovacuum_naptime": "30s",
    "jit": "off",
    "max_parallel_workers_per_gather": "0",
    "log_line_prefix": "%m [%p] ",
}


@dataclass
class Database:
    """A running PostgreSQL: where it is and who may log in."""

    port: int
    passwords: dict[str, str]
    keeper: Child = field(repr=False)

    def dsn(self, role: str, dbname: str = NAME, password: str | None = None) -> str:
        """For `role`; `password` may stand in for the real one, where the DSN is to be written down."""
        return f"postgresql://{role}:{password or self.passwords[role]}@{ports.HOST}:{self.port}/{dbname}"

    async def connect(self, role: str, name: str, dbname: str = NAME) -> AsyncConnection:
        """A connection in autocommit that calls itself `name`."""
        return await AsyncConnection.connect(self.dsn(role, dbname), autocommit=True, application_name=name)

    @asynccontextmanager
    async def session(self, role: str = "postgres", dbname: str = NAME) -> AsyncIterator[AsyncConnection]:
        """One connection for one deed, in autocommit. The superuser gets in even when the server is full."""
        async with await self.connect(role, "psql", dbname) as connection:
            yield connection


async def start(folder: Folder, keeper: Child, seed: int, *, bundled: bool) -> Database:
    """From nothing to a server with cliply's tables and a day of history."""
    user = await asyncio.to_thread(binaries.lent_user)
    place = folder.path if user is None else await asyncio.to_thread(_place_for, user)
    keeper.tell({"remove": [str(place), str(folder.path), str(folder.link)]})
    found = await asyncio.to_thread(binaries.find, bundled=bundled)
    if user is not None:
        found = await asyncio.to_thread(binaries.within_reach, found, place / "programs")
    passwords = {role: secrets.token_hex(16) for role in ROLES}
    await _initialise(found.folder, place, user, passwords["postgres"])
    database = Database(0, passwords, keeper)
    await _run(database, found, place, user, folder.log("postgres"))
    await _fill(database, seed)
    return database


def _place_for(user: str) -> Path:
    """A folder that the lent user owns and reaches; root's own home is closed to it."""
    place = Path(tempfile.mkdtemp(prefix="watchfloor-"))
    shutil.chown(place, user)
    return place


async def _initialise(programs: Path, place: Path, user: str | None, password: str) -> None:
    word = place / "password"
    word.touch(0o600)
    word.write_text(password)
    if user is not None:
        shutil.chown(word, user)
    process = await asyncio.create_subprocess_exec(
        *(str(programs / "initdb"), "-D", str(place / "data"), "-U", "postgres", f"--pwfile={word}"),
        *("--auth=scram-sha-256", "--no-sync", "--encoding=UTF8", "--locale=C"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        cwd=place,
        user=user,
        group=None if user is None else binaries.group_of(user),
        extra_groups=None if user is None else [],
    )
    said, _ = await process.communicate()
    word.unlink()
    if process.returncode != 0:
        last = said.decode(errors="replace").strip().rpartition("\n")[2]
        raise DemoError(f"PostgreSQL could not make its files in {place}: {last}", "Is the disk full or read-only?")


async def _run(database: Database, found: binaries.Binaries, place: Path, user: str | None, log: Path) -> None:
    """Tries the usual port and the statistics library first; gives up either where it is not to be had."""
    for preload in ("",) if found.bundled else ("pg_stat_statements", ""):
        for database.port in (ports.free(ports.POSTGRES), ports.free()):
            settings = SETTINGS | {"port": str(database.port), "shared_preload_libraries": preload}
            arguments = [f"--{name}={value}" for name, value in settings.items()]
            argv = [str(found.folder / "postgres"), "-D", str(place / "data"), *arguments]
            database.keeper.tell({"argv": argv, "user": user, "log": str(log)})
            if await _answers(database):
                return
    raise DemoError(f"PostgreSQL from {found.folder} did not start: {_last(log)}", "Install another one, or try again")


async def _answers(database: Database) -> bool:
    """Whether it started: our password opens it (somebody else may have the port), or the keeper says that it ended."""
    ended = asyncio.create_task(database.keeper.hear())
    try:
        async with asyncio.timeout(STARTS_WITHIN):
            while not ended.done():
                with suppress(psycopg.OperationalError):
                    await (await AsyncConnection.connect(database.dsn("postgres", "postgres"))).close()
                    return True
                await asyncio.sleep(0.03)
    except TimeoutError:
        return False
    finally:
        ended.cancel()
    return False


async def _fill(database: Database, seed: int) -> None:
    async with database.session(dbname="postgres") as connection:
        for role in ROLES[1:]:
            create = sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}")
            await connection.execute(create.format(sql.Identifier(role), sql.Literal(database.passwords[role])))
        await connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(NAME)))
    async with database.session() as connection:
        await connection.execute(_read("schema.sql"))
        await connection.execute("SELECT setseed(%s)", [(seed % 1000) / 1000])
        await connection.execute(_read("history.sql"))
        offered = "SELECT FROM pg_available_extensions WHERE name = 'pg_stat_statements'"
        preloaded = await (await connection.execute("SHOW shared_preload_libraries")).fetchone()
        if preloaded != ("",) and (await connection.execute(offered)).rowcount:
            await connection.execute("CREATE EXTENSION pg_stat_statements")


def _last(log: Path) -> str:
    return log.read_text(errors="replace").strip().rpartition("\n")[2]


def _read(name: str) -> bytes:
    """One of our own SQL files."""
    return files("tui.demo.database").joinpath(name).read_bytes()
