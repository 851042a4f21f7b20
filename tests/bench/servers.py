"""Many small health endpoints, each on a port of its own, in a process of its own.

    python -m tests.bench.servers COUNT [SECONDS [VARIATION]]

Prints the ports as its first line. Each answer takes so many seconds, more or less by the variation (0.2 is ±20 %). Raw
asyncio, so that it costs the measurement little.
"""

from __future__ import annotations

import asyncio
import json
import random
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

BODY = json.dumps({"status": "pass", "checks": [{"component": "database", "status": "pass"}], "release": "r1"}).encode()
REPLY = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(BODY), BODY)


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, seconds: float, variation: float) -> None:
    """One connection, for as long as it is kept."""
    try:
        while True:
            await reader.readuntil(b"\r\n\r\n")
            if seconds:
                await asyncio.sleep(seconds * random.uniform(1 - variation, 1 + variation))
            writer.write(REPLY)
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


async def main(count: int, seconds: float, variation: float) -> None:
    """Serves until ended."""
    servers = [await asyncio.start_server(lambda r, w: serve(r, w, seconds, variation), "127.0.0.1", 0) for _ in range(count)]
    print(*(server.sockets[0].getsockname()[1] for server in servers), flush=True)
    await asyncio.Event().wait()


@contextmanager
def endpoints(count: int, seconds: float = 0.0, variation: float = 0.0) -> Iterator[list[str]]:
    """The URLs of so many running endpoints."""
    argv = [sys.executable, "-m", "tests.bench.servers", str(count), str(seconds), str(variation)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield [f"http://127.0.0.1:{port}/health" for port in process.stdout.readline().split()]
        finally:
            process.kill()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3])))
