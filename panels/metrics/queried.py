"""Figures asked of a Prometheus server. A query that fails costs its own figure; a server that does, costs them all.

`[]`, NaN, ±Inf and answers with warnings (a store did not answer) are *no data*. At the first look the last hour is asked once,
for the sparklines, beside the figures and never before them.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from time import monotonic
from typing import TYPE_CHECKING

from msgspec import Struct, field

from tui.engine.clock import ahead_of_ours
from tui.engine.connections import Tools
from tui.engine.panel import Target
from tui.engine.reading import ProbeError, series_key
from tui.engine.text import Shown, clean
from tui.engine.units import show_duration, show_ratio

from .config import MetricsConfig
from .figures import Figures, Route, share
from .promql import queries

if TYPE_CHECKING:
    from tui.engine.prometheus import Answer, PrometheusClient, Series

BACK, STEP = 3600.0, 15.0
"""The last hour, in steps that a sparkline can use."""
CLOCK_OFF = 2.0
"""Seconds by which another clock may differ before it counts."""
ROUTES_READ = 2000
_ONE = ("requests", "error_rate", "p50", "p95", "p99")
_SIGNALS = {"requests": "request_rate"}


class _Told(Struct):
    """The answers of one look, and what is to be said of them."""

    answers: Mapping[str, Answer | ProbeError]
    notes: list[Shown] = field(default_factory=list)

    def one(self, name: str) -> float | None:
        """The number that a query gave."""
        answer = self._answer(name)
        if answer is None or not answer.series:
            return None
        if len(answer.series) > 1:
            self.notes.append(clean(f"{name}: {len(answer.series)} series where one is needed: aggregate, sum(…)"))
            return None
        return answer.series[0].value

    def empty(self, name: str) -> bool:
        """Whether Prometheus answered that there is no such series."""
        answer = self._whole(name)
        return answer is not None and not answer.series

    def told_all(self, name: str) -> bool:
        """Whether what is not in the answer is not there."""
        answer = self._whole(name)
        return answer is not None and len(answer.series) <= ROUTES_READ

    def _whole(self, name: str) -> Answer | None:
        """An answer that lacks nothing: it is one, and every store had a say."""
        answer = self.answers.get(name)
        return None if answer is None or isinstance(answer, ProbeError) or answer.warnings else answer

    def by(self, name: str, *labels: str) -> dict[tuple[str, ...], float | None]:
        """The numbers that a query gave, by label values."""
        answer = self._answer(name)
        series: Sequence[Series] = answer.series if answer else ()
        if len(series) > ROUTES_READ:  # Prometheus lists them in no order: of each answer the same ones are taken
            series = sorted(series, key=lambda each: sorted(each.labels.items()))[:ROUTES_READ]
        return {tuple(each.labels.get(label, "") for label in labels): each.value for each in series}

    def _answer(self, name: str) -> Answer | None:
        """The answer; None, and a note, where there is none or it may lack something."""
        answer = self.answers.get(name)
        if isinstance(answer, ProbeError):
            self.notes.append(clean(f"{name}: {answer.failure.says}"))
            return None
        if answer is not None and answer.warnings:
            self.notes.append(clean(f"{name}: Prometheus warns: {answer.warnings[0]}"))
            return None
        return answer


class Queried:
    """One Prometheus server, asked for one service's figures."""

    def __init__(self, config: MetricsConfig) -> None:
        self._config = config
        asked = queries(config)
        self._queries = {name: getattr(asked, name) for name in asked.__struct_fields__ if getattr(asked, name)}
        self._queries |= {f"tile {each.name}": each.query for each in config.tiles}
        self._past: asyncio.Task[None] | None = None

    async def look(self, target: Target, tools: Tools) -> Figures:
        """Asks everything at once. Raises ProbeError where the server, or the rate of requests, has no answer."""
        assert self._config.prometheus is not None
        client = tools.prometheus(self._config.prometheus, self._config.http())
        until, asked = monotonic() + target.deadline, tools.clock.utc()
        told = _Told(await self._ask_all(client, until))
        failures = [each for each in told.answers.values() if isinstance(each, ProbeError)]
        if isinstance(told.answers["requests"], ProbeError):
            raise told.answers["requests"]
        if len(failures) == len(told.answers):
            raise failures[0]
        offset = self._offset(told, asked, tools)
        figures = self._figures(told, offset)
        if self._past is None and figures.request_rate is not None and tools.history is not None:
            self._past = asyncio.ensure_future(self._fill(client, target, tools, offset))
        return figures

    async def _ask_all(self, client: PrometheusClient, until: float) -> dict[str, Answer | ProbeError]:
        """Every query's answer, or why it has none."""

        async def one(query: str) -> Answer | ProbeError:
            try:
                return await client.instant(query, deadline=until - monotonic())
            except ProbeError as error:
                return error

        answers = await asyncio.gather(*(one(query) for query in self._queries.values()))
        return dict(zip(self._queries, answers, strict=True))

    def _figures(self, told: _Told, offset: float) -> Figures:
        """The answers as figures."""
        values = {name: told.one(name) for name in _ONE}
        if values["error_rate"] is None and values["requests"] and told.empty("error_rate"):
            values["error_rate"] = 0.0
            told.notes.append(Shown("error_rate gave no series: counted as no errors, because requests are there"))
        tiles = {each.name: told.one(f"tile {each.name}") for each in self._config.tiles}
        empty = [name for name in self._queries if name in values.keys() - {"error_rate"} or name.startswith("tile ")]
        empty = [name for name in empty if told.empty(name) and (values["requests"] != 0 or name.startswith("tile "))]
        routes = self._routes(told)
        complete = not told.notes and not empty
        if empty:
            told.notes.append(clean(f"no series for {', '.join(empty)}: nothing counted yet? Else mend names, job or window"))
        reached = told.one("targets") if "targets" in told.answers else 1.0
        if reached is not None and reached < 1:
            complete = complete and reached > 0
            told.notes.append(clean(f"Prometheus reaches {show_ratio(reached, 0)} of the targets of job {self._config.job}"))
        if offset:
            way = "ahead of" if offset > 0 else "behind"
            told.notes.append(clean(f"Prometheus's clock is {show_duration(abs(offset))} {way} ours"))
        return Figures(
            request_rate=values["requests"],
            error_rate=values["error_rate"],
            p50=values["p50"],
            p95=values["p95"],
            p99=values["p99"],
            routes=tuple(routes),
            tiles=tiles,
            notes=tuple(dict.fromkeys(told.notes)),
            complete=complete,
            over=self._config.window,
        )

    def _routes(self, told: _Told) -> list[Route]:
        """The routes' figures, put together from three answers."""
        labels = self._config.labels
        route, method = labels.route, labels.method
        rates: dict[str, float] = {}
        methods: dict[str, set[str]] = {}
        tiers: dict[str, str] = {}
        for (name, how, tier), rate in told.by("routes_rate", route, method, labels.tier).items():
            tiers[name] = tier or tiers.get(name, "")
            rates[name] = rates.get(name, 0.0) + (rate or 0.0)
            methods.setdefault(name, set()).add(how)
        errors = {name: value for (name,), value in told.by("routes_errors", route).items()}
        p95 = {name: value for (name,), value in told.by("routes_p95", route).items()}
        # Errors that stand under no route are some route's: then nobody knows which routes are well.
        known = told.told_all("routes_errors") and not (errors.get("") and len(errors) == 1)
        return [
            Route(
                name,
                rate,
                share(errors.get(name, 0.0) if known else None, rate),
                p95.get(name),
                tuple(sorted(methods[name] - {""})),
                tiers[name],
            )
            for name, rate in rates.items()
            if name
        ]

    def _offset(self, told: _Told, asked: float, tools: Tools) -> float:
        """How far the server's clock is ahead of ours, in seconds; 0 where it is about right. `asked` at that UTC second."""
        answer = told.answers["requests"]
        if isinstance(answer, ProbeError) or not answer.series or not answer.series[0].points:
            return 0.0
        offset = ahead_of_ours(answer.series[0].points[0][0], asked, tools.clock.utc())
        return offset if abs(offset) > CLOCK_OFF else 0.0

    async def _fill(self, client: PrometheusClient, target: Target, tools: Tools, offset: float) -> None:
        """The last hour of each gauge, once. What does not come is done without."""
        end = tools.clock.utc() + offset
        keys = {name: series_key(_SIGNALS.get(name, name)) for name in _ONE if name in self._queries}
        keys |= {f"tile {each.name}": series_key(each.signal, (("name", each.name),)) for each in self._config.tiles}
        for name, key in keys.items():
            with contextlib.suppress(ProbeError):
                answer = await client.over(self._queries[name], start=end - BACK, end=end, step=STEP, deadline=target.deadline)
                if len(answer.series) == 1 and tools.history is not None:
                    points = [(at - offset, value) for at, value in answer.series[0].points]
                    tools.history.backfill(target.panel, key, points)
