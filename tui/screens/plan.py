"""A plan and its outcome as lines: what would be done, to what, and how it went. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from tui.engine.actions import Item, Outcome, Plan, Proof, Result
from tui.engine.feed import Deed
from tui.engine.text import EMPTY, Shown, clean
from tui.widgets.ink import BLANK, Line, Piece, Role, fit, spaces, wrap

from .selection import safe_address

LABEL = 10
NAMED = 6
"""Items that are named in one line; of more the others are counted."""
FEW = 3
"""Items whose outcomes stand each for itself; of more those that did not go well."""
TOLD = 4
"""So many of those; more are counted."""
RESULTS: dict[Result, Role] = {
    Result.DONE: "strong",
    Result.CHANGED: "degraded",
    Result.REFUSED: "degraded",
    Result.FAILED: "failing",
    Result.UNKNOWN: "unknown",
}


def plan_lines(plan: Plan, width: int) -> list[Line]:
    """What, to whom, and what else a person must know, a label a line. Of several items all are named first, then comes what
    holds for all, then each as it is now: a long list hides neither how many there are nor what could go wrong."""
    lines = fact(Shown("what"), plan.what, width)
    for text in plan.copy.splitlines():
        lines += fact(Shown("command"), clean(text), width, "strong")
    several = len(plan.items) > 1
    if several:
        lines += fact(Shown("to"), _names(plan.items), width, "strong")
        lines += [line for label, text in plan.facts for line in fact(label, text, width)]
    for item in plan.items:
        if several:
            lines += [BLANK, *texts(item.title, width, "strong")]
        elif item.title != plan.what:
            lines += fact(Shown("to"), item.title, width, "strong")
        lines += [line for label, text in item.facts for line in fact(label, text, width)]
    if not several:
        lines += [line for label, text in plan.facts for line in fact(label, text, width)]
    if address := safe_address(plan.url):
        lines.append(Line((spaces(1), Piece(clean(address), "key", address))))
    return lines


def _names(items: Sequence[Item]) -> Shown:
    """The items in a line; of many the first ones, and how many more."""
    named = ", ".join(item.title for item in items[:NAMED])
    more = len(items) - NAMED
    return clean(f"{named} and {more} more, each as it is now below" if more > 0 else named)


def fact(label: Shown, text: Shown, width: int, role: Role = "text") -> list[Line]:
    """A label and its text, wrapped beside it."""
    lines = []
    for order, part in enumerate(wrap(text, max(10, width - LABEL - 2))):
        lines.append(Line((spaces(1), Piece(fit(label if order == 0 else EMPTY, LABEL), "dim"), Piece(part, role))))
    return lines


def texts(text: Shown, width: int, role: Role = "text") -> list[Line]:
    """A text, wrapped."""
    return [Line((spaces(1), Piece(part, role))) for part in wrap(text, width - 2)]


def progress(plan: Plan, deed: Deed | None, ended: bool, width: int) -> list[Line]:
    """How it goes: each item where there are few; of many how many went how, and those that did not go well."""
    outcomes: dict[str, Outcome] = dict(deed.outcomes) if deed else {}
    proofs: dict[str, Proof] = dict(deed.proofs) if deed else {}
    items: Sequence[Item] = plan.items
    lines: list[Line] = []
    if len(items) > FEW:
        ill = [each for each in items if _went_ill(outcomes.get(each.key), proofs.get(each.key), ended)]
        lines = texts(_counted(items, outcomes, proofs, ended), width, "degraded" if ill else "strong")
        if len(ill) > TOLD:
            lines += texts(Shown(f"{len(ill)} did not go well, the first of them:"), width, "degraded")
        items = ill[:TOLD]
    for item in items:
        name = f"{item.title}: " if len(plan.items) > 1 else ""
        lines += item_progress(name, outcomes.get(item.key), proofs.get(item.key), ended, width)
    return lines


def _went_ill(outcome: Outcome | None, proof: Proof | None, ended: bool) -> bool:
    """Whether a person must know of this item by name: it was not done, or it was and did not help, as far as one can tell."""
    if outcome is None:
        return False
    if outcome.result is not Result.DONE:
        return True
    return proof is not None and (proof.verified is False or (ended and proof.verified is None))


def _counted(items: Sequence[Item], outcomes: dict[str, Outcome], proofs: dict[str, Proof], ended: bool) -> Shown:
    """`31 of 34 done, 1 failed, 2 to go · 28 verified, 3 being looked at`."""
    went = [outcomes[each.key].result for each in items if each.key in outcomes]
    words = [f"{went.count(Result.DONE)} of {len(items)} done"]
    words += [f"{went.count(each)} {each}" for each in Result if each is not Result.DONE and each in went]
    if left := len(items) - len(went):
        words.append(f"{left} not begun" if ended else f"{left} to go")
    seen = [proofs[each.key].verified for each in items if each.key in proofs]
    open_ = went.count(Result.DONE) - len([each for each in seen if each is not None])
    found = [f"{seen.count(True)} verified"] if True in seen else []
    found += [f"{seen.count(False)} NOT verified"] if False in seen else []
    if open_ > 0:
        found.append(f"{open_} of which it could not be told" if ended else f"{open_} being looked at")
    return Shown(f"{', '.join(words)} · {', '.join(found)}" if found else ", ".join(words))


def item_progress(name: str, outcome: Outcome | None, proof: Proof | None, ended: bool, width: int) -> list[Line]:
    """How one item went. `name` is empty where there is only one."""
    if outcome is None:
        return texts(Shown(f"{name}{'not begun' if ended else 'under way …'}"), width, "dim")
    says = f": {outcome.says}" if outcome.says else ""
    lines = texts(Shown(f"{name}{outcome.result}{says}"), width, RESULTS[outcome.result])
    if outcome.result is not Result.DONE:
        return lines
    if proof is None or (proof.verified is None and not ended):
        return [*lines, *texts(Shown("looking whether it worked …"), width, "dim")]
    word, role = verdict(proof)
    return [*lines, *texts(Shown(f"{word}: {proof.says}" if proof.says else word), width, role)]


def verdict(proof: Proof) -> tuple[str, Role]:
    """A proof in a word."""
    if proof.verified is None:
        return "not verified: it could not be told", "unknown"
    return ("verified", "strong") if proof.verified else ("NOT verified", "failing")


def summary(deed: Deed | None) -> Shown:
    """A deed in one line, for whoever has gone on to something else."""
    if deed is None:
        return EMPTY
    if len(deed.plan.items) > 1:
        ended = deed.ended is not None
        return clean(f"{deed.plan.title}: {_counted(deed.plan.items, dict(deed.outcomes), dict(deed.proofs), ended)}")
    words = ", ".join(outcome.result.value for _, outcome in deed.outcomes)
    proofs = [proof for _, proof in deed.proofs]
    if proofs:
        words += ", verified" if all(proof.verified for proof in proofs) else ", NOT verified"
        words += f": {proofs[0].says}" if len(proofs) == 1 and proofs[0].says else ""
    elif len(deed.outcomes) == 1 and deed.outcomes[0][1].says:
        words += f": {deed.outcomes[0][1].says}"
    return clean(f"{deed.plan.title}: {words or 'not begun'}")
