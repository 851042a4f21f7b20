"""A person says something of alerts: what would come of it stands before it is said, then `y`.

    filling ──enter──▶ standing ──y──▶ sent ──▶ ended          esc goes back a step, and leaves all as it is
            ◀──esc───          ◀──not recorded──┘

What is asked (`Form`) is a small class a dialog: its fields, what it would do now, and the question for the engine. What was
shown when it was opened is what it is about: nothing that arrives meanwhile slips into it.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from typing import Any, Literal, Protocol

from textual.binding import Binding
from textual.events import Key, Paste, ScreenResume

from tui.engine.ask import Ask
from tui.engine.feed import Snapshot
from tui.engine.text import EMPTY, Shown, clean
from tui.widgets.footer import Hint
from tui.widgets.glyphs import Glyphs
from tui.widgets.ink import BLANK, Line, Piece, apart, spaces

from .answering import refusal
from .arrangement import too_small
from .form import Field, field_lines
from .page import Page
from .plan import texts
from .settling import once_settled
from .word import Word

NEXT = Shown("next field")
State = Literal["filling", "standing", "sent", "ended"]


class Form(Protocol):
    """What a dialog is about."""

    title: Shown
    fields: tuple[Field, ...]

    def missing(self) -> Shown:
        """Why it cannot be said yet; empty where it can."""
        ...

    def effect(self, snapshot: Snapshot, width: int, glyphs: Glyphs) -> Sequence[Line]:
        """What it would do, as things are now."""
        ...

    def deed(self, snapshot: Snapshot) -> Shown:
        """What `y` does, in a few words."""
        ...

    def question(self) -> Ask:
        """What the engine is asked."""
        ...

    def told(self, answer: Any) -> Shown:
        """What has come of it."""
        ...

    def to_copy(self, answer: Any) -> str:
        """Lines of the answer that are ready to be copied; empty where there are none."""
        ...


class Dialog(Page):
    """One form, from being filled in to its outcome."""

    BINDINGS = [
        Binding("escape", "leave", "leave all as it is", id="dialog.leave"),
        Binding("tab,down", "turn(1)", NEXT, id="dialog.next"),
        Binding("up,shift+tab", "turn(-1)", "before", id="dialog.before", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._form: Form | None = None
        self._state: State = "filling"
        self._at = 0
        self._says: Shown = EMPTY
        self._copy = ""
        self._asked = 0
        self._word = Word()

    def begin(self, form: Form) -> None:
        """What it is about from now on; whatever stood here before is forgotten."""
        self._form, self._at, self._says, self._copy, self.top = form, 0, EMPTY, "", 0
        self._asked += 1
        self._word.forget()
        self._state = "filling" if form.fields else "standing"
        # The cursor begins at the first thing that only the person knows.
        self._at = next((place for place, each in enumerate(form.fields) if getattr(each, "needed", False)), 0)

    def on_screen_resume(self, event: ScreenResume) -> None:
        """On top: what stands complete may be answered from half a second on."""
        if self._state == "standing":
            self.call_after_refresh(self._now_it_stands)

    def _now_it_stands(self) -> None:
        self._word.stands(self.dash.clock.monotonic())

    # --- keys -------------------------------------------------------------------------------------------------------

    def on_paste(self, event: Paste) -> None:
        """Words may be pasted; a paste is never the person's `y`."""
        event.stop()
        if self._state == "filling":
            for character in clean(event.text.replace("\n", " ")):
                self._fill(character if character != " " else "space", character)
        elif self._state == "standing":
            self.dash.tell("a paste does not count: type it")

    def on_key(self, event: Key) -> None:
        """Keys fill the field in; once it stands, only a person's `y` counts."""
        now = self.dash.clock.monotonic()
        counts = self._word.counts(event.key, now) and not too_small(self.size)
        if self._form is None or event.key in ("escape", "up", "down", "tab", "shift+tab", "ctrl+c", "ctrl+q"):
            return
        if self._state == "ended" and event.key != "y":
            return
        event.stop()
        event.prevent_default()
        if self._state == "filling":
            self._enter() if event.key == "enter" else self._fill(event.key, event.character)
        elif event.key == "y" and self._state == "ended" and self._copy:
            self.dash.send_to_clipboard(self._copy)
        elif event.key == "y" and counts and self._state == "standing":
            form = self._form
            once_settled(self, lambda: self._yes(form, now))

    def _fill(self, key: str, character: str | None) -> None:
        form = self._form
        assert form is not None
        fields = list(form.fields)
        fields[self._at] = fields[self._at].pressed(key, character)
        form.fields = tuple(fields)
        self._says = EMPTY
        self.draw_body()

    def _enter(self) -> None:
        """What is filled in stands, where nothing is missing."""
        form = self._form
        assert form is not None
        self._says = form.missing()
        if not self._says:
            self._state = "standing"
            self._word.forget()
            self.call_after_refresh(self._now_it_stands)
        self.draw_body()
        self.draw_keys()

    def _yes(self, form: Form, at: float) -> None:
        """`y` counts once no other key came after it."""
        if self._state == "standing" and self._form is form and self._word.settled("y", at):
            self._state, asked = "sent", self._asked
            self.dash.ask(form.question(), lambda answer: self._answered(asked, form, answer))
            self.draw_body()
            self.draw_keys()

    def _answered(self, asked: int, form: Form, answer: Future[Any]) -> None:
        """What has come of it: here while it is on screen, else above the keys."""
        says = refusal(answer)
        words = Shown(f"NOT done: {says}") if says else form.told(answer.result())
        if asked != self._asked or not self.is_current:
            self.dash.tell("", Piece(words, "degraded" if says else "text"))
            return
        self._says = words
        self._copy = "" if says else form.to_copy(answer.result())
        self._state = "ended"
        if not says and not self._copy:  # there is nothing more to read here than its outcome
            self.dash.pop_screen()
            self.dash.tell("", Piece(words))
            return
        self.draw_body()
        self.draw_keys()

    def action_turn(self, step: int) -> None:
        """To another field, or through what is longer than the screen."""
        form = self._form
        if self._state == "filling" and form is not None and form.fields:
            self._at = (self._at + step) % len(form.fields)
            self.draw_body()
        else:
            self.action_scroll(step)

    def action_leave(self) -> None:
        """A step back; nothing is changed by it."""
        if self._changeable:
            self._state = "filling"
            self.draw_body()
            self.draw_keys()
            return
        if self._state in ("filling", "standing"):
            self._asked += 1
        self.dash.pop_screen()

    # --- what is drawn ----------------------------------------------------------------------------------------------

    def page(self, width: int) -> Sequence[Line]:
        """The fields, and what would come of them now."""
        form, dash = self._form, self.dash
        if form is None:
            return []
        lines = [self._title(form, width)]
        here = self._at if self._state == "filling" else None
        if form.fields:
            lines += [*field_lines(form.fields, here, width, dash.glyphs), BLANK]
        lines += form.effect(dash.snapshot, width, dash.glyphs)
        if self._copy:
            lines += [BLANK, *(part for text in self._copy.splitlines() for part in texts(clean(text), width, "strong"))]
        return lines

    def _title(self, form: Form, width: int) -> Line:
        snapshot = self.dash.snapshot
        rule = Piece(Shown(self.dash.glyphs.rule), "focus")
        environment = snapshot.environment.upper() if snapshot.production else snapshot.environment
        where = Piece(Shown(f"{environment} · {snapshot.level.value}"), "strong" if snapshot.production else "text")
        left = [rule, spaces(1), Piece(form.title, "focus"), spaces(1)]
        return apart(left, [spaces(1), where, spaces(1), rule], width, rule)

    def pinned(self, width: int) -> Sequence[Line]:
        """What is asked of the person, or how it went."""
        form, rule = self._form, Line((Piece(Shown(self.dash.glyphs.rule * width), "faint"),))
        if form is None:
            return [rule]
        leaves = [
            Piece(Shown("esc goes back to change it" if self._changeable else "esc leaves all as it is"), "dim"),
            spaces(1),
        ]
        said = texts(self._says, width, "degraded" if not self._copy else "strong") if self._says else []
        match self._state:
            case "filling":
                ask = [apart([Piece(Shown(" enter  goes on"), "strong")], leaves, width)]
            case "standing":
                ask = [apart([Piece(Shown(f" y  {form.deed(self.dash.snapshot)}"), "strong")], leaves, width)]
            case "sent":
                ask = texts(Shown("writing it down …"), width, "dim")
            case "ended":
                ask = texts(Shown("y  sends these lines to the terminal's clipboard"), width) if self._copy else []
        alone = self.dash.snapshot.alone if self._state in ("filling", "standing") else EMPTY
        warned = texts(alone, width, "degraded") if alone else []  # a team's journal is away
        return [BLANK, *warned, *said, *ask, rule]

    @property
    def _changeable(self) -> bool:
        """Whether it stands to be answered, and `esc` goes back to its fields."""
        return self._state == "standing" and self._form is not None and bool(self._form.fields)

    def hints(self) -> tuple[Sequence[Hint], Sequence[Hint]]:
        """`esc` says what it does in this state; what is typed may hold a question mark."""
        hints, last = super().hints()
        if self._state == "ended":
            hints = [each for each in hints if each.does != NEXT]
            return [Hint(each.key, Shown("back")) if each.key == "esc" else each for each in hints], last
        if self._changeable:
            hints = [Hint(each.key, Shown("change it")) if each.key == "esc" else each for each in hints]
        several = self._state == "filling" and self._form is not None and len(self._form.fields) > 1
        turn = [Hint(Shown("tab"), NEXT)] if several else []
        return [*(each for each in hints if each.does != NEXT), *turn], []
