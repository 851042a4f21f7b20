"""Watchfloor's own crashes, reported where the config says: nowhere unless `[sentry] dsn` is set.

Nothing that identifies the machine or what is watched leaves with them: no locals, no source, no host name, no arguments, no
breadcrumbs of requests; and every text in a report is redacted by value, message and all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tui import __version__
from tui.engine.redact import redact
from tui.engine.secrets import SecretText

if TYPE_CHECKING:
    from sentry_sdk._types import MonitorConfig

FLUSH_WITHIN = 1.0
"""Seconds that the exit waits for a report to leave: quitting takes two at most."""

EACH_MINUTE: MonitorConfig = {
    "schedule": {"type": "interval", "value": 1, "unit": "minute"},
    "timezone": "UTC",
    "checkin_margin": 2,
    "max_runtime": 1,
    "failure_issue_threshold": 2,
    "recovery_threshold": 1,
}
"""When a check-in is due, in Sentry's words (minutes); sent along, so that nobody needs to make the monitor by hand."""


async def start(dsn: SecretText, environment: str) -> None:
    """Reports uncaught errors from now on. Raises SecretError where the DSN cannot be read, ValueError where it is none."""
    import sentry_sdk  # late: 280 ms that only a configured report is worth
    from sentry_sdk.integrations.atexit import AtexitIntegration
    from sentry_sdk.integrations.dedupe import DedupeIntegration
    from sentry_sdk.integrations.excepthook import ExcepthookIntegration
    from sentry_sdk.integrations.threading import ThreadingIntegration
    from sentry_sdk.utils import BadDsn

    try:
        sentry_sdk.init(
            dsn=await dsn.reveal(),
            environment=environment,
            release=f"watchfloor@{__version__}",
            # The defaults take the arguments, the modules, log lines, requests and SQL along.
            default_integrations=False,
            auto_enabling_integrations=False,
            integrations=[
                AtexitIntegration(callback=lambda pending, timeout: None),  # its own prints onto the screen
                DedupeIntegration(),
                ExcepthookIntegration(),
                ThreadingIntegration(),
            ],
            include_local_variables=False,
            include_source_context=False,
            server_name="",
            auto_session_tracking=False,
            send_client_reports=False,
            max_breadcrumbs=20,
            shutdown_timeout=FLUSH_WITHIN,
            before_send=lambda event, hint: _scrubbed(event),
            before_breadcrumb=lambda crumb, hint: _scrubbed(crumb),
        )
    except BadDsn:
        raise ValueError("[sentry] dsn is no DSN: expected https://KEY@HOST/PROJECT") from None


def report(error: BaseException) -> None:
    """Reports an error that was caught; nothing where reporting is off."""
    import sys

    if sdk := sys.modules.get("sentry_sdk"):
        sdk.capture_exception(error)


def check_in(monitor: str, well: bool) -> None:
    """Tells the cron monitor of this name that the watcher is there, each minute; nothing where reporting is off. Where that
    stays away for three minutes, Sentry tells somebody."""
    import sys

    if "sentry_sdk" not in sys.modules:
        return
    from sentry_sdk.crons import capture_checkin

    capture_checkin(monitor_slug=monitor, status="ok" if well else "error", monitor_config=EACH_MINUTE)


def _scrubbed(value: Any) -> Any:
    """The same data with every text redacted; where a file lies on this machine is nobody's business."""
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, dict):
        return {redact(str(key)): _scrubbed(each) for key, each in value.items() if key != "abs_path"}
    if isinstance(value, (list, tuple)):
        return [_scrubbed(each) for each in value]
    return value
