"""Logging in to sessions by password and by ticket: wrong ones, spent ones, too many."""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from collections.abc import Awaitable
from pathlib import Path

import httpx
import pytest

from stamkund.rules import identifiers
from tests.endpoints.sso2.conftest import EMAIL, PASSWORD, SsoSite, site_of
from tests.support.counting import COMBINING, NormalisingRecorder
from tests.support.service import RunningService

QUARTER = 900

# Wrong passwords ---------------------------------------------------------------------------------------------


async def test_five_wrong_passwords_freeze_the_reader_everywhere(site: SsoSite, sister: SsoSite, reader: str) -> None:
    clock = site.publisher.service.clock
    sid, other_sid = (await site.identified()).sid, (await sister.identified()).sid
    for left in (4, 3, 2, 1, 0):
        claims = await site.connector.authenticate(sid, EMAIL, "wrong")
        assert (claims["sts"], claims["at"], claims["err"], claims["raa"]) == ("anon", "", "invalid_credentials", left)
        assert "frf" not in claims
    with clock.at(clock() + 100):
        for claims in (
            await site.connector.authenticate(sid, EMAIL, PASSWORD),
            await sister.connector.authenticate(other_sid, EMAIL, PASSWORD),
        ):
            assert (claims["sts"], claims["at"], claims["err"]) == ("anon", "", "account_frozen")
            assert claims["frf"] == QUARTER - 100 and "raa" not in claims
        grant = await site.publisher.grant("password", username=EMAIL, password=PASSWORD)
        assert "frozen" in grant.json()["error_description"]
    with clock.at(clock() + QUARTER):
        assert (await site.connector.authenticate(sid, EMAIL, PASSWORD))["sts"] == "loggedin"


async def test_wrong_passwords_through_other_channels_count_together(site: SsoSite, reader: str) -> None:
    sid = (await site.identified()).sid
    for _ in range(3):
        await site.publisher.grant("password", username=EMAIL, password="wrong")
    assert (await site.connector.authenticate(sid, EMAIL, "wrong"))["raa"] == 1
    assert (await site.connector.authenticate(sid, EMAIL, PASSWORD))["sts"] == "loggedin"
    assert (await site.connector.authenticate(sid, EMAIL, "wrong"))["raa"] == 4


async def test_a_failure_leaves_a_session_as_it_was(site: SsoSite, reader: str) -> None:
    visited = await site.logged_in()
    claims = await site.connector.authenticate(visited.sid, EMAIL, "wrong")
    assert (claims["sts"], claims["at"], claims["err"]) == ("loggedin", "", "invalid_credentials")
    claims = await site.connector.authenticate_with_ticket(visited.sid, "wrong")
    assert (claims["sts"], claims["at"], claims["err"]) == ("loggedin", "", "invalid_credentials")
    assert await site.status(visited.sid, "loggedin") == ("loggedin", None)


async def test_what_is_too_long_is_just_wrong(site: SsoSite, reader: str, monkeypatch: pytest.MonkeyPatch) -> None:
    recorder = NormalisingRecorder(monkeypatch)
    sid = (await site.identified()).sid
    for usr, pwd in (
        (EMAIL, COMBINING[14_000:17_000]),
        ("x" * 20_000, PASSWORD),
        (f"{'x' * 20_000}^{EMAIL}", PASSWORD),
    ):
        claims = await site.connector.authenticate(sid, usr, pwd)
        assert (claims["sts"], claims["err"]) == ("anon", "invalid_credentials")
    recorder.assert_bounded()


@pytest.mark.parametrize("usr", ["", "nobody@example.com", "x", "\x00", "^", "^^", "a^b^c", "å" * 2000, "org-1^"])
@pytest.mark.both_engines
async def test_any_user_name_is_a_wrong_one(site: SsoSite, reader: str, usr: str) -> None:
    sid = (await site.identified()).sid
    for password in ("", "x", "\x00", "å" * 2000):
        claims = await site.connector.authenticate(sid, usr, password)
        assert claims["err"] in ("invalid_credentials", "account_frozen")


