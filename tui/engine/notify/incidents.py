"""By which key a receiver that knows messages by key (PagerDuty) knows them: alerts that were told together are one incident.

told alone        its fingerprint
told together     the fingerprint of the worst of them; over when the last of them is
a call for help   one of its own, or nobody's phone would ring again; over when the alert is
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from .channel import Channel
from .due import Due
from .ledger import Ledger, Mark, plain


def led(dues: Sequence[Due]) -> list[Due]:
    """Alerts that begin to fire together, as one incident: the worst one's."""
    if len(dues) < 2 or dues[0].mark.kind != "firing":
        return list(dues)
    lead = min(dues, key=lambda each: (each.alert.severity, each.alert.since)).alert.fingerprint
    return [replace(each, mark=replace(each.mark, group=plain(lead))) for each in dues]


def incident_of(each: Due, ledger: Ledger) -> str:
    """The incident that one alert's news belongs to."""
    if each.mark.kind == "firing":
        return each.mark.group or plain(each.alert.fingerprint)
    return ledger.group(each.alert.fingerprint, each.channel, _episode(each, ledger))


def goes_on(dues: Sequence[Due], ledger: Ledger) -> bool:
    """Whether an incident goes on although these alerts of it are over."""
    ending = {each.alert.fingerprint for each in dues}
    return bool(ledger.open_members(dues[0].channel, incident_of(dues[0], ledger)) - ending)


def keys_of(channel: Channel, dues: Sequence[Due], ledger: Ledger) -> list[str]:
    """What the receiver knows the message by; with what is over or taken on, the calls for help about it as well."""
    if not channel.by_key:
        return [dues[0].alert.fingerprint]
    keys = [incident_of(dues[0], ledger)]
    if dues[0].mark.kind != "firing":
        for each in dues:
            called = ledger.told(each.alert.fingerprint, each.channel, "escalated", _episode(each, ledger))
            keys += [call_key(each.alert.fingerprint, one.mark) for one in called]
    return keys


def call_key(fingerprint: str, mark: Mark) -> str:
    """The key of a call for help."""
    return f"{plain(fingerprint)}/{mark.detail}"


def _episode(each: Due, ledger: Ledger) -> int:
    return ledger.episode(each.alert.fingerprint, each.channel, each.alert.fired_at or each.alert.since)
