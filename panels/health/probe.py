"""Asks one endpoint once: reachable, in time, and well by its own word."""

from __future__ import annotations

import asyncio
import time

from msgspec import Struct

from tui.engine.connections import Tools
from tui.engine.http import HEALTH_INFLATED, HEALTH_ON_WIRE
from tui.engine.http_answer import Fetched, retry_after
from tui.engine.panel import BEFORE, Memory, Target
from tui.engine.reading import Change, Failure, Found, Link, ProbeError, Row, Signal, Status, Value, labels_of
from tui.engine.resolver import NameNotFound, addresses
from tui.engine.text import EMPTY, Shown, clean
from tui.engine.units import Unit, show_duration

from .config import Endpoint, HealthConfig
from .contracts import Verdict, by_expression, read
from .kept import Kept, release_of

NO_CACHE = {"cache-control": "no-cache", "pragma": "no-cache"}
UNREACHED = ("DNS", "connect", "TLS", "first byte")
"""Phases in which the fault may be this host's own network."""
SUSPECT_PATH = ("/api", "health", "ready", "live", "status", "ping")

STATUS_ALONE = Verdict(Status.OK, known=False)
"""No reply, or none that says more than its HTTP status."""


class Answer(Struct, frozen=True):
    """What one try came to: the status of this try alone, and why."""

    status: Status
    says: Shown = EMPTY
    failure: Failure | None = None
    verdict: Verdict = STATUS_ALONE
    fetched: Fetched | None = None
    notes: tuple[Shown, ...] = ()


async def ask(target: Target, tools: Tools, memory: Memory) -> Found:
    """One look at one endpoint; its refusal is the measurement, so it never backs off."""
    endpoint: Endpoint = target.part
    config: HealthConfig = target.settings
    kept: Kept | None = memory.get("kept")
    if kept is None:
        kept = memory["kept"] = Kept.begun(memory.get(BEFORE), endpoint.failures or config.failures, tools.clock)
    others = Others(config.known_good, target.deadline)
    try:
        answer = await _try(endpoint, target, tools)
    except ProbeError as error:
        answer = await _unreached(error, others)
    finally:
        others.forget()
    return _found(answer, endpoint, config, kept, target, tools)


async def _try(endpoint: Endpoint, target: Target, tools: Tools) -> Answer:
    """The endpoint's answer, judged. Raises ProbeError where none came."""
    client = tools.http(f"{target.panel}/{target.name}", endpoint.http())
    fetched = await client.fetch(
        endpoint.method,
        endpoint.url,
        deadline=target.deadline,
        headers=NO_CACHE,
        on_wire=HEALTH_ON_WIRE,
        inflated=HEALTH_INFLATED,
        keep_redirects=not endpoint.redirects,
    )
    if fetched.status in (401, 403) and fetched.status not in endpoint.expect:
        client.forget_secrets()
        endpoint.url.forget()
    return judge(fetched, endpoint, target)


def judge(fetched: Fetched, endpoint: Endpoint, target: Target) -> Answer:
    """What an HTTP answer says of its endpoint: first our own rights, then the status, then the body (also a 503's)."""
    unexpected = fetched.status not in endpoint.expect
    if unexpected and fetched.status in (401, 403):
        return _unknown("rights", f"HTTP {fetched.status}: it refuses our credentials", "mend `headers` in the config", fetched)
    if unexpected and fetched.status == 429:
        wait = retry_after(fetched.headers)
        wish = f", wants {show_duration(wait)} between" if wait else ""
        return _unknown("status", f"HTTP 429: it limits us{wish}", "ask less often: `interval`", fetched)
    age = fetched.headers.get("age", "")
    if age.isascii() and age.isdigit() and float(age) > target.interval:
        says = f"answered from a cache, {show_duration(float(age))} old"
        return _unknown("contract", says, "let caches pass this path by", fetched)
    verdict = _verdict(fetched, endpoint)
    named = clean(", ".join(f"{part.name}{f': {part.says}' if part.says else ''}" for part in verdict.failing))
    if unexpected:
        says = clean(f"HTTP {fetched.status}{f' · {named}' if named else ''}")
        return Answer(Status.FAILING, says, Failure("status", says, _hint(verdict)), verdict, fetched)
    if verdict.status is not Status.OK:
        says = named or Shown(f"says it is {verdict.status.word}")
        return Answer(verdict.status, says, Failure("contract", says, _hint(verdict)), verdict, fetched)
    if not verdict.known and endpoint.contract == "auto" and _page_in_place(fetched, endpoint):
        hint = 'is it a login page? If HTML is right here: contract = "status"'
        return _unknown("contract", "HTML where a health reply was expected", hint, fetched)
    return Answer(Status.OK, Shown("ok"), None, verdict, fetched, _notes(verdict, target, fetched))


