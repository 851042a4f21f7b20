"""Loopback ports: the stack's usual ones where they are free, any other where they are not."""

import socket
import sys
from typing import Final

HOST: Final = "127.0.0.1"
WEB: Final = 7410
DEPLOYMENTS: Final = 7411
POSTGRES: Final = 7412
MEDIA: Final = 7413


def listen(preferred: int = 0) -> socket.socket:
    """A listening socket on the preferred port, else on a free one. Nobody can take it in between."""
    for port in (preferred, 0):
        server = socket.socket()
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            server.bind((HOST, port or _any()))
            server.listen(128)  # another stack may have bound the port in the same moment: one of the two may listen
        except OSError:
            server.close()
            continue
        server.setblocking(False)
        return server
    raise OSError("no free port on 127.0.0.1")


def hushed(server: socket.socket) -> socket.socket:
    """The port with nobody listening on it: whoever connects is refused, and, where the system can, nobody else gets it."""
    if sys.platform == "linux":
        server.shutdown(socket.SHUT_RDWR)
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 0)
        return server
    port, held = number(server), socket.socket()
    server.close()
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    held.bind((HOST, port))
    return held


def loud(server: socket.socket) -> socket.socket:
    """A hushed port, listening again."""
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.listen(128)
    server.setblocking(False)
    return server


def _any() -> int:
    """The number of a port that was free just now: a socket that was bound to no number in particular loses it once it is
    hushed."""
    with socket.socket() as server:
        server.bind((HOST, 0))
        return number(server)


def free(preferred: int = 0) -> int:
    """A port for a program that opens it by itself. It may be taken before that: be ready to ask again."""
    with listen(preferred) as server:
        return number(server)


def number(server: socket.socket) -> int:
    return int(server.getsockname()[1])
