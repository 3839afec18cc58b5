"""Sessions: created, looked up, logged in to and ended; shared by an organisation's sites and by no others."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

from tests.endpoints.sso2.conftest import EMAIL, PASSWORD, SsoSite
from tests.support.waiting import until

DAY = 86_400
CLAIMS = ["sid", "sts", "at", "err", "iss", "aud", "iat", "nbf", "exp"]


# What is returned -------------------------------------------------------------------------------------------


async def test_every_response_has_the_same_claims(site: SsoSite, reader: str) -> None:
    now = site.publisher.service.clock()
    visited = await site.identified()
    tokens = [
        visited.claims,
        await site.connector.create_session(),
        await site.connector.status(visited.sid, "anon"),
        await site.connector.authenticate(visited.sid, EMAIL, PASSWORD),
        await site.connector.log_out(visited.sid),
        await site.connector.status("unknown", "anon"),
    ]
    for claims in tokens:
        assert list(claims) == CLAIMS
        assert (claims["iss"], claims["aud"]) == ("pw-sso", site.client.id)
        assert (claims["iat"], claims["nbf"], claims["exp"]) == (now, now, now + 60)
    wrong = await site.connector.authenticate((await site.identified()).sid, EMAIL, "wrong")
    assert list(wrong) == [*CLAIMS, "raa"]


async def test_a_new_session_is_anonymous(site: SsoSite) -> None:
    visited = await site.identified()
    claims = await site.connector.status(visited.sid, "anon")
    assert (claims["sid"], claims["sts"], claims["at"], claims["err"]) == (visited.sid, "anon", "", None)


async def test_a_reader_logs_in_and_out(site: SsoSite, reader: str) -> None:
    visited = await site.identified()
    claims = await site.connector.authenticate(visited.sid, EMAIL.upper(), PASSWORD)
    assert (claims["sid"], claims["sts"], claims["err"]) == (visited.sid, "loggedin", None)
    assert await site.reader_of(claims["at"]) == EMAIL
    assert await site.status(visited.sid, "loggedin") == ("loggedin", None)
    for _ in range(2):
        claims = await site.connector.log_out(visited.sid)
        assert (claims["sid"], claims["sts"], claims["at"], claims["err"]) == (visited.sid, "terminated", "", None)
    assert await site.status(visited.sid, "loggedin") == ("terminated", None)
    for claims in (
        await site.connector.authenticate(visited.sid, EMAIL, PASSWORD),
        await site.connector.authenticate_with_ticket(visited.sid, "x"),
    ):
        assert (claims["sts"], claims["err"]) == ("terminated", "session_not_found")


async def test_the_organisation_may_stand_in_front_of_the_email(site: SsoSite, foreign: SsoSite, reader: str) -> None:
    visited = await site.identified()
    claims = await site.connector.authenticate(visited.sid, f"{site.publisher.id}^{EMAIL}", PASSWORD)
    assert (claims["sts"], claims["err"]) == ("loggedin", None)
    await foreign.publisher.activated(EMAIL)
    visited = await site.identified()
    claims = await site.connector.authenticate(visited.sid, f"{foreign.publisher.id}^{EMAIL}", PASSWORD)
    assert (claims["sts"], claims["err"], claims["raa"]) == ("anon", "invalid_credentials", 4)


async def test_status_gives_a_ticket_to_a_site_that_knows_of_no_login(site: SsoSite, reader: str) -> None:
    visited = await site.logged_in()
    for last_known in ("anon", "terminated", "", None, "LOGGEDIN"):
        claims = await site.connector.status(visited.sid, last_known)
        assert claims["sts"] == "loggedin" and await site.reader_of(claims["at"]) == EMAIL
    assert (await site.connector.status(visited.sid, "loggedin"))["at"] == ""


# Who shares them ---------------------------------------------------------------------------------------------


async def test_all_sites_of_the_organisation_share_a_session(site: SsoSite, sister: SsoSite, reader: str) -> None:
    visited = await site.identified()
    again = await sister.identified(visited.cookie)
    assert again.sid == visited.sid and again.claims["sts"] == "anon"
    await site.connector.authenticate(visited.sid, EMAIL, PASSWORD)
    claims = await sister.connector.status(visited.sid, "anon")
    assert claims["sts"] == "loggedin" and await sister.reader_of(claims["at"]) == EMAIL
    visited_sister = await sister.identified(visited.cookie)
    assert visited_sister.claims["sts"] == "loggedin" and await sister.reader_of(visited_sister.claims["at"]) == EMAIL
    await sister.connector.log_out(visited.sid)
    assert await site.status(visited.sid, "loggedin") == ("terminated", None)
    anew = await site.identified(visited.cookie)
    assert anew.sid != visited.sid and anew.claims["sts"] == "anon" and anew.cookie != visited.cookie


async def test_sites_of_another_organisation_never_learn_of_it(site: SsoSite, foreign: SsoSite, reader: str) -> None:
    await foreign.publisher.activated(EMAIL)
    visited = await site.logged_in()
    foreign_claims = await foreign.connector.authenticate(visited.sid, EMAIL, PASSWORD)
    assert foreign_claims["sts"] == "loggedin" and foreign_claims["sid"] != visited.sid, "a session of its own"
    ticket_claims = await foreign.connector.authenticate_with_ticket(visited.sid, visited.claims["at"])
    assert (ticket_claims["sts"], ticket_claims["err"]) == ("anon", "invalid_credentials")
    for claims in (
        await foreign.connector.status(visited.sid, "anon"),
        await foreign.connector.log_out(visited.sid),
    ):
        assert (claims["sid"], claims["sts"], claims["at"], claims["err"]) == (
            *(visited.sid, "terminated", ""),
            "session_not_found",
        )
    assert (await foreign.identified(visited.cookie)).sid != visited.sid
    # Not even under the foreign cookie's name.
    value = visited.cookie.partition("=")[2]
    assert (await foreign.identified(f"__Host-stamkund-{foreign.publisher.id}={value}")).sid != visited.sid
    assert await site.status(visited.sid, "loggedin") == ("loggedin", None)


async def test_the_token_of_a_link_begins_no_session(site: SsoSite) -> None:
    """Every visitor sees it; the response would be as good as a landing link, with a session that is never compared."""
    link = site.connector.identify("", "https://herald.example/")
    token = parse_qs(urlsplit(link).query)["t"][0]
    assert (await site.connector.send("createsession", token)).status_code == 401
    for described in ({"apn": "News"}, {"uas": "News/1.0"}, {"ipa": "192.0.2.7"}):
        assert (await site.connector.send("createsession", site.connector.token(60, **described))).status_code == 200


async def test_an_apps_session_is_its_own(site: SsoSite, sister: SsoSite, reader: str) -> None:
    claims = await site.connector.create_session()
    assert (claims["sts"], claims["at"], claims["err"]) == ("anon", "", None)
    sid = claims["sid"]
    assert (await site.connector.create_session())["sid"] != sid
    claims = await site.connector.authenticate(sid, EMAIL, PASSWORD)
    assert claims["sts"] == "loggedin" and await site.reader_of(claims["at"]) == EMAIL
    ticket = (await site.connector.status(sid, "anon"))["at"]
    assert (await sister.connector.authenticate(sid, EMAIL, PASSWORD))["sid"] != sid
    assert (await sister.connector.authenticate_with_ticket(sid, ticket))["err"] == "invalid_credentials"
    for claims in (
        await sister.connector.status(sid, "anon"),
        await sister.connector.log_out(sid),
    ):
        assert (claims["sts"], claims["err"]) == ("terminated", "session_not_found")
    assert await site.status(sid, "loggedin") == ("loggedin", None)
    assert (await site.connector.log_out(sid))["err"] is None
    assert await site.status(sid, "loggedin") == ("terminated", None)


# How long they last ------------------------------------------------------------------------------------------


async def test_a_session_lives_thirty_days_after_it_was_last_seen(site: SsoSite, reader: str) -> None:
    clock, visited = site.publisher.service.clock, await site.logged_in()
    ends = clock() + 30 * DAY
    with clock.at(ends - 1):
        assert await site.status(visited.sid, "loggedin") == ("loggedin", None)
    with clock.at(ends):  # it was seen a second ago, which is written down within seconds
        await until(lambda: lives(site, visited.sid))
    with clock.at(ends - 1 + 30 * DAY):
        assert await site.status(visited.sid, "loggedin") == ("terminated", "session_not_found")
        assert (await site.identified(visited.cookie)).sid != visited.sid


async def lives(site: SsoSite, sid: str) -> bool:
    return await site.status(sid, "loggedin") == ("loggedin", None)


async def test_an_unused_session_expires_after_thirty_days(site: SsoSite, reader: str) -> None:
    clock, visited = site.publisher.service.clock, await site.logged_in()
    with clock.at(clock() + 30 * DAY):
        for claims in (
            await site.connector.status(visited.sid, "loggedin"),
            await site.connector.log_out(visited.sid),
        ):
            assert (claims["sts"], claims["err"]) == ("terminated", "session_not_found")
        anew = await site.connector.authenticate(visited.sid, EMAIL, PASSWORD)
        assert (anew["sts"], anew["err"]) == ("loggedin", None) and anew["sid"] != visited.sid
