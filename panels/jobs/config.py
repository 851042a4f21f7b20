"""What the config says of a job queue: where its tables and admin endpoints are, and what its names mean."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from typing import Literal

from pydantic import Field, field_validator, model_validator

from tui.engine.http import HttpSettings
from tui.engine.panel import PanelConfig, Settings
from tui.engine.secrets import Dsn, Secret, SecretUrl
from tui.engine.units import Duration

_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")


class Tables(Settings):
    """The tables, `name` or `schema.name`, as the database spells them."""

    jobs: str = Field(default="jobs", min_length=1)
    """The queue."""
    schedules: str = "schedules"
    """What is to be done later, and becomes jobs; empty where there is no such table."""


class Columns(Settings):
    """The queue's columns. Those marked optional may be empty or missing: the panel works without."""

    id: str = Field(default="id", min_length=1)
    """The job's identity, unique and indexed."""
    kind: str = Field(default="kind", min_length=1)
    """What sort of job it is."""
    status: str = Field(default="status", min_length=1)
    """Its state, one of `states`."""
    worker: str = Field(default="worker_id", min_length=1)
    """Who works on it."""
    heartbeat: str = Field(default="last_heartbeat", min_length=1)
    """When that worker last said so."""
    run_after: str = Field(default="run_after", min_length=1)
    """When it is due."""
    created_at: str = Field(default="created_at", min_length=1)
    """When it was created; needs an index."""
    payload: str = "payload"
    """Optional, json or jsonb: where a job names the schedule it was made from."""
    attempts: str = "attempts"
    """Optional: how often it was tried."""
    error: str = "error"
    """Optional: why it failed, as text."""
    finished_at: str = "finished_at"
    """Optional: when it ended. Without it, when a job failed is told from what changed between two polls."""


class ScheduleColumns(Settings):
    """The columns of the schedules."""

    id: str = Field(default="id", min_length=1)
    """The schedule's identity, as jobs name it."""
    publish_at: str = Field(default="publish_at", min_length=1)
    """When it is due."""
    status: str = Field(default="status", min_length=1)
    """Its state; `states.scheduled` while nobody has taken it up."""
    payload_key: str = Field(default="schedule_id", min_length=1)
    """The member of a job's payload that names its schedule."""


class States(Settings):
    """The words of the status columns."""

    queued: str = "queued"
    """Waits for a worker; the index on the queue is for this one."""
    running: str = "running"
    """A worker has it."""
    failed: str = "failed"
    """It ended in an error."""
    cancelled: str = "cancelled"
    """What the admin endpoint `cancel` makes of a job."""
    scheduled: str = "scheduled"
    """A schedule that nobody has taken up."""


class JobsConfig(PanelConfig, HttpSettings):
    """The `[[panel]]` of kind `jobs`."""

    kind: Literal["jobs"] = "jobs"
    dsn: Dsn
    """The database that holds the queue: a role that may read its tables."""
    admin: SecretUrl | None = None
    """The URL of the admin job endpoints; retry, cancel and unlock are `POST {admin}/{id}/retry` and so on."""
    token: Secret | None = None
    """What the admin endpoints are authorised with."""
    token_header: str = "Authorization"  # noqa: S105  # a header's name
    """The header that carries the token."""
    token_scheme: str = "Bearer"  # noqa: S105  # a word before the token
    """The word before the token; empty where the header is the token alone."""
    tables: Tables = Tables()
    """The tables' names, where they are not cliply's."""
    columns: Columns = Columns()
    """The queue's columns, where they are not cliply's."""
    schedule_columns: ScheduleColumns = ScheduleColumns()
    """The schedules' columns, where they are not cliply's."""
    states: States = States()
    """The words of the status columns, where they are not cliply's."""
    kinds: tuple[str, ...] = ()
    """Kinds that are listed even while no job of them is known; others are found."""
    critical: tuple[str, ...] = ("PUBLISH_*",)
    """Kinds, or patterns of kinds, whose failures are counted together as `critical_failed_10m`."""
    stuck_after: Duration = 300.0
    """A running job whose worker has been silent for longer (or was never heard) is stuck."""
    long_running: Duration = 1800.0
    """A running job that became due longer ago is listed."""
    bulk: int = Field(default=50, ge=1, le=500)
    """How many jobs one bulk action takes at the most."""

    __hash__ = HttpSettings.__hash__

    @field_validator("token_header")
    @classmethod
    def _is_header(cls, value: str) -> str:
        if not _HEADER.fullmatch(value):
            raise ValueError(f'"{value}" is no header\'s name')
        return value

    @field_validator("token_scheme")
    @classmethod
    def _one_line(cls, value: str) -> str:
        if not value.isprintable():
            raise ValueError("expected a word, such as Bearer")
        return value

    @model_validator(mode="after")
    def _can_act(self) -> JobsConfig:
        if self.token and not self.admin:
            raise ValueError('a token without the endpoints it is for: write admin = "https://…/api/admin/jobs"')
        if self.admin and any(character in self.admin.source for character in "?#"):
            raise ValueError("admin is the URL before the job's id: without ? and #")
        return self

    def is_critical(self, kind: str) -> bool:
        """Whether failures of this kind count as critical."""
        return any(fnmatchcase(kind, pattern) for pattern in self.critical)
