"""Signals → alerts: rules, the book that judges by them, and how alerts are said.

rule.py      what a rule says: a measure of a series, levels, how long and how often
life.py      one series under one rule: inactive → pending → firing → resolved
watch.py     a series under a rule, as a probe's answers show it
book.py      all of a dashboard's rules at every moment
kept.py      the book's state as bytes: timers outlive a restart, another leader, a changed config
means.py     means over long windows, for baselines and budgets
mean.py, baseline.py, change.py, burn.py, events.py, absent.py     a kind of rule each, imported where a config has it
"""

from .book import RESOLVED_SHOWN, RuleBook, worst_judged
from .names import parse_signal
from .rule import Measure, Raise, Rule, Series
from .words import affected, describe, fingerprint

__all__ = [
    "RESOLVED_SHOWN",
    "Measure",
    "Raise",
    "Rule",
    "RuleBook",
    "Series",
    "affected",
    "describe",
    "fingerprint",
    "parse_signal",
    "worst_judged",
]
