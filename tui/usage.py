"""Wrong usage in words: argparse, with the exit code that the commands promise."""

from __future__ import annotations

import argparse
from typing import Any, NoReturn

from tui.nearest import nearest

USAGE = 64


class Paragraphs(argparse.HelpFormatter):
    """A description's paragraphs stay paragraphs, each as wide as the terminal."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return "\n\n".join(super(Paragraphs, self)._fill_text(each, width, indent) for each in text.split("\n\n"))


class Parser(argparse.ArgumentParser):
    """argparse, with wrong usage as exit code 64, and options never guessed from their beginnings."""

    def __init__(self, **keywords: Any) -> None:
        super().__init__(allow_abbrev=False, formatter_class=Paragraphs, **keywords)
        self._given: list[str] = []

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Remembers what was given, for a mistake in it to be named."""
        self._given = list(args or ())
        return super().parse_known_args(args, namespace)

    def error(self, message: str) -> NoReturn:
        """Says what is wrong and where to look, and ends with 64."""
        self.exit(USAGE, f"{self.prog}: {self._in_words(message)}; try: {self.prog} --help\n")

    def _in_words(self, message: str) -> str:
        """argparse takes what follows an option that it does not know for the command."""
        before, found, after = message.partition("invalid choice: '")
        if not (found and before.startswith(("argument COMMAND", "argument WHAT"))):
            return message
        wrong = after.partition("'")[0]
        for option in self._given[: self._given.index(wrong)] if wrong in self._given else ():
            if option.startswith("-") and option.partition("=")[0] not in self._option_string_actions:
                return f"there is no option {option}"
        there_are = [part.strip(" '") for part in after.partition("choose from ")[2].rstrip(")").split(",")]
        return f"there is no command {wrong!r}{nearest(wrong, there_are)}; there are: {', '.join(there_are)}"
