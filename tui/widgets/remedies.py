"""The keys of a panel's remedies, made from what its rows offer: only upper-case letters that move nothing may act."""

from __future__ import annotations

from collections.abc import Sequence

from textual.binding import Binding

from tui.engine.feed import Offer


def remedy_bindings(offers: Sequence[Offer]) -> list[Binding]:
    """The keys of a panel's remedies. Only upper-case letters that move nothing act (screens.md); a remedy without such a key
    is reached by its name alone."""
    return [
        Binding(offer.key, f"screen.act('{offer.action}')", offer.title, id=offer.action, tooltip=offer.help)
        for offer in offers
        if may_act(offer.key)
    ]


def may_act(key: str) -> bool:
    """Whether a key may open a plan: one upper-case letter, and none that moves."""
    return len(key) == 1 and key.isascii() and key.isupper() and key not in "GHJKL"
