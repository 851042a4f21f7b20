"""What the config says of other systems' alerts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Literal

from pydantic import Field, model_validator

from tui.engine.alert import Severity
from tui.engine.http import HttpSettings
from tui.engine.panel import PanelConfig, Wanted
from tui.engine.secrets import SecretUrl

EVERY = 10.0
"""Seconds between two looks where the config says nothing: rules are evaluated no oftener."""
USUAL: Mapping[str, Severity] = {
    **dict.fromkeys(("p0", "emergency", "disaster", "page", "sev1"), "P0"),
    **dict.fromkeys(("p1", "critical", "error", "high", "major", "sev2"), "P1"),
    **dict.fromkeys(("p2", "warning", "warn", "medium", "minor", "sev3"), "P2"),
    **dict.fromkeys(("p3", "low", "info", "notice", "none"), "P3"),
}
"""What severities are usually called, in lower case."""
UNSAID: Severity = "P2"
"""The severity of an alert that says none, or one that nobody explained."""


class AlertsConfig(PanelConfig, HttpSettings):
    """The `[[panel]]` of kind `alerts`."""

    kind: Literal["alerts"] = "alerts"
    alertmanager: SecretUrl | None = None
    """An Alertmanager, by its address up to `/api` (`http://alertmanager:9093`): its alerts and silences are shown, and
    silences can be made there."""
    prometheus: SecretUrl | None = None
    """A Prometheus whose own firing rules are shown, where there is no Alertmanager."""
    severity_label: str = "severity"
    """The label that says how bad an alert of theirs is."""
    severities: dict[str, Severity] = Field(default_factory=dict)
    """What its values mean, beside the usual (`critical` is P1, `warning` P2, `info` P3; P2 where it says nothing known):
    `{ page = "P0" }`."""
    only: dict[str, str] = Field(default_factory=dict)
    """Labels that an alert of theirs must have to be shown, by value or pattern: `{ cluster = "prod-*" }`."""

    __hash__ = HttpSettings.__hash__

    @model_validator(mode="after")
    def _one_source(self) -> AlertsConfig:
        if self.alertmanager and self.prometheus:
            raise ValueError("an Alertmanager or a Prometheus: what a Prometheus fires, its Alertmanager has")
        return self

    def severity(self, labels: Mapping[str, str]) -> Severity:
        """How bad an alert with these labels is."""
        said = labels.get(self.severity_label, "")
        return self.severities.get(said) or USUAL.get(said.strip().lower(), UNSAID)

    def wants(self, labels: Mapping[str, str]) -> bool:
        """Whether an alert with these labels is shown."""
        return all(fnmatchcase(labels.get(name, ""), pattern) for name, pattern in self.only.items())


def sources(config: AlertsConfig) -> Sequence[Wanted]:
    """The source as a target; none where only ours are shown."""
    if config.alertmanager:
        return (Wanted("alertmanager", config.alertmanager),)
    return (Wanted("prometheus", config.prometheus),) if config.prometheus else ()


def holds_silences(config: AlertsConfig) -> bool:
    """Whether the source holds silences."""
    return config.alertmanager is not None


def interval(config: AlertsConfig) -> float | None:
    """Seconds between two looks; None where the panel says its own."""
    return None if config.interval else EVERY
