"""Mail, by SMTP: detailed for whoever reads it at a desk, brief for a gateway that makes an SMS of it.

smtplib blocks, and its time-out is per reply: so it works in a daemon thread, and one deadline holds over the whole of it.
"""

from __future__ import annotations

import asyncio
import hashlib
import smtplib
import socket
import ssl
from email.message import EmailMessage
from email.utils import format_datetime, localtime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from msgspec import Struct, field
from msgspec.structs import replace
from pydantic import Field, model_validator

from ..alert import Severity
from ..http_tls import tls_context
from ..panel import Checked
from ..redact import redact
from ..secrets import Secret, SecretError
from ..text import EMPTY, Shown, clean
from ..threads import in_daemon_thread
from ..units import Interval
from .channel import Channel, Undelivered
from .message import Message

if TYPE_CHECKING:
    from ..connections import Tools

Address = Annotated[str, Field(pattern=r"^[^\s@<>,;\"]+@[^\s@<>,;\"]+$", max_length=254)]
_RISING: tuple[Severity, ...] = ("P3", "P2", "P1", "P0")
PORTS = {"starttls": 587, "tls": 465, "none": 25}


class Mail(Channel):
    """`kind = "mail"`: an SMTP server, and to whom."""

    host: str
    """The SMTP server."""
    port: int | None = Field(default=None, ge=1, le=65535)
    """Its port; 587 with STARTTLS, 465 with TLS, 25 with neither, where it is not given."""
    security: Literal["starttls", "tls", "none"] = "starttls"
    """How the connection is secured: `starttls`, `tls` from the first byte, or `none` (a relay on this host)."""
    user: str = ""
    """As whom to log in; nobody where it is not given."""
    password: Secret | None = None
    """The password, as `env:NAME`."""
    sender: Address = Field(alias="from")
    """The sender's address."""
    to: tuple[Address, ...] = Field(min_length=1)
    """The recipients' addresses."""
    form: Literal["detailed", "brief"] = "detailed"
    """`detailed`, or `brief`: one line, for a gateway that makes an SMS of it."""
    ca: Path | None = None
    """A file of certificates to trust besides the system's."""
    deadline: Interval = 20.0
    """How long one try may take."""

    @model_validator(mode="after")
    def _logs_in_securely(self) -> Mail:
        if bool(self.user) != (self.password is not None):
            raise ValueError("user and password come together")
        if self.password is not None and self.security == "none":
            raise ValueError('a password is not sent in clear: write security = "starttls" or "tls"')
        return self

    async def send(self, message: Message, tools: Tools) -> Shown:
        """Sends it; says which of several addresses were refused."""
        made = mail_of(message, self)
        refused = await self._talk(lambda session: session.smtp().send_message(made, self.sender, self.to))
        if refused:
            return clean(f"refused: {', '.join(refused)}")
        return EMPTY

    async def check(self, tools: Tools) -> Checked:
        """Connects, logs in and names every recipient, and takes it back before there is a mail."""
        source = clean(f"{self.title} (mail by {self.host})")
        try:
            refused = await self._talk(self._named)
        except Undelivered as error:
            return Checked(source, False, error.says)
        if refused:
            return Checked(source, False, clean(f"refuses {', '.join(refused)}"))
        return Checked(source, True, clean(f"takes mail for {', '.join(self.to)}; nothing was sent"))

    def _named(self, session: _Session) -> dict[str, Any]:
        smtp = session.smtp()
        code, says = smtp.mail(self.sender)
        if code != 250:
            raise smtplib.SMTPSenderRefused(code, says, self.sender)
        refused = {}
        for each in self.to:
            code, says = smtp.rcpt(each)
            if code not in (250, 251):
                refused[each] = (code, says)
        smtp.rset()
        return refused

    async def _talk(self, what: Any) -> dict[str, Any]:
        """One session: connected, secured, logged in, `what` done, left. Raises Undelivered."""
        try:
            password = await self.password.reveal() if self.password else ""
            context = tls_context(self.ca, None, None) if self.security != "none" else None
        except (SecretError, OSError, ssl.SSLError) as error:
            raise Undelivered(f"config: {error}") from None
        session = _Session(self, password, context)
        try:
            async with asyncio.timeout(self.deadline):
                found: dict[str, Any] = await in_daemon_thread(lambda: session.run(what), "watchfloor-mail")
                return found
        except TimeoutError:
            maybe = session.sending
            session.break_off()
            raise Undelivered(f"no answer within {self.deadline:g}s", maybe=maybe) from None
        except smtplib.SMTPException as error:
            if isinstance(error, smtplib.SMTPAuthenticationError) and self.password:
                self.password.forget()
            raise _explained(error, session.sending) from None
        except (OSError, ssl.SSLError) as error:
            raise Undelivered(redact(f"connect: {error.strerror or error}"), maybe=session.sending) from None


