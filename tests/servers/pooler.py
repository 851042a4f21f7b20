"""A real pgbouncer in front of a PostgreSQL, in transaction mode: each transaction may get another server connection.

with start_pooler(server) as pooler:
    f"postgresql://postgres@{pooler}/shop"
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
import pytest

from tests.servers.children import HOST, port_of_its_own
from tests.servers.postgres import Server
from tests.waiting import eventually


@contextmanager
def start_pooler(server: Server) -> Iterator[str]:
    """The pooler until the end of the block; gives `host:port`. Without the program the test is skipped, saying so."""
    program = shutil.which("pgbouncer") or "/usr/sbin/pgbouncer"
    if not Path(program).exists():
        pytest.skip("NO PGBOUNCER. Install it: apt-get install pgbouncer")
    folder = Path(tempfile.mkdtemp(prefix="wf-pool-", dir="/tmp"))
    port = port_of_its_own()
    (folder / "users").write_text('"postgres" ""\n')
    (folder / "pgbouncer.ini").write_text(
        f"[databases]\n* = host={server.host} port={server.port}\n"
        f"[pgbouncer]\nlisten_addr = {HOST}\nlisten_port = {port}\nunix_socket_dir =\npool_mode = transaction\n"
        f"auth_type = trust\nauth_file = {folder / 'users'}\nlogfile = {folder / 'log'}\npidfile = {folder / 'pid'}\n"
    )
    owner = "postgres" if os.geteuid() == 0 else None
    if owner:
        shutil.chown(folder, owner, owner)
    process = subprocess.Popen([program, "-q", folder / "pgbouncer.ini"], user=owner, group=owner, stderr=subprocess.DEVNULL)
    try:
        eventually(lambda: _connects(f"postgresql://postgres@{HOST}:{port}/postgres"))
        yield f"{HOST}:{port}"
    finally:
        process.terminate()
        process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _connects(dsn: str) -> bool:
    with suppress(psycopg.OperationalError), psycopg.connect(dsn, connect_timeout=30):
        return True
    return False
