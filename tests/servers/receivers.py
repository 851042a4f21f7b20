"""What gets messages, on loopback: Slack, PagerDuty and an SMS gateway that check what they get and refuse as the real ones do,
and a mail server. Each keeps what it took.

    with start_receivers() as there:
        there.behaves = [429, 500]       # what the next requests get, before it is well again
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from ssl import SSLContext
from typing import Any
from urllib.parse import parse_qs

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tests.servers.children import port_of_its_own
from tests.servers.listening import Handler, listening
from tests.waiting import LONG

Answer = tuple[int, str]
ROUTING_KEY = "R" * 32
_ENTITY = re.compile(r"&(?!amp;|lt;|gt;)")
_STEERS = re.compile(r"<([^<>]*)>")
_MEANT = re.compile(r"!channel|!here|https?://[^<>|\s]+(\|[^<>|]+)?")


@dataclass(frozen=True)
class Got:
    """One request as it came."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def form(self) -> dict[str, str]:
        return {key: values[0] for key, values in parse_qs(self.body.decode()).items()}


@dataclass
class Receivers:
    """The HTTP ones."""

    url: str = ""
    behaves: list[int | str] = field(default_factory=list)
    """What the next requests get instead of an answer: a status, `hang`, or `reset`."""
    retry_after: str = "1"
    got: list[Got] = field(default_factory=list)
    """Every request, also those that were refused."""
    posted: list[dict[str, Any]] = field(default_factory=list)
    """What Slack took."""
    events: list[dict[str, Any]] = field(default_factory=list)
    """What PagerDuty took."""
    sms: list[dict[str, str]] = field(default_factory=list)
    """What the gateway took."""
    incidents: dict[str, str] = field(default_factory=dict)
    """PagerDuty's incidents by key: `triggered`, `acknowledged`, `resolved`."""
    calls: int = 0
    """How often PagerDuty opened an incident: somebody's phone rang."""
    on_arrival: Callable[[Got], object] = lambda got: None
    ends: threading.Event = field(default_factory=threading.Event)
    _turn: threading.Lock = field(default_factory=threading.Lock)
    """Each request has a thread of its own; what they count, they count one after the other."""

    @property
    def slack(self) -> str:
        return f"{self.url}/services/T1/B1/secret"

    def take(self, got: Got) -> int | str | Answer:
        """How a request is met: as the test says, or with what the service answers. It counts as `got` once that is known."""
        self.on_arrival(got)
        with self._turn:
            met = self.behaves.pop(0) if self.behaves else self.answer(got)
            self.got.append(got)
            return met

    def answer(self, got: Got) -> Answer:
        """What the service at the path says."""
        if got.path.startswith("/services/"):
            return self._slack(got)
        if got.path == "/v2/enqueue":
            return self._pagerduty(got)
        if got.path == "/sms":
            return self._sms(got)
        return 404, "not found"

    def _slack(self, got: Got) -> Answer:
        if got.path != "/services/T1/B1/secret":
            return 404, "no_service"
        if got.headers.get("content-type") != "application/json":
            return 400, "invalid_payload"
        content = got.json
        if not content.get("text"):
            return 400, "no_text"
        texts = [content["text"], *(block["text"]["text"] for block in content.get("blocks", []))]
        for block in content.get("blocks", []):
            if block["type"] != "section" or block["text"]["type"] != "mrkdwn" or not 0 < len(block["text"]["text"]) <= 3000:
                return 400, "invalid_blocks"
        if any(_ENTITY.search(text) or not all(map(_MEANT.fullmatch, _STEERS.findall(text))) for text in texts):
            return 400, "invalid_payload"
        self.posted.append(content)
        return 200, "ok"

    def _pagerduty(self, got: Got) -> Answer:
        content = got.json
        errors = list(_wrong(content))
        if errors:
            return 400, json.dumps({"status": "invalid event", "message": "Event object is invalid", "errors": errors})
        self.events.append(content)
        key, action = content["dedup_key"], content["event_action"]
        stands = self.incidents.get(key, "resolved")
        if action == "trigger" and stands == "resolved":
            self.calls += 1
            self.incidents[key] = "triggered"
        elif action == "acknowledge" and stands == "triggered":
            self.incidents[key] = "acknowledged"
        elif action == "resolve" and key in self.incidents:
            self.incidents[key] = "resolved"
        return 202, json.dumps({"status": "success", "message": "Event processed", "dedup_key": key})

    def _sms(self, got: Got) -> Answer:
        if got.headers.get("authorization") != "Basic gateway":
            return 401, '{"message": "Authenticate"}'
        form = got.form
        if set(form) != {"To", "Body"} or len(form["Body"]) > 160:
            return 400, '{"message": "To and Body, 160 characters at most"}'
        self.sms.append(form)
        return 201, "{}"


