"""The panel's contract: how cards are found without importing them, and that every installed one keeps its word."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest

from tests import theirs
from tests.clocks import START
from tests.running import ROOT
from tui.engine.actions import Action, Effect
from tui.engine.history import History
from tui.engine.installed import installed_kinds
from tui.engine.layout import Layout, Room
from tui.engine.panel import Card, Judged, PanelConfig, PanelLoadError, Probe, Readings, load_card, load_named
from tui.engine.reading import Found, Reading, Status, signal
from tui.engine.rules import parse_signal

KINDS = sorted(installed_kinds())
cards = pytest.mark.parametrize("card", [load_card(kind) for kind in KINDS], ids=KINDS)


def test_the_kinds_of_the_first_version_are_there() -> None:
    assert {"health", "metrics", "database", "jobs", "deploys"} <= set(KINDS)


@cards
def test_a_card_names_what_is_there(card: Card) -> None:
    assert callable(card.load_view())
    assert all(isinstance(each, Action) for each in card.load_actions())
    if card.check:
        assert inspect.iscoroutinefunction(load_named(card.check))
    assert issubclass(card.config, PanelConfig)
    assert card.probes and card.signals and card.example and card.title


@cards
def test_every_default_rule_is_on_a_signal_of_its_own_panel(card: Card) -> None:
    known = {each.name: each for each in card.signals}
    names = [rule.name for rule in card.rules]
    assert len(set(names)) == len(names)
    for rule in card.rules:
        assert rule.signal in known, rule.name
        assert rule.levels and rule.why
        worse = known[rule.signal].worse
        assert worse is None or (worse == "higher") == (rule.way == "above"), f"{rule.name} looks the wrong way"
        if known[rule.signal].unit == "ratio":
            assert all(0 <= level.limit <= 1 for level in rule.levels), rule.name


@cards
def test_names_are_identities_that_can_be_written_in_a_rule(card: Card) -> None:
    for spec in card.signals:
        assert parse_signal(f"{card.kind}.{spec.name}") == (card.kind, spec.name, {})
        assert spec.help
    assert len({spec.name for spec in card.signals}) == len(card.signals)
    assert len({probe.name for probe in card.probes}) == len(card.probes)
    assert len({column.name for column in card.columns}) == len(card.columns)


@cards
def test_upper_case_acts_and_no_letter_that_moves_acts(card: Card) -> None:
    """screens.md: no lower-case letter reaches production, every upper-case one opens a plan first, H J K L are unbound."""
    actions = card.load_actions()
    assert len({action.verb for action in actions}) == len(actions)
    assert len({action.key for action in actions}) == len(actions)
    for action in actions:
        assert len(action.key) == 1 and action.key.isupper() and action.key not in "HJKLGSED", action.verb
        assert (action.execute is None) == (action.effect is Effect.SHOWS), action.verb
        assert action.effect is Effect.SHOWS or action.verify is not None, f"{action.verb} would never be proven"
        assert action.title and action.help


@cards
def test_columns_fit_an_eighty_column_terminal(card: Card) -> None:
    assert sum(column.width + 2 for column in card.columns if column.rank == 0) <= 78


@cards
def test_a_view_draws_something_before_anything_was_measured(card: Card) -> None:
    settings = card.config.model_construct(kind=card.kind, name="")
    for width, height in ((58, 20), (78, 18), (98, 40), (20, 3), (1, 1)):
        layout = card.load_view()(Readings(card.kind, settings, {}), History(), Room(width, height, START))
        assert isinstance(layout, Layout)


def test_somebody_elses_card_is_found_and_one_that_breaks_says_whose(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    theirs.install(tmp_path)
    theirs.install(tmp_path, "tests.theirs:setup", kind="nocard")
    theirs.install(tmp_path, "tests.no_such_module:CARD", kind="nomodule")
    theirs.install(tmp_path, "tests.theirs:NOTHING", kind="nothing")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert {"theirs", "nocard", "nomodule", "nothing"} <= set(installed_kinds())
    assert load_card("theirs") is theirs.CARD
    with pytest.raises(PanelLoadError, match="is no Card"):
        load_card("nocard")
    for kind in ("nomodule", "nothing"):
        with pytest.raises(PanelLoadError, match=f"{kind}-panel could not be loaded: (Module|Attribute)"):
            load_card(kind)
    with pytest.raises(KeyError):
        load_card("none_such")


def test_a_panel_is_one_folder_of_one_shape() -> None:
    for kind in ("health", "metrics", "database", "jobs", "deploys"):
        names = {path.name for path in (ROOT / "panels" / kind).iterdir()}
        assert {"__init__.py", "config.py", "probe.py", "view.py", "check.py"} <= names, kind


def test_a_panel_is_called_as_its_kind_where_it_has_no_name() -> None:
    assert PanelConfig(kind="health").title == "health"
    assert PanelConfig(kind="health", name="web").title == "web"


def test_what_a_view_is_given() -> None:
    def reading(target: str, value: float) -> Reading:
        return Reading("web", target, "look", START, 0.1, Status.OK, (signal("latency", value, "s"),))

    a, b = reading("a", 0.1), reading("b", 0.2)
    given = Readings("web", None, {"look": (a, b)}, {"latency": Judged(Status.FAILING)}, frozenset({("b", "look")}))
    assert given.of("look") == (a, b)
    assert (given.one("look"), given.one("other"), given.of("other")) == (a, None, ())
    assert given.row_status(a, Status.OK) is Status.OK
    assert given.row_status(b, Status.OK) is Status.UNKNOWN, "past its freshness nothing is green"
    assert given.row_status(b, Status.FAILING) is Status.FAILING
    assert given.judgement("latency").status is Status.FAILING
    assert given.judgement("none").status is Status.OK


def test_a_probe_watches_the_panel_itself_where_it_says_nothing_else() -> None:
    async def ask(*_: object) -> Found:
        return Found(Status.OK)

    probe = Probe("look", ask)
    (wanted,) = probe.targets(PanelConfig(kind="theirs", name="mine"))
    assert (wanted.name, wanted.interval, wanted.deadline) == ("mine", None, None)