def _unknown(phase: str, says: str, hint: str, fetched: Fetched) -> Answer:
    """It answered, but not to the question."""
    return Answer(Status.UNKNOWN, clean(says), Failure(phase, clean(says), clean(hint)), fetched=fetched)


def _verdict(fetched: Fetched, endpoint: Endpoint) -> Verdict:
    """What the body says, by the endpoint's contract."""
    if endpoint.method == "HEAD" or endpoint.contract == "status":
        return STATUS_ALONE
    return by_expression(fetched.body, endpoint.healthy) if endpoint.healthy else read(fetched.body, fetched.content_type)


def _page_in_place(fetched: Fetched, endpoint: Endpoint) -> bool:
    """Whether an HTML page stands where the URL promises a health reply (a login page, a single-page app's fallback)."""
    path = endpoint.url.source.partition("://")[2].partition("/")[2].lower()
    return fetched.content_type == "text/html" and any(word.strip("/") in path for word in SUSPECT_PATH)


def _hint(verdict: Verdict) -> Shown:
    """Where to look first."""
    names = ", ".join(part.name for part in verdict.failing[:2])
    return clean(f"look at {names}") if names else Shown("look at its logs")


def _notes(verdict: Verdict, target: Target, fetched: Fetched) -> tuple[Shown, ...]:
    """What a person should know besides: another environment's answer, a clock that is off."""
    found = []
    said = (verdict.facts or {}).get("environment")
    if said and target.environment and said.lower() != target.environment.lower():
        found.append(clean(f"{target.name} says it is {said}, not {target.environment}"))
    if fetched.clock_offset is not None and abs(fetched.clock_offset) > 5:
        way = "ahead of" if fetched.clock_offset > 0 else "behind"
        found.append(clean(f"{target.name}: its clock is {show_duration(abs(fetched.clock_offset))} {way} ours"))
    return tuple(found)


class Others:
    """Whether any of the known-good addresses takes a connection: asked when the endpoint does not answer, and before its
    deadline is over, so that the answer comes within it too."""

    def __init__(self, addresses: tuple[str, ...], deadline: float) -> None:
        self._addresses = addresses
        self._within = min(1.0, deadline / 2)
        self._late = asyncio.ensure_future(self._ask(deadline - self._within)) if addresses else None
        self._ends = time.monotonic() + deadline

    async def answer(self) -> bool:
        """Whether one does; true where none is configured."""
        if self._late is None:
            return True
        left = self._ends - time.monotonic()
        return await (self._ask(0.0) if left > self._within else self._late)

    def forget(self) -> None:
        """The answer is not needed any more."""
        if self._late:
            self._late.cancel()

    async def _ask(self, after: float) -> bool:
        await asyncio.sleep(after)
        return any(await asyncio.gather(*(_takes_connection(each, self._within) for each in self._addresses)))


async def _takes_connection(address: str, within: float) -> bool:
    host, _, port = address.rpartition(":")
    try:
        async with asyncio.timeout(within):
            found = await addresses(host.strip("[]"), int(port))
            _, writer = await asyncio.open_connection(found[0], int(port))
    except (OSError, TimeoutError, NameNotFound):
        return False
    writer.close()
    return True


async def _unreached(error: ProbeError, others: Others) -> Answer:
    """No answer came: the endpoint's fault, unless nothing else answers this host either."""
    failure = error.failure
    if failure.phase == "config":
        return Answer(Status.UNKNOWN, failure.says, failure)
    if failure.phase in UNREACHED and not await others.answer():
        says = Shown("it is this host's network: no known-good address answers")
        return Answer(Status.UNKNOWN, says, Failure("network", says, Shown("check this host's link, DNS and VPN")))
    return Answer(Status.FAILING, clean(f"{failure.phase}: {failure.says}"), failure)


