"""Somebody else's panel: it watches the service of tests/servers/things.py and has a remedy of each effect.

Tests use it where the engine, the gate or a command is meant and no panel of ours in particular; `install` makes it a `kind`
that is found as any installed package's is.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

from msgspec.structs import replace

from tui.engine.actions import Action, Context, Effect, Item, Outcome, Plan, PlanRefused, Proof, Result
from tui.engine.connections import Tools
from tui.engine.history import History
from tui.engine.http_answer import Fetched
from tui.engine.layout import Layout, Room
from tui.engine.panel import Card, DefaultRule, Memory, PanelConfig, Probe, Readings, SignalSpec, Target, Threshold
from tui.engine.reading import Found, ProbeError, Row, Signal, Status
from tui.engine.secrets import SecretUrl
from tui.engine.setup import PanelSetup, Setup
from tui.engine.text import Shown, clean
from tui.engine.units import Interval

ANSWERS_WITHIN = 10.0
"""Seconds that a question may take: what answers it is well, and stands still at the most for as long as the machine does."""


class TheirConfig(PanelConfig):
    """What `kind = "theirs"` takes."""

    url: SecretUrl
    """Where the service is."""
    acts_within: Interval = ANSWERS_WITHIN
    """Seconds that a deed's answer is waited for."""


async def _fetch(context: Context | Target, tools: Tools, path: str) -> Fetched:
    url = context.settings.url.source + path
    return await tools.http(f"{context.panel}/GET").fetch("GET", url, deadline=ANSWERS_WITHIN)


async def ask(target: Target, tools: Tools, memory: Memory) -> Found:
    """All things, a row each."""
    states = json.loads((await _fetch(target, tools, "/things")).body)
    broken = sum(state == "broken" for state in states.values())
    rows = tuple(Row(key, {"state": clean(state)}) for key, state in states.items())
    return Found(Status.OK, (Signal("broken", float(broken)),), rows)


async def _item(key: str, context: Context) -> Item:
    found = json.loads((await _fetch(context, context.tools, f"/things/{quote(key, safe='')}")).body)
    if found["state"] is None:
        raise PlanRefused(f"there is no thing {key}")
    return Item(key, clean(f"{key}, {found['state']}"), guard={"state": found["state"]})


def _action(verb: str, key: str, effect: Effect, *, bulk: bool) -> Action:
    async def plan(keys: Sequence[str], context: Context) -> Plan:
        items = tuple([await _item(each, context) for each in keys])
        confirm = items[0].key if len(items) == 1 else f"{len(items)} things"
        what = clean(f"{verb}s {confirm}")
        request = tuple(clean(f"POST /things/{quote(each.key, safe='')}/{verb}") for each in items)
        return Plan("", "", clean(verb), effect, what, items, request=request, confirm=confirm, proof_within=2.0)

    async def execute(item: Item, plan: Plan, context: Context, idempotency_key: str) -> Outcome:
        url = f"{context.settings.url.source}/things/{quote(item.key, safe='')}/{verb}"
        client, headers = context.tools.http(f"{context.panel}/POST"), {"idempotency-key": idempotency_key}
        try:
            answer = await client.fetch("POST", url, deadline=context.settings.acts_within, headers=headers)
        except ProbeError as error:
            sent = error.failure.phase not in ("DNS", "connect")
            return Outcome(Result.UNKNOWN if sent else Result.FAILED, error.failure.says)
        says = Shown(f"HTTP {answer.status}")
        return Outcome({200: Result.DONE, 403: Result.REFUSED, 409: Result.CHANGED}.get(answer.status, Result.FAILED), says)

    async def verify(item: Item, plan: Plan, context: Context) -> Proof:
        answer = await _fetch(context, context.tools, f"/things/{quote(item.key, safe='')}")
        state = json.loads(answer.body)["state"]
        return Proof(True, clean(f"it is {state}")) if state in ("well", "gone") else Proof(None, clean(f"it is {state}"))

    return Action(verb, key, clean(verb), clean(f"{verb}s a thing"), effect, plan, execute=execute, verify=verify, bulk=bulk)


async def _hint(keys: Sequence[str], context: Context) -> Plan:
    return Plan("", "", Shown("hint"), Effect.SHOWS, Shown("what to type elsewhere"), (), copy="things mend a")


ACTIONS = (
    _action("mend", "R", Effect.CHANGES, bulk=True),
    _action("end", "X", Effect.DESTROYS, bulk=False),
    Action("hint", "B", Shown("hint"), Shown("shows what to type"), Effect.SHOWS, _hint, needs_row=False),
)


def view(readings: Readings, history: History, room: Room) -> Layout:
    """A headline is enough."""
    rows = readings.rows("things")
    return Layout(headline=Shown(f"{len(rows)} things"))


CARD = Card(
    kind="theirs",
    title="Somebody else's things",
    config=TheirConfig,
    probes=(Probe("things", ask),),
    signals=(SignalSpec("broken", "count", "things that are broken", "higher"),),
    rules=(DefaultRule("Broken", "broken", "above", (Threshold("P2", 0.0), Threshold("P1", 2.0))),),
    view="tests.theirs:view",
    actions="tests.theirs:ACTIONS",
    example='[[panel]]\nkind = "theirs"\nurl = "http://127.0.0.1:8080"\n',
)


def broken_view(readings: Readings, history: History, room: Room) -> Layout:
    """A view with a defect."""
    raise KeyError("no such column")


UNDRAWN = replace(CARD, kind="undrawn", view="tests.theirs:broken_view")
"""The same panel, with a view that breaks."""


def setup(
    url: str,
    *,
    allow: tuple[str, ...] = ("theirs.*",),
    production: bool = False,
    card: Card = CARD,
    acts_within: float = ANSWERS_WITHIN,
) -> Setup:
    """A dashboard of this panel alone."""
    settings = TheirConfig.model_validate({"kind": "theirs", "url": url, "acts_within": f"{acts_within:g}s"})
    panel = PanelSetup("theirs", "theirs", card, settings)
    environment = "production" if production else "demo"
    return Setup("shop", environment, production, "abc", "anna", 1.0, None, (panel,), allow=allow)


def install(folder: Path, module: str = "tests.theirs:CARD", kind: str = "theirs") -> Path:
    """The panel as an installed package: what pip would have written. Put the folder on PYTHONPATH."""
    about = folder / f"{kind}_panel-1.0.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {kind}-panel\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text(f"[watchfloor.panels]\n{kind} = {module}\n")
    return folder