class _Session(Struct):
    """One conversation with an SMTP server, in a thread of its own. `sending` is true once a mail may be on its way."""

    mail: Mail
    password: str
    context: ssl.SSLContext | None
    sending: bool = False
    connected: list[smtplib.SMTP] = field(default_factory=list)

    def smtp(self) -> smtplib.SMTP:
        """The connection that stands."""
        return self.connected[-1]

    def run(self, what: Any) -> dict[str, Any]:
        """Connects, does it and leaves; blocks."""
        mail = self.mail
        port = mail.port or PORTS[mail.security]
        if mail.security == "tls":
            smtp: smtplib.SMTP = smtplib.SMTP_SSL(mail.host, port, timeout=mail.deadline, context=self.context)
        else:
            smtp = smtplib.SMTP(mail.host, port, timeout=mail.deadline)
        self.connected.append(smtp)
        try:
            if mail.security == "starttls":
                smtp.starttls(context=self.context)
            if mail.user:
                smtp.login(mail.user, self.password)
            self.sending = True
            found: dict[str, Any] = what(self)
            self.sending = False
            with _quietly():
                smtp.putcmd("quit")  # said, not waited for: it has been taken, whatever the server says to this
        finally:
            self.break_off()
        return found

    def break_off(self) -> None:
        """Ends the connection, from whichever thread; a mail that was taken stays taken."""
        for smtp in self.connected:
            if smtp.sock is not None:
                with _quietly():
                    smtp.sock.shutdown(socket.SHUT_RDWR)
            smtp.close()


class _quietly:
    """A connection that is gone already is no trouble when it is ended."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> bool:
        return kind is not None and issubclass(kind, OSError)


def _explained(error: smtplib.SMTPException, sending: bool) -> Undelivered:
    """A refusal in words: 4xx is tried again, 5xx is final (RFC 5321 4.2.1)."""
    match error:
        case smtplib.SMTPRecipientsRefused(recipients=recipients):
            codes = [code for code, _ in recipients.values()]
            who, (code, says) = next(iter(recipients.items()))
            return Undelivered(f"refuses {who}: {_reply(code, says)}", final=all(each >= 500 for each in codes))
        case smtplib.SMTPResponseException(smtp_code=code, smtp_error=says):
            return Undelivered(_reply(code, says), final=code >= 500)
        case smtplib.SMTPNotSupportedError():
            return Undelivered(f"the server cannot do what is asked of it: {error}", final=True)
        case _:
            return Undelivered(redact(str(error) or type(error).__name__), maybe=sending)


def _reply(code: int, says: bytes | str) -> str:
    text = says.decode("utf-8", "replace") if isinstance(says, bytes) else says
    return redact(f"SMTP {code}: {text}")


def mail_of(message: Message, settings: Mail) -> EmailMessage:
    """The mail. All that is told of one thing is one thread, whichever severity it fired as first: each refers to what may have
    been told before it. The same mail, sent again, has the same id, so that mail servers keep one of them."""
    made = EmailMessage()
    made["From"] = settings.sender
    made["To"] = ", ".join(settings.to)
    made["Date"] = format_datetime(localtime())
    made["Auto-Submitted"] = "auto-generated"
    made["X-Watchfloor-Key"] = clean(message.keys[0], 200)
    fired = [_id(replace(message, transition="firing", severity=each).once, settings) for each in _RISING]
    made["Message-ID"] = own = _id(message.once, settings)
    before = fired[: fired.index(own)] if own in fired else fired
    if before:
        made["References"] = " ".join(before)
    if own not in fired:
        made["In-Reply-To"] = fired[_RISING.index(message.severity)]
    if message.severity == "P0" and message.transition in ("firing", "escalated") and not message.test:
        made["X-Priority"] = "1"
        made["Importance"] = "high"
    if settings.form == "brief":
        made["Subject"] = clean(f"{message.severity} {message.where}", 60)
        made.set_content(message.brief + "\n")
    else:
        made["Subject"] = message.headline
        made.set_content("\n".join(message.lines) + "\n")
    return made


def _id(of: str, settings: Mail) -> str:
    """A message id that is the same for the same thing."""
    return f"<{hashlib.sha256(of.encode()).hexdigest()[:32]}@{settings.sender.rpartition('@')[2]}>"