async def test_unknown_emails_and_inactive_accounts_get_the_same_claims_as_readers(site: SsoSite, reader: str) -> None:
    """Down to the attempts that are left and the seconds that it stays frozen."""
    await site.publisher.activated("inactive@example.com", "100002", social_security_number=None)
    await site.set_status("inactive@example.com", "inactive")
    heard = []
    for email, password in ((EMAIL, "wrong"), ("nobody@example.com", PASSWORD), ("inactive@example.com", "wrong")):
        sid = (await site.identified()).sid
        claims = [await site.connector.authenticate(sid, email, password) for _ in range(7)]
        heard.append([{name: value for name, value in one.items() if name != "sid"} for one in claims])
    assert heard[0] == heard[1] == heard[2]
    assert [one["err"] for one in heard[0]] == ["invalid_credentials"] * 5 + ["account_frozen"] * 2


async def test_only_whoever_knows_the_password_learns_that_an_account_is_not_active(site: SsoSite, reader: str) -> None:
    """It is counted like a wrong password, and once the login is frozen nobody learns anything."""
    await site.set_status(EMAIL, "inactive")
    sid = (await site.identified()).sid
    for password, err in ((PASSWORD, "account_not_active"), ("wrong", "invalid_credentials")) * 2:
        claims = await site.connector.authenticate(sid, EMAIL, password)
        assert (claims["sts"], claims["at"], claims["err"]) == ("anon", "", err)
    assert claims["raa"] == 1
    for err in ("account_not_active", "account_frozen"):
        assert (await site.connector.authenticate(sid, EMAIL, PASSWORD))["err"] == err
    grant = await site.publisher.grant("password", username=EMAIL, password=PASSWORD)
    assert "frozen" in grant.json()["error_description"]


@pytest.mark.both_engines
async def test_fifty_wrong_passwords_at_once_count_exactly(site: SsoSite, reader: str) -> None:
    sids = [(await site.identified()).sid for _ in range(5)]
    claims = await asyncio.gather(*(site.connector.authenticate(sids[n % 5], EMAIL, f"wrong{n}") for n in range(50)))
    assert Counter(one["err"] for one in claims) == {"invalid_credentials": 5, "account_frozen": 45}
    assert sorted(one["raa"] for one in claims if "raa" in one) == [0, 1, 2, 3, 4]


async def test_a_wrong_password_for_an_unknown_session_counts(site: SsoSite, reader: str) -> None:
    claims = await site.connector.authenticate("unknown", EMAIL, "wrong")
    assert (claims["sid"], claims["sts"], claims["at"]) == ("unknown", "anon", "")
    assert (claims["err"], claims["raa"]) == ("invalid_credentials", 4)
    assert (await site.connector.authenticate((await site.identified()).sid, EMAIL, "wrong"))["raa"] == 3


async def test_an_ended_session_costs_no_attempt(site: SsoSite, reader: str) -> None:
    sid = (await site.logged_in()).sid
    await site.connector.log_out(sid)
    for _ in range(10):
        assert (await site.connector.authenticate(sid, EMAIL, "wrong"))["err"] == "session_not_found"
    assert (await site.connector.authenticate((await site.identified()).sid, EMAIL, "wrong"))["raa"] == 4


async def test_attempts_are_written_down_with_the_readers_address(site: SsoSite, reader: str) -> None:
    sid = (await site.identified()).sid
    await site.connector.authenticate(sid, EMAIL, "wrong")
    service = site.publisher.service
    login = await service.store.logins.find(site.publisher.id, identifiers.email(EMAIL))
    assert login is not None
    [attempt] = await service.store.login_attempts.latest(site.publisher.id, login.id)
    assert (attempt.channel, attempt.client, attempt.address) == ("sso2", site.client.id, "192.0.2.7")
    assert attempt.user_agent is not None and attempt.user_agent.startswith("Mozilla/5.0")


# Tickets -----------------------------------------------------------------------------------------------------


async def test_a_ticket_works_once_within_a_minute_for_its_client(site: SsoSite, sister: SsoSite, reader: str) -> None:
    clock = site.publisher.service.clock
    sid = (await site.logged_in()).sid
    one = await site.ticket(sid)
    assert is_refused(await sister.connector.exchange(one))
    assert await site.reader_of(one) == EMAIL
    assert is_refused(await site.connector.exchange(one))
    late, last = await site.ticket(sid), await site.ticket(sid)
    with clock.at(clock() + 59):
        assert await site.reader_of(last) == EMAIL
    with clock.at(clock() + 60):
        assert is_refused(await site.connector.exchange(late))


