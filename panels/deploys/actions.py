"""The rollback hint: which deployment was good before the one that serves, and the exact command. It never runs anything."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence

from tui.engine.actions import Action, Context, Effect, Item, Plan, PlanRefused
from tui.engine.clock import date_time
from tui.engine.reading import Row
from tui.engine.text import Shown, clean
from tui.engine.units import show_duration

from .config import DeploysConfig
from .last_good import Choice, NothingGood, choose, text, title
from .probe import found, look
from .vercel import PAGE, Vercel

DEADLINE = 10.0
OWN_COMMAND = "vercel rollback"
_ID = re.compile(r"dpl_[A-Za-z0-9]+")
NOT_UNDONE = (
    ("undone", "the code alone: migrations, and what was written to the database, stay"),
    ("settings", "its environment variables are those that it was built with, not today's"),
    ("crons", "that build's come back too"),
    ("after", "new production deployments wait until one is promoted: vercel promote, or the page"),
)
"""What a rollback does not do, or does besides: labels and words of the plan."""


async def plan(keys: Sequence[str], context: Context) -> Plan:
    """The hint, from the deployments as they are now, whichever row it was asked on. Raises PlanRefused, saying why there is
    none, or ProbeError."""
    config: DeploysConfig = context.settings
    vercel = Vercel(f"{context.panel}/rollback-hint", config, context.tools, DEADLINE)
    looked = await look(vercel, context.tools, PAGE, "production")
    if looked.failure is not None:
        raise PlanRefused(f"{looked.failure.says}. {looked.failure.hint}")
    try:
        choice = choose(found(looked, PAGE).rows, context.suspected)
    except NothingGood as error:
        raise PlanRefused(_where_to_look(str(error), config)) from None
    return _plan(choice, config, looked.now, context)


def _plan(choice: Choice, config: DeploysConfig, now: float, context: Context) -> Plan:
    """The choice in words, with the command to copy."""
    command = command_for(choice.good, config)
    name = title(choice.good)
    return Plan(
        action="rollback-hint",
        panel=context.panel,
        title=Shown("rollback hint"),
        effect=Effect.SHOWS,
        what=clean(f"goes back to {name}, which served for {show_duration(choice.good.number('served_for'))}"),
        items=(Item(choice.good.key, name, _facts(choice.good, now)),),
        facts=(
            (Shown("from"), _from(choice.live, now, context)),
            *((Shown("passed"), clean(f"{title(row)}: {why}")) for row, why in choice.passed),
            *((Shown(label), Shown(says)) for label, says in NOT_UNDONE),
            (Shown("proof"), clean(f"this panel shows {text(choice.good, 'commit')} as live")),
        ),
        request=(clean(command),),
        copy=command,
        url=next((link.url for link in choice.good.links if link.title == "deployment"), ""),
    )


def command_for(row: Row, config: DeploysConfig) -> str:
    """The command that goes back to a deployment. Raises PlanRefused where its id or address is not one that a shell may be
    given."""
    identity, address = row.key, text(row, "address")
    if not _ID.fullmatch(identity):
        raise PlanRefused(f"the API calls it {identity!r}, which is no deployment's id: no command can be made of it")
    filled = config.rollback_command.format(id=shlex.quote(identity), url=shlex.quote(address or identity))
    team = config.vercel.team
    return f"{filled} --scope {shlex.quote(team)}" if team and filled.startswith(OWN_COMMAND) else filled


def _facts(row: Row, now: float) -> tuple[tuple[Shown, Shown], ...]:
    """Who made it, what it is, how old, how long it was good."""
    created = row.number("created")
    made = f"{date_time(created)}, {show_duration(now - created)} ago" if created is not None else ""
    lines = (
        ("commit", f"{title(row)}: {text(row, 'message')}" if text(row, "message") else title(row)),
        ("by", text(row, "author")),
        ("made", made),
        ("was good", show_duration(row.number("served_for"))),
    )
    return tuple((Shown(label), clean(says)) for label, says in lines if says)


def _from(row: Row, now: float, context: Context) -> Shown:
    """What serves now, since when, and what followed it."""
    since = row.number("live_since")
    words = [str(title(row))]
    if since is not None:
        words.append(f"live since {date_time(since)} ({show_duration(now - since)})")
    followed = context.suspected.get(row.key) or context.suspected.get(text(row, "pointed"))
    return clean(", ".join([*words, f"◆ {followed}"] if followed else words))


def _where_to_look(why: str, config: DeploysConfig) -> str:
    return f"{why}. Look at the deployments of {config.vercel.project} at vercel.com"


ACTIONS = (
    Action(
        verb="rollback-hint",
        key="B",
        title=Shown("rollback hint"),
        help=Shown("the last good deployment before the live one, with the command to go back; never runs it"),
        effect=Effect.SHOWS,
        plan=plan,
        needs_row=False,
    ),
)
