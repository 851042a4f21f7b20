"""The stack's ports: a usual one goes to one stack alone, and one that is closed for a while is not lost to another."""

from __future__ import annotations

import socket
import sys

import pytest

from tui.demo import ports


def reached(port: int) -> bool:
    try:
        socket.create_connection((ports.HOST, port), 5).close()
    except ConnectionRefusedError:
        return False
    return True


@pytest.fixture
def usual() -> int:
    """A number that was free just now."""
    with ports.listen() as server:
        return ports.number(server)


def test_of_two_that_want_one_port_in_the_same_moment_each_has_its_own(usual: int) -> None:
    """Both may bind it, as long as neither listens."""
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind((ports.HOST, usual))
        with ports.listen(usual) as first, ports.listen(usual) as second:
            assert ports.number(first) == usual != ports.number(second)
            assert reached(ports.number(first)) and reached(ports.number(second))


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a closed port is anybody's")
@pytest.mark.parametrize("wanted", [False, True])
def test_a_hushed_port_refuses_and_is_nobody_elses(usual: int, wanted: bool) -> None:
    with ports.listen(usual if wanted else 0) as server:
        port = ports.number(server)
        assert reached(port)
        hushed = ports.hushed(server)
        assert not reached(port)
        with ports.listen(port) as other:
            assert ports.number(other) != port
        assert not reached(port)
        with ports.loud(hushed) as again:
            assert ports.number(again) == port and reached(port)
