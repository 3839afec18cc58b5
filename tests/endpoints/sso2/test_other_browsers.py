"""Session fixation: a login at a site never raises the session of another browser than the visitor's."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from stamkund.cli.visitor_addresses import visitor_address_findings
from tests.endpoints.sso2.conftest import EMAIL, PASSWORD, SsoSite, Visited, site_of
from tests.support.connector import AGENT
from tests.support.service import RunningService

pytestmark = pytest.mark.both_engines

HOME, CAFE, OTHER = "203.0.113.7", "198.51.100.20", "203.0.113.99"


@pytest.fixture
async def behind(fresh_url: str, tmp_path: Path) -> AsyncIterator[SsoSite]:
    """A site of a server behind a proxy that tells browsers' addresses, with a reader."""
    async with RunningService(fresh_url, tmp_path / "a.key", trusted_proxies="127.0.0.1") as service:
        site = await site_of(await service.publisher())
        await site.publisher.activated(EMAIL)
        yield site
        await site.connector.http.aclose()


async def identified(site: SsoSite, address: str = HOME, agent: str = AGENT, cookie: str | None = None) -> Visited:
    headers = [(b"user-agent", agent.encode()), (b"x-forwarded-for", address.encode())]
    headers += [] if cookie is None else [(b"cookie", cookie.encode())]
    service = site.publisher.service
    return site.visited(await service.http.get(site.connector.identify("", "https://herald.example/"), headers=headers))


async def logged_in(site: SsoSite, sid: str, ipa: Any = HOME, uas: Any = AGENT) -> dict[str, Any]:
    claims = await site.connector.authenticate(sid, EMAIL, PASSWORD, ipa=ipa, uas=uas)
    assert (claims["sts"], claims["err"]) == ("loggedin", None)
    return claims


async def test_an_attackers_cookie_does_not_become_the_victims_session(behind: SsoSite) -> None:
    """The attacker keeps the cookie of `/identify` and sends the victim the landing link with its sid."""
    attacker = await identified(behind, CAFE, "Attacker/1.0")
    for ipa, uas in ((HOME, AGENT), (CAFE, AGENT), (HOME, "Attacker/1.0"), (HOME, None), (None, "")):
        claims = await logged_in(behind, attacker.sid, ipa, uas)
        assert claims["sid"] != attacker.sid
        assert await behind.status(claims["sid"]) == ("loggedin", None)
        assert await behind.reader_of(claims["at"]) == EMAIL
    assert await behind.status(attacker.sid) == ("anon", None)
    again = await identified(behind, CAFE, "Attacker/1.0", attacker.cookie)
    assert (again.sid, again.claims["sts"], again.claims["at"]) == (attacker.sid, "anon", "")
    query = f"client_id={behind.client.id}&response_type=code&prompt=none"
    response = await behind.publisher.service.http.get(f"/oauth2/auth?{query}", headers={"cookie": attacker.cookie})
    assert "error=login_required" in response.headers["location"]


async def test_nor_by_a_ticket(behind: SsoSite) -> None:
    attacker = await identified(behind, CAFE, "Attacker/1.0")
    ticket = (await logged_in(behind, (await identified(behind)).sid))["at"]
    claims = await behind.connector.authenticate_with_ticket(attacker.sid, ticket, ipa=HOME)
    assert (claims["sts"], claims["err"]) == ("loggedin", None) and claims["sid"] != attacker.sid
    assert await behind.status(attacker.sid) == ("anon", None)


async def test_the_same_browser_keeps_its_session(behind: SsoSite) -> None:
    """Where addresses can't be compared, its user agent is enough; an IPv6 address counts by its network."""
    for seen, sent in (
        (HOME, HOME),
        (HOME, f"::ffff:{HOME}"),
        (HOME, "10.0.0.1"),
        (HOME, "127.0.0.1"),
        (HOME, "::1"),
        (HOME, "fd00::1"),
        (HOME, "2001:db8::1"),
        (HOME, "proxy"),
        (HOME, None),
        (HOME, 7),
        ("2001:db8:1:2::3", HOME),
        ("2001:db8:1:2::3", "2001:db8:1:2:ffff::4"),
        ("192.168.1.20", HOME),
    ):
        visited = await identified(behind, seen)
        assert (await logged_in(behind, visited.sid, sent))["sid"] == visited.sid, (seen, sent)
    for agent in ("Mozilla/5.0   (X)", "å" * 2000):
        visited = await identified(behind, agent=agent)
        assert (await logged_in(behind, visited.sid, uas=f" {' '.join(agent.split())}"))["sid"] == visited.sid


