"""Figures read straight from a service's `/metrics` page: they are there also when Prometheus is the thing that is down.

Rates need two looks. The first question therefore looks twice, about a second apart, so that a new screen has figures at once;
from then on the window grows to its configured length.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from time import monotonic

from tui.engine.connections import Tools
from tui.engine.http import HttpClient
from tui.engine.http_answer import Fetched, retry_after
from tui.engine.panel import Target
from tui.engine.reading import no_answer
from tui.engine.text import Shown, clean
from tui.engine.threads import in_daemon_thread
from tui.engine.units import show_duration

from .config import MetricsConfig, Tile
from .counters import Growth
from .figures import Figures, Route, share
from .page import Page, Series
from .quantile import histogram_quantile
from .window import Names, Passed, Window, together

SECOND_LOOK = 1.0
"""Seconds between the two looks of the first question."""
INTERVALS_IN_WINDOW = 2.5
"""A window holds at least two looks, however rarely they are taken."""
ACCEPT = {"accept": "text/plain; version=0.0.4, text/plain; q=0.5", "cache-control": "no-cache"}
RATES_LATER = Shown("rates after the next poll")


class Scraped:
    """One page, read again and again."""

    def __init__(self, config: MetricsConfig, interval: float) -> None:
        self._config = config
        metrics, labels = config.metrics, config.labels
        bucket = f"{metrics.duration}_bucket" if metrics.duration else ""
        tiled = {each.metric for each in config.tiles if each.metric}
        self._page = Page({metrics.requests, metrics.errors, bucket, *tiled} - {""})
        self._growth = Growth()
        names = Names(metrics.requests, metrics.errors, bucket, labels.route, labels.status, labels.method, labels.tier)
        self._window = Window(names, max(config.window, INTERVALS_IN_WINDOW * interval))
        self._values: dict[str, float] = {}
        self._types: Mapping[str, str] = {}

    async def look(self, target: Target, tools: Tools) -> Figures:
        """Reads the page; at first twice. Raises ProbeError where it cannot be read."""
        until = monotonic() + target.deadline
        first = self._window.passed is None
        await self._read(target, tools, until)
        took = target.deadline - (until - monotonic())
        if first and self._window.passed is None and until - monotonic() > SECOND_LOOK + 2 * took + 0.2:
            await tools.clock.sleep(SECOND_LOOK)
            await self._read(target, tools, until)
        return self._figures()

    async def _read(self, target: Target, tools: Tools, until: float) -> None:
        """One look at the page, into the window."""
        assert self._config.scrape is not None
        client = tools.http(f"{target.panel}/{target.name}", self._config.http())
        fetched = await client.fetch("GET", self._config.scrape, deadline=until - monotonic(), headers=ACCEPT)
        at = tools.clock.boottime()
        _check(fetched, client)
        samples, types = await in_daemon_thread(
            lambda: (self._page.read(fetched.body, until - monotonic()), self._page.types(fetched.body)), "watchfloor-page"
        )
        self._types = types
        grown = self._growth.since_last(samples)
        self._values, tiles = self._tiled(samples), self._tiled(grown)
        self._window.add(at, grown, tiles)

    def _tiled(self, samples: Mapping[Series, float]) -> dict[str, float]:
        """The sums of each tile's series, and of those that it is a share of, where there are any."""
        metrics = {each.metric for each in self._config.tiles}
        few = [(series, value) for series, value in samples.items() if series.name in metrics] if metrics else []
        wanted = [(tile.name, tile, tile.where) for tile in self._config.tiles]
        wanted += [(_whole(tile), tile, tile.of) for tile in self._config.tiles if tile.of is not None]
        return {name: sum(found) for name, tile, labels in wanted if (found := _of(tile, labels, few))}

    def _figures(self) -> Figures:
        """What the window says."""
        seconds, metrics = self._window.passed, self._config.metrics
        missing = [] if self._there(metrics.requests) else [f"no {metrics.requests} on the page"]
        if metrics.duration and not self._there(f"{metrics.duration}_bucket"):
            missing.append(f"no histogram {metrics.duration} on the page")
        notes = tuple(clean(f"{each}: name yours in [panel.metrics]") for each in missing)
        tiles = {each.name: self._tile(each, seconds) for each in self._config.tiles}
        notes += tuple(
            clean(f"no {each.metric} for {each.name}") for each in self._config.tiles if each.name not in self._values
        )
        if not seconds:
            return Figures(tiles=tiles, notes=(RATES_LATER, *notes), complete=False)
        by_route = self._window.by_route()
        whole = together(by_route)
        counts = self._there(metrics.requests)
        routes = [self._route(name, each, seconds) for name, each in by_route.items() if name or len(by_route) == 1]
        return Figures(
            request_rate=whole.requests / seconds if counts else None,
            error_rate=share(self._errors(whole), whole.requests) if counts else None,
            p50=histogram_quantile(0.5, whole.buckets),
            p95=histogram_quantile(0.95, whole.buckets),
            p99=histogram_quantile(0.99, whole.buckets),
            routes=tuple(routes),
            tiles=tiles,
            notes=notes,
            complete=not notes,
            over=seconds,
        )

    def _there(self, name: str) -> bool:
        """Whether the page has a metric: also one that is declared and has no series yet, because nothing happened yet."""
        declared = (name, name.removesuffix("_total"), name.removesuffix("_bucket"))
        return name in self._window.seen or any(each in self._types for each in declared)

    def _errors(self, passed: Passed) -> float:
        """The failed requests: the error counter's, where there ever was one, else those with a 5xx status."""
        return passed.errors if self._config.metrics.errors in self._window.seen else passed.failed

    def _errors_of_route(self, passed: Passed) -> float | None:
        """The same for one route; None where the error counter does not tell routes apart, nor requests their status."""
        if self._config.metrics.errors not in self._window.seen or self._window.errors_tell_route:
            return self._errors(passed)
        return passed.failed if self._window.tells_status else None

    def _route(self, name: str, passed: Passed, seconds: float) -> Route:
        """One route's figures."""
        return Route(
            name or "(all)",
            passed.requests / seconds,
            share(self._errors_of_route(passed), passed.requests),
            histogram_quantile(0.95, passed.buckets),
            tuple(sorted(self._window.methods.get(name, ()))),
            self._window.tiers.get(name, ""),
        )

    def _tile(self, tile: Tile, seconds: float | None) -> float | None:
        """A counter's rate, or the sum of what it says now; or its share of a larger sum."""
        summed = self._window.tile if self._counts(tile) else self._values.get
        found = summed(tile.name)
        if tile.of is not None:
            return share(found, summed(_whole(tile)))
        if not self._counts(tile):
            return found
        return found / seconds if found is not None and seconds else None

    def _counts(self, tile: Tile) -> bool:
        """Whether a tile's metric only grows: the page says so (OpenMetrics leaves `_total` out of the name), else its name."""
        name = tile.metric or ""
        kind = self._types.get(name) or self._types.get(name.removesuffix("_total"))
        return kind == "counter" if kind else name.endswith(("_total", "_count", "_bucket"))


