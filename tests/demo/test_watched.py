"""Each fault changes its panel's status within two polls, and what its line in the docs says clears it, clears it.

Watchfloor's own engine watches the running stack here, as the dashboard would; nothing is asked of the stack but what a person
at the keyboard could: the remedies through the gate, the copied commands verbatim.
"""

from __future__ import annotations

import math
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.demo.conftest import View
from tests.waiting import LONG, eventually
from tui.config import load
from tui.demo import CATALOGUE, NAMES, Stack
from tui.engine import poller
from tui.engine.actions import Plan, PlanRefused, Result
from tui.engine.ask import Execute, MakePlan, PollNow
from tui.engine.engine import Engine
from tui.engine.feed import Deed, Level, PanelState
from tui.engine.journal import Journal
from tui.engine.reading import Row, Status

ROOT = Path(__file__).parent.parent.parent
PANEL_OF = {each.name: each.panel for each in CATALOGUE}
SEEDS = {name: place + 11 for place, name in enumerate(NAMES)}
POLLS = 2
SLOWEST = {"api-slow": 8.0, "slow-statements": 2.0}
"""Seconds until the first slow one has ended: nobody can have measured it before."""
TOGETHER = {
    "models-down": ("Anthropic", "figures"),
    "slow-statements": ("QueryTime", "statements"),
    "db-grows": ("DatabaseSize", "sizes"),
    "deploy-failed": ("FailedDeployment", "deployments"),
}
"""Faults that hide nothing of each other: the rule that sees each, and the probe that it reads from."""
DRIVEN = ("surge", "scan-slow")
"""Seen and cleared in tests/rules_driven: one wants an hour before it, the other half a minute each time."""
HEALED = [
    each.name
    for each in CATALOGUE
    if f"watchfloor demo heal {each.name}" in each.clears_by and each.name not in ("job-failures", *DRIVEN, *TOGETHER)
]


@dataclass
class Watch:
    """An engine that watches the stack, and the stack."""

    engine: Engine
    stack: Stack

    def panel(self, name: str) -> PanelState:
        found = self.engine.feed.newest().panel(name)
        assert found is not None
        return found

    def status(self, name: str) -> Status:
        return self.panel(name).status

    def well(self) -> bool:
        return all(panel.status is Status.OK for panel in self.engine.feed.newest().panels)

    def rows(self, name: str) -> list[Row]:
        return [row for probe in self.panel(name).probes if probe.good for row in probe.good.rows]

    def do(self, action: str, *keys: str) -> Deed:
        """An action as the screen does it: plan, the word for it, execution, proof."""
        plan: Plan = self.engine.feed.ask(MakePlan(action, keys)).result(20)
        deed: Deed = self.engine.feed.ask(Execute(plan, typed=plan.confirm, yes=True)).result(60)
        return deed

    def firing(self) -> set[str]:
        """The rules that are breached."""
        return {alert.rule for alert in self.engine.feed.newest().alerts if alert.open}

    def polls(self, name: str) -> dict[str, float]:
        """When each probe of a panel last read something, by its name: a question without an answer, as where the machine stood
        still, sees no fault."""
        readings = [each.reading for each in self.panel(name).probes if each.reading]
        return {f"{each.target}/{each.probe}": each.at for each in readings if each.status is not Status.UNKNOWN}


@pytest.fixture(scope="module")
def unslowed() -> Iterator[None]:
    """A busy machine's statements are dear, and would be asked each minute only."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(poller, "BUDGET", math.inf)
        yield


@pytest.fixture(scope="module")
def watch(demo_stack: Stack, unslowed: None) -> Iterator[Watch]:
    engine = Engine(load(demo_stack.config_path).setup, Level.ARMED, journal=Journal(":memory:"))
    engine.start()
    watching = Watch(engine, demo_stack)
    eventually(watching.well, 40, "the stack is not well before anything was done to it")
    yield watching
    engine.stop()


@pytest.fixture(autouse=True)
def in_order(watch: Watch) -> Iterator[None]:
    """Each test begins with everything well and leaves nothing at work."""
    eventually(watch.well, 60, "not everything is well before the test")
    yield
    watch.stack.heal("all")


def noticed(watch: Watch, fault: str) -> None:
    """A fault changes the named panel's status within two polls; one that was under way when it came counts for neither."""
    assert polls_until_seen(watch, fault) <= POLLS + 1


