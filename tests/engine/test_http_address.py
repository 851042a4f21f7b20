"""URLs taken apart: where to connect, what to ask for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.engine.http_address import Address, address_of


@pytest.mark.parametrize(
    ("url", "host", "port", "authority", "target"),
    [
        ("http://shop.test", "shop.test", 80, "shop.test", "/"),
        ("HTTPS://Shop.Test:443/a/./b?c=d#e", "shop.test", 443, "shop.test", "/a/./b?c=d"),
        ("http://shop.test:8080?x", "shop.test", 8080, "shop.test:8080", "/?x"),
        ("http://[::1]:81/", "::1", 81, "[::1]:81", "/"),
        ("http://bücher.test/ä b?ü=%20", "xn--bcher-kva.test", 80, "xn--bcher-kva.test", "/%C3%A4%20b?%C3%BC=%20"),
        ("http://me:p%40ss@shop.test/", "shop.test", 80, "shop.test", "/"),
    ],
)
def test_a_url(url: str, host: str, port: int, authority: str, target: str) -> None:
    found = address_of(url)
    assert (found.host, found.port, found.authority, found.target) == (host, port, authority, target)


def test_credentials_are_ready_for_basic() -> None:
    assert address_of("http://me:p%40ss@shop.test/").credentials == "bWU6cEBzcw=="
    assert address_of("http://shop.test/").credentials == ""


def test_parameters_stand_beside_those_that_are_there() -> None:
    assert address_of("http://a/b?c=1#d").asking({"e": "f g&"}).target == "/b?c=1&e=f+g%26"
    assert address_of("http://a/b").asking({}).target == "/b"


@pytest.mark.parametrize(
    ("location", "url"),
    [("/x", "http://me@a/x"), ("y?z", "http://me@a/b/y?z"), ("//c/d", "http://c/d"), ("https://e", "https://e")],
)
def test_where_a_redirect_leads(location: str, url: str) -> None:
    assert address_of("http://me@a/b/c").joined(location).url == url


@given(st.text())
def test_nothing_in_a_url_reaches_the_request_line(text: str) -> None:
    """Whatever stands in a URL or a redirect, it is one line of ASCII without spaces, or no URL at all."""
    for url in (f"http://a/{text}", f"http://{text}", f"http://a/?{text}"):
        try:
            found: Address = address_of(url)
        except ValueError:
            continue
        for sent in (found.target, found.authority):
            assert sent.isascii()
            assert sent.isprintable()
            assert " " not in sent
