"""Loopback ports: the stack's usual ones where they are free, any other where they are not."""

import socket
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
            server.bind((HOST, port))
        except OSError:
            server.close()
            continue
        server.listen(128)
        server.setblocking(False)
        return server
    raise OSError("no free port on 127.0.0.1")


def free(preferred: int = 0) -> int:
    """A port for a program that opens it by itself. It may be taken before that: be ready to ask again."""
    with listen(preferred) as server:
        return number(server)


def number(server: socket.socket) -> int:
    return int(server.getsockname()[1])
