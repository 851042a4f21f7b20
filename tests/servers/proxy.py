"""A TCP proxy between a client and a server, that a test can cut, stall or shut.

with start_proxy(server.port) as proxy:
    proxy.cut_after(200)    # the next connection ends after so many bytes from the client
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class Proxy:
    """Passes bytes both ways, each connection in threads of its own."""

    def __init__(self, upstream: int) -> None:
        self._upstream = upstream
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._left: int | None = None
        self._shut = False
        self._lock = threading.Lock()
        self.taken = 0
        """Connections so far."""
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """Every connection ends now, in both directions, without a word."""
        with self._lock:
            pairs, self._pairs = self._pairs, []
        for pair in pairs:
            for each in pair:
                with suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)

    def cut_after(self, received: int) -> None:
        """Every connection ends once so many more bytes have come from the client: those before have reached the server, the
        answers to the last ones may be lost."""
        with self._lock:
            self._left = received

    def shut(self) -> None:
        """Cuts, and ends every new connection at once, until `open`."""
        with self._lock:
            self._shut = True
        self.cut()

    def open(self) -> None:
        with self._lock:
            self._shut = False
            self._left = None

    def close(self) -> None:
        self._listener.close()
        self.cut()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if self._shut:
                client.close()
                continue
            self.taken += 1
            try:
                server = socket.create_connection(("127.0.0.1", self._upstream), timeout=5)
            except OSError:
                client.close()
                continue
            server.settimeout(None)
            with self._lock:
                shut = self._shut  # it may have been, meanwhile: what is not listed by then, nobody cuts
                if not shut:
                    self._pairs.append((client, server))
            if shut:
                client.close()
                server.close()
                continue
            for source, target, counted in ((client, server, True), (server, client, False)):
                threading.Thread(target=self._pass, args=(source, target, counted), daemon=True).start()

    def _pass(self, source: socket.socket, target: socket.socket, counted: bool) -> None:
        try:
            while data := source.recv(65536):
                target.sendall(data)
                if counted and self._used_up(len(data)):
                    self.cut()
                    return
        except OSError:
            pass
        finally:
            for each in (source, target):
                with suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)

    def _used_up(self, count: int) -> bool:
        with self._lock:
            if self._left is None:
                return False
            self._left -= count
            if self._left > 0:
                return False
            self._left = None
            return True


@contextmanager
def start_proxy(upstream: int) -> Iterator[Proxy]:
    proxy = Proxy(upstream)
    try:
        yield proxy
    finally:
        proxy.close()