def _found(answer: Answer, endpoint: Endpoint, config: HealthConfig, kept: Kept, target: Target, tools: Tools) -> Found:
    """The answer in the light of those before it, as signals and a row."""
    now = tools.clock.utc()
    wanted = endpoint.failures or config.failures
    failed = answer.status is Status.FAILING
    if answer.status is not Status.UNKNOWN:  # which neither adds to the failures in a row nor ends them
        kept.failures = kept.failures + 1 if failed else 0
    waiting = failed and kept.failures < wanted
    status = Status.DEGRADED if waiting else answer.status
    says = clean(f"failed {kept.failures} of {wanted}: {answer.says}") if waiting else answer.says
    confirmed = kept.waiting and failed  # it fails since its first failure, not since it was believed
    if kept.status is not status and not confirmed:
        kept.since = now
    kept.status, kept.waiting = status, waiting
    up = None if waiting or answer.status is Status.UNKNOWN else float(answer.status is not Status.FAILING)
    counts = None if tools.in_maintenance(target.panel) else up
    kept.uptime.add(tools.clock.monotonic(), counts, longest=2 * target.interval + target.deadline)
    fetched = answer.fetched
    kept.take_back(tools.history, target.panel, target.name)
    if fetched and up:
        kept.latencies.append(fetched.took)
    measured: dict[str, tuple[float | None, Unit]] = {
        "latency": (fetched.took if fetched else None, "s"),
        "latency_p95": (kept.p95, "s"),
        "uptime": (kept.uptime.ratio if kept.uptime.meaningful else None, "ratio"),
        "certificate_left": (fetched.certificate_ends - now if fetched and fetched.certificate_ends else None, "s"),
    }
    labels = labels_of({"endpoint": target.name})
    signals = [Signal("up", up, "count", labels)]
    signals += [Signal(name, value, unit, labels) for name, (value, unit) in measured.items()]
    cells: dict[str, Value] = {
        "endpoint": clean(target.name, 60),
        "says": says,
        "since": now - kept.since,
        "uptime": kept.uptime.ratio,
        "uptime_measured": kept.uptime.known,
        "up": up,
        **{name: value for name, (value, _) in measured.items() if name != "uptime"},
        **_facts(answer, endpoint),
    }
    row = Row(target.name, cells, status, endpoint.depends_on or None, _links(endpoint), _long(answer))
    return Found(status, tuple(signals), (row,), _release(answer, kept, target, now), answer.failure, answer.notes)


def _facts(answer: Answer, endpoint: Endpoint) -> dict[str, Value]:
    """What the reply tells of itself, and how it came, for the opened row."""
    fetched = answer.fetched
    facts: dict[str, Value] = {"url": clean(endpoint.url.masked), "method": Shown(endpoint.method)}
    if fetched:
        facts["http_status"] = Shown(str(fetched.status))
        facts["first_byte"] = fetched.first_byte
        facts["bytes"] = len(fetched.body)
    if answer.failure:
        facts["phase"] = Shown(answer.failure.phase)
        facts["try"] = answer.failure.hint
    return {**facts, **(answer.verdict.facts or {})}


def _long(answer: Answer) -> dict[str, tuple[Shown, ...]]:
    """The components, a line each, for the opened row."""
    parts = answer.verdict.parts
    if not parts:
        return {}
    return {
        "components": tuple(
            clean(f"{part.status.word:<9} {part.name}{f': {part.says}' if part.says else ''}") for part in parts
        )
    }


def _links(endpoint: Endpoint) -> tuple[Link, ...]:
    """The endpoint's own page, where its URL holds no secret."""
    return () if endpoint.url.references else (Link(Shown("endpoint"), endpoint.url.source),)


def _release(answer: Answer, kept: Kept, target: Target, now: float) -> tuple[Change, ...]:
    """A release or version that is another than before is a change, and may be a cause."""
    release = release_of(answer.verdict.facts or {})
    if not release:
        return ()
    before, kept.release = kept.release, str(release)
    if not before or before == release:
        return ()
    title = clean(f"{target.name} now runs {release}")
    key, about = f"{target.panel}/{target.name}/{release}", (target.panel, target.name)
    return (Change(key, now, "release", title, clean(f"before: {before}"), about),)
