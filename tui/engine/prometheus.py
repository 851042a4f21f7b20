"""One Prometheus server through prometheus-api-client: instant and range queries, each within a deadline.

The library blocks and knows neither a whole deadline nor a size, so each question runs in a daemon thread that the exit
never waits for, on one of a few lines (`prometheus_line.py`) that is taken again only when its thread has really ended: a
server that hangs costs four threads, not one a poll. Thanos, Mimir and VictoriaMetrics answer the same questions.

    ProbeError            no answer: unreachable, hanging, our rights, no Prometheus (phase and hint say which)
    └── QueryError        it answers, but not this query: a mistake in it (400), it cannot be computed (422), too slow (503)
"""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import Callable, Mapping
from time import monotonic
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from .http import HttpSettings
from .reading import Failure, ProbeError, no_answer
from .secrets import SecretError, SecretText
from .text import Shown, clean
from .threads import in_daemon_thread
from .units import show_duration

if TYPE_CHECKING:
    from .prometheus_line import Line

IN_FLIGHT = 4
"""Questions that one server is asked at the same time: it runs 20 by default, for everybody."""
OWN_SHARE = 0.9
"""Prometheus is told to give up at this share of the deadline, so that it says so itself and frees its own means."""


class QueryError(ProbeError):
    """This query has no answer though the server is well; `failure.says` is Prometheus's own message."""


class Series(Struct, frozen=True):
    """One series of an answer: raw labels, and (UTC seconds by the server's clock, value) points, oldest first. The value is
    None for NaN and ±Inf, and for what is no float (a native histogram)."""

    labels: Mapping[str, str]
    points: tuple[tuple[float, float | None], ...]

    @property
    def value(self) -> float | None:
        """The newest value."""
        return self.points[-1][1] if self.points else None


class Answer(Struct, frozen=True):
    """What a query gave. `warnings` mean that something may be missing (a store that did not answer)."""

    series: tuple[Series, ...]
    warnings: tuple[Shown, ...] = ()


class Access(Struct, frozen=True):
    """How a server is reached, secrets in clear: what a line is made from, and made anew when it changes."""

    url: str
    headers: tuple[tuple[str, str], ...]
    proxy: str | None
    settings: HttpSettings

    def __repr__(self) -> str:
        return "Access(…)"  # it holds secrets, and a dataclass would print them


class PrometheusClient:
    """The client of one server. Lives in one event loop."""

    def __init__(self, url: SecretText, settings: HttpSettings) -> None:
        self._url = url
        self._settings = settings
        self._free: asyncio.Queue[_Slot] = asyncio.Queue()
        for number in range(IN_FLIGHT):
            self._free.put_nowait(_Slot(number))

    async def instant(self, query: str, *, deadline: float) -> Answer:
        """The query's value now, by the server's clock, within `deadline` seconds. Raises ProbeError, QueryError."""
        return await self._ask(lambda line, seconds: line.instant(query, _own(deadline), seconds), deadline)

    async def over(self, query: str, *, start: float, end: float, step: float, deadline: float) -> Answer:
        """The query's values from `start` to `end` (UTC seconds), each `step` seconds. Raises ProbeError, QueryError."""
        return await self._ask(lambda line, seconds: line.over(query, start, end, step, _own(deadline), seconds), deadline)

    async def _ask(self, call: Callable[[Line, float], tuple[Any, list[str]]], deadline: float) -> Answer:
        """One question on a free line; when time is up the thread runs on unheard, and keeps its line until it ends."""
        until = monotonic() + deadline
        access = await self._access()
        slot = None
        try:
            async with asyncio.timeout_at(asyncio.get_running_loop().time() + until - monotonic()):
                slot = await self._free.get()
                work = slot.worker(call, access, until, self._free)
                result, warnings = await in_daemon_thread(work, f"watchfloor-prometheus-{slot.number}")
        except TimeoutError:
            raise _late(deadline, hanging=slot is None) from None
        except ProbeError as error:
            if error.failure.phase == "rights":
                self._forget()
            raise
        try:
            return Answer(_series(result), tuple(clean(each, 200) for each in warnings[:3]))
        except (LookupError, TypeError, ValueError, AttributeError):
            raise no_answer("contract", "answers, but not as Prometheus does", "is it Prometheus's root URL?") from None

    async def _access(self) -> Access:
        """The settings with every secret in its place. Raises ProbeError."""
        made = self._settings
        try:
            headers = tuple([(name, await text.reveal()) for name, text in made.headers.items()])
            proxy = await made.proxy.reveal() if made.proxy else None
            return Access(await self._url.reveal(), headers, proxy, made)
        except SecretError as error:
            raise no_answer("config", str(error), "set it, or mend its reference in the config") from None

    def _forget(self) -> None:
        """After a refusal secrets are read anew."""
        self._url.forget()
        for text in self._settings.headers.values():
            text.forget()

    async def close(self) -> None:
        """Ends its connections; what still hangs ends with the process."""
        with contextlib.suppress(asyncio.QueueEmpty):
            while True:
                self._free.get_nowait().close()