def _wrong(event: dict[str, Any]) -> Iterator[str]:
    """What PagerDuty finds wrong with an event."""
    if event.get("routing_key") != ROUTING_KEY:
        yield "'routing_key' is invalid"
    if event.get("event_action") not in ("trigger", "acknowledge", "resolve"):
        yield "'event_action' is invalid"
    if not 0 < len(event.get("dedup_key", "")) <= 255:
        yield "'dedup_key' is missing or too long"
    if event.get("event_action") != "trigger":
        return
    payload = event.get("payload", {})
    if not 0 < len(payload.get("summary", "")) <= 1024:
        yield "'payload.summary' is missing or too long"
    if not payload.get("source"):
        yield "'payload.source' is missing"
    if payload.get("severity") not in ("critical", "error", "warning", "info"):
        yield "'payload.severity' is invalid"
    if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?\+00:00", payload.get("timestamp", "")):
        yield "'payload.timestamp' is invalid"
    for link in event.get("links", []):
        if not link.get("href", "").startswith("http"):
            yield "'links' is invalid"


@contextmanager
def start_receivers() -> Iterator[Receivers]:
    """The HTTP ones, on a port of their own, until the end of the block."""
    there = Receivers()

    class Asked(Handler):
        def do_POST(self) -> None:
            size = int(self.headers.get("content-length", 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            got = Got(self.command, self.path, headers, self.rfile.read(size))
            how = there.take(got)
            if how == "hang":
                there.ends.wait(30)
                self.close_connection = True
            elif how == "reset":
                self.connection.close()
            elif isinstance(how, int):
                self.says(how, "rate_limited" if how == 429 else "no")
            elif isinstance(how, tuple):
                self.says(*how)

        do_PUT = do_POST

        def do_OPTIONS(self) -> None:
            self.says(204, "")

        def says(self, status: int, text: str) -> None:
            self.reply(status, text.encode(), **({"retry_after": there.retry_after} if status == 429 else {}))

    try:
        with listening(Asked) as port:
            there.url = f"http://127.0.0.1:{port}"
            yield there
    finally:
        there.ends.set()


# --- mail ----------------------------------------------------------------------------------------------------------------


@dataclass
class Mails:
    """A mail server: what it took, and how it behaves."""

    host: str = "127.0.0.1"
    port: int = 0
    ca: Path | None = None
    user: str = "watchfloor"
    password: str = "hunter2-mail"
    refuses: dict[str, str] = field(default_factory=dict)
    """By recipient: the reply it gets."""
    behaves: list[str] = field(default_factory=list)
    """What the next mails get: a reply, or `hang`."""
    took: list[EmailMessage] = field(default_factory=list)
    logins: list[str] = field(default_factory=list)
    sessions: list[str] = field(default_factory=list)
    """Every MAIL FROM."""
    ends: threading.Event = field(default_factory=threading.Event)

    async def handle_MAIL(self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]) -> str:
        self.sessions.append(address)
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]) -> str:
        if refusal := self.refuses.get(address):
            return refusal
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        how = self.behaves.pop(0) if self.behaves else ""
        if how == "hang":
            import asyncio

            await asyncio.get_running_loop().run_in_executor(None, self.ends.wait, 30)
        elif how:
            return how
        assert isinstance(envelope.content, bytes)
        mail = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(mail, EmailMessage)
        mail["X-Envelope-To"] = ", ".join(envelope.rcpt_tos)
        self.took.append(mail)
        return "250 OK"

    def authenticate(self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: object) -> AuthResult:
        assert isinstance(data, LoginPassword)
        self.logins.append(data.login.decode())
        well = (data.login.decode(), data.password.decode()) == (self.user, self.password)
        return AuthResult(success=well, handled=well)


class _Controller(Controller):
    """aiosmtpd in a thread of its own, on any free port."""

    def __init__(self, mails: Mails, context: SSLContext | None, *, login: bool) -> None:
        self.mails, self.context, self.login = mails, context, login
        super().__init__(mails, hostname="127.0.0.1", port=port_of_its_own(), ready_timeout=LONG)

    def factory(self) -> SMTP:
        return SMTP(
            self.mails,
            hostname="mail.test",
            tls_context=self.context,
            require_starttls=self.context is not None,
            authenticator=self.mails.authenticate if self.login else None,
            auth_required=self.login,
        )


@contextmanager
def start_mail(context: SSLContext | None = None, *, login: bool = False) -> Iterator[Mails]:
    """A mail server until the end of the block; with a context it insists on STARTTLS."""
    mails = Mails()
    controller = _Controller(mails, context, login=login)
    controller.start()
    mails.port = controller.port
    try:
        yield mails
    finally:
        mails.ends.set()
        controller.stop()
