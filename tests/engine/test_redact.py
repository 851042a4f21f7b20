"""What leaves the process: no known secret, no password by its look, no literal of a statement."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tui.engine.folding import fold_sql, signature
from tui.engine.redact import MASK, redact
from tui.engine.secrets import known_values
from tui.engine.text import clean

SECRET = st.text(st.characters(exclude_categories=["Cs"]), min_size=4, max_size=40).filter(
    lambda text: text == text.strip() and not set(text) <= set(MASK)
)
AROUND = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


@pytest.fixture(autouse=True)
def nothing_known() -> Iterator[None]:
    before = set(known_values)
    known_values.clear()
    yield
    known_values.clear()
    known_values.update(before)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(SECRET, min_size=1, max_size=3), AROUND, AROUND)
def test_no_known_secret_survives(secrets: list[str], before: str, after: str) -> None:
    known_values.clear()
    known_values.update(secrets)
    text = before + after.join(secrets) + after
    kept = redact(text)
    assert not any(secret in kept for secret in secrets)


WAYS: list[tuple[str, Callable[[str], str]]] = [
    ("in a URL", lambda secret: quote(secret, safe="")),
    ("in a path", quote),
    ("in a form", quote_plus),
    ("in JSON", lambda secret: json.dumps(secret)[1:-1]),
    ("in JSON, unescaped", lambda secret: json.dumps(secret, ensure_ascii=False)[1:-1]),
    ("as Python shows it", lambda secret: repr(secret)[1:-1]),
    ("as the screen shows it", lambda secret: str(clean(secret))),
]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(SECRET, st.sampled_from(WAYS))
def test_however_it_is_written(secret: str, way: tuple[str, Callable[[str], str]]) -> None:
    known_values.clear()
    known_values.add(secret)
    _, write = way
    written = write(secret)
    assert redact(f"<{written}>") == f"<{MASK}>"


def test_each_line_of_a_key() -> None:
    known_values.add("-----BEGIN KEY-----\nMIIEvQIBADANBg\nkqhkiG9w0BAQ==\n-----END KEY-----")
    assert "kqhkiG9w0BAQ==" not in redact("at line 3: kqhkiG9w0BAQ== is no base64")


def test_a_longer_secret_goes_before_one_within_it() -> None:
    known_values.update({"hunter2", "hunter2-and-more"})
    assert redact("it is hunter2-and-more") == f"it is {MASK}"


def test_a_very_short_one_would_mask_ordinary_words() -> None:
    known_values.add("ok")
    assert redact("it is ok") == "it is ok"


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("postgresql://app:hunter2@db/shop", f"postgresql://app:{MASK}@db/shop"),
        ("postgresql://app:p@ss@db/shop", f"postgresql://app:{MASK}@db/shop"),
        ("https://:tok@host/x", f"https://:{MASK}@host/x"),
        ("https://shop.example/a:b@c", "https://shop.example/a:b@c"),
        ("host=db password=hunter2 user=app", f"host=db password={MASK} user=app"),
        ("password='two words' user=app", f"password={MASK} user=app"),
        ("Authorization: Bearer abc.def", f"Authorization: Bearer {MASK}"),
        ("authorization: Basic YWJj", f"authorization: Basic {MASK}"),
        ('{"password": "hunter2", "a": 1}', f'{{"password": {MASK}, "a": 1}}'),
        ("access_token=abc&x=1", f"access_token={MASK}"),
        ("DB_PASSWORD=hunter2", f"DB_PASSWORD={MASK}"),
        ("X-Api-Key: abc", f"X-Api-Key: {MASK}"),
        ('password authentication failed for user "watch"', 'password authentication failed for user "watch"'),
        ("3 tokens left", "3 tokens left"),
    ],
)
def test_by_its_look(text: str, kept: str) -> None:
    assert redact(text) == kept


# --- SQL ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sql", "folded"),
    [
        ("SELECT * FROM users WHERE email = 'a@b.c' AND id = 42", "SELECT * FROM users WHERE email = ? AND id = ?"),
        ("SELECT 'it''s', 'two'", "SELECT ?, ?"),
        (r"SELECT E'it\'s', e'a\\'", "SELECT ?, ?"),
        (r"SELECT 'a\b'", "SELECT ?"),
        ("SELECT $$it's$$, $tag$a $$ b$tag$", "SELECT ?, ?"),
        ("SELECT x'1F', B'101', N'name', U&'d\\0061t'", "SELECT ?, ?, ?, ?"),
        ("SELECT 1.5e-3, .5, 1_000, 0x1F, 12e3, -7", "SELECT ?, ?, ?, ?, ?, -?"),
        ("SELECT 123abc", "SELECT ?abc"),
        ("SELECT $1, t1.c2 FROM t1", "SELECT $1, t1.c2 FROM t1"),
        ('SELECT "it\'s" FROM "two words"', 'SELECT "it\'s" FROM "two words"'),
        ("SELECT 1 -- the secret 'x\nFROM t", "SELECT ? FROM t"),
        ("SELECT /* secret */ 1", "SELECT ?"),
        ("UPDATE t\n\tSET a  = 'x'", "UPDATE t SET a = ?"),
        ("", ""),
    ],
)
def test_literals_are_folded(sql: str, folded: str) -> None:
    assert fold_sql(sql) == folded


@pytest.mark.parametrize(
    ("sql", "folded"),
    [
        ("UPDATE t SET a = 'hunter2", "UPDATE t SET a = …"),
        ("SELECT $$hunter2", "SELECT …"),
        ("SELECT $a$hunter2$b$", "SELECT …"),
        ("SELECT /* hunter2", "SELECT …"),
        ('SELECT "hunter2', "SELECT …"),
        ("SELECT /* a /* b */ hunter2 */ 1", "SELECT …"),
        (r"SELECT 'a\' , 'hunter2' , '", "SELECT …"),
        (r"SELECT 'a\', 'b', hunter2'", "SELECT …"),
        (r"SELECT E'a\'hunter2", "SELECT E …"),
    ],
)
def test_what_cannot_be_told_apart_is_not_kept(sql: str, folded: str) -> None:
    assert fold_sql(sql) == folded


LITERALS: list[Callable[[str], str]] = [
    lambda text: "'" + text.replace("\\", "").replace("'", "''") + "'",
    lambda text: "E'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'",
    lambda text: f"$q${text.replace('$', '')}$q$",
    lambda text: f"-- {text.replace(chr(10), '').replace(chr(13), '')}\n",
    lambda text: f"/*{text.replace('*', '').replace('/', '')}*/",
]
WORDS = st.sampled_from(["SELECT ", "a.b = ", ", ", '"name" ', "$1 ", "(", ")", " FROM t1 ", "42 ", "\n"])
NOISE = st.text("ab'\"\\$-/* \n;", max_size=12)


SECRETS = st.builds(lambda written, noise: written(f"{noise}HUNTER{noise}"), st.sampled_from(LITERALS), NOISE)


@given(st.lists(WORDS | SECRETS, max_size=12), st.integers(0, 200))
def test_no_literal_survives_wherever_it_is_cut(pieces: list[str], cut: int) -> None:
    sql = "".join(pieces)
    assert "HUNTER" not in fold_sql(sql)
    assert "HUNTER" not in fold_sql(sql[:cut])


@given(st.text("ab'\"\\$-/* \n;1.eE", max_size=60))
def test_no_statement_is_a_defect(sql: str) -> None:
    fold_sql(sql)


# --- signatures -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other", "both"),
    [
        ("job 8121 timed out after 30.5s", "job 17 timed out after 2s", "job <n> timed out after <n>s"),
        ("no clip 'a b'", 'no clip "c"', "no clip <…>"),
        (
            "row 3f2b8c1e-1111-4222-8333-444455556666 is gone",
            "row 00000000-1111-4222-8333-444455556666 is gone",
            "row <id> is gone",
        ),
        ("blob deadbeef01 lost\nTraceback…", "blob 0123456789ab lost", "blob <id> lost"),
    ],
)
def test_failures_of_one_cause_are_one_line(one: str, other: str, both: str) -> None:
    assert signature(one) == signature(other) == both


@given(st.text(max_size=200))
def test_a_signature_is_one_line(text: str) -> None:
    assert "\n" not in signature(text)
