"""A plan and its outcome as lines: what would be done, to what, and how it went. Pure."""

from __future__ import annotations

from tui.engine.actions import Outcome, Plan, Proof, Result
from tui.engine.feed import Deed
from tui.engine.text import EMPTY, Shown, clean
from tui.widgets.ink import BLANK, Line, Piece, Role, fit, spaces, wrap

from .selection import safe_address

LABEL = 10
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
    several = len(plan.items) > 1
    if several:
        lines += fact(Shown("to"), clean(", ".join(item.title for item in plan.items)), width, "strong")
        lines += [line for label, text in plan.facts for line in fact(label, text, width)]
    for item in plan.items:
        if several:
            lines += [BLANK, *texts(item.title, width, "strong")]
        elif item.title != plan.what:
            lines += fact(Shown("to"), item.title, width, "strong")
        lines += [line for label, text in item.facts for line in fact(label, text, width)]
    if not several:
        lines += [line for label, text in plan.facts for line in fact(label, text, width)]
    if plan.copy:
        lines.append(BLANK)
        lines += [part for text in plan.copy.splitlines() for part in texts(clean(text), width, "strong")]
    if address := safe_address(plan.url):
        lines.append(Line((spaces(1), Piece(clean(address), "key", address))))
    return lines


def fact(label: Shown, text: Shown, width: int, role: Role = "text") -> list[Line]:
    """A label and its text, wrapped beside it."""
    lines = []
    for order, part in enumerate(wrap(text, max(10, width - LABEL - 2))):
        lines.append(Line((spaces(1), Piece(fit(label if order == 0 else EMPTY, LABEL), "dim"), Piece(part, role))))
    return lines


def texts(text: Shown, width: int, role: Role = "text") -> list[Line]:
    """A text, wrapped."""
    return [Line((spaces(1), Piece(part, role))) for part in wrap(text, width - 2)]


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
    counts: dict[str, int] = {}
    for _, outcome in deed.outcomes:
        counts[outcome.result.value] = counts.get(outcome.result.value, 0) + 1
    words = ", ".join(f"{number} {word}" if len(deed.outcomes) > 1 else word for word, number in counts.items())
    proofs = [proof for _, proof in deed.proofs]
    if proofs:
        words += ", verified" if all(proof.verified for proof in proofs) else ", NOT verified"
        words += f": {proofs[0].says}" if len(proofs) == 1 and proofs[0].says else ""
    elif len(deed.outcomes) == 1 and deed.outcomes[0][1].says:
        words += f": {deed.outcomes[0][1].says}"
    return clean(f"{deed.plan.title}: {words or 'not begun'}")
