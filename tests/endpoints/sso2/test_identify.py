"""Identify: what browsers are sent back with, and that they are sent nowhere else, whatever they bring."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import msgspec
import pytest

from stamkund.endpoints.sso2 import return_url
from stamkund.problems import Refused
from tests.endpoints.sso2.conftest import EMAIL, SsoSite, site_of
from tests.support import raw
from tests.support.calls import assert_refused
from tests.support.connector import decoded
from tests.support.service import RunningService

DAY = 86_400

# Cookies -----------------------------------------------------------------------------------------------------


async def test_a_browser_gets_a_cookie_that_only_this_host_reads(site: SsoSite) -> None:
    visited = await site.identified()
    name, value, *attributes = visited.response.headers["set-cookie"].replace("=", "; ", 1).split("; ")
    assert name == f"__Host-stamkund-{site.publisher.id}"
    assert len(value) == 43 and value not in str(visited.claims)
    assert attributes == [f"Max-Age={30 * DAY}", "Path=/", "Secure", "HttpOnly", "SameSite=Lax"]
    assert visited.response.headers["cache-control"] == "no-store"


async def test_each_visit_renews_the_same_cookie(site: SsoSite, sister: SsoSite) -> None:
    visited = await site.identified()
    for other in (site, sister):
        again = await other.identified(visited.cookie)
        assert (again.sid, again.cookie) == (visited.sid, visited.cookie)
        assert f"Max-Age={30 * DAY}" in again.response.headers["set-cookie"]


@pytest.mark.parametrize(
    "cookie",
    [
        *("", ";", "=", "x", "{}=", "{}", '{}=""', "{}=x", "{}=" + "a" * 43, "{}=a b", "{}='; --", "x={}="),
        *("{}=%00", "__Secure-stamkund=x", "{}=x; {}=y"),
    ],
)
async def test_a_cookie_that_is_none_of_ours_gets_a_new_session(site: SsoSite, cookie: str) -> None:
    visited = await site.identified(cookie.replace("{}", f"__Host-stamkund-{site.publisher.id}"))
    assert visited.claims["sts"] == "anon"
    assert await site.status(visited.sid) == ("anon", None)


@pytest.mark.parametrize(
    "other",
    ['consent={"a":1,"b":[2]}', "a[b]=c", "x", "=", "=y", 'q="a;b"', "å=ö", "a b=c d", "t=a=b==", "u=@,:/?<>\\", '"=1'],
)
async def test_cookies_of_others_do_no_harm(site: SsoSite, other: str) -> None:
    """On a host beneath a publisher's domain the publisher's own cookies come along, whatever is in them."""
    visited = await site.identified()
    for cookies in (f"{other}; {visited.cookie}", f"{visited.cookie}; {other}", f"{other};{visited.cookie};{other}"):
        response = await raw.send(
            site.publisher.service,
            raw.get(site.connector.identify("", "https://a.example/").encode(), b"Cookie: " + cookies.encode()),
        )
        claims = decoded(
            parse_qs(urlsplit(response.headers["location"]).query)["t"][0],
            site.connector.secret,
            site.publisher.service.clock(),
        )
        assert claims["sid"] == visited.sid, cookies


async def test_the_sid_is_no_cookie(site: SsoSite, reader: str) -> None:
    visited = await site.logged_in()
    again = await site.identified(f"__Host-stamkund-{site.publisher.id}={visited.sid}")
    assert again.sid != visited.sid and again.claims["sts"] == "anon"


async def test_a_reader_who_is_logged_in_brings_a_ticket_each_time(site: SsoSite, reader: str) -> None:
    visited = await site.logged_in()
    tickets = set()
    for _ in range(3):
        claims = (await site.identified(visited.cookie)).claims
        assert (claims["sid"], claims["sts"], claims["err"]) == (visited.sid, "loggedin", None)
        tickets.add(claims["at"])
    assert len(tickets) == 3 and "" not in tickets
    for ticket in tickets:
        assert (await site.connector.exchange(ticket)).status_code == 200


# The way back ------------------------------------------------------------------------------------------------

ADDRESSES = [
    "https://herald.example/",
    "http://herald.example",
    "HTTPS://HERALD.EXAMPLE/",
    "https://herald.example/a/b?c=d&e=f",
    "https://herald.example/?r=https://herald.example/&r=x&t=y",
    "https://herald.example/?next=https%3A%2F%2Fherald.example%2Fa%26b",
    "https://herald.example/%C3%A5%20b?q=a+b",
    "https://herald.example:8443/",
    "https://[::1]:8443/",
    "https://xn--tidning-9xa.example/",
    "https://herald.example?x",
    "https://herald.example/&sts=loggedin&at=x",
    "https://herald.example//evil.example",
    "https://evil.example/",
    "https://herald.example/" + "a" * 8000,
]


@pytest.mark.parametrize("return_address", ADDRESSES, ids=lambda a: a[:60])
async def test_everything_after_r_comes_back_as_it_was(site: SsoSite, return_address: str) -> None:
    """Unencoded as clients in the field send it; encoded as a whole it is the same address."""
    assert (await site.identified(return_url=return_address)).return_url == return_address
    for encoded in (quote(return_address, safe=""), quote(return_address, safe="").lower().replace("herald", "herald")):
        visited = await site.identified(return_url=encoded)
        assert visited.return_url.lower() == return_address.lower()


TRICKS = [
    *("", " ", "/", "//evil.example", "///evil.example", "/\\evil.example", "\\\\evil.example", "evil.example"),
    *("javascript:alert(1)", "JaVaScRiPt://x/%0aalert(1)", "data:text/html,<script>alert(1)</script>", "vbscript:x"),
    *("file:///etc/passwd", "ftp://evil.example/", "ws://evil.example", "blob:https://herald.example/x", "about:blank"),
    *(
        "https:",
        "https:/",
        "https://",
        "https:///",
        "https:////evil.example",
        "https:/evil.example",
        "https:evil.example",
    ),
    *(
        "https:\\\\evil.example",
        "https:/\\evil.example",
        "https://\\evil.example",
        "https://herald.example\\@evil.example",
    ),
    *("https://herald.example@evil.example/", "https://user:password@herald.example/", "https://@evil.example"),
    *(
        "https://?x",
        "https://#x",
        "https://:443/",
        "https://:80@evil.example",
        "://evil.example",
        "http s://evil.example",
    ),
    *("\thttps://evil.example", " https://evil.example", "https://evil.example ", "https://evil\t.example/"),
    *("https://evil.example/\r\nSet-Cookie: a=b", "https://evil.example/\nLocation: x", "https://evil.example/\x00"),
    *(
        "https://evil.example/ b",
        "https://evil.example/\x7f",
        "https://evil.example/\x85",
        "https%3A%2F%2F",
        "%68ttps://a",
    ),
    *(
        "view-source:https://evil.example",
        "feed:https://evil.example",
        "intent://x#Intent;scheme=https;end",
        "mailto:a@b",
    ),
    *(
        "httpss://evil.example",
        "xhttps://evil.example",
        "https;//evil.example",
        "1",
        "null",
        "undefined",
        "https://a/\\",
    ),
]


@pytest.mark.parametrize("trick", TRICKS, ids=ascii)
def test_what_is_no_address_of_a_page(trick: str) -> None:
    """Encoded, and encoded twice."""
    for sent in (quote(trick, safe=""), quote(quote(trick, safe=""), safe="")):
        with pytest.raises(Refused) as caught:
            return_url.parse_return_url(sent)
        assert (caught.value.problem.code, caught.value.problem.field) == ("invalid_parameter", "r")


async def test_a_browser_is_not_sent_to_what_is_no_address_of_a_page(site: SsoSite) -> None:
    for trick in TRICKS:
        response = await site.publisher.service.http.get(site.connector.identify("", quote(trick, safe="")))
        assert response.status_code == 400, trick
        assert_refused(response, 400, "invalid_parameter", "r")
        assert "location" not in response.headers and "set-cookie" not in response.headers, trick


async def test_an_address_that_is_not_encoded_is_never_decoded(site: SsoSite) -> None:
    """So what looks like a line break in one is a path with percent signs, and comes back as that."""
    statuses = set()
    for trick in TRICKS:
        sent = quote(trick, safe="/:?#[]@!$&'()*+,;=%")
        response = await raw.send(site.publisher.service, raw.get(site.connector.identify("", sent).encode()))
        statuses.add(response.status)
        if response.status == 302:
            assert sent.startswith(("https://evil.example/", "https://a/")) and "%" in sent, trick
            assert response.headers["location"].startswith(f"{site.page}?t="), trick
            assert parse_qs(urlsplit(response.headers["location"]).query)["r"] == [sent], trick
        else:
            refusal = (response.status, response.json()["code"], response.json()["field"])
            assert refusal == (400, "invalid_parameter", "r"), trick
    assert statuses == {302, 400}


@pytest.mark.parametrize("return_address", ["https%3A%2F%2Fa.example%2F%FF", "https%3A%2F%2Fa.example%2F%ED%A0%80"])
async def test_an_address_that_is_no_utf_8_is_refused(site: SsoSite, return_address: str) -> None:
    response = await site.publisher.service.http.get(site.connector.identify("", return_address))
    assert_refused(response, 400, "invalid_parameter", "r")


async def test_an_address_that_is_too_long_is_refused(site: SsoSite) -> None:
    response = await site.publisher.service.http.get(site.connector.identify("", "https://a.example/" + "a" * 8192))
    assert "8192" in assert_refused(response, 400, "invalid_parameter", "r")["message"]


@pytest.mark.parametrize(
    "injected",
    [
        "%0d%0aX-Injected:%20yes",
        "%250d%250aX-Injected:yes",
        "%E5%98%8A%E5%98%8DX-Injected:yes",
        "%u000dX",
        "%00",
        "%0a",
    ],
)
async def test_no_header_of_the_response_can_be_injected(site: SsoSite, injected: str) -> None:
    """Left as it is, the injected is characters of a URL, and comes back encoded once more."""
    response = await raw.send(
        site.publisher.service, raw.get(site.connector.identify("", f"https://herald.example/{injected}").encode())
    )
    assert response.status == 302 and "x-injected" not in response.headers
    assert response.headers["location"].endswith(quote(injected, safe="")) and response.rest == b""
    encoded = quote("https://herald.example/", safe="") + injected
    response = await raw.send(site.publisher.service, raw.get(site.connector.identify("", encoded).encode()))
    assert response.status in (302, 400) and "x-injected" not in response.headers
    assert "\r" not in response.headers.get("location", "") and "\n" not in response.headers.get("location", "")


async def test_bytes_that_no_url_has(site: SsoSite) -> None:
    """The HTTP server refuses some itself; of the rest none reaches a header as it is."""
    for value in (b"\x80", b"\xff", "å".encode(), b"\x00", b"\x0b", b"\x1b", b"|", b"^", b'"', b"<>", b"{}", b"`"):
        target = site.connector.identify("", "https://herald.example/").encode() + value
        response = await raw.send(site.publisher.service, raw.get(target))
        assert response.status in (302, 400)
        if response.status == 302:
            assert (
                response.headers["location"].isascii() and value.decode("latin-1") not in response.headers["location"]
            )


# The landing page --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("page", "begins"),
    [
        ("https://herald.example/landing.php", "https://herald.example/landing.php?t="),
        ("https://herald.example/?page=landing&x=y", "https://herald.example/?page=landing&x=y&t="),
        ("https://herald.example", "https://herald.example?t="),
        ("https://herald.example/å b", "https://herald.example/%C3%A5%20b?t="),
        ("https://herald.example/%C3%A5", "https://herald.example/%C3%A5?t="),
    ],
)
async def test_the_first_redirect_uri_is_the_landing_page(site: SsoSite, page: str, begins: str) -> None:
    await _change(site, redirect_uris=[page, "https://other.example/"])
    response = await site.publisher.service.http.get(site.connector.identify("", "https://herald.example/a"))
    location = response.headers["location"]
    assert location.startswith(begins) and location.endswith("&r=https%3A%2F%2Fherald.example%2Fa")


async def test_a_client_without_landing_page_is_refused(site: SsoSite) -> None:
    await _change(site, redirect_uris=[])
    response = await site.publisher.service.http.get(site.connector.identify("", "https://herald.example/a"))
    message = assert_refused(response, 400, "invalid_parameter")["message"]
    assert message == "The client has no redirect URI to send browsers back to"


async def test_an_unproven_client_learns_nothing_of_the_client_or_the_address(site: SsoSite) -> None:
    await _change(site, redirect_uris=[])
    site.connector.secret = "wrong"
    response = await site.publisher.service.http.get(site.connector.identify("", "javascript:x"))
    assert_refused(response, 401, "invalid_token")


async def _change(site: SsoSite, **changes: Any) -> None:
    def change(client: Any) -> Any:
        return msgspec.structs.replace(client, **changes)

    await site.publisher.service.store.clients.change(site.client.id, change)


# A host of its own -------------------------------------------------------------------------------------------


async def test_browsers_are_sent_to_the_host_that_is_theirs(fresh_url: str, tmp_path: Path) -> None:
    """Where one is set, the cookie lives there alone: on any other host a browser gets none, and goes there."""
    async with RunningService(fresh_url, tmp_path / "a.key", sso_url="https://sso.herald.example") as service:
        publisher = await service.publisher()
        site = await site_of(publisher)
        await publisher.activated(EMAIL)
        sent = site.connector.identify("", "https://herald.example/a?b=c&d=%C3%A5")
        for host in ("127.0.0.1", "evil.example", "sso.herald.example.evil.example", "sso.herald.example:8443", ""):
            response = await service.http.get(sent, headers={"host": host})
            assert response.status_code == 302 and "set-cookie" not in response.headers
            assert response.headers["location"] == f"https://sso.herald.example{sent}"
        for host in ("sso.herald.example", "SSO.herald.EXAMPLE"):
            visited = site.visited(await service.http.get(sent, headers={"host": host}))
            assert visited.return_url == "https://herald.example/a?b=c&d=%C3%A5"
        # Servers may use either.
        assert await site.status(visited.sid) == ("anon", None)
        await site.connector.http.aclose()
