"""Many small health endpoints, each on a port of its own, in a process of its own: `python -m tests.bench.servers COUNT`.

Prints the first port as its first line; the others follow it in order. Raw asyncio, so that it costs the measurement little.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys

BODY = {"status": "pass", "checks": [{"component": "database", "status": "pass"}], "release": "r1", "environment": "bench"}


def answer(delay_variation: float) -> bytes:
    body = json.dumps(BODY).encode()
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, vary: float) -> None:
    reply = answer(vary)
    try:
        while True:
            await reader.readuntil(b"\r\n\r\n")
            if vary:
                await asyncio.sleep(0.02 * random.uniform(1 - vary, 1 + vary))
            writer.write(reply)
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


async def main(count: int, vary: float) -> None:
    servers = []
    for _ in range(count):
        servers.append(await asyncio.start_server(lambda r, w: serve(r, w, vary), "127.0.0.1", 0))
    print(*(server.sockets[0].getsockname()[1] for server in servers), flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), float(sys.argv[2]) if len(sys.argv) > 2 else 0.0))