def is_refused(response: httpx.Response) -> bool:
    return response.status_code == 400 and response.json()["error"] == "invalid_grant"


async def test_a_ticket_lets_its_reader_in(site: SsoSite, sister: SsoSite, reader: str) -> None:
    clock, sid = site.publisher.service.clock, (await site.logged_in()).sid
    other = (await site.identified()).sid
    spent = await site.ticket(sid)
    claims = await site.connector.authenticate_with_ticket(other, spent)
    assert (claims["sid"], claims["sts"], claims["err"]) == (other, "loggedin", None)
    assert await site.reader_of(claims["at"]) == EMAIL
    for wrong in (spent, "unknown", "", "\x00"):
        claims = await site.connector.authenticate_with_ticket((await site.identified()).sid, wrong)
        assert (claims["sts"], claims["at"], claims["err"], claims["raa"]) == ("anon", "", "invalid_credentials", 5)
    foreign_to_it = await site.ticket(sid)
    claims = await sister.connector.authenticate_with_ticket((await sister.identified()).sid, foreign_to_it)
    assert claims["err"] == "invalid_credentials"
    late = await site.ticket(sid)
    with clock.at(clock() + 60):
        claims = await site.connector.authenticate_with_ticket((await site.identified()).sid, late)
        assert claims["err"] == "invalid_credentials"


async def test_a_ticket_of_an_account_that_is_not_active_any_more(site: SsoSite, reader: str) -> None:
    visited = await site.logged_in()
    await site.set_status(EMAIL, "inactive")
    other = (await site.identified()).sid
    claims = await site.connector.authenticate_with_ticket(other, visited.claims["at"])
    assert (claims["sts"], claims["at"], claims["err"]) == ("anon", "", "account_not_active")
    assert is_refused(await site.connector.exchange(visited.claims["at"]))


@pytest.mark.parametrize("how", ["token endpoint", "authenticatewithticket", "both"])
@pytest.mark.both_engines
async def test_of_many_uses_at_once_one_succeeds(site: SsoSite, reader: str, how: str) -> None:
    visited = await site.logged_in()
    sids = [(await site.identified()).sid for _ in range(8)]

    async def exchanged() -> bool:
        return (await site.connector.exchange(visited.claims["at"])).status_code == 200

    async def let_in(sid: str) -> bool:
        return bool((await site.connector.authenticate_with_ticket(sid, visited.claims["at"]))["err"] is None)

    uses: list[Awaitable[bool]] = []
    for sid in sids:
        uses += [exchanged()] if how != "authenticatewithticket" else []
        uses += [let_in(sid)] if how != "token endpoint" else []
    assert sum(await asyncio.gather(*uses)) == 1


# Limits ------------------------------------------------------------------------------------------------------


async def test_logins_are_limited_by_client_and_by_email(fresh_url: str, tmp_path: Path) -> None:
    async with RunningService(fresh_url, tmp_path / "a.key", limit_per_client=5, limit_per_identifier=3) as service:
        publisher = await service.publisher()
        one, two = await site_of(publisher), await site_of(publisher)
        now, numbers = service.clock(), itertools.count()
        first, second = (await one.identified()).sid, (await two.identified()).sid

        async def tries(site: SsoSite, sid: str, email: str) -> int:
            token = site.connector.token(sid=sid, usr=email, pwd="wrong", n=next(numbers))
            response = await site.connector.send("authenticate", token)
            if response.status_code == 429:
                assert response.json()["code"] == "too_many_requests"
                assert response.headers["retry-after"] == str(60 - now % 60)
            return response.status_code

        assert [await tries(one, first, "a@example.com") for _ in range(4)] == [200, 200, 200, 429]
        assert [await tries(two, second, e) for e in ("A@example.com", "b@example.com")] == [429, 200]
        assert [await tries(one, first, f"{n}@example.com") for n in range(2)] == [200, 429]
        for made in (one, two):
            await made.connector.http.aclose()
