"""Watchfloor: the screen an on-call engineer keeps open."""

__version__ = "0.1.0"