class _Slot:
    """A line and what it was made from; made anew when a secret changed."""

    def __init__(self, number: int) -> None:
        self.number = number
        self._line: Line | None = None
        self._made_from: Access | None = None

    def worker(
        self,
        call: Callable[[Line, float], tuple[Any, list[str]]],
        access: Access,
        until: float,
        free: asyncio.Queue[_Slot],
    ) -> Callable[[], tuple[Any, list[str]]]:
        """The blocking call for a thread; gives the slot back when it has really ended."""
        loop = asyncio.get_running_loop()

        def work() -> tuple[Any, list[str]]:
            try:
                return call(self._ready(access), until - monotonic())
            finally:
                with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
                    loop.call_soon_threadsafe(free.put_nowait, self)

        return work

    def _ready(self, access: Access) -> Line:
        """The line, made in the thread: its imports take a fifth of a second."""
        if self._line is None or self._made_from != access:
            from .prometheus_line import Line

            self.close()
            self._line, self._made_from = Line(access), access
        return self._line

    def close(self) -> None:
        """Ends its connection."""
        if self._line is not None:
            self._line.close()
            self._line = None


def _own(deadline: float) -> str:
    """The deadline that Prometheus is told, in its own spelling."""
    return f"{max(1, round(deadline * OWN_SHARE * 1000))}ms"


def _late(deadline: float, *, hanging: bool) -> ProbeError:
    """Why nothing came in time."""
    says = f"nothing more within {show_duration(deadline)}"
    if hanging:
        says = f"{IN_FLIGHT} earlier questions still wait for an answer"
    return no_answer("deadline", says, "Prometheus is slow, hangs, or cannot be reached: look at its load")


def _series(result: Any) -> tuple[Series, ...]:
    """The series of a result of any type. Raises what a wrong shape raises."""
    if isinstance(result, list) and len(result) == 2 and not isinstance(result[0], dict):
        return (Series({}, (_point(result),)),)  # a scalar, or a string
    return tuple(
        Series({str(name): str(value) for name, value in each["metric"].items()}, tuple(map(_point, _points(each))))
        for each in result
    )


def _points(each: dict[str, Any]) -> list[Any]:
    """A series' samples; native histograms stand apart and are no number."""
    if "values" in each:
        return list(each["values"])
    return [each["value"]] if "value" in each else []


def _point(pair: Any) -> tuple[float, float | None]:
    """One sample: the value stands there as text, because of NaN."""
    at, text = pair
    value = float(text)
    return float(at), value if math.isfinite(value) else None


def query_error(phase: str, says: str, hint: str) -> QueryError:
    """A `QueryError` from Prometheus's own message, cleaned here."""
    return QueryError(Failure(phase, clean(says, 300), clean(hint)))
