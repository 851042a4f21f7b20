"""Text from outside: whatever comes in, what goes out is one line that steers nothing, and a cut is marked."""

from __future__ import annotations

import json
import timeit
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.engine.text import CUT, DEFAULT_LIMIT, clean, clean_lines, escaped_for_terminals

VISIBLE_FORMATS = set("\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd")
"""Signs of Arabic, Syriac and Kaithi that Unicode counts as format characters and fonts draw."""
INVISIBLE = set("\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0\ufe0f\U000e0100")
HOSTILE = st.text(
    st.characters()
    | st.sampled_from(["\x1b", "\x07", "\x9b", "\r", "\n", "\u202e", "\u2066", "\u200b", "\ufeff", "[", "]", "\ud800"]),
    max_size=600,
)


def steers(character: str) -> bool:
    """Whether a character may steer a terminal, reorder or hide text."""
    if character in VISIBLE_FORMATS:
        return False
    return unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp") or character in INVISIBLE


@given(HOSTILE, st.integers(1, 500))
def test_nothing_steers_and_nothing_is_longer_than_its_limit(text: str, limit: int) -> None:
    shown = clean(text, limit)
    assert [character for character in shown if steers(character)] == []
    assert len(shown) <= limit
    shown.encode()


@given(st.recursive(HOSTILE, st.lists), st.sampled_from([None, 1]))
def test_json_on_a_terminal_steers_nothing_and_says_the_same(data: object, indent: int | None) -> None:
    shown = escaped_for_terminals(json.dumps(data, ensure_ascii=False, indent=indent))
    assert json.loads(shown) == data
    assert not any(map(steers, shown.replace("\n", "")))


def test_no_more_marks_on_a_letter_than_a_language_puts_there() -> None:
    assert clean("e" + "\u0301" * 40 + "!") == "e\u0301\u0301\u0301\ufffd!"
    for word in ("Vi\u1ec7t e\u0302\u0323", "\u0e17\u0e35\u0e48", "\u05e9\u05c1\u05b8", "\u0645\u064e\u0651"):
        assert clean(word) == word


@pytest.mark.parametrize("plane", range(17))
def test_every_character_there_is(plane: int) -> None:
    text = "".join(map(chr, range(plane << 16, (plane + 1) << 16)))
    assert [hex(ord(character)) for character in clean(text, len(text)) if steers(character)] == []


@given(st.text(st.characters(codec="ascii", min_codepoint=32, max_codepoint=126), max_size=DEFAULT_LIMIT))
def test_what_is_well_stays_as_it_is(text: str) -> None:
    assert clean(text) == text


@given(HOSTILE)
def test_once_is_enough(text: str) -> None:
    assert clean(clean(text)) == clean(text)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x1b[2Jb", "a␛[2Jb"),
        ("a\x00b\x07c\x7f", "a␀b␇c␡"),
        ("a\x9b2J", "a\ufffd2J"),
        ("user\u202etxt.exe", "user\ufffdtxt.exe"),
        ("pay\u200bpal", "pay\ufffdpal"),
        ("one\ntwo\tthree\r\nfour", "one two three  four"),
        ("\ud800", "\ufffd"),
        ("❤\ufe0f", "❤"),
        ("[@click=app.quit]x[/]", "[@click=app.quit]x[/]"),
        ("zażółć 日本 é", "zażółć 日本 é"),
    ],
)
def test_made_visible_not_left_out(text: str, shown: str) -> None:
    assert clean(text) == shown


def test_a_cut_is_marked() -> None:
    assert clean("a" * 401) == "a" * 399 + CUT
    assert clean("a" * 400) == "a" * 400
    assert clean("abc", 1) == CUT
    assert clean("", 0) == ""


def test_other_things_than_text() -> None:
    assert (clean(7), clean(None), clean({"a": "\x1b"})) == ("7", "None", "{'a': '\\x1b'}")


def test_a_megabyte_costs_no_more_than_a_line() -> None:
    """Beside each other in one run, so that it does not matter how fast the machine is."""

    def costs(text: str) -> float:
        return min(timeit.repeat(lambda: clean(text), number=20, repeat=10))

    line = "\x1b[31m" * 2000
    assert costs(line * 1000) < 20 * costs(line)


# --- several lines --------------------------------------------------------------------------------------------------


def test_lines() -> None:
    assert clean_lines("SELECT 1\r\n\tFROM jobs\nWHERE \x1b") == ("SELECT 1", "    FROM jobs", "WHERE ␛")
    assert clean_lines("") == ()
    assert clean_lines("a\n\nb\n") == ("a", "", "b")


def test_a_separator_that_is_no_line_end_stays_visible() -> None:
    assert clean_lines("a\x1cb\x85c\u2028d") == ("a␜b\ufffdc d",)


def test_more_lines_than_fit_are_marked() -> None:
    assert clean_lines("\n".join("abcdef"), lines=3) == ("a", "b", "c", CUT)


def test_more_text_than_is_looked_at_is_marked() -> None:
    """Thirty lines of 2,000 characters are fewer than 40 lines, but more than is looked at."""
    shown = clean_lines("\n".join(["x" * 2000] * 30))
    assert shown[-1] == CUT
    assert all(len(line) <= DEFAULT_LIMIT for line in shown)


@given(HOSTILE, st.integers(1, 5), st.integers(1, 50))
def test_no_line_steers(text: str, lines: int, limit: int) -> None:
    shown = clean_lines(text, lines, limit)
    assert len(shown) <= lines + 1
    assert all(len(line) <= max(limit, 1) and not any(map(steers, line)) for line in shown)
