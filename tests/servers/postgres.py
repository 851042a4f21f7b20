"""A real PostgreSQL for tests: Debian's binaries, loopback TCP, a temporary folder, gone with the test run.

The fixture `postgres` is one server for the whole run: give each test a database of its own with `new_database`.
A test that breaks its server asks for its own one:

    with start_postgres(max_connections=20) as server:
        server.pause()

Roles: `postgres` (superuser), `watch` (pg_monitor), `ops` (pg_monitor, pg_signal_backend), `app` (plain) and `nobody`
(no rights). All log in without a password, from this machine alone.
"""

import os
import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import psycopg
import pytest
from psycopg import sql

from tests.servers.children import HOST, end_with_parent, port_of_its_own
from tests.waiting import LONG, eventually

ROLES = """
    CREATE ROLE watch LOGIN;
    GRANT pg_monitor TO watch;
    CREATE ROLE ops LOGIN;
    GRANT pg_monitor, pg_signal_backend TO ops;
    CREATE ROLE app LOGIN;
    CREATE ROLE nobody LOGIN;
"""
EXTENSION = "CREATE EXTENSION IF NOT EXISTS pg_stat_statements"


@dataclass(frozen=True)
class Server:
    """One server: where it is, how to log in, and the faults a test can put it through."""

    folder: Path
    binaries: Path
    port: int
    settings: tuple[tuple[str, str], ...]
    host: str = HOST
    _processes: list[subprocess.Popen[bytes]] = field(default_factory=list, repr=False, compare=False)

    @property
    def superuser(self) -> str:
        """The superuser's DSN, database `postgres`."""
        return self.dsn("postgres")

    def dsn(self, user: str, dbname: str = "postgres") -> str:
        return f"postgresql://{user}@{self.host}:{self.port}/{dbname}"

    def new_database(self, name: str) -> str:
        """Makes an empty database, with `pg_stat_statements` where it is preloaded; gives the superuser's DSN of it."""
        with psycopg.connect(self.superuser, autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        dsn = self.dsn("postgres", name)
        if self._preloads_statistics:
            with psycopg.connect(dsn, autocommit=True) as connection:
                connection.execute(EXTENSION)
        return dsn

    def start(self) -> None:
        """Starts it (again) on the same port and data, and returns when it takes connections."""
        arguments = [f"--{name}={value}" for name, value in self.settings]
        with (self.folder / "log").open("ab") as log:
            process = subprocess.Popen(
                [self.binaries / "postgres", "-D", self.folder / "data", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                preexec_fn=end_with_parent(signal.SIGINT),
                user=_owner(),
                group=_owner(),
            )
        self._processes.append(process)
        eventually(
            lambda: self.answers() or process.poll() is not None, says=lambda: f"PostgreSQL does not answer:\n{self.log()}"
        )
        assert process.poll() is None, f"PostgreSQL did not start:\n{self.log()}"

    def answers(self, within: float = 1.0) -> bool:
        """Whether it takes a connection now."""
        with suppress(psycopg.OperationalError):
            psycopg.connect(self.superuser, connect_timeout=max(2, round(within))).close()
            return True
        return False

    def stop(self) -> None:
        """Fast shutdown: sessions are told `terminating connection due to administrator command`."""
        self._end(signal.SIGINT)

    def crash(self) -> None:
        """The whole server is gone at once, as by the kernel's out-of-memory killer. `start` recovers it."""
        killed = self._signal_all(signal.SIGKILL)
        self._reap()
        # One that has its memory still would keep the next from starting.
        eventually(lambda: not any(map(_lives, killed)), says="it does not end")

    def pause(self) -> None:
        """It still holds its connections and port, and answers nothing, until `resume`."""
        self._signal_all(signal.SIGSTOP)

    def resume(self) -> None:
        self._signal_all(signal.SIGCONT)

    def restart(self) -> None:
        self.stop()
        self.start()

    def log(self) -> str:
        """What the server has logged so far."""
        return (self.folder / "log").read_text(errors="replace")

    @property
    def _preloads_statistics(self) -> bool:
        return "pg_stat_statements" in dict(self.settings).get("shared_preload_libraries", "")

    def _end(self, how: signal.Signals) -> None:
        self.resume()
        for process in self._processes:
            if process.poll() is None:
                process.send_signal(how)
        self._reap()

    def _reap(self) -> None:
        for process in self._processes:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                self._signal_all(signal.SIGKILL)
                process.wait()
        self._processes.clear()

    def _signal_all(self, which: signal.Signals) -> list[psutil.Process]:
        """The postmaster stops before any other hears of it, so that it neither notices nor replaces a child. Gives all."""
        found = []
        for process in self._processes:
            with suppress(psutil.NoSuchProcess):
                postmaster = psutil.Process(process.pid)
                if which is not signal.SIGCONT:
                    _stop(postmaster)
                found += [postmaster, *postmaster.children(recursive=True)]
        for each in found:
            with suppress(psutil.NoSuchProcess):
                each.send_signal(which)
        return found


@contextmanager
def start_postgres(
    *, max_connections: int = 60, preload: bool = True, settings: dict[str, str] | None = None
) -> Iterator[Server]:
    """A server of one's own, removed afterwards. `preload=False` leaves `pg_stat_statements` out."""
    binaries = find_binaries()
    folder = Path(tempfile.mkdtemp(prefix="wf-pg-", dir="/tmp"))
    port = port_of_its_own()
    server = Server(folder, binaries, port, _settings(port, max_connections, preload, settings or {}))
    try:
        _initialise(server)
        server.start()
        with psycopg.connect(server.superuser, autocommit=True) as connection:
            connection.execute(ROLES)
            if preload:
                connection.execute(EXTENSION)
        yield server
    finally:
        server._end(signal.SIGQUIT)  # its data go with it: nothing is to be written out first
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """One PostgreSQL for the whole run. Do not stop it, and fill only databases of your own."""
    with start_postgres() as server:
        yield server


@pytest.fixture
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server has time for each of our statements: where it stands still with the machine, that is not what is tested."""
    monkeypatch.setattr("tui.engine.postgres.SLOWEST_STATEMENT", LONG)


def find_binaries() -> Path:
    """The newest PostgreSQL that Debian installed; without one the test is skipped, and says what to install."""
    found = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/postgres")]
    if not found:
        pytest.skip("NO POSTGRESQL: nothing in /usr/lib/postgresql/*/bin. Install it: apt-get install postgresql")
    return max(found, key=lambda path: [int(part) for part in re.findall(r"\d+", path.parent.name)])


def _initialise(server: Server) -> None:
    """Fills its folder: a copy of one that was made before, because making one takes a second and a half of a core."""
    _give_to_owner(server.folder)
    argv = ["cp", "-a", str(_made_before(server.binaries)), str(server.folder / "data")]
    subprocess.run(argv, check=True, capture_output=True, user=_owner(), group=_owner())


def _made_before(binaries: Path) -> Path:
    """A data folder as `initdb` of these binaries leaves it, kept from run to run."""
    version = (binaries / "postgres").stat().st_mtime_ns
    kept = Path("/tmp") / f"watchfloor-tests-cluster-{os.geteuid()}-{version}"
    if (kept / "global" / "pg_control").exists():
        return kept
    if kept.exists():  # somebody tidied up
        shutil.rmtree(kept)
    with tempfile.TemporaryDirectory(prefix="wf-initdb-", dir="/tmp") as folder:
        _give_to_owner(Path(folder))
        new = Path(folder) / "data"
        subprocess.run(
            [
                *(binaries / "initdb", "-D", new, "-U", "postgres"),
                *("--auth=trust", "--no-sync", "--encoding=UTF8", "--no-locale", "--no-instructions"),
            ],
            check=True,
            capture_output=True,
            cwd=folder,
            user=_owner(),
            group=_owner(),
        )
        with suppress(OSError):  # another process was faster
            new.rename(kept)
    return kept


def _stop(process: psutil.Process) -> None:
    process.send_signal(signal.SIGSTOP)
    stands = (psutil.STATUS_STOPPED, psutil.STATUS_ZOMBIE)
    eventually(lambda: process.status() in stands, says="it does not stop", each=0.005)


def _lives(process: psutil.Process) -> bool:
    """Whether it is more than an entry that nobody has taken note of."""
    with suppress(psutil.NoSuchProcess):
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    return False


def _give_to_owner(folder: Path) -> None:
    if (owner := _owner()) is not None:
        shutil.chown(folder, owner, owner)


def _settings(port: int, max_connections: int, preload: bool, more: dict[str, str]) -> tuple[tuple[str, str], ...]:
    settings = {
        "listen_addresses": HOST,
        "port": str(port),
        "unix_socket_directories": "",
        "max_connections": str(max_connections),
        "shared_preload_libraries": "pg_stat_statements" if preload else "",
        "shared_buffers": "16MB",
        "fsync": "off",
        "synchronous_commit": "off",
        "full_page_writes": "off",
        "max_wal_size": "256MB",
        "log_line_prefix": "%m [%p] ",
        "logging_collector": "off",
    }
    return tuple((settings | more).items())


def _owner() -> str | None:
    """PostgreSQL refuses to run as root: as root it runs as Debian's user `postgres`."""
    return "postgres" if os.geteuid() == 0 else None
