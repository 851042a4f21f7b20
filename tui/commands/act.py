"""`watchfloor act`: one remedy without the screen; the same plan, gate, journal and proof."""

from __future__ import annotations

import asyncio
import json
import shlex
import signal
from typing import Any

from tui.commands.printing import complain, say
from tui.commands.state import open_journal
from tui.config import Loaded
from tui.engine.actions import Effect, Plan, PlanRefused, Proof, Result
from tui.engine.clock import date_time
from tui.engine.engine import Engine, level_for
from tui.engine.feed import Deed, Level
from tui.engine.journal import JournalError
from tui.engine.reading import ProbeError
from tui.engine.redact import redact
from tui.stopping import stops_without_the_file

DONE, REFUSED, FAILED, UNKNOWN = 0, 4, 5, 6
GRACE = 2.0
"""Seconds that a signal leaves a deed to come to its outcome."""


def act(loaded: Loaded, action: str, args: tuple[str, ...], *, yes: bool, confirm: str, as_json: bool, read_only: bool) -> int:
    """Shows an action's plan, or carries it out where the word for it was given; returns DESIGN.md's exit code."""
    with stops_without_the_file():
        return asyncio.run(_act(loaded, action, args, yes, confirm, as_json, read_only))


async def _act(
    loaded: Loaded, action: str, args: tuple[str, ...], yes: bool, confirm: str, as_json: bool, read_only: bool
) -> int:
    level = Level.WATCH if read_only else level_for(loaded.setup)
    try:
        journal = open_journal(loaded.setup)
    except JournalError as error:
        complain(str(error))
        journal = None
    engine = Engine(loaded.setup, level, journal=journal)
    async with engine.session():
        for left in engine.judge_now().open_intents:
            when = f"{date_time(left.at)} {left.who}: {left.action}: {left.what}"
            complain(f"{when}: its outcome was never recorded, so it may have happened")
        try:
            plan = await engine.gate.plan(action, args)
        except PlanRefused as error:
            return _ended(action, Result.REFUSED, error.says, as_json)
        except ProbeError as error:
            hint = f" ({error.failure.hint})" if error.failure.hint else ""
            return _ended(action, Result.FAILED, f"{redact(str(error))}{hint}", as_json)
        missing = "" if plan.effect is Effect.SHOWS else _missing_word(plan, loaded.setup.production, yes, confirm)
        if plan.effect is Effect.SHOWS or missing:
            _show(plan, as_json, missing)
            return REFUSED if missing and (yes or confirm) else DONE
        if not as_json:
            _show(plan, as_json, "")
        return await _carried_out(engine, plan, confirm, as_json)


async def _carried_out(engine: Engine, plan: Plan, confirm: str, as_json: bool) -> int:
    """Executes, reports, and returns the exit code. A signal stops it after the item at hand; one that has no outcome within
    the grace is *unknown*, and its intent stays open in the journal."""
    loop = asyncio.get_running_loop()
    doing = asyncio.ensure_future(engine.gate.execute(plan, yes=True, typed=confirm))
    signals: list[int] = []

    def stop(number: int) -> None:
        signals.append(number)
        engine.gate.stop_after_item()
        loop.call_later(GRACE, doing.cancel)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, stop, number)
    try:
        deed = await doing
    except PlanRefused as error:
        return _ended(plan.action, Result.REFUSED, error.says, as_json)
    except asyncio.CancelledError:
        complain(f"{plan.action}: cut off before its outcome was known: it may have happened. See `watchfloor journal`")
        return UNKNOWN
    _report(deed, as_json)
    stopped = signals and len(deed.outcomes) < len(plan.items)
    return 128 + signals[0] if stopped else exit_code(deed)


def exit_code(deed: Deed) -> int:
    """DESIGN.md's: 0 done and verified, 4 refused or not as planned any more, 5 failed, 6 unknown, 7 not verified."""
    results = [outcome.result for _, outcome in deed.outcomes]
    for result, code in ((Result.UNKNOWN, 6), (Result.FAILED, 5), (Result.REFUSED, 4), (Result.CHANGED, 4)):
        if result in results:
            return code
    proofs = dict(deed.proofs)
    if not results:
        return 4  # stopped before anything was sent
    verified = all(proofs.get(key, Proof(None)).verified for key, _ in deed.outcomes)
    return 0 if verified and len(results) == len(deed.plan.items) else 7


def _missing_word(plan: Plan, production: bool, yes: bool, confirm: str) -> str:
    """What still has to be said before the plan runs; empty when all was."""
    wanted = (plan.confirm or plan.action) if plan.by_typing or production else ""
    missing = [] if yes else ["--yes"]
    if wanted and confirm != wanted:
        missing.append(f"--confirm {shlex.quote(wanted)}")
    return f"to do it, add  {' '.join(missing)}" if missing else ""


def _ended(action: str, result: Result, says: str, as_json: bool) -> int:
    """Says that there was no deed, and why; returns the exit code."""
    if as_json:
        say(json.dumps({"schema": 1, "action": action, "result": result, "says": says}))
    complain(f"{action}: {says}")
    return FAILED if result is Result.FAILED else REFUSED


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
