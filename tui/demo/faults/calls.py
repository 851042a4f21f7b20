"""Calls to other companies that are refused or slow, and with them, mostly, the routes that make them."""

import random
from typing import NamedTuple

from tui.demo.faults.fault import Fault
from tui.demo.services.partners import Temper
from tui.demo.stack import Parts


class Refusal(NamedTuple):
    """How an operation refuses."""

    operation: str
    status: int
    message: str


REFUSALS = (
    Refusal("storage/sign", 503, "SlowDown: please reduce your request rate, request {request}"),
    Refusal("storage/finish", 500, "InternalError: we encountered an internal error, request {request}"),
    Refusal("youtube/validate", 403, "quotaExceeded: the daily quota of project {number} is used up"),
    Refusal("tiktok/validate", 503, "service_unavailable, log id {number}"),
    Refusal("billing/entitlement", 500, "api_error: request {request} could not be processed"),
    Refusal("media/sign", 503, "no healthy upstream, request {request}"),
)
SLOW = (("billing/entitlement",), ("media/sign",), ("storage/sign", "storage/finish"), ("youtube/validate", "tiktok/validate"))
"""Operations that slow down together; each group carries far more than a twentieth of all requests."""


MODELS = (
    Refusal("openai/responses", 429, "Rate limit reached for requests, request req_{request}"),
    Refusal("openai/responses", 503, "The engine is currently overloaded, request req_{request}"),
    Refusal("anthropic/messages", 529, "overloaded_error: Overloaded, request req_{request}"),
    Refusal("anthropic/messages", 500, "api_error: internal server error, request req_{request}"),
)


class _Tempers(Fault):
    """Operations in a bad temper."""

    def __init__(self) -> None:
        self._operations: tuple[str, ...] = ()

    async def heal(self, parts: Parts) -> None:
        for operation in self._operations:
            parts.partners.calm(operation)
        self._operations = ()

    async def active(self, parts: Parts) -> bool:
        return bool(self._operations)


class FailingCalls(_Tempers):
    """One operation refuses some of its calls, a share between the `least` and the `most`."""

    def __init__(self, refusals: tuple[Refusal, ...], least: float, most: float) -> None:
        super().__init__()
        self._refusals = refusals
        self._least, self._most = least, most

    async def apply(self, parts: Parts, rng: random.Random) -> None:
        chosen = rng.choice(self._refusals)
        usual = parts.partners.tempers[chosen.operation]
        share = rng.uniform(self._least, self._most)
        temper = Temper(usual.shortest, usual.longest, share, chosen.status, chosen.message)
        parts.partners.tempers[chosen.operation] = temper
        self._operations = (chosen.operation,)


class SlowCalls(_Tempers):
    """One or two operations take seconds, less than the callers' deadline."""

    async def apply(self, parts: Parts, rng: random.Random) -> None:
        self._operations = rng.choice(SLOW)
        shortest = rng.uniform(5.5, 6.2)
        for operation in self._operations:
            parts.partners.tempers[operation] = Temper(shortest, shortest + rng.uniform(1.0, 1.8))