def command(written: str) -> None:
    """Runs a `watchfloor …` command as it was written, with the tests' own interpreter."""
    program, *arguments = shlex.split(written)
    assert program == "watchfloor"
    done = subprocess.run([sys.executable, "-m", "tui", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=90)
    assert done.returncode == 0, done.stderr


def polls_until_seen(watch: Watch, fault: str) -> int:
    """Brings a fault about; how many polls of the panel's fastest probe it took until its status changed."""
    panel = PANEL_OF[fault]
    before = watch.polls(panel)
    counted: dict[str, set[float]] = {name: set() for name in before}
    watch.stack.fault(fault, SEEDS[fault])
    done = watch.polls(panel)
    measurable = time.time() + SLOWEST.get(fault, 0.0)

    def changed() -> bool:
        for name, at in watch.polls(panel).items():
            if at > max(done.get(name, 0.0), measurable if fault in SLOWEST else 0.0):
                counted.setdefault(name, set()).add(at)
        return watch.status(panel) in (Status.DEGRADED, Status.FAILING)

    eventually(changed, 2 * LONG, f"{fault} did not change {panel}")
    return max((len(each) for each in counted.values()), default=0)


@pytest.mark.parametrize("fault", HEALED)
def test_a_fault_shows_within_two_polls_and_the_command_in_the_docs_clears_it(watch: Watch, fault: str) -> None:
    noticed(watch, fault)
    written = next(each.clears_by for each in CATALOGUE if each.name == fault)
    assert f"watchfloor demo heal {fault}" in written
    command(f"watchfloor demo heal {fault}")
    eventually(lambda: watch.status(PANEL_OF[fault]) is Status.OK, 60, f"{PANEL_OF[fault]} is not well again")


def test_faults_that_hide_nothing_of_each_other_show_together(watch: Watch, view: View) -> None:
    """Each is seen by its rule within two polls of the probe that measures it; then what the docs say clears it does."""
    seen: dict[str, set[float]] = {fault: set() for fault in TOGETHER}
    began: dict[str, float] = {}
    found: set[str] = set()
    refused = view.calls()["anthropic", "failure"]
    for fault in TOGETHER:
        watch.stack.fault(fault, SEEDS[fault])
        began[fault] = time.time() + SLOWEST.get(fault, 0.0)

    def all_seen() -> bool:
        firing = watch.firing()
        for fault, (rule, probe) in TOGETHER.items():
            found.update({fault} if rule in firing else ())
            for name, at in watch.polls(PANEL_OF[fault]).items():
                if name.endswith(f"/{probe}") and at > began[fault]:
                    seen[fault].add(at)
            assert fault in found or len(seen[fault]) <= POLLS + 1, f"{rule} has not seen {fault}"
        return {rule for rule, _ in TOGETHER.values()} <= firing

    def clear(fault: str) -> None:
        written = next(each.clears_by for each in CATALOGUE if each.name == fault)
        assert f"watchfloor demo heal {fault}" in written
        command(f"watchfloor demo heal {fault}")

    eventually(lambda: time.time() > began["slow-statements"])
    eventually(
        lambda: view.calls()["anthropic", "failure"] >= refused + 2, each=0.2
    )  # three of four are well: so may the first be
    began["models-down"] = time.time()
    watch.engine.feed.ask(PollNow("database")).result(10)  # sizes are asked each minute
    eventually(all_seen, 2 * LONG, "not all of them were seen")
    for fault in TOGETHER:
        clear(fault)
    watch.engine.feed.ask(PollNow("database")).result(10)
    eventually(lambda: not watch.firing() and watch.well(), 60, "not all of them are over")


def test_terminating_the_root_of_a_lock_chain_clears_it(watch: Watch) -> None:
    noticed(watch, "slow-query")
    (root,) = eventually(lambda: _roots(watch), LONG, "no root of the chain among the rows")
    deed = watch.do("database.terminate", root)
    assert [outcome.result for _, outcome in deed.outcomes] == [Result.DONE]
    assert [proof.verified for _, proof in deed.proofs] == [True]
    eventually(lambda: watch.status("database") is Status.OK, 30, "the database is not well after the deed")


def _roots(watch: Watch) -> list[str]:
    """The keys of the sessions that others hang under and that hang under none."""
    rows = watch.rows("database")
    parents = {row.parent for row in rows if row.parent}
    return [row.key for row in rows if row.key in parents and not row.parent]


def test_unlocking_stuck_jobs_clears_them(watch: Watch) -> None:
    noticed(watch, "stuck-jobs")
    stuck = eventually(
        lambda: [row for row in watch.rows("jobs") if row.group == "job" and row.cells.get("why") == "stuck"],
        says=lambda: f"no job is shown as stuck: {watch.panel('jobs').probes}",
    )
    deed = watch.do("jobs.unlock", *(row.key for row in stuck))
    assert {outcome.result for _, outcome in deed.outcomes} <= {Result.DONE, Result.CHANGED}
    eventually(lambda: watch.status("jobs") is Status.OK, 40, "the queue is not well after the deed")


def test_the_copied_rollback_command_clears_a_bad_deployment(watch: Watch) -> None:
    noticed(watch, "bad-deploy")
    eventually(lambda: watch.panel("deploys").suspected, LONG, "the deployment is not marked as what the errors followed")
    plan: Plan = watch.engine.feed.ask(MakePlan("deploys.rollback-hint", ())).result(20)
    command(plan.copy)
    eventually(watch.well, 60, "the dashboard did not notice the rollback")


def test_retrying_failed_jobs_clears_them_once_their_cause_is_mended(watch: Watch) -> None:
    noticed(watch, "job-failures")
    command("watchfloor demo heal job-failures")

    def retried() -> bool:
        groups = [row.key for row in watch.rows("jobs") if row.group == "failure"]
        if not groups:
            return False  # what is not well is something else: a question without an answer, a job that waits
        try:
            deed = watch.do("jobs.retry", groups[0])
        except PlanRefused:
            return False  # the group as it was polled is retried already: the next poll has another
        assert {outcome.result for _, outcome in deed.outcomes} <= {Result.DONE, Result.CHANGED}
        assert all(proof.verified for _, proof in deed.proofs)
        return watch.status("jobs") is Status.OK

    eventually(
        lambda: watch.status("jobs") is Status.OK or retried(), 60, "the queue is not well after the failed jobs were retried"
    )
