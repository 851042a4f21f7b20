"""CPU per poll at many endpoints, each asked once a second: `python -m tests.bench.polling bare|ours SECONDS URL…`.

`bare` is an httpx client per origin on a shared TLS context and the same schedule, reading and parsing the body; `ours` is the
whole engine with its rules, history and snapshots. Prints milliseconds of CPU per poll.
"""

from __future__ import annotations

import asyncio
import json
import resource
import ssl
import sys
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tui.engine.poller import Job
    from tui.engine.setup import Setup

WARM_UP = 3.0


def cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


async def bare(urls: list[str], seconds: float) -> float:
    import httpx

    context = ssl.create_default_context()
    limits = httpx.Limits(max_connections=2, max_keepalive_connections=1)
    polls = 0

    async def keep(url: str, wait: float) -> None:
        nonlocal polls
        await asyncio.sleep(wait)
        async with httpx.AsyncClient(verify=context, limits=limits) as client:
            while True:
                answer = await client.get(url)
                assert json.loads(answer.content)["status"] == "pass"
                polls += 1
                await asyncio.sleep(1.0)

    tasks = [asyncio.create_task(keep(url, place / len(urls))) for place, url in enumerate(urls)]
    return await measured(lambda: polls, seconds, tasks)


async def ours(urls: list[str], seconds: float) -> float:
    from tui.engine.engine import Engine
    from tui.engine.feed import Level

    engine = Engine(setup(urls), Level.WATCH)
    polls = 0
    taken = engine.poller._taken

    def count(job: Job) -> None:
        nonlocal polls
        polls += 1
        taken(job)

    engine.poller._taken = count
    async with engine.session():
        return await measured(lambda: polls, seconds, [asyncio.create_task(engine.watch())])


def setup(urls: list[str], deadline: float = 5.0) -> Setup:
    """A config with all endpoints, as a person would write it, read as the program reads it."""
    import tempfile
    from pathlib import Path

    from tui.config import load

    with tempfile.NamedTemporaryFile("w", suffix=".toml") as file:
        file.write(config(urls, "1s", deadline))
        file.flush()
        return load(Path(file.name)).setup


def config(urls: list[str], interval: str, deadline: float = 5.0) -> str:
    """A health panel on the URLs, each of which has so many seconds to answer."""
    tables = "".join(f'[[panel.endpoint]]\nname = "e{place}"\nurl = "{url}"\n' for place, url in enumerate(urls))
    head = f'[watchfloor]\nname = "bench"\nenvironment = "test"\ninterval = "{interval}"\n'
    return f'{head}[[panel]]\nkind = "health"\ndeadline = "{deadline}s"\n{tables}'


async def measured(polls: Callable[[], int], seconds: float, tasks: list[asyncio.Task[None]]) -> float:
    """Milliseconds of CPU per poll over so many seconds, after a warm-up."""
    await asyncio.sleep(WARM_UP)
    before, counted = cpu(), polls()
    await asyncio.sleep(seconds)
    used, done = cpu() - before, polls() - counted
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return 1000 * used / done


if __name__ == "__main__":
    which: Callable[[list[str], float], Coroutine[Any, Any, float]] = bare if sys.argv[1] == "bare" else ours
    print(asyncio.run(which(sys.argv[3:], float(sys.argv[2]))))
