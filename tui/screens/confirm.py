"""Before it acts: exactly what would be done, to what, and the person's word; afterwards how it went and whether it worked.

    planning → ready → running → ended            esc leaves from everywhere; a deed under way goes on
             ↘ refused                             a plan that shows ends where it stands: it is read and copied

The plan stands as it was made, whatever polls arrive. A word counts only when the plan has stood complete for half a second,
and when it was typed: pastes, key repeats and keys faster than fingers are dropped.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from typing import Any, Literal

from textual.binding import Binding
from textual.events import Key, Paste

from tui.engine.actions import Effect, Plan, PlanRefused, Result
from tui.engine.ask import Execute, MakePlan
from tui.engine.feed import Deed, Offer, Snapshot
from tui.engine.reading import ProbeError
from tui.engine.text import EMPTY, Shown, clean
from tui.widgets.footer import Hint
from tui.widgets.ink import BLANK, Line, Piece, apart, spaces

from .arrangement import too_small
from .page import Page
from .plan import plan_lines, progress, summary, texts
from .selection import safe_address
from .settling import once_settled
from .word import Word

State = Literal["planning", "ready", "refused", "running", "ended"]
PASSED_ON = ("escape", "tab", "up", "down", "ctrl+c", "ctrl+q")
"""Keys that are no word: they leave, turn or scroll, whatever is asked."""


class Confirm(Page):
    """One plan, from being made to its outcome."""

    BINDINGS = [
        Binding("escape", "leave", "leave all as it is", id="confirm.leave"),
        Binding("tab", "turn", "exact request", id="confirm.request"),
        Binding("down", "scroll(1)", "down", id="confirm.down", show=False),
        Binding("up", "scroll(-1)", "up", id="confirm.up", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._offer: Offer | None = None
        self._plan: Plan | None = None
        self._deed: Deed | None = None
        self._state: State = "planning"
        self._says: Shown = EMPTY
        self._typed = ""
        self._exact = False
        self._asked = 0
        self._word = Word()

    def begin(self, offer: Offer, keys: tuple[str, ...]) -> None:
        """Asks for the plan; whatever stood here before is forgotten."""
        self._offer, self._plan, self._deed, self._state = offer, None, None, "planning"
        self._says, self._typed, self._exact, self.top = EMPTY, "", False, 0
        self._word.forget()
        self._asked += 1
        asked = self._asked
        self.dash.ask(MakePlan(offer.action, keys), lambda answer: self._planned(asked, answer))

    def _planned(self, asked: int, answer: Future[Any]) -> None:
        """The plan, or why there is none."""
        if asked != self._asked or self._state != "planning":
            return
        try:
            self._plan = answer.result()
        except PlanRefused as error:
            self._state, self._says = "refused", error.says
        except ProbeError as error:
            self._state, self._says = "refused", clean(f"{error.failure.phase}: {error.failure.says}. {error.failure.hint}")
        except Exception as error:  # a panel's defect must be said here, and cost nothing else
            self._state, self._says = "refused", clean(f"no plan could be made: {type(error).__name__}: {error}")
        else:
            self._state = "ready"
        self.draw_body()
        self.draw_keys()
        self.call_after_refresh(self._now_it_stands, asked)

    def _now_it_stands(self, asked: int) -> None:
        if asked == self._asked:
            self._word.stands(self.dash.clock.monotonic())

    # --- keys -------------------------------------------------------------------------------------------------------

    def on_paste(self, event: Paste) -> None:
        """A paste is no word."""
        event.stop()
        if self._state == "ready":
            self.dash.tell("a paste does not count: type it")

    def on_key(self, event: Key) -> None:
        """A key that may be the person's word; bindings (esc, tab, arrows) go on to Textual."""
        now = self.dash.clock.monotonic()
        counts = self._word.counts(event.key, now)
        if self._state != "ready" or self._plan is None or event.key in PASSED_ON:
            return
        counts = counts and not too_small(self.size)  # nobody confirms what is not on screen
        if event.key == "question_mark" and not self._plan.by_typing:
            return
        event.stop()
        event.prevent_default()
        if not counts:
            return
        if self._plan.effect is Effect.SHOWS:
            self._copy_key(event.key)
        elif not self._plan.by_typing:
            if event.key == "y":
                plan = self._plan
                once_settled(self, lambda: self._yes(plan, now))
        else:
            self._type(event)

    def _copy_key(self, key: str) -> None:
        plan = self._plan
        if plan is None:
            return
        if key == "y" and plan.copy:
            self.dash.send_to_clipboard(plan.copy)
        elif key == "o" and safe_address(plan.url):
            self.dash.send_to_clipboard(safe_address(plan.url), link=safe_address(plan.url))

    def _yes(self, plan: Plan, at: float) -> None:
        """`y` counts once no other key came after it."""
        if self._state == "ready" and self._plan is plan and self._word.settled("y", at):
            self._execute(plan, yes=True)

    def _type(self, event: Key) -> None:
        plan = self._plan
        assert plan is not None
        if event.key == "enter":
            if self._typed == plan.confirm:
                self._execute(plan, typed=self._typed)
            else:
                self._typed = ""
                self.dash.tell(f"that is not {clean(plan.confirm)}: nothing was done")
        elif event.key == "backspace":
            self._typed = self._typed[:-1]
        elif event.is_printable and event.character:
            self._typed = (self._typed + event.character)[: len(plan.confirm) + 20]
        self.draw_body()

    def _execute(self, plan: Plan, *, typed: str = "", yes: bool = False) -> None:
        self._state = "running"
        self._says = EMPTY
        asked = self._asked
        self.dash.ask(Execute(plan, typed, yes), lambda answer: self._executed(asked, plan, answer))
        self.draw_body()
        self.draw_keys()

    def _executed(self, asked: int, plan: Plan, answer: Future[Any]) -> None:
        """How it went: here while the plan is on screen, and above the keys wherever the person is by then."""
        deed, says = None, EMPTY
        try:
            deed = answer.result()
        except PlanRefused as error:
            says = Shown(f"refused: {error.says}")
        except Exception as error:  # the outcome is not known then, and that is what must be said
            says = clean(f"{Result.UNKNOWN}: {type(error).__name__}: {error}")
        if asked == self._asked:
            self._state, self._deed, self._says = "ended", deed or self._deed, says
            if self.is_current:
                self.draw_body()
                self.draw_keys()
        if not self.is_current or asked != self._asked:
            self.dash.tell("", Piece(says or summary(deed), "text" if deed else "degraded"))

    def action_turn(self) -> None:
        """The plan in words, or the exact request."""
        self._exact, self.top = not self._exact, 0
        self.draw_body()
        self.draw_keys()

    def action_leave(self) -> None:
        """Back; nothing is changed by it."""
        self._typed = ""
        if self._state in ("planning", "ready"):
            self._asked += 1  # an answer that comes later finds nobody
        self.dash.pop_screen()

    # --- what is drawn ----------------------------------------------------------------------------------------------

    def take(self, snapshot: Snapshot) -> None:
        """The plan stays; only how far its deed has come is new."""
        if self._plan is not None and self._state in ("running", "ended"):
            self._deed = next((deed for deed in snapshot.deeds if deed.plan is self._plan), self._deed)
        super().take(snapshot)

    def page(self, width: int) -> Sequence[Line]:
        """The plan, or the exact request, or why there is none."""
        title = self._title(width)
        plan = self._plan
        if self._state == "planning":
            return [title, BLANK, *texts(Shown("reading it as it is now …"), width, "dim")]
        if plan is None:
            return [title, BLANK, *texts(self._says, width, "degraded"), BLANK, *texts(Shown("Nothing was done."), width)]
        if self._exact:
            body = [part for text in plan.request for part in texts(text, width)]
            return [title, BLANK, *(body or texts(Shown("nothing is sent"), width, "dim"))]
        return [title, *plan_lines(plan, width)]

    def _title(self, width: int) -> Line:
        snapshot = self.dash.snapshot
        rule = Piece(Shown(self.dash.glyphs.rule), "focus")
        environment = snapshot.environment.upper() if snapshot.production else snapshot.environment
        name = self._plan.title if self._plan else self._offer.title if self._offer else EMPTY
        where = Piece(Shown(f"{environment} · {snapshot.level.value}"), "strong" if snapshot.production else "text")
        left = [rule, spaces(1), Piece(name, "focus"), spaces(1)]
        return apart(left, [spaces(1), where, spaces(1), rule], width, rule)

    def pinned(self, width: int) -> Sequence[Line]:
        """What is asked of the person, or how it goes."""
        plan, rule = self._plan, Line((Piece(Shown(self.dash.glyphs.rule * width), "faint"),))
        if plan is None:
            return [rule]
        if self._state in ("running", "ended"):
            return [*self._progress(plan, width), rule]
        return [BLANK, self._question(plan, width), rule]

    def _question(self, plan: Plan, width: int) -> Line:
        caret = Piece(Shown(self.dash.glyphs.caret), "focus")
        right = [Piece(Shown("esc leaves all as it is"), "dim"), spaces(1)]
        if plan.effect is Effect.SHOWS:
            page = "   o  sends its page" if safe_address(plan.url) else ""
            offer = f" y  sends it to the terminal's clipboard{page}" if plan.copy else " nothing is sent"
            return apart([Piece(Shown(offer), "strong")], [spaces(1)], width)
        if not plan.by_typing:
            return apart([Piece(Shown(f" y  {plan.title}"), "strong")], right, width)
        ask = Piece(Shown(f" Type {clean(plan.confirm)} and press enter: "), "strong")
        return apart([ask, Piece(clean(self._typed), "focus"), caret], right, width)

    def _progress(self, plan: Plan, width: int) -> list[Line]:
        """What became of it, and whether that was seen, in words."""
        if self._says:
            return [BLANK, *texts(self._says, width, "degraded")]
        return [BLANK, *progress(plan, self._deed, self._state == "ended", width)]

    def hints(self) -> tuple[Sequence[Hint], Sequence[Hint]]:
        """`esc` says what it does in this state."""
        hints, last = super().hints()
        if self._exact:
            hints = [Hint(each.key, Shown("the plan in words")) if each.key == "tab" else each for each in hints]
        if self._state == "ready" and self._plan is not None and self._plan.by_typing:
            last = []  # what is typed may hold a question mark
        if self._state in ("ready", "planning") and (self._plan is None or self._plan.effect is not Effect.SHOWS):
            return hints, last
        return [Hint(hint.key, Shown("back")) if hint.key == "esc" else hint for hint in hints], last
