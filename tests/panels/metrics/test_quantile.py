"""Quantiles as Prometheus computes them: by properties, by its documentation, and beside the real program."""

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from panels.metrics.quantile import histogram_quantile
from tests.servers.prometheus import serve_metrics, start_prometheus
from tests.waiting import eventually

bounds = st.lists(st.floats(0.001, 100, allow_nan=False), min_size=1, max_size=12, unique=True).map(sorted)
QUANTILES = st.floats(0.01, 1, allow_nan=False)


@st.composite
def histograms(draw: st.DrawFn) -> dict[float, float]:
    """Cumulative buckets that end with +Inf."""
    upper = [*draw(bounds), math.inf]
    total, found = 0.0, {}
    for bound in upper:
        total += draw(st.integers(0, 1000))
        found[bound] = total
    return found


@given(histograms(), QUANTILES)
def test_the_value_lies_in_the_bucket_in_which_the_rank_falls(buckets: dict[float, float], quantile: float) -> None:
    value = histogram_quantile(quantile, buckets)
    upper = sorted(buckets)
    if not buckets[math.inf]:
        assert value is None
        return
    assert value is not None
    rank = quantile * buckets[math.inf]
    holder = next(bound for bound in upper if buckets[bound] >= rank)
    if holder == math.inf:
        assert value == upper[-2]  # all that is known is that it is more than the largest bound
        return
    below = max((bound for bound in upper if bound < holder), default=0.0)
    assert below <= value <= holder or math.isclose(value, holder) or math.isclose(value, below)


@given(histograms(), QUANTILES, QUANTILES)
def test_a_higher_quantile_is_never_less(buckets: dict[float, float], one: float, other: float) -> None:
    low, high = sorted((one, other))
    at_low, at_high = histogram_quantile(low, buckets), histogram_quantile(high, buckets)
    assert (at_low is None) == (at_high is None)
    if at_low is not None and at_high is not None:
        assert at_low <= at_high or math.isclose(at_low, at_high)


@given(histograms(), QUANTILES, st.floats(0.001, 1000))
def test_rates_give_what_counts_give(buckets: dict[float, float], quantile: float, seconds: float) -> None:
    """Dividing every bucket by the window changes nothing (but for what rounding does on the edge of a bucket)."""
    rates = {bound: count / seconds for bound, count in buckets.items()}
    by_count, by_rate = histogram_quantile(quantile, buckets), histogram_quantile(quantile, rates)
    if by_count is None or by_rate is None:
        assert by_count == by_rate
        return
    rank = quantile * buckets[math.inf]
    assert math.isclose(by_count, by_rate, rel_tol=1e-6) or any(math.isclose(rank, count) for count in buckets.values())


def test_interpolates_as_the_documentation_says() -> None:
    buckets = {0.1: 10.0, 0.5: 30.0, 1.0: 40.0, math.inf: 40.0}
    assert histogram_quantile(0.5, buckets) == pytest.approx(0.3)  # rank 20: half of the second bucket
    assert histogram_quantile(0.25, buckets) == pytest.approx(0.1)
    assert histogram_quantile(0.1, buckets) == pytest.approx(0.04)  # the first bucket begins at zero


@pytest.mark.parametrize(
    "buckets",
    [{}, {math.inf: 10.0}, {0.1: 3.0, 1.0: 5.0}, {0.1: 0.0, math.inf: 0.0}],
    ids=["no bucket", "only +Inf", "no +Inf", "no observation"],
)
def test_what_prometheus_calls_nan_is_no_data(buckets: dict[float, float]) -> None:
    assert histogram_quantile(0.95, buckets) is None


def test_the_real_prometheus_says_the_same() -> None:
    """200 histograms of every kind, also with missing buckets and counts that fall, at five quantiles each."""
    rng = random.Random(7)
    cases: dict[str, dict[float, float]] = {}
    for number in range(200):
        upper = sorted(rng.sample([-1.0, 0.0, 0.005, 0.01, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0], rng.randint(0, 9)))
        total, counts = 0.0, cases.setdefault(str(number), {})
        for bound in [*upper, *([math.inf] if number % 9 else [])]:
            total += rng.choice([0, 0, 1, 7, 250.5, -3 if number % 7 == 0 else 2])
            counts[bound] = max(total, 0.0)
    with serve_metrics() as service, start_prometheus(service.port) as prometheus:
        service.page = b"".join(
            b'cases_bucket{case="%s",le="%s"} %r\n' % (case.encode(), _le(bound), count)
            for case, buckets in cases.items()
            for bound, count in buckets.items()
        )
        (seen,) = eventually(lambda: prometheus.query("count(cases_bucket)"))
        then = seen["value"][0]  # always asked of this moment: the next scrape may come late, and then there are none
        for quantile in (0.0, 0.5, 0.95, 0.99, 1.0):
            answers = prometheus.query(f"histogram_quantile({quantile}, cases_bucket @ {then})")
            theirs = {each["metric"]["case"]: float(each["value"][1]) for each in answers}
            for case, buckets in cases.items():
                ours, known = histogram_quantile(quantile, buckets), theirs.get(case, math.nan)
                assert ours == pytest.approx(known) if ours is not None else math.isnan(known), (case, quantile, buckets)


def _le(bound: float) -> bytes:
    return b"+Inf" if bound == math.inf else repr(bound).encode()
