"""What an Alertmanager (API v2) and a Prometheus (`/api/v1/alerts`) say, as plain data; and asking them.

Source: github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml, prometheus.io/docs/prometheus/latest/querying/api.
"""

from __future__ import annotations

import datetime
from typing import TypeVar

import msgspec
from msgspec import Struct

from tui.engine.clock import day_and_time
from tui.engine.connections import Tools
from tui.engine.decoding import decodable
from tui.engine.http_answer import Fetched, retry_after
from tui.engine.panel import Target
from tui.engine.reading import ProbeError, no_answer
from tui.engine.redact import redact
from tui.engine.secrets import SecretText
from tui.engine.text import Shown, clean
from tui.engine.units import show_duration

from .config import AlertsConfig

AHEAD = 2.0
"""Seconds from which another clock's offset is applied."""
T = TypeVar("T")


class Matching(Struct, frozen=True, rename="camel"):
    """A silence's matcher, in the API's words."""

    name: str
    value: str
    is_regex: bool = False
    is_equal: bool = True


class State(Struct, frozen=True, rename="camel"):
    """An alert's state in an Alertmanager: `active`, `suppressed` by the silences or alerts named, or not yet looked at."""

    state: str
    silenced_by: tuple[str, ...] = ()
    inhibited_by: tuple[str, ...] = ()
    muted_by: tuple[str, ...] = ()


class ManagedAlert(Struct, frozen=True, rename="camel"):
    """An alert as an Alertmanager has it. `endsAt` of one that fires is a moving future time, and is not read."""

    fingerprint: str
    labels: dict[str, str]
    starts_at: datetime.datetime
    status: State
    annotations: dict[str, str] = {}
    generator: str = msgspec.field(default="", name="generatorURL")


class SilenceState(Struct, frozen=True):
    """`active`, `pending` or `expired`: those stay listed for a while."""

    state: str


class ManagedSilence(Struct, frozen=True, rename="camel"):
    """A silence as an Alertmanager has it."""

    id: str
    status: SilenceState
    matchers: tuple[Matching, ...]
    starts_at: datetime.datetime
    ends_at: datetime.datetime
    created_by: str = ""
    comment: str = ""


class RuleAlert(Struct, frozen=True, rename="camel"):
    """An alert as a Prometheus has it: `pending` or `firing`."""

    labels: dict[str, str]
    state: str
    annotations: dict[str, str] = {}
    active_at: datetime.datetime | None = None
    value: str = ""


class RuleAlerts(Struct, frozen=True):
    """The data of `/api/v1/alerts`."""

    alerts: tuple[RuleAlert, ...]


class Envelope(Struct, frozen=True, rename="camel"):
    """A Prometheus answer: data, or what is wrong."""

    status: str
    data: RuleAlerts | None = None
    error: str = ""


class ManagerStatus(Struct, frozen=True):
    """An Alertmanager's own state: `uptime` is when it began."""

    uptime: datetime.datetime


class RuntimeData(Struct, frozen=True, rename="camel"):
    """What a Prometheus says of its process."""

    start_time: datetime.datetime


class Runtime(Struct, frozen=True):
    """The answer to `/api/v1/status/runtimeinfo`."""

    data: RuntimeData


class Source:
    """One source, asked within one deadline. `ahead` is how far its clock is ahead of ours, in seconds, where that is much."""

    def __init__(self, panel: str, settings: AlertsConfig, tools: Tools, base: SecretText, deadline: float) -> None:
        self._settings = settings
        self._tools = tools
        self._base = base
        self._client = tools.http(f"{panel}/{base.source}", settings.http())
        self._ends = tools.clock.monotonic() + deadline
        self.ahead = 0.0

    @classmethod
    def of(cls, target: Target, tools: Tools) -> Source:
        """The source that a target names."""
        return cls(target.panel, target.settings, tools, target.part, target.deadline)

    async def read(self, path: str, shape: type[T]) -> T:
        """What a path answers. Raises ProbeError."""
        fetched = await self.send("GET", path)
        try:
            return msgspec.json.decode(fetched.body, type=decodable(shape))
        except (msgspec.MsgspecError, ValueError) as error:
            says = f"{path} answers something else: {error}"
            raise no_answer("contract", says, "is this the address of an Alertmanager, or of a Prometheus?") from None

    async def send(self, method: str, path: str, body: bytes | None = None) -> Fetched:
        """One request that must be answered with 200. Raises ProbeError."""
        url = (await self._base.reveal()).rstrip("/") + path
        left = max(self._ends - self._tools.clock.monotonic(), 0.05)
        headers = {"content-type": "application/json"} if body else {}
        fetched = await self._client.fetch(method, url, deadline=left, headers=headers, body=body)
        if fetched.clock_offset is not None and abs(fetched.clock_offset) > AHEAD:
            self.ahead = fetched.clock_offset
        if fetched.status == 200:
            return fetched
        if fetched.status in (401, 403):
            self._client.forget_secrets()
            self._base.forget()
            raise no_answer("rights", f"HTTP {fetched.status}", "mend `headers` in the config", refused=True)
        says = f"HTTP {fetched.status} for {path}{_said(fetched)}"
        if fetched.status == 429:
            wait = retry_after(fetched.headers)
            raise no_answer("status", says, "ask less often: `interval`", refused=True, retry_after=wait)
        hint = "a prefix may be missing in the address" if fetched.status == 404 else "look at its log"
        raise no_answer("status", says, hint)

    async def began(self, name: str) -> float | None:
        """When the source itself began, UTC seconds by our clock; None where it does not say (a proxy, a look-alike). Raises
        ProbeError where it does not answer."""
        try:
            if name == "alertmanager":
                return self.at((await self.read("/api/v2/status", ManagerStatus)).uptime)
            return self.at((await self.read("/api/v1/status/runtimeinfo", Runtime)).data.start_time)
        except ProbeError as error:
            if error.failure.phase in ("status", "contract", "rights"):
                return None
            raise

    def at(self, when: datetime.datetime) -> float:
        """UTC seconds by our clock."""
        return when.timestamp() - self.ahead

    def written(self, when: datetime.datetime) -> Shown:
        """The same for a person, with its day where that is not today."""
        return day_and_time(self.at(when), self._tools.clock.utc())

    @property
    def note(self) -> str:
        """That its clock is off; empty where it is not."""
        way = "ahead of" if self.ahead > 0 else "behind"
        return f"its clock is {show_duration(abs(self.ahead))} {way} ours" if self.ahead else ""


def _said(fetched: Fetched) -> str:
    """What an error's body says: a bare JSON string, or plain text."""
    try:
        said = msgspec.json.decode(fetched.body)
    except msgspec.MsgspecError:
        said = fetched.body.decode(errors="replace")
    text = said.get("error", "") if isinstance(said, dict) else said
    return f": {clean(redact(str(text)), 160)}" if text else ""
