"""The metrics page as text: what is taken of it, what is refused, and what a hostile one can do."""

import math
from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Counter, Metric, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from panels.metrics.page import SERIES_KEPT, Page, Series
from tests.waiting import LONG, Stopwatch
from tui.engine.reading import ProbeError, labels_of

REQUESTS = "http_requests_total"
ANY = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


def read(body: bytes, *wanted: str, seconds: float = LONG) -> dict[Series, float]:
    return Page(wanted or (REQUESTS,)).read(body, seconds)


def series(name: str, **labels: str) -> Series:
    return Series(name, labels_of(labels))


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(st.tuples(ANY, ANY), st.integers(0, 10**12), max_size=6))
def test_reads_what_prometheus_client_writes_whatever_the_labels_hold(counts: dict[tuple[str, str], int]) -> None:
    registry = CollectorRegistry()
    counter = Counter("http_requests", "Requests.", ("route", "status"), registry=registry)
    for (route, status), count in counts.items():
        counter.labels(route, status).inc(count)
    body = generate_latest(registry)
    found = read(body)
    assert found == {series(REQUESTS, route=route, status=status): float(count) for (route, status), count in counts.items()}
    page = Page([REQUESTS])
    assert page.read(body, LONG) == page.read(body, LONG) == found  # a series known by its text is the same series


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(tail: bytes) -> None:
    """Never an exception of another kind: a defect would be the panel's end."""
    try:
        found = read(b"http_requests_total{" + tail)
    except ProbeError as error:
        assert error.failure.phase == "contract"
    else:
        assert all(not math.isnan(value) for value in found.values())


def test_takes_only_what_is_wanted() -> None:
    body = b"""# HELP http_requests_total Requests.
# TYPE http_requests_total counter
http_requests_total{route="/a"} 3
http_requests_totally_else{route="/a"} 9
other_total 7
this line is broken but nobody asked for it {{{ \xff\xfe
http_requests_total{route="/b"} NaN
  http_requests_total{route="/c", le="}"} 1e3 1795230732000
http_requests_total 5 # {trace_id="x"} 0.67
http_requests_total{route="/d"} +Inf\r
"""
    assert read(body) == {
        series(REQUESTS, route="/a"): 3.0,
        series(REQUESTS, route="/c", le="}"): 1000.0,
        series(REQUESTS): 5.0,
        series(REQUESTS, route="/d"): math.inf,
    }


@pytest.mark.parametrize(
    "line",
    [
        b'http_requests_total{route="/a} 3',
        b'http_requests_total{route="/a"} many',
        b'http_requests_total{route="/a"} 1_000',
        b'http_requests_total{route="/a"}',
        b'http_requests_total{route="/a",route="/b"} 1',
        b"http_requests_total{route=/a} 1",
        b'http_requests_total{route="' + b"x" * 20_000 + b'"} 1',
    ],
)
def test_a_wanted_line_that_cannot_be_read_is_named(line: bytes) -> None:
    """To leave it out would look like a counter that fell to nothing."""
    with pytest.raises(ProbeError, match="line 2 is no metric") as caught:
        read(b'http_requests_total{route="/ok"} 1\n' + line + b"\n")
    assert len(caught.value.failure.says) < 200


def test_bidi_and_escapes_in_a_broken_line_are_made_visible() -> None:
    with pytest.raises(ProbeError) as caught:
        read('http_requests_total{route="\x1b[2J\u202e"} no\n'.encode())
    assert "\x1b" not in caught.value.failure.says and "\u202e" not in caught.value.failure.says


def test_a_page_of_too_many_series_is_refused_however_much_time_there_is() -> None:
    lines = [b'http_requests_total{route="/user/%d"} 1' % number for number in range(SERIES_KEPT + 100)]
    with pytest.raises(ProbeError, match="series of the wanted metrics") as caught:
        read(b"\n".join(lines), seconds=math.inf)
    assert "name routes, not URLs" in caught.value.failure.hint


def test_reading_ends_in_time_whatever_the_page() -> None:
    """Escaped quotes are what the parser is slowest at."""
    line = b'http_requests_total{route="%d' + b'\\"' * 8000 + b'"} 1\n'
    body = b"".join(line % number for number in range(400))
    watch = Stopwatch()
    with pytest.raises(ProbeError, match="too long to read in time"):
        read(body, seconds=0.3)
    assert watch.took < 5


def test_a_big_page_costs_what_is_wanted_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """8 MB of which 600 lines are wanted: the parser is given these alone, and the second time none."""
    parsed: list[str] = []

    def noted(text: str) -> Iterable[Metric]:
        parsed.append(text)
        return text_string_to_metric_families(text)

    monkeypatch.setattr("prometheus_client.parser.text_string_to_metric_families", noted)
    wanted = b"".join(b'http_requests_total{route="/r/%d"} %d\n' % (number, number) for number in range(600))
    body = b"".join(b'go_threads_of_something_else{number="%d"} 12\n' % number for number in range(150_000)) + wanted
    page = Page([REQUESTS])
    assert len(page.read(body, LONG)) == 600
    assert len(parsed) == 600 and all(len(text) < 50 for text in parsed)
    assert len(page.read(body, LONG)) == 600
    assert len(parsed) == 600


def test_says_what_kind_a_metric_is() -> None:
    body = b"# TYPE pool_in_use gauge\n# TYPE jobs counter\n# HELP x y\njobs_total 3\n"
    assert Page.types(body) == {"pool_in_use": "gauge", "jobs": "counter"}
