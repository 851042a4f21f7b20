"""The test server itself: what the fixture promises, shown once."""

import psycopg
import pytest

from tests.servers.postgres import Server, start_postgres


def test_a_fresh_database_has_statistics_and_every_role_logs_in(postgres: Server) -> None:
    with psycopg.connect(postgres.new_database("fresh")) as connection:
        assert connection.execute("SELECT count(*) >= 0 FROM pg_stat_statements").fetchone() == (True,)
    for role in ("watch", "ops", "app", "nobody"):
        with psycopg.connect(postgres.dsn(role, "fresh")) as connection:
            assert connection.execute("SELECT current_user").fetchone() == (role,)


def test_watch_sees_and_ops_signals(postgres: Server) -> None:
    has = "SELECT pg_has_role('pg_read_all_stats', 'USAGE'), pg_has_role('pg_signal_backend', 'USAGE')"
    rights = {}
    for role in ("watch", "ops", "app"):
        with psycopg.connect(postgres.dsn(role)) as connection:
            rights[role] = connection.execute(has).fetchone()
    assert rights == {"watch": (True, False), "ops": (True, True), "app": (False, False)}


def test_a_server_of_ones_own_can_be_paused_crashed_and_stopped() -> None:
    with start_postgres(max_connections=10, preload=False) as server:
        server.new_database("kept")
        server.pause()
        assert not server.answers()
        server.resume()
        assert server.answers()
        server.crash()
        assert not server.answers()
        server.start()
        with psycopg.connect(server.dsn("app", "kept")) as connection:
            assert connection.execute("SHOW max_connections").fetchone() == ("10",)
            server.stop()
            with pytest.raises(psycopg.OperationalError):
                connection.execute("SELECT 1")
