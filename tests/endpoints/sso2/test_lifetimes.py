"""How long sessions live: an hour (an app's: a day) until they are used, a month after that, a year at most."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from tests.endpoints.sso2.conftest import EMAIL, PASSWORD, SsoSite, site_of
from tests.support.rows import rows
from tests.support.service import Publisher, RunningService
from tests.support.waiting import until

DAY = 86_400
pytestmark = pytest.mark.both_engines


async def expiry(site: SsoSite, sid: str) -> int:
    lookup = await site.publisher.service.store.sessions.of_client(site.client.id, sid)
    assert lookup is not None and lookup.session is not None
    return lookup.session.expires


async def test_a_session_that_is_never_used_lives_an_hour(site: SsoSite, reader: str) -> None:
    clock, visited = site.publisher.service.clock, await site.identified()
    assert await expiry(site, visited.sid) == clock() + 3600
    with clock.at(clock() + 3600):
        assert await site.status(visited.sid) == ("terminated", "session_not_found")
        assert (await site.identified(visited.cookie)).sid != visited.sid


async def test_an_apps_session_that_is_never_used_lives_a_day(site: SsoSite) -> None:
    """Whoever sees the request that begins one can send it again and again."""
    clock, sid = site.publisher.service.clock, (await site.connector.create_session())["sid"]
    assert await expiry(site, sid) == clock() + DAY
    assert await site.status(sid) == ("anon", None)
    await until(lambda: _lives_until(site, sid, clock() + 30 * DAY))


async def test_a_browser_makes_its_session_last_an_hour_at_a_time(site: SsoSite) -> None:
    """Whoever sends the cookie back gets no month for it: that takes a request of a site, or a login."""
    clock, visited = site.publisher.service.clock, await site.identified()
    begun = clock()
    with clock.at(begun + 3000):
        assert (await site.identified(visited.cookie)).sid == visited.sid
        await until(lambda: _lives_until(site, visited.sid, begun + 3000 + 3600))
    assert await expiry(site, visited.sid) == begun + 6600


@pytest.mark.parametrize("use", ["sessionstatus", "authenticate"])
async def test_one_that_is_used_lives_on(site: SsoSite, reader: str, use: str) -> None:
    clock, visited = site.publisher.service.clock, await site.identified()
    await site.connector.call(use, sid=visited.sid, usr=EMAIL, pwd="wrong")
    await until(lambda: _lives_until(site, visited.sid, clock() + 30 * DAY))


async def _lives_until(site: SsoSite, sid: str, expires: int) -> bool:
    return await expiry(site, sid) == expires


async def test_a_form_may_stand_open_for_long(site: SsoSite, reader: str) -> None:
    clock, visited = site.publisher.service.clock, await site.identified()
    ticket = (await site.logged_in()).sid
    with clock.at(clock() + 7200):
        by_password = await site.connector.authenticate(visited.sid, EMAIL, PASSWORD)
        by_ticket = await site.connector.authenticate_with_ticket(visited.sid, await site.ticket(ticket))
        for claims in (by_password, by_ticket):
            assert (claims["sts"], claims["err"]) == ("loggedin", None) and claims["sid"] != visited.sid
            assert await site.status(claims["sid"]) == ("loggedin", None)
            assert await site.reader_of(claims["at"]) == EMAIL


async def test_a_session_lasts_a_year_at_most(site: SsoSite, reader: str) -> None:
    clock, visited = site.publisher.service.clock, await site.logged_in()
    begun = clock()
    for day in range(29, 365, 29):
        with clock.at(begun + day * DAY):
            assert await site.status(visited.sid, "loggedin") == ("loggedin", None)
            await until(partial(_lives_until, site, visited.sid, begun + min(day + 30, 365) * DAY))
    with clock.at(begun + 365 * DAY):
        assert await site.status(visited.sid, "loggedin") == ("terminated", "session_not_found")


async def test_a_ticket_does_not_prolong_a_login(site: SsoSite, reader: str) -> None:
    """No password was given: each session begins when the first one did, and ends when that must."""
    clock, sid = site.publisher.service.clock, (await site.logged_in()).sid
    begun = clock()
    for day in range(29, 365, 29):
        with clock.at(begun + day * DAY):
            other = await site.identified()
            await site.connector.authenticate_with_ticket(other.sid, await site.ticket(sid))
            sid = other.sid
            assert await expiry(site, sid) == begun + min(day + 30, 365) * DAY
    with clock.at(begun + 365 * DAY):
        assert await site.status(sid, "loggedin") == ("terminated", "session_not_found")


async def test_tokens_of_a_ticket_end_with_the_login(publisher: Publisher, reader: str) -> None:
    """The refresh token of a login of a year ago lasts 400 days from then, not from the ticket."""
    site = await site_of(publisher, offline_access=True)
    clock, visited = publisher.service.clock, await site.logged_in()
    begun = clock()
    for day in range(29, 365, 29):
        with clock.at(begun + day * DAY):
            ticket = await site.ticket(visited.sid)
            await until(partial(_lives_until, site, visited.sid, begun + min(day + 30, 365) * DAY))
            response = await site.connector.exchange(ticket)
            assert response.status_code == 200
    await site.connector.http.aclose()
    latest = f"SELECT max(expires) FROM tokens WHERE kind = 'refresh' AND client = '{site.client.id}'"
    assert await rows(publisher.service.settings.database_url, latest) == [(begun + 400 * DAY,)]


async def test_new_sessions_of_apps_are_limited_by_client(fresh_url: str, tmp_path: Path) -> None:
    """And logins are not: whoever has one request can send it again and again."""
    async with RunningService(fresh_url, tmp_path / "a.key", limit_per_client_for="session=3") as service:
        site = await site_of(await service.publisher())
        token = site.connector.token(86_400, apn="News")
        statuses = [(await site.connector.send("createsession", token)).status_code for _ in range(4)]
        assert statuses == [200, 200, 200, 429]
        assert (await site.connector.authenticate("unknown", EMAIL, PASSWORD))["err"] == "invalid_credentials"
        await site.connector.http.aclose()
