"""What the config says of health endpoints."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, field_validator, model_validator

from tui.engine.http import HttpSettings
from tui.engine.panel import PanelConfig, Wanted
from tui.engine.secrets import SecretUrl
from tui.engine.units import Interval


class Endpoint(HttpSettings):
    """One endpoint; a bare URL in `endpoints` is one with all defaults."""

    name: str = Field(default="", max_length=60)
    """What it is called on screen and in rules; from the URL where it is not given."""
    url: SecretUrl
    """Where it is."""
    method: Literal["GET", "HEAD"] = "GET"
    """`HEAD` sees no body, so it can judge the status alone."""
    expect: Annotated[frozenset[int], Field(min_length=1)] = frozenset({200})
    """The HTTP statuses that count as up."""
    contract: Literal["auto", "status"] = "auto"
    """`auto` reads the reply in every known shape; `status` judges the HTTP status alone."""
    healthy: str = ""
    """An expression (JMESPath) over the JSON reply that is true when it is up, for shapes that `auto` does not know."""
    redirects: bool = True
    """Whether redirects are followed (three at the most) or are themselves the answer."""
    interval: Interval | None = None
    """How often it is asked; the panel's where it is not given."""
    deadline: Interval | None = None
    """How long an answer may take; the panel's where it is not given."""
    failures: int | None = Field(default=None, ge=1, le=10)
    """How often in a row it must fail before it is failing; the panel's where it is not given."""
    depends_on: str = ""
    """Another endpoint of this panel: while that one fails, this one is folded under it."""

    __hash__ = HttpSettings.__hash__

    @field_validator("healthy")
    @classmethod
    def _compiles(cls, value: str) -> str:
        if value:
            import jmespath  # only where an expression is used

            try:
                jmespath.compile(value)
            except jmespath.exceptions.JMESPathError as error:
                raise ValueError(f"not a JMESPath expression: {error}") from None
        return value

    def label(self) -> str:
        """The name, or one from the URL: the last piece of its path, else its host."""
        if self.name:
            return self.name
        host, _, path = self.url.source.partition("://")[2].partition("/")
        last = path.partition("?")[0].rstrip("/").rpartition("/")[2]
        return last or host.rpartition("@")[2]


def _as_written(schema: dict[str, Any]) -> None:
    """For editors: `endpoints` may hold bare URLs, and each `[[panel.endpoint]]` is one more."""
    table = schema["properties"]["endpoints"]["items"]
    schema["properties"]["endpoints"]["items"] = {"anyOf": [{"type": "string"}, table]}
    schema["properties"]["endpoint"] = {"type": "array", "items": table, "description": "An endpoint, and how it is asked."}


class HealthConfig(PanelConfig):
    """The `[[panel]]` of kind `health`."""

    model_config = ConfigDict(json_schema_extra=_as_written)

    kind: Literal["health"] = "health"
    endpoints: tuple[Endpoint, ...] = ()
    """The endpoints: URLs, or tables (`[[panel.endpoint]]`) where more is to be said."""
    failures: int = Field(default=1, ge=1, le=10)
    """How often in a row an endpoint must fail before it is failing."""
    known_good: tuple[str, ...] = ()
    """`host:port` addresses that always answer. When an endpoint cannot be reached and none of these can, the fault is this
    host's network, and the endpoint is *unknown*."""

    @model_validator(mode="before")
    @classmethod
    def _gather(cls, data: Any) -> Any:
        """Takes `endpoints = ["https://…"]` and `[[panel.endpoint]]` tables alike."""
        if not isinstance(data, dict):
            return data
        data = dict(data)
        listed = data.get("endpoints", [])
        tables = data.pop("endpoint", [])
        if isinstance(listed, (list, tuple)) and isinstance(tables, (list, tuple)):
            data["endpoints"] = [{"url": each} if isinstance(each, str) else each for each in (*listed, *tables)]
        return data

    @classmethod
    def place_of(cls, written: Mapping[str, Any], loc: tuple[str | int, ...]) -> tuple[str | int, ...]:
        """`endpoints` gathers the listed URLs and the `[[panel.endpoint]]` tables; each mistake belongs to where it stands."""
        if len(loc) < 2 or loc[0] != "endpoints" or not isinstance(loc[1], int):
            return loc
        listed = len(written.get("endpoints", ()))
        return loc if loc[1] < listed else ("endpoint", loc[1] - listed, *loc[2:])

    @field_validator("known_good")
    @classmethod
    def _addresses(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for address in value:
            host, colon, port = address.rpartition(":")
            if not colon or not host or not port.isdigit():
                raise ValueError(f'expected "host:port", found "{address}"')
        return value

    @model_validator(mode="after")
    def _names(self) -> HealthConfig:
        if not self.endpoints:
            raise ValueError('nothing to watch: write endpoints = ["https://…"]')
        twice = [name for name, count in Counter(each.label() for each in self.endpoints).items() if count > 1]
        if twice:
            raise ValueError(f"two endpoints are called {', '.join(twice)}: give each a name of its own")
        known = {each.label() for each in self.endpoints}
        for each in self.endpoints:
            if each.depends_on and each.depends_on not in known - {each.label()}:
                raise ValueError(f"{each.label()} depends on {each.depends_on}, which is no other endpoint of this panel")
        return self


def endpoints(config: HealthConfig) -> Sequence[Wanted]:
    """The endpoints as targets."""
    return tuple(Wanted(each.label(), each, each.interval, each.deadline) for each in config.endpoints)
