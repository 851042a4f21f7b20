"""The notifier: gathers what is due, queues it a channel, claims it, has it sent, and records what came of it.

Only the one who polls runs it (`run`, `take`); anybody may call for help (`page`). It never holds up a poll: `take` only looks,
and each channel is served by a task of its own. After a crash nothing needs to be restored: what is due follows from the alerts
and from the journal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from msgspec.structs import replace

from ..alert import Alert, Fold
from ..clock import Clock, clock_time
from ..connections import Tools
from ..escalation import Called
from ..journal import Journal
from ..setup import Setup
from ..text import Shown, clean
from .channel import Undelivered, delivered
from .claims import Claims, TeamClaim
from .due import Due, due
from .gathering import Gatherings
from .gone import Absences
from .incidents import goes_on, incident_of, keys_of, led
from .ledger import KEPT, Key
from .message import Message, message_of
from .outbox import Item, Outbox
from .paging import Pager
from .serving import Serving

MAY_BE_TOLD = 3600.0
"""Seconds for which it is shown that a message may or may not have been told."""
LETS_GO = 3600.0
"""Seconds between two looks for what was told too long ago to matter."""


class Notifier:
    """One process's notifier. `news` is called in the loop when there is something else to warn of; `team` is where other hosts
    claim."""

    def __init__(
        self,
        setup: Setup,
        tools: Tools,
        journal: Journal | None,
        clock: Clock,
        news: Callable[[], None] = lambda: None,
        team: TeamClaim | None = None,
    ) -> None:
        self._tools = tools
        self._clock = clock
        self._news = news
        self._claims = Claims(journal, clock, team)
        self._boxes: dict[str, Outbox] = {}
        self._serving = Serving(self._tell, news)
        self._waiting: set[Key] = set()
        """What is gathered, queued, under way or given up: not gathered again."""
        self._wanted: dict[Key, Due] = {}
        """What was due when alerts were last taken."""
        self._gatherings = Gatherings(clock)
        self._pager = Pager(self._claims, tools, clock)
        self._alerts: dict[str, Alert] = {}
        self._absences = Absences(clock)
        self.elsewhere: Callable[[], bool] = lambda: False
        """Whether others poll by another config on this journal: what they told to fire is absent here, and not over."""
        self._let_go = clock.monotonic()
        self.use(setup)

    def use(self, setup: Setup) -> None:
        """The config was read (again): its channels; those that stay keep what they have to tell."""
        self._setup = setup
        self._channels = tuple(each for each in setup.channels if not each.on_screen)
        boxes = {each.title: self._boxes.get(each.title) or Outbox(each, self._clock) for each in self._channels}
        for each in self._channels:
            boxes[each.title].channel = each
        self._boxes = boxes
        self._waiting = {key for key in self._waiting if key[1] in boxes}
        self._gatherings.keep(boxes.keys())
        self._serving.use(boxes)

    @property
    def warnings(self) -> tuple[Shown, ...]:
        """What a person must know: channels that fail, what may have been told, a journal that cannot be written."""
        found = [self._claims.problem, *(each.warning for each in self._boxes.values()), *self._maybe_told()]
        return tuple(each for each in found if each)

    def _maybe_told(self) -> list[Shown]:
        """Claims that nobody answered for: whoever made them is gone, and the channel would not take them twice."""
        now = self._clock.utc()
        found = []
        for fingerprint, title, standing in self._claims.ledger.unanswered(now):
            box = self._boxes.get(title)
            waits = (fingerprint, title, standing.mark.name) in self._waiting
            if box is None or box.channel.by_key or waits or now - standing.at > MAY_BE_TOLD:
                continue
            alert = self._alerts.get(fingerprint)
            what = f"{standing.mark.kind} {alert.rule if alert else fingerprint}"
            found.append(clean(f"notify {title}: may or may not have been told at {clock_time(standing.at)}: {what}"))
        return found

    # --- its life ---------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Tells what `take` finds, until cancelled; when run again, from what the journal and the alerts say by then."""
        await self._claims.refresh()
        self._waiting.clear()
        self._gatherings = Gatherings(self._clock)
        self._boxes = {}
        self.use(self._setup)
        await self._serving.run()

    @property
    def running(self) -> bool:
        """Whether there is somebody to tell what `take` finds."""
        return self._serving.running

    @property
    def idle(self) -> bool:
        """Whether every channel has told what it could by now: what is left waits for a pause to end."""
        return self._serving.idle

    async def finish(self, grace: float = 1.5) -> None:
        """Begins nothing more, and lets what is under way arrive, calls for help too, for `grace` seconds at most."""
        await self._serving.finish(grace)

    # --- what is due ------------------------------------------------------------------------------------------------

    def take(self, folds: Iterable[Fold], now: float) -> None:
        """Looks at the alerts as they stand at `now` (UTC seconds): call it with each judgement, once a second at least."""
        if not self._claims.loaded or not self._channels:
            return
        listed = tuple(folds)
        self._alerts = {each.fingerprint: each for fold in listed for each in fold.alerts}
        for box in self._boxes.values():
            self._waiting -= box.once_more()
        found = due(listed, self._channels, self._claims.ledger, now)
        if self.elsewhere():
            self._absences.forget()
        else:
            found += self._absences.due(self._claims.ledger, self._alerts, self._channels, now)
        self._wanted = {each.key: each for each in found}
        for each in found:
            if each.key not in self._waiting:
                self._gather(each)
        self._flush()
        self._forget(now)

    def _gather(self, each: Due) -> None:
        """Puts it with the others of its fold."""
        self._waiting.add(each.key)
        by_incident = self._boxes[each.channel].channel.by_key and each.mark.kind != "firing"
        self._gatherings.add(each, incident_of(each, self._claims.ledger) if by_incident else "")

    def _flush(self) -> None:
        """Queues what has been gathered long enough and is still due."""
        for (title, _, kind, _), dues, dropped in self._gatherings.ripe(self._wanted):
            self._waiting -= dropped
            if dues:
                self._boxes[title].add(Item(kind, dues, self._clock.monotonic()))

    def _forget(self, now: float) -> None:
        """Once an hour: lets go of what is too old to matter, so that weeks cost no memory."""
        monotonic = self._clock.monotonic()
        if monotonic - self._let_go < LETS_GO:
            return
        self._let_go = monotonic
        self._claims.ledger.forget_before(now - KEPT)
        self._gatherings.keep(self._boxes.keys())
        for box in self._boxes.values():
            over = box.given_up - self._wanted.keys()
            box.given_up -= over
            self._waiting -= over

    # --- telling ----------------------------------------------------------------------------------------------------

    async def _tell(self, box: Outbox, item: Item) -> None:
        """One try of one message: what of it is still due, claimed, sent, and what came of it."""
        before = item.keys
        if item.claimed:
            item.dues = tuple(each for each in item.dues if self._goes_on(each))
        else:
            await self._claims.refresh()
            item.dues = tuple(await self._claims.claim(self._ours(box, item)))
        self._waiting -= before - item.keys
        if not item.dues:
            return
        item.claimed = True
        self._waiting |= item.keys
        await self._try(box, item)

    def _is_due(self, box: Outbox, each: Due) -> bool:
        """Whether it is still to be told: nobody else has, and it is still so."""
        alert = self._alerts.get(each.alert.fingerprint)
        if alert is None:  # over for so long that it is not listed any more
            standing = self._claims.ledger.standing(each.alert.fingerprint, each.channel, each.mark)
            return each.mark.kind == "resolved" and (standing is None or not standing.counts)
        found = due([Fold(each.fold, (alert,))], (box.channel,), self._claims.ledger, self._clock.utc())
        return any(one.key == each.key for one in found)

    def _goes_on(self, each: Due) -> bool:
        """Whether a message that may have arrived is worth another try: that it fires, only while it does."""
        alert = self._alerts.get(each.alert.fingerprint)
        return each.mark.kind != "firing" or alert is None or alert.state == "firing"

    def _ours(self, box: Outbox, item: Item) -> list[Due]:
        """What of it is still due; for a receiver that knows messages by key, as one incident."""
        still = [each for each in item.dues if self._is_due(box, each)]
        return led(still) if box.channel.by_key else still

    async def _try(self, box: Outbox, item: Item) -> None:
        try:
            message = await self._message(box, item)
            if message is None:
                await self._claims.told(item.dues, 0)
                self._waiting -= item.keys
                return
            note = await delivered(box.channel, message, self._tools)
        except Undelivered as error:
            await self._failed(box, item, error)
            return
        await self._claims.told(item.dues, item.tries + 1)
        self._waiting -= item.keys | box.well(note)
        if item.kind == "firing":
            worst = min(each.alert.severity for each in item.dues)
            self._gatherings.told(box.channel.title, item.dues[0].fold, worst)

    async def _failed(self, box: Outbox, item: Item, error: Undelivered) -> None:
        """What did not arrive is nobody's any more, until it is tried again; what may have arrived stays claimed."""
        given_up = box.failed(item, error)
        if not item.maybe:
            await self._claims.untold(item.dues, error.says if given_up else f"{error.says}; is tried again", item.tries)
            item.claimed = False
        if given_up:
            box.give_up(item)
        else:
            box.put_back(item)

    async def _message(self, box: Outbox, item: Item) -> Message | None:
        """The message; None where an incident goes on although some of its alerts are over."""
        if box.channel.by_key and item.kind == "resolved" and goes_on(item.dues, self._claims.ledger):
            return None
        return message_of(
            [await self._newest(each) for each in item.dues],
            item.kind,
            self._clock.utc(),
            product=self._setup.name,
            environment=self._setup.environment,
            keys=keys_of(box.channel, item.dues, self._claims.ledger),
            fold=clean(item.dues[0].why),
        )

    async def _newest(self, each: Due) -> Alert:
        """The alert as it stands now; one that nobody sees any more as it last was."""
        found = self._alerts.get(each.alert.fingerprint)
        if found is not None:
            return found
        last = await self._claims.last_seen(each.alert.fingerprint)
        return replace(last, state="resolved", ended=each.alert.ended, value=None, says=each.alert.says) if last else each.alert

    # --- calling for help -------------------------------------------------------------------------------------------

    async def page(self, alert: Alert, whom: str, by_itself: bool = False) -> Called:
        """Calls somebody for an alert now; answers who was told by which channel. See `Pager.page`."""
        with self._serving.begun():
            called = await self._pager.page(self._setup, alert, whom, by_itself)
        self._news()
        return called
