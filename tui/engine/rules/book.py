"""All rules of one dashboard over all its series, at every moment.

Judged each second over hundreds of probes, so what has not changed costs next to nothing: which rules look at a probe's signals
is found out once a reading, measures are taken once a reading, and a series that is well is passed by.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec.structs import replace

from ..alert import Alert, by_badness
from ..history import History
from ..panel import Judged
from ..reading import Labels, Signal, Status
from . import life
from .life import Held
from .means import Means
from .moves import Moves
from .rule import Rule, Series
from .watch import Source, Watch

if TYPE_CHECKING:
    from ..entries import AlertMoved
    from ..feed import ProbeState
    from .absent import Silence

RESOLVED_SHOWN = 300.0
"""Seconds for which a resolved alert is still listed."""
NOTHING = Judged(Status.OK)


class RuleBook:
    """All rules, and the alerts they make. `hold` false counts every breach as firing (`check`)."""

    def __init__(
        self,
        rules: Sequence[Rule],
        environment: str,
        history: History,
        *,
        hold: bool = True,
    ) -> None:
        self._environment = environment
        self._history = history
        self._hold = hold
        self.means = Means(history)
        self._held: dict[tuple[str, str, str], Held] = {}
        """By panel, rule and series."""
        self._sources: dict[tuple[str, str, str], Source] = {}
        """By panel, target and probe."""
        self._restored: dict[str, list[Held]] = {}
        """By panel: what came from before a restart and has not been looked for yet; also among the held."""
        self._gone: dict[str, Alert] = {}
        """Alerts that ended with their rule or target, by fingerprint, as long as they are listed."""
        self._moves = Moves()
        self._set(rules)

    def _set(self, rules: Sequence[Rule]) -> None:
        """The rules in force."""
        self.rules = tuple(rules)
        self._by_signal: dict[tuple[str, str], list[Rule]] = {}
        """By panel and signal: most signals have none, and all are looked at with every snapshot."""
        for rule in rules:
            if not rule.measure.of_silence:
                self._by_signal.setdefault((rule.panel, rule.signal), []).append(rule)
        self._silence = self._silences(rules)

    def _silences(self, rules: Iterable[Rule]) -> Silence | None:
        """What watches for the absence of measurements, where a rule asks for it."""
        wanted = [rule for rule in rules if rule.measure.of_silence]
        if not wanted or not self._hold:
            return None
        from .absent import Silence  # late: most configs have no such rule

        return Silence(wanted, self._held)

    # --- judging ----------------------------------------------------------------------------------------------------

    def judge(self, panel: str, probes: Sequence[ProbeState], now: float, mono: float) -> dict[str, Judged]:
        """Looks at a panel's probes at `now` (UTC seconds; `mono` on the clock that never jumps). Returns, by signal key, the
        limit that bites first and the status that the rules give it."""
        if panel in self._restored:
            self._look_for_restored(panel, probes, now)
        judged: dict[str, Judged] = {}
        for state in probes:
            source = self._sources.get((panel, state.target, state.probe))
            if source is None or not source.is_of(state):
                source = self._looked_at(panel, state, source, mono)
            for watch in source.watches:
                held = watch.held
                if held.alert is not None or held.well is None:
                    self._stand(held, watch.tail(state, mono), now)
                if held.judged is None:
                    held.judged = life.judged(held)
                if watch.signal is not None or held.open:
                    before = judged.get(held.key)
                    if before is None or held.judged.status > before.status:
                        judged[held.key] = held.judged
        if self._silence:
            for held in self._silence.look(panel, probes, now, mono):
                self._stand(held, 0.0, now)
                if held.open:
                    judged[held.key] = max(life.judged(held), judged.get(held.key, NOTHING), key=_badness)
        return judged

    def _looked_at(self, panel: str, state: ProbeState, before: Source | None, mono: float) -> Source:
        """A probe's new answers: which rules watch what in them; every new measurement is taken."""
        newly_good = state.good is not None and (before is None or before.good is not state.good)
        newly_read = before is None or before.newest is not state.reading
        watches = []
        present: set[int] = set()
        for watch in self._watches(panel, state):
            present.add(id(watch.held))
            watches.append(watch)
            if newly_read if watch.refused else newly_good:
                self._take(watch, state, mono)
        for watch in before.watches if before else ():
            if id(watch.held) in present or watch.held.source != (state.target, state.probe):
                continue
            if self._still_there(panel, watch, state, newly_good, mono):
                watches.append(watch)
        source = self._sources[panel, state.target, state.probe] = Source(state.good, state.reading, watches)
        return source

    def _watches(self, panel: str, state: ProbeState) -> Iterable[Watch]:
        """What the rules watch in a probe's answers. A refusal measures something too (`up` is 0), though the last good figures
        stay on screen."""
        refusal = state.reading if state.reading is not state.good else None
        instead = {each.key for each in refusal.signals} if refusal else ()
        for reading in (state.good, refusal):
            for signal in reading.signals if reading else ():
                rules = self._by_signal.get((panel, signal.name))
                if not rules or (reading is not refusal and instead and signal.key in instead):
                    continue
                for rule in rules:
                    if rule.matches(signal):
                        yield Watch(self._held_of(rule, signal, state), signal, reading is refusal)

    def _held_of(self, rule: Rule, signal: Signal, state: ProbeState) -> Held:
        """What is remembered of a series under a rule."""
        held = self._held.get((rule.panel, rule.name, signal.key))
        if held is None:
            held = life.new(rule, signal.labels, signal.key, (state.target, state.probe))
            self._held[rule.panel, rule.name, signal.key] = held
        held.source = (state.target, state.probe)
        return held

    def _take(self, watch: Watch, state: ProbeState, mono: float) -> None:
        """A new measurement of a series, unless it is old already."""
        held, signal = watch.held, watch.signal
        reading, read_at = (state.reading, state.read_at) if watch.refused else (state.good, state.good_at)
        assert reading is not None and signal is not None
        if signal.value is None or read_at is None or mono - read_at > state.fresh_for:
            held.known = False
            return
        held.take(
            self._values(held.rule, signal, signal.value, reading.at, state.fresh_for), reading.at, read_at, state.fresh_for
        )

    def _values(self, rule: Rule, signal: Signal, value: float, at: float, longest: float) -> list[float | None]:
        """What each level is compared with. The value stands for `longest` seconds at the most."""
        if rule.measure.reach:
            self.means.add(rule.panel, signal.key, at, value, rule.measure.reach, longest)
        series = Series(rule.panel, signal.key, value, at, longest, self._history, self.means)
        return [rule.measure.value(series, rule, place) for place in range(len(rule.levels))]

    def _still_there(self, panel: str, watch: Watch, state: ProbeState, newly_good: bool, mono: float) -> bool:
        """A series that the answers no longer show. A good one ends it; one that failed, or could not tell all (*unknown*),
        says nothing of it."""
        held = watch.held
        watch.signal = None
        if newly_good and state.good is not None and state.good_at is not None:
            if state.good.status is Status.UNKNOWN:
                held.known = False
                return True
            held.take_gone(state.good.at, state.good_at, state.fresh_for)
        if held.alert is not None or not held.known:
            return True
        self._held.pop((panel, held.rule.name, held.key), None)
        return False

    def _stand(self, held: Held, tail: float | None, now: float) -> None:
        """Where the alert stands now; `tail` is None while nothing is known of its series."""
        before = held.alert
        if tail is not None:
            after = life.standing(held, tail, now, self._environment, self._hold)
        elif before is not None and held.open and before.unknown_since is None:
            after = replace(before, unknown_since=now)
        else:
            return
        if after is not before:
            held.alert, held.judged = after, None
            self._moves.note(before, after, now)

    # --- what came of it --------------------------------------------------------------------------------------------

    def alerts(self, now: float) -> tuple[Alert, ...]:
        """Pending, firing and lately resolved alerts, the worst first."""
        found = []
        for held in self._held.values():
            alert = held.alert
            if alert is None:
                continue
            if alert.ended is not None and now - alert.ended > RESOLVED_SHOWN:
                held.alert = None
                continue
            found.append(alert)
        self._gone = {key: each for key, each in self._gone.items() if now - (each.ended or now) <= RESOLVED_SHOWN}
        again = {each.fingerprint for each in found} if self._gone else ()
        found += [each for key, each in self._gone.items() if key not in again]
        return tuple(sorted(found, key=by_badness))

    def open_series(self, panel: str) -> list[Labels]:
        """The labels of a panel's series on which an alert is pending or firing."""
        return [held.labels for (of, _, _), held in self._held.items() if of == panel and held.open]

    def moves(self) -> list[AlertMoved]:
        """Every alert that changed its state or severity since this was last asked, in order. A pending one that came to
        nothing is told as resolved: it has no `fired_at`."""
        return self._moves.taken()

    # --- outliving the process --------------------------------------------------------------------------------------

    def state(self, now: float) -> bytes:
        """Everything that must outlive the process: alerts, and how long and how often what has been measured."""
        from .kept import written  # late: where there is a journal

        return written(self._held.values(), now)

    def restore(self, state: bytes, now: float) -> None:
        """Goes on from another process's state, in place of this one's: timers of rules that are still the same keep counting
        from what was recorded; alerts of rules that are gone end. A state of which nothing can be read changes nothing but
        that."""
        self.means.forget()
        self._take_up(state, now)

    def _take_up(self, state: bytes, now: float) -> None:
        from .kept import read  # late: where there is a journal

        self._held.clear()
        self._sources.clear()
        self._restored.clear()
        found, ended = read(state, self.rules)
        for held in found:
            self._held[held.rule.panel, held.rule.name, held.key] = held
            self._restored.setdefault(held.rule.panel, []).append(held)
        for alert in ended:
            self._end(alert, now)

    def use(self, rules: Sequence[Rule], now: float) -> None:
        """Other rules from now on: what was held by those that are still the same goes on."""
        state = self.state(now)
        self._set(rules)
        self._take_up(state, now)

    def _end(self, alert: Alert, now: float) -> None:
        """An alert whose rule or target is no longer in the config."""
        if alert.open:
            over = replace(alert, state="resolved", ended=now, unknown_since=None)
            self._moves.note(alert, over, now)
            if alert.state == "firing":
                self._gone[alert.fingerprint] = over

    def _look_for_restored(self, panel: str, probes: Sequence[ProbeState], now: float) -> None:
        """Takes what came from before a restart to the probes that measure it; without one it has ended."""
        for held in self._restored.pop(panel):
            asked = any((each.target, each.probe) == held.source for each in probes)
            if asked and not held.rule.measure.of_silence:
                source = self._sources.setdefault((panel, *held.source), Source(None, None, []))
                source.watches.append(Watch(held, None))
            elif not asked and any(held.source):  # nobody has measured what is only missed
                del self._held[panel, held.rule.name, held.key]
                if held.alert:
                    self._end(held.alert, now)


def _badness(judged: Judged) -> Status:
    return judged.status


def worst_judged(judged: Mapping[str, Judged]) -> Status:
    """The worst that the rules say of any signal."""
    return max((each.status for each in judged.values()), default=Status.OK)
