"""The PromQL of each figure: the config's own, else made from the names of metrics and labels.

The share of errors takes the error counter; where that does not exist yet, requests with a 5xx status; where there is no such
label or none failed, zero, as long as requests are counted at all. So *no errors* is 0 and *no service* is nothing.
"""

from __future__ import annotations

from msgspec import Struct

from .config import MetricsConfig


class Asked(Struct, frozen=True):
    """The queries in force. `targets` is the share of the job's targets that Prometheus reaches; empty without a job."""

    requests: str
    error_rate: str
    p50: str
    p95: str
    p99: str
    routes_rate: str
    routes_errors: str
    routes_p95: str
    targets: str


def queries(config: MetricsConfig) -> Asked:
    """Every query, the config's own first."""
    own, names, labels = config.queries, config.metrics, config.labels
    route = labels.route
    told_by = ", ".join(filter(None, (route, labels.method, labels.tier)))
    requests, errors = _rate(config, names.requests), _rate(config, names.errors)
    failed = _rate(config, names.requests, f'{labels.status}=~"5.."')
    some = f"(sum({errors}) or sum({failed}) or 0 * sum({requests}))"
    return Asked(
        requests=own.requests or f"sum({requests})",
        error_rate=own.error_rate or f"{some} / sum({requests})",
        p50=own.p50 or _quantile(config, 0.5),
        p95=own.p95 or _quantile(config, 0.95),
        p99=own.p99 or _quantile(config, 0.99),
        routes_rate=own.routes_rate or f"sum by ({told_by}) ({requests})",
        routes_errors=own.routes_errors or f"sum by ({route}) ({errors}) or sum by ({route}) ({failed})",
        routes_p95=own.routes_p95 or _quantile(config, 0.95, route),
        targets=f"avg(up{{job={_quoted(config.job)}}})" if config.job else "",
    )


def _quantile(config: MetricsConfig, quantile: float, *by: str) -> str:
    """A quantile of the response times; nothing where the service has no histogram of them."""
    if not config.metrics.duration:
        return ""
    buckets = _rate(config, f"{config.metrics.duration}_bucket")
    return f"histogram_quantile({quantile:g}, sum by ({', '.join(('le', *by))}) ({buckets}))"


def _rate(config: MetricsConfig, metric: str, *matchers: str) -> str:
    """The rate of a counter over the window."""
    matched = ",".join(([f"job={_quoted(config.job)}"] if config.job else []) + list(matchers))
    return f"rate({metric}{f'{{{matched}}}' if matched else ''}[{max(1, round(config.window))}s])"


def _quoted(text: str) -> str:
    """A PromQL string."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
