"""A small HTTP service of the tests' own, each request in a thread: it listens until the end of the block and says nothing."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Handler(BaseHTTPRequestHandler):
    """What answers: `do_GET` and its like are the service's."""

    protocol_version = "HTTP/1.1"

    def reply(self, status: int, body: bytes, kind: str = "text/plain", **headers: str) -> None:
        """A whole answer; `retry_after` is the header `retry-after`."""
        self.send_response(status)
        for name, value in {"content-type": kind, **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        with suppress(OSError):  # who asked may have seen enough
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        return


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    """Of more than five at once the kernel would drop some while this process stands still: each tries again after a second."""

    def handle_error(self, request: object, client_address: object) -> None:
        return  # a client that breaks off is what some tests are about


@contextmanager
def listening(handler: type[Handler]) -> Iterator[int]:
    """Listens on loopback, on a port of its own, which it gives."""
    server = _Server(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