@pytest.mark.parametrize("uas", [None, "", " ", 7])
async def test_a_browser_without_user_agent_is_never_the_visitors(behind: SsoSite, uas: Any) -> None:
    """Else an attacker who sends none has the session of whoever logs in at a site that names none."""
    visited = await identified(behind, agent="")
    assert (await logged_in(behind, visited.sid, uas=uas))["sid"] != visited.sid
    assert await behind.status(visited.sid) == ("anon", None)


async def test_another_address_is_another_browser(behind: SsoSite) -> None:
    for seen, sent in ((HOME, CAFE), ("2001:db8:1:2::3", "2001:db8:1:3::3")):
        visited = await identified(behind, seen)
        assert (await logged_in(behind, visited.sid, sent))["sid"] != visited.sid
        assert await behind.status(visited.sid) == ("anon", None)


async def test_a_browser_that_moved_is_known_where_it_is_identified_anew(behind: SsoSite) -> None:
    visited = await identified(behind, CAFE)
    again = await identified(behind, HOME, cookie=visited.cookie)
    assert again.sid == visited.sid
    assert (await logged_in(behind, visited.sid, HOME))["sid"] == visited.sid


async def test_an_address_that_a_client_sends_for_many_sessions_is_a_proxys(behind: SsoSite) -> None:
    """The first few are somebody else's, as far as can be seen; doctor names the client, and it can be switched off."""
    store, clock = behind.publisher.service.store, behind.publisher.service.clock
    sids = [(await identified(behind, f"203.0.113.{n}")).sid for n in range(12)]
    same = [(await logged_in(behind, sid, OTHER))["sid"] == sid for sid in sids]
    assert same == [False] * 5 + [True] * 7
    another = (await identified(behind, HOME)).sid
    assert (await logged_in(behind, another, CAFE))["sid"] != another, "only that address is shared"
    [(state, sentence)] = await visitor_address_findings(store, behind.publisher.id, clock())
    assert state is None and behind.client.id in sentence and "--visitor-address no" in sentence
    assert HOME not in sentence and OTHER not in sentence
    await store.clients.change(behind.client.id, lambda c: msgspec.structs.replace(c, visitor_address=False))
    assert await visitor_address_findings(store, behind.publisher.id, clock()) == []
    one = await identified(behind, HOME)
    assert (await logged_in(behind, one.sid, CAFE))["sid"] == one.sid
    assert (await logged_in(behind, one.sid, HOME, "Other/1.0"))["sid"] != one.sid, "the user agent always counts"


async def test_a_login_again_and_again_from_elsewhere_makes_no_address_a_proxys(behind: SsoSite) -> None:
    visited = await identified(behind, HOME)
    for _ in range(8):
        assert (await logged_in(behind, visited.sid, CAFE))["sid"] != visited.sid
    assert await visitor_address_findings(behind.publisher.service.store, behind.publisher.id, 0) == []


async def test_an_apps_session_keeps_its_sid_wherever_the_phone_is(behind: SsoSite) -> None:
    sid = (await behind.connector.create_session())["sid"]
    for ipa, uas in ((HOME, AGENT), (CAFE, "App/2"), ("2001:db8::1", None)):
        assert (await logged_in(behind, sid, ipa, uas))["sid"] == sid


async def test_a_session_of_another_browser_is_its_sites_alone(behind: SsoSite) -> None:
    sister = await site_of(behind.publisher)
    visited = await identified(behind, CAFE)
    claims = await logged_in(behind, visited.sid, HOME)
    assert await sister.status(claims["sid"]) == ("terminated", "session_not_found")
    assert (await logged_in(behind, claims["sid"], CAFE, "Other/1.0"))["sid"] == claims["sid"]
    await sister.connector.http.aclose()


async def test_no_address_and_no_user_agent_is_stored(behind: SsoSite) -> None:
    visited = await identified(behind, HOME, "Unmistakable/1.0")
    await logged_in(behind, visited.sid, CAFE, "Unmistakable/2.0")
    service = behind.publisher.service
    lookup = await service.store.sessions.of_client(behind.client.id, visited.sid)
    assert lookup is not None and lookup.session is not None and lookup.session.visitor is not None
    text = f"{lookup.session.visitor.agent} {lookup.session.visitor.address}"
    assert "Unmistakable" not in text and HOME not in text