def _whole(tile: Tile) -> str:
    """What the sum is called that a tile is a share of; no tile has a space in its name."""
    return f"{tile.name} whole"


def _of(tile: Tile, labels: Mapping[str, str], samples: Sequence[tuple[Series, float]]) -> list[float]:
    """The values of a tile's series with these labels."""
    wanted = set(labels.items())
    return [value for series, value in samples if series.name == tile.metric and wanted <= set(series.labels)]


def _check(fetched: Fetched, client: HttpClient) -> None:
    """Raises ProbeError for what is no page: refused, limited, somebody's HTML, broken off."""
    if fetched.status in (401, 403):
        client.forget_secrets()
        says = f"HTTP {fetched.status}: it refuses our credentials"
        raise no_answer("rights", says, "mend `headers` in the config", refused=True)
    if fetched.status == 429:
        wait = retry_after(fetched.headers)
        wish = f", wants {show_duration(wait)} between" if wait else ""
        raise no_answer("status", f"HTTP 429: it limits us{wish}", "raise `interval`", refused=True, retry_after=wait)
    if fetched.status != 200:
        raise no_answer("status", f"HTTP {fetched.status} in place of a metrics page", "is the path right? Look at its logs")
    if fetched.content_type == "text/html" or fetched.body.lstrip()[:1] in (b"<", b"[") or fetched.body[:2] == b'{"':
        raise no_answer("contract", "no metrics page: HTML or JSON", "name the page's URL, usually …/metrics")
    measured = "content-length" in fetched.headers or "transfer-encoding" in fetched.headers
    if not measured and not fetched.body.endswith(b"\n"):
        raise no_answer("body", "the page breaks off", "look at what stands in between")
