"""`watchfloor act`: one remedy without the screen; the same plan, gate, journal and proof."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from tui.commands.printing import complain, say
from tui.commands.state import open_journal
from tui.config import Loaded
from tui.engine.actions import Effect, Plan, PlanRefused, Proof, Result
from tui.engine.engine import Engine
from tui.engine.feed import Deed, Level
from tui.engine.gate import exit_code
from tui.engine.journal import JournalError
from tui.engine.reading import ProbeError
from tui.engine.redact import redact

DONE, REFUSED, FAILED = 0, 4, 5


def act(loaded: Loaded, action: str, args: tuple[str, ...], *, yes: bool, confirm: str, as_json: bool, read_only: bool) -> int:
    """Shows an action's plan, or carries it out where the word for it was given; returns DESIGN.md's exit code."""
    return asyncio.run(_act(loaded, action, args, yes, confirm, as_json, read_only))


async def _act(
    loaded: Loaded, action: str, args: tuple[str, ...], yes: bool, confirm: str, as_json: bool, read_only: bool
) -> int:
    level = Level.WATCH if read_only else Level.ARMED if loaded.setup.allow else Level.RESPOND
    try:
        journal = open_journal(loaded.setup)
    except JournalError as error:
        complain(str(error))
        journal = None
    engine = Engine(loaded.setup, level, journal=journal)
    async with engine.session():
        try:
            plan = await engine.gate.plan(action, args)
        except PlanRefused as error:
            return _refused(action, error.says, as_json)
        except ProbeError as error:
            complain(f"{action}: {redact(str(error))}{f' ({error.failure.hint})' if error.failure.hint else ''}")
            return FAILED
        missing = _missing_word(plan, loaded.setup.production, yes, confirm)
        if plan.effect is Effect.SHOWS or missing:
            _show(plan, as_json, missing)
            return DONE if plan.effect is Effect.SHOWS or not (yes or confirm) else REFUSED
        if not as_json:
            _show(plan, as_json, "")
        try:
            deed = await engine.gate.execute(plan, yes=yes, typed=confirm)
        except PlanRefused as error:
            return _refused(action, error.says, as_json)
    _report(deed, as_json)
    return exit_code(deed)


def _missing_word(plan: Plan, production: bool, yes: bool, confirm: str) -> str:
    """What still has to be said before the plan runs; empty when all was."""
    if plan.effect is Effect.DESTROYS or production:
        if confirm != plan.confirm:
            return f"to do it, add  --confirm {plan.confirm!r}" + ("" if plan.effect is Effect.DESTROYS else "  and  --yes")
        return "" if plan.effect is Effect.DESTROYS or yes else "to do it, add  --yes"
    return "" if yes else "to do it, add  --yes"


def _refused(action: str, says: str, as_json: bool) -> int:
    if as_json:
        say(json.dumps({"schema": 1, "action": action, "result": Result.REFUSED, "says": says}, ensure_ascii=False))
    complain(f"{action}: {says}")
    return REFUSED


def _show(plan: Plan, as_json: bool, missing: str) -> None:
    """The plan, for a person or a program."""
    if as_json:
        say(
            json.dumps(
                {"schema": 1, "action": plan.action, "plan": _plan(plan), "missing": missing or None}, ensure_ascii=False
            )
        )
        return
    say(f"{plan.title}")
    say(f"  {'what':<9} {plan.what}")
    for item in plan.items:
        say(f"  {'target':<9} {item.title}")
        for label, text in item.facts:
            say(f"    {label:<9} {text}")
    for label, text in plan.facts:
        say(f"  {label:<9} {text}")
    for line in plan.request:
        say(f"  {'|':<9} {line}")
    if plan.copy:
        say(f"\n{plan.copy}")
    if plan.url:
        say(plan.url)
    if missing:
        say(f"\nNothing was done: {missing}")


def _plan(plan: Plan) -> dict[str, Any]:
    return {
        "title": plan.title,
        "effect": plan.effect,
        "what": plan.what,
        "items": [{"key": item.key, "title": item.title, "facts": dict(item.facts)} for item in plan.items],
        "facts": dict(plan.facts),
        "request": list(plan.request),
        "confirm": plan.confirm or None,
        "copy": plan.copy or None,
        "url": plan.url or None,
    }


def _report(deed: Deed, as_json: bool) -> None:
    """What became of it, item by item."""
    proofs = dict(deed.proofs)
    if as_json:
        items = [
            {
                "key": key,
                "result": outcome.result,
                "says": redact(outcome.says),
                "verified": proofs[key].verified if key in proofs else None,
                "proof": redact(proofs[key].says) if key in proofs else None,
            }
            for key, outcome in deed.outcomes
        ]
        say(json.dumps({"schema": 1, "action": deed.plan.action, "deed": deed.id, "plan": _plan(deed.plan), "items": items}))
        return
    for key, outcome in deed.outcomes:
        words = [f"{key}: {outcome.result}", redact(outcome.says), _seen(proofs.get(key))]
        say("  ·  ".join(filter(None, words)))
    left = len(deed.plan.items) - len(deed.outcomes)
    if left:
        say(f"stopped: {left} of {len(deed.plan.items)} were not tried")


def _seen(proof: Proof | None) -> str:
    """Whether the effect was seen, in words."""
    if proof is None:
        return ""
    return f"{'verified' if proof.verified else 'NOT verified'}{f': {redact(proof.says)}' if proof.says else ''}"
