"""Addresses that browsers may be sent to: one spelling for each, and none for what browsers would repair.

Origins of clients are taken as browsers spell them and in no other way; return addresses lead to a page or an app.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stamkund.rules.urls import (
    MAX_LENGTH,
    form_target,
    is_origin,
    is_return_address,
    origin_of,
    web_address,
    with_parameter,
)


@pytest.mark.parametrize(
    ("text", "origin", "rest"),
    [
        ("https://a.example", "https://a.example", "/"),
        ("HTTPS://A.Example:443/b", "https://a.example", "/b"),
        ("http://a.example:80?b", "http://a.example", "/?b"),
        ("http://a.example:0443/", "http://a.example:443", "/"),
        ("https://a.example:8443/b/../c;d=1?e=f&g[]=%20#h?i", "https://a.example:8443", "/b/../c;d=1?e=f&g[]=%20#h?i"),
        ("https://a.example/räksmörgås?q=å b", "https://a.example", "/r%C3%A4ksm%C3%B6rg%C3%A5s?q=%C3%A5%20b"),
        ('https://a.example/<"{}|^`>', "https://a.example", "/%3C%22%7B%7D%7C%5E%60%3E"),
        ("https://a.example//b.example", "https://a.example", "//b.example"),
        ("https://a.example/@b.example", "https://a.example", "/@b.example"),
        ("http://[::1]:8000/b", "http://[::1]:8000", "/b"),
        ("http://127.0.0.1:51004/", "http://127.0.0.1:51004", "/"),
        ("https://my_site.example./", None, None),
        ("https://my_site.example/", "https://my_site.example", "/"),
    ],
)
def test_an_address_has_one_spelling(text: str, origin: str | None, rest: str | None) -> None:
    address = web_address(text)
    assert (None if address is None else (address.origin, address.rest)) == (None if origin is None else (origin, rest))
    assert origin_of(text) == origin


NONE = [
    *("", " ", "/", "//a.example", "///a.example", "a.example", "www", "https", "https:", "https:/", "https://"),
    *("https:a.example", "https:/a.example", "https:///a.example", "https:\\\\a.example", "https:/\\a.example"),
    *("\\\\a.example", "/\\a.example", "https://a.example\\@b.example", "https://b.example\\.a.example"),
    *("https://user@a.example", "https://user:pass@a.example", "https://@a.example", "https://a.example@b.example"),
    *("https://a.example:443@b.example", "https://a.example%40b.example", "https://a.example%2f@b.example"),
    *(
        "\thttps://a.example",
        "https://a.example\n",
        "ht\ntps://a.example",
        "https://a.exa\tmple",
        "https://a.example/\r",
    ),
    *("https://a.example/\x00", "https://a.example/\x7f", "https://a.example/\u2028", "https://a.example/\u202e"),
    *(" https://a.example", "https ://a.example", "https:// a.example", "https://a .example"),
    *("https://å.example", "https://a。example", "https://ａ.example", "https://a.example\u200b", "https://ⓐ.example"),
    *("https://a.example:", "https://a.example:x", "https://a.example:-1", "https://a.example:99999999"),
    *(
        "https://.example",
        "https://-a.example",
        "https://a.example.",
        "https://a%2eexample",
        "https://a..",
        "https://*",
    ),
    *("javascript:alert(1)", "JavaScript://a.example/%0aalert(1)", "data:text/html,x", "ftp://a.example", "file:///x"),
    *("view-source:https://a.example", "blob:https://a.example/x", "about:blank", "se.herald.app:/back", "mailto:a@b"),
    *("https://[::1", "https://::1", "https://[fe80::1%25eth0]", "https://a.example/\ud800", "ｈttps://a.example"),
    "https://a.example/" + "a" * MAX_LENGTH,
]


@pytest.mark.parametrize("text", NONE)
def test_what_two_readers_could_read_differently_is_no_address(text: str) -> None:
    assert web_address(text) is None


@given(st.text() | st.text(alphabet="htps:/\\@.aå%?#\t\n[]1 ", max_size=30).map(lambda text: f"https://a.b{text}"))
def test_what_is_made_of_any_text_is_fit_for_a_header(text: str) -> None:
    address = web_address(text)
    if address is not None:
        assert (
            address.text.isascii()
            and address.text.isprintable()
            and " " not in address.text
            and "\\" not in address.text
        )
        assert web_address(address.text) == address, "its own spelling"


@pytest.mark.parametrize(
    ("address", "target"),
    [
        ("https://a.example/back?x=1", "https://a.example"),
        ("http://localhost:5173/", "http://localhost:5173"),
        ("http://127.0.0.1/back", "http://127.0.0.1:*"),
        ("http://127.0.0.1:8000/back", "http://127.0.0.1:*"),
        ("http://127.0.0.100/back", "http://127.0.0.100"),
        ("http://[::1]/back", "http:"),
        ("se.herald.app:/back", "se.herald.app:"),
        ("SE.Herald.App://back", "se.herald.app:"),
        ("https://a.example; script-src *", None),
        ("https:a", None),
        ("no address", None),
    ],
)
def test_what_a_policy_calls_it(address: str, target: str | None) -> None:
    assert form_target(address) == target


@pytest.mark.parametrize(
    ("address", "with_state"),
    [
        ("https://a.example/b", "https://a.example/b?state=1%20%26%C3%A5%0D%0A"),
        ("https://a.example/b?c=d", "https://a.example/b?c=d&state=1%20%26%C3%A5%0D%0A"),
        ("se.herald.app:/b#c", "se.herald.app:/b?state=1%20%26%C3%A5%0D%0A#c"),
    ],
)
def test_a_parameter_more(address: str, with_state: str) -> None:
    assert with_parameter(address, "state", "1 &å\r\n") == with_state


# Of clients ------------------------------------------------------------------------------------------------

ORIGINS = (
    "https://www.herald.example",
    "https://herald.example:8443",
    "http://localhost:5173",
    "http://127.0.0.1:1",
    "https://xn--vstra-gra.example:65535",
    "https://[2001:db8::1]:8443",
    "https://a",
)
NO_ORIGINS = (
    "",
    "*",
    "null",
    "herald.example",
    "//herald.example",
    "https://",
    "https://herald.example/",
    "https://herald.example/path",
    "https://herald.example?",
    "https://herald.example#",
    "https://*.herald.example",
    "https://Herald.example",
    "HTTPS://herald.example",
    "https://herald.example:443",
    "http://herald.example:80",
    "https://herald.example:0443",
    "https://herald.example:0",
    "https://herald.example:65536",
    "https://herald.example:",
    "https://me@herald.example",
    "https://västra.example",
    "https://herald.example\n",
    " https://herald.example",
    "https://herald.example,https://b.example",
    "https://-herald.example",
    "https://[2001:DB8::1]",
    "https://[2001:db8:0::1]",
    "https://[::g]",
    "https://[1.2.3.4]",
    "ftp://herald.example",
    "file://",
    "javascript://herald.example",
)
RETURN_ADDRESSES = (
    "https://herald.example",
    "https://herald.example/back?from=login&x=%C3%A5",
    "http://localhost:5173/back",
    "com.herald.app:/back",
    "com.herald.app://back",
)
NO_RETURN_ADDRESSES = (
    "",
    "/back",
    "herald.example/back",
    "//herald.example/back",
    "https:/back",
    "https:\\\\herald.example",
    "https://good.example\\@bad.example",
    "https://herald.example/back#",
    "https://herald.example/back#part",
    "https://herald.example/a b",
    "https://herald.example/\n",
    "https://herald.example/å",
    "https://[herald",
    "myapp:/back",
    "javascript:alert(1)",
    "javascript://herald.example/%0Aalert(1)",
    "JavaScript://herald.example",
    "data://text.html",
    "data:text/html,x",
    "vbscript://x",
    "file:///etc/passwd",
    "file://host/x",
    "blob://herald.example/1",
    "filesystem://x",
    "about://blank",
    "view-source://herald.example",
)


@pytest.mark.parametrize("text", ORIGINS)
def test_origins(text: str) -> None:
    assert is_origin(text)


@pytest.mark.parametrize("text", NO_ORIGINS)
def test_what_is_no_origin(text: str) -> None:
    assert not is_origin(text)


@pytest.mark.parametrize("text", RETURN_ADDRESSES)
def test_return_addresses(text: str) -> None:
    assert is_return_address(text)


@pytest.mark.parametrize("text", NO_RETURN_ADDRESSES)
def test_what_is_no_return_address(text: str) -> None:
    assert not is_return_address(text)


@given(
    st.text(st.characters(codec=None), max_size=40) | st.text(":/[]@#\\.%ahtps0", max_size=20).map("https://".__add__)
)
def test_any_text_is_one_or_not(text: str) -> None:
    for is_one in (is_origin, is_return_address):
        assert is_one(text) in (True, False)
    if is_return_address(text):
        assert text.isascii() and text.isprintable() and "#" not in text
