"""Origins are taken as browsers spell them and in no other way; return addresses lead to a page or an app."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stamkund.rules.urls import is_origin, is_return_address

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
