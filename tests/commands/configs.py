"""Configs that the commands' tests watch the service of tests/servers/things.py with."""

from __future__ import annotations

from tests.servers.things import Things


def watching(things: Things, more: str = "", environment: str = "demo") -> str:
    """A config of one health panel and somebody else's, armed."""
    return f"""
[watchfloor]
name = "shop"
environment = "{environment}"
[actions]
allow = ["theirs.*"]
[[panel]]
kind = "health"
name = "web"
endpoints = ["{things.url}/readyz"]
[[panel]]
kind = "theirs"
url = "{things.url}"
{more}
"""


def health_only(things: Things, more: str = "") -> str:
    return f"""
[watchfloor]
name = "shop"
environment = "demo"
[[panel]]
kind = "health"
endpoints = ["{things.url}/readyz"]
{more}
"""
