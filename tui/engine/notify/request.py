"""An HTTP request of one's own: an SMS gateway, a chat that is no Slack, a ticket system.

The body is a table in the config whose texts hold fields in braces (`{brief}`); each is put in as data, so that no text from
outside can become another member, and no secret is looked for in it.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlencode

from pydantic import field_validator, model_validator

from ..http import HttpSettings
from ..panel import Checked
from ..secrets import SecretError, SecretText, SecretUrl
from ..text import EMPTY, Shown, clean
from .channel import Channel, Undelivered
from .message import FIELDS, Message
from .posting import post, told

if TYPE_CHECKING:
    from ..connections import Tools

_BRACES = re.compile(r"\{([^{}]*)\}")
_REFERENCE = ("env:", "file:", "cmd:")


class Request(Channel, HttpSettings):
    """`kind = "http"`: any service that takes a request, such as an SMS gateway."""

    url: SecretUrl
    """Where the request goes; secrets in it as `{env:NAME}`."""
    method: Literal["POST", "PUT", "PATCH"] = "POST"
    """How it is asked."""
    data: dict[str, Any] | None = None
    """The body as JSON, with fields in braces: `{ to = "+49…", text = "{brief}" }`. Fields: `headline`, `brief`, `text`,
    `severity`, `transition`, `name`, `what`, `environment`, `since`, `age`, `count`, `link`, `key` and others."""
    form: dict[str, str] | None = None
    """The body as a form instead, for gateways that take no JSON: `{ To = "+49…", Body = "{brief}" }`."""

    @field_validator("data", "form")
    @classmethod
    def _fields_are_known(cls, value: Any) -> Any:
        for text in _texts(value):
            for name in _BRACES.findall(text):
                if name not in FIELDS and not name.startswith(_REFERENCE):
                    raise ValueError(f"there is no field {{{name}}}; there are: {', '.join(sorted(FIELDS))}")
        return value

    @model_validator(mode="after")
    def _one_body(self) -> Request:
        if (self.data is None) == (self.form is None):
            raise ValueError('what is sent? write data = { text = "{headline}" }, or form = { … }')
        return self

    async def send(self, message: Message, tools: Tools) -> Shown:
        """Sends it; any 2xx means that it was told."""
        fields = message.fields
        try:
            if self.form is not None:
                body = urlencode(await _filled(self.form, fields)).encode()
                kind = "application/x-www-form-urlencoded"
            else:
                body = json.dumps(await _filled(self.data, fields)).encode()
                kind = "application/json"
        except SecretError as error:
            raise Undelivered(str(error)) from None
        # For those that know it, so that a try whose answer was lost is not told twice.
        headers = {"content-type": kind, "idempotency-key": message.once}
        await told(tools, self.title, self.http(), self.url, body, headers, self.deadline, self.method)
        return EMPTY

    async def check(self, tools: Tools) -> Checked:
        """Asks what it allows (OPTIONS), which changes nothing: any answer means that it is there."""
        source = clean(f"{self.title} (http)")
        try:
            fetched = await post(tools, self.title, self.http(), self.url, None, {}, self.deadline, "OPTIONS")
        except Undelivered as error:
            return Checked(source, False, error.says)
        return Checked(source, True, clean(f"answers HTTP {fetched.status} to OPTIONS; nothing was sent"))


def _texts(value: Any) -> list[str]:
    """Every text in a table, at any depth."""
    if isinstance(value, str):
        return [value]
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, (list, tuple)) else ()
    return [text for part in parts for text in _texts(part)]


async def _filled(value: Any, fields: dict[str, str]) -> Any:
    """The table with its fields and secrets in place. Raises SecretError."""
    if isinstance(value, str):
        return await _text(value, fields)
    if isinstance(value, dict):
        return {key: await _filled(each, fields) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [await _filled(each, fields) for each in value]
    return value


async def _text(template: str, fields: dict[str, str]) -> str:
    """One text: what is put in is never looked through again."""
    pieces: list[str] = []
    place = 0
    for found in _BRACES.finditer(template):
        pieces.append(template[place : found.start()])
        name, place = found.group(1), found.end()
        pieces.append(await SecretText(name).reveal() if name.startswith(_REFERENCE) else fields[name])
    return "".join((*pieces, template[place:]))
