"""What the config says of deployments."""

from __future__ import annotations

from pathlib import Path
from string import Formatter
from typing import Literal

from pydantic import Field, field_validator

from tui.engine.http import HttpSettings
from tui.engine.panel import PanelConfig, Settings
from tui.engine.secrets import Secret, SecretText, SecretUrl

EVERY = 20.0
"""Seconds between two looks where the config says nothing: the API counts requests, and a deployment takes longer."""
PLACES = frozenset({"url", "id"})


class Vercel(Settings):
    """Where the deployments are, and who asks."""

    project: str = Field(pattern=r"^[A-Za-z0-9._-]+$", max_length=120)
    """The project's id (`prj_…`) or name."""
    token: Secret
    """A token that may read the project."""
    team: str = Field(default="", pattern=r"^[A-Za-z0-9_-]*$", max_length=120)
    """The team's id (`team_…`) or slug, where the project is a team's."""
    base: SecretUrl = Field(default_factory=lambda: SecretText("https://api.vercel.com", is_url=True))
    """Where the API is; another address for a look-alike."""
    ca: Path | None = None
    """A file of certificates to trust besides the system's."""
    proxy: SecretUrl | None = None
    """A proxy; the environment's (`HTTPS_PROXY`, `NO_PROXY`) where it is not given."""

    def http(self) -> HttpSettings:
        """How the API is reached."""
        return HttpSettings(ca=self.ca, proxy=self.proxy)

    def scope(self) -> dict[str, str]:
        """The parameter that names the team, on every call."""
        return {} if not self.team else {"teamId" if self.team.startswith("team_") else "slug": self.team}


class DeploysConfig(PanelConfig):
    """The `[[panel]]` of kind `deploys`."""

    kind: Literal["deploys"] = "deploys"
    vercel: Vercel
    """Vercel's project: `{ project = "prj_…", token = "env:VERCEL_TOKEN" }`."""
    limit: int = Field(default=20, ge=1, le=100)
    """How many deployments are listed."""
    target: Literal["production", "all"] = "production"
    """Which are listed: those for production, or previews too."""
    rollback_command: str = "vercel rollback {url}"
    """The command that the rollback hint offers; `{url}` and `{id}` are the deployment's. With a team, `--scope` is added to
    Vercel's own."""

    @field_validator("rollback_command")
    @classmethod
    def _places(cls, value: str) -> str:
        try:
            places = [place for place in Formatter().parse(value) if place[1] is not None]
        except ValueError as error:
            raise ValueError(f"not a command with places to fill: {error}") from None
        plain = all(name in PLACES and not form and not conversion for _, name, form, conversion in places)
        if not places or not plain:
            raise ValueError('expected a command with {url} or {id} in it, such as "vercel rollback {url}"')
        return value


def interval(config: DeploysConfig) -> float | None:
    """Seconds between two looks; None where the panel says its own."""
    return None if config.interval else EVERY
