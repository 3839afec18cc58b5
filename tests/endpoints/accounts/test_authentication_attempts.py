"""Freezing: failed logins in a row, through whichever channel, on both engines; and the two calls about attempts."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from pathlib import Path
from typing import Any

import argon2
import httpx
import msgspec
import pytest
from structlog.testing import capture_logs

from stamkund.identity import passwords
from stamkund.identity.decoys import kind_of
from stamkund.rules import identifiers
from tests.support.calls import assert_refused
from tests.support.counting import HashCounter
from tests.support.rows import rows, set_status
from tests.support.service import NOW, Publisher, RunningService

pytestmark = pytest.mark.both_engines

ATTEMPTS = "/external/api/v1/accounts/get_authentication_attempts"
REPORT = "/external/api/v1/accounts/create_authentication_attempt"
ME = "/external/api/v1/me"
EMAIL = "ove.ovesson@example.com"
PASSWORD = "Df7Vdd8!!vnM"
QUARTER, HOUR, DAY = 900, 3600, 86_400
WRONG = {"error": "invalid_grant", "error_description": "Username/password do not match"}
THAW = "2026-01-15T13:15:00+01:00"
FROZEN = {
    "error": "invalid_grant",
    "error_description": f"The account is frozen until {THAW}, after too many failed logins",
}


async def log_in(publisher: Publisher, password: str = "wrong", email: str = EMAIL) -> Any:
    """What the password grant returns: `in`, or its error."""
    response = await publisher.grant("password", username=email, password=password)
    if response.status_code == 200:
        return "in"
    assert response.status_code == 400
    assert response.headers["cache-control"] == "no-store"
    return response.json()


async def fail(publisher: Publisher, times: int, email: str = EMAIL) -> None:
    for _ in range(times):
        assert await log_in(publisher, email=email) == WRONG


async def report(publisher: Publisher, *, successful: bool = False, **who: Any) -> httpx.Response:
    body = {**(who or {"email": EMAIL}), "login_successful": successful, "user_agent": "Tests/1", "persist": False}
    return await publisher.post(REPORT, body)


async def lockout_of(publisher: Publisher, email: str = EMAIL) -> tuple[bool, int, str | None]:
    response = await publisher.get(ATTEMPTS, email=email)
    assert response.status_code == 200, response.text
    item = response.json()["item"]
    assert list(item) == ["account_frozen", "remaining_authentication_attempts", "frozen_until"]
    return tuple(item.values())


async def audit(publisher: Publisher, like: str = "login_%") -> list[tuple[Any, ...]]:
    return await rows(
        publisher.service.settings.database_url,
        f"SELECT event, client, account, detail FROM audit WHERE organisation = '{publisher.id}' "
        f"AND event LIKE '{like}' ORDER BY row",
    )


async def outcomes(publisher: Publisher, email: str = EMAIL) -> list[str]:
    store = publisher.service.store
    login = await store.logins.find(publisher.id, identifiers.email(email))
    assert login is not None
    return [attempt.outcome for attempt in await store.login_attempts.latest(publisher.id, login.id)]


async def brought(publisher: Publisher) -> Any:
    """A customer who brought a password from elsewhere, and has no account yet."""
    return await publisher.customer(email=EMAIL, password_hash=argon2.PasswordHasher(1, 8, 1).hash(PASSWORD))


async def inactive(publisher: Publisher, email: str) -> None:
    """An account that an operator switched off."""
    await publisher.activated(email, "9", social_security_number=None)
    await set_status(publisher.service.settings.database_url, publisher.id, "inactive", email)


# The calls -------------------------------------------------------------------------------------------------


async def test_authentication_attempts_as_documented(publisher: Publisher) -> None:
    await publisher.activated(EMAIL)
    response = await publisher.get(ATTEMPTS, email=EMAIL.upper())
    assert response.text == (
        '{"item":{"account_frozen":false,"remaining_authentication_attempts":5,"frozen_until":null}}'
    )


async def test_attempts_want_an_email_as_documented(publisher: Publisher) -> None:
    response = await publisher.get(ATTEMPTS)
    assert assert_refused(response, 400, "invalid_parameter", "email")["message"] == "Parameter is required"


async def test_attempts_of_an_unknown_account_are_404(service: RunningService, publisher: Publisher) -> None:
    other = await service.publisher()
    await other.activated("elsewhere@example.com")
    await publisher.customer(email="customer@example.com")
    for email in ("nobody@example.com", "elsewhere@example.com", "customer@example.com"):
        assert_refused(await publisher.get(ATTEMPTS, email=email), 404, "not_found")
        assert_refused(await report(publisher, email=email), 404, "not_found")


async def test_an_attempt_is_reported_by_email_or_id(publisher: Publisher) -> None:
    """The page's own sample has an e-mail in `account_id`."""
    account_id = await publisher.activated(EMAIL)
    identifications: list[dict[str, Any]] = [
        {"email": EMAIL.upper()},
        {"account_id": account_id.upper()},
        {"account_id": EMAIL},
        {"account_id": account_id, "email": EMAIL},
    ]
    for number, who in enumerate(identifications, 1):
        response = await report(publisher, **who)
        assert (response.status_code, response.json()) == (200, {"id": account_id})
        assert (await lockout_of(publisher))[1] == 5 - number


async def test_an_attempt_at_two_accounts_is_404(publisher: Publisher) -> None:
    account_id = await publisher.activated(EMAIL)
    await publisher.activated("other@example.com", "2", social_security_number=None)
    assert_refused(await report(publisher, account_id=account_id, email="other@example.com"), 404, "not_found")
    assert_refused(await report(publisher, account_id=account_id, email="nobody@example.com"), 404, "not_found")


@pytest.mark.parametrize(
    ("body", "field", "message"),
    [
        ({}, "login_successful", "Parameter is required"),
        ({"login_successful": True}, "user_agent", "Parameter is required"),
        ({"login_successful": True, "user_agent": ""}, "persist", "Parameter is required"),
        (
            {"login_successful": True, "user_agent": "", "persist": True},
            None,
            "One of parameters [account_id, email] is required",
        ),
        ({"account_id": "x"}, "account_id", r"Parameter must match format (/^[a-f\d]{24}$/)"),
        ({"login_successful": "true"}, "login_successful", "Parameter must be a boolean"),
        ({"login_successful": 1}, "login_successful", "Parameter must be a boolean"),
        ({"login_successful": False, "ip_address": "1" * 40}, "ip_address", "Parameter must be at most 39 characters"),
        (
            {"login_successful": False, "user_agent": "x" * 4097},
            "user_agent",
            "Parameter must be at most 4096 characters",
        ),
    ],
)
async def test_what_a_report_must_contain(
    publisher: Publisher, body: dict[str, Any], field: str | None, message: str
) -> None:
    response = await publisher.post(REPORT, body)
    assert assert_refused(response, 400, "invalid_parameter", field)["message"] == message


async def test_a_reported_attempt_is_stored_whole(publisher: Publisher) -> None:
    account_id = await publisher.activated(EMAIL)
    agent = "Webbläsare/1 " + "x" * 4083
    report_fields = {"login_successful": False, "user_agent": agent, "persist": True}
    await publisher.post(REPORT, {"email": EMAIL, "ip_address": "2001:db8::1", **report_fields})
    await publisher.post(REPORT, {"email": EMAIL, **report_fields})
    login = await publisher.service.store.logins.find(publisher.id, identifiers.email(EMAIL))
    assert login is not None and login.id == account_id
    incomplete, complete = await publisher.service.store.login_attempts.latest(publisher.id, login.id)
    assert (complete.channel, complete.outcome, complete.client) == ("reported", "failed", publisher.client.id)
    assert (complete.at, complete.address, complete.user_agent) == (NOW, "2001:db8::1", agent)
    assert incomplete.address == "127.0.0.1", "the address that the call came from"


# Freezing --------------------------------------------------------------------------------------------------


async def test_five_failures_in_a_row_freeze_the_login_for_a_quarter_of_an_hour(
    service: RunningService, publisher: Publisher
) -> None:
    account_id = await publisher.activated(EMAIL)
    for left in (5, 4, 3, 2, 1):
        assert await lockout_of(publisher) == (False, left, None)
        assert await log_in(publisher) == WRONG
    assert await lockout_of(publisher) == (True, 0, THAW)
    assert await log_in(publisher) == await log_in(publisher, PASSWORD) == FROZEN, "no hint whether it was right"
    with service.clock.at(NOW + QUARTER - 1):
        assert await log_in(publisher, PASSWORD) == FROZEN
    with service.clock.at(NOW + QUARTER):
        publisher._token = None
        assert await lockout_of(publisher) == (False, 5, None)
        assert await log_in(publisher, PASSWORD) == "in"
    client = publisher.client.id
    refusals = [("login_refused", client, account_id, detail) for detail in ["failed"] * 5 + ["frozen"] * 3]
    let_in = ("login_succeeded", client, account_id, "password_grant")
    assert await audit(publisher) == [*refusals[:5], ("login_frozen", client, account_id, None), *refusals[5:], let_in]
    assert await outcomes(publisher) == ["succeeded", *["frozen"] * 3, *["failed"] * 5]


async def test_failures_count_for_an_hour(service: RunningService, publisher: Publisher) -> None:
    await publisher.activated(EMAIL)
    await fail(publisher, 4)
    with service.clock.at(NOW + HOUR):
        await fail(publisher, 4)
        assert await log_in(publisher, PASSWORD) == "in"


async def test_a_success_clears_the_count(publisher: Publisher) -> None:
    await publisher.activated(EMAIL)
    for _ in range(3):
        await fail(publisher, 4)
        assert await log_in(publisher, PASSWORD) == "in"
        assert await lockout_of(publisher) == (False, 5, None)


async def test_all_channels_count_together(publisher: Publisher) -> None:
    await publisher.activated(EMAIL)
    await fail(publisher, 2)
    with publisher.service.clock.at(NOW + 60):  # later than a report of the same attempts
        for _ in range(3):
            assert (await report(publisher)).status_code == 200
        assert "frozen until 2026-01-15T13:16:00+01:00" in str(await log_in(publisher, PASSWORD))
    assert [a[0] for a in await audit(publisher)] == ["login_refused"] * 2 + ["login_frozen", "login_refused"]


async def test_an_attempt_that_is_made_and_reported_counts_once(publisher: Publisher) -> None:
    """Sites log in by the password grant and report the same attempt, failed or not, within a minute."""
    await publisher.activated(EMAIL)
    await fail(publisher, 2)
    with publisher.service.clock.at(NOW + 59):
        for left in (3, 3, 2):  # two of them were made, the third was not
            assert (await report(publisher)).status_code == 200
            assert (await lockout_of(publisher))[1] == left
    await report(publisher, successful=True)
    assert await lockout_of(publisher) == (False, 5, None), "no success was made: it counts"
    assert await log_in(publisher, PASSWORD) == "in"
    await report(publisher, successful=True)
    assert await outcomes(publisher) == ["succeeded", "succeeded", *["failed"] * 3]


async def test_a_report_of_another_client_or_a_minute_later_counts(publisher: Publisher) -> None:
    await publisher.activated(EMAIL)
    await fail(publisher, 2)
    client, secret = await publisher.new_client("/external/account/w")
    headers = {"authorization": f"Bearer {await publisher.token(client=client, secret=secret)}"}
    body = {"email": EMAIL, "login_successful": False, "user_agent": "Tests/1", "persist": False}
    assert (await publisher.service.http.post(REPORT, json=body, headers=headers)).status_code == 200
    assert (await lockout_of(publisher))[1] == 2
    with publisher.service.clock.at(NOW + 60):
        await report(publisher)
        assert (await lockout_of(publisher))[1] == 1


async def test_a_report_tells_the_readers_address_of_an_attempt(publisher: Publisher) -> None:
    await publisher.activated(EMAIL)
    await fail(publisher, 1)
    body = {"email": EMAIL, "login_successful": False, "user_agent": "Mozilla/5.0", "persist": False}
    await publisher.post(REPORT, {**body, "ip_address": "192.0.2.9"})
    login = await publisher.service.store.logins.find(publisher.id, identifiers.email(EMAIL))
    assert login is not None
    [attempt] = await publisher.service.store.login_attempts.latest(publisher.id, login.id)
    assert (attempt.channel, attempt.address, attempt.user_agent) == ("password_grant", "192.0.2.9", "Mozilla/5.0")


@pytest.mark.parametrize(("visitor_address", "address"), [(True, "192.0.2.9"), (False, None)])
async def test_a_clients_address_is_believed_only_where_it_may_name_one(
    publisher: Publisher, visitor_address: bool, address: str | None
) -> None:
    """Else a site behind a proxy that it does not know would have its readers counted, and blocked, as one visitor."""
    await publisher.activated(EMAIL)
    await publisher.service.store.clients.change(
        publisher.client.id, lambda client: msgspec.structs.replace(client, visitor_address=visitor_address)
    )
    body = {"email": EMAIL, "login_successful": False, "user_agent": "Tests/1", "persist": False}
    with capture_logs() as logs:
        await publisher.post(REPORT, {**body, "ip_address": "192.0.2.9"})
    assert [line["address"] for line in logs if line["event"] == "login attempt"] == [address]


async def test_attempts_made_and_reported_at_once_count_once(publisher: Publisher) -> None:
    """However they mix: of each pair one counts."""
    await publisher.activated(EMAIL)

    async def made_and_reported() -> None:
        await log_in(publisher)
        await report(publisher)

    await asyncio.gather(*(made_and_reported() for _ in range(4)))
    assert (await lockout_of(publisher))[1] == 1


async def test_each_freeze_within_a_day_is_twice_as_long(service: RunningService, publisher: Publisher) -> None:
    """Up to a day; a success in between makes none shorter, and an operator starts afresh."""
    account_id = await publisher.activated(EMAIL)
    at, lengths = NOW, []
    for _ in range(9):
        with service.clock.at(at):
            publisher._token = None
            assert await log_in(publisher, PASSWORD) == "in"
            await fail(publisher, 5)
            state = await lockout_state_of(publisher)
            lengths.append(state.locked_until - at)
            at = state.locked_until
    assert lengths == [QUARTER * 2**n for n in range(7)] + [DAY, DAY]
    with service.clock.at(at):
        assert not await service.store.login_attempts.unlock(publisher.id, account_id, at)
        await fail(publisher, 5)
        assert (await lockout_state_of(publisher)).locked_until == at + QUARTER


async def lockout_state_of(publisher: Publisher) -> Any:
    login = await publisher.service.store.logins.find(publisher.id, identifiers.email(EMAIL))
    assert login is not None
    return login.lockout


async def test_a_reported_success_clears_the_count_but_lifts_no_freeze(publisher: Publisher) -> None:
    await publisher.activated(EMAIL)
    await fail(publisher, 4)
    await report(publisher, successful=True)
    assert await lockout_of(publisher) == (False, 5, None)
    await fail(publisher, 5)
    assert (await report(publisher, successful=True)).status_code == 200
    assert await lockout_of(publisher) == (True, 0, THAW)
    assert (await outcomes(publisher))[0] == "frozen"


async def test_a_freeze_is_a_lock_of_the_login_alone(publisher: Publisher) -> None:
    account_id = await publisher.activated(EMAIL)
    await publisher.activated("other@example.com", "2", social_security_number=None)
    token = await publisher.reader_token(EMAIL)
    await fail(publisher, 5)
    me = await publisher.service.http.get(ME, headers={"authorization": f"Bearer {token}"})
    assert (me.status_code, me.json()["item"]["status"]) == (200, "active")
    assert (await publisher.get("/external/api/v1/accounts", id=account_id)).json()["item"]["status"] == "active"
    assert await log_in(publisher, PASSWORD, "other@example.com") == "in"


async def test_another_organisation_is_another_login(service: RunningService, publisher: Publisher) -> None:
    other = await service.publisher()
    for one in (publisher, other):
        await one.activated(EMAIL)
    await fail(publisher, 5)
    assert await log_in(other, PASSWORD) == "in"
    wrong = await other.grant("password", username=f"{publisher.id}^{EMAIL}", password=PASSWORD)
    assert wrong.json() == WRONG, "a frozen login of another organisation looks the same"


async def test_the_latest_attempts_are_stored(publisher: Publisher) -> None:
    await publisher.activated(EMAIL)
    for number in range(30):
        assert await log_in(publisher, PASSWORD if number % 3 else "wrong") in ("in", WRONG)
    assert await outcomes(publisher) == ["failed" if n % 3 == 0 else "succeeded" for n in range(29, 4, -1)]
    query = f"SELECT count(*) FROM login_attempts WHERE organisation = '{publisher.id}'"
    assert await rows(publisher.service.settings.database_url, query) == [(25,)]


# Unknown e-mails, and customers without an account ---------------------------------------------------------


async def test_unknown_emails_and_inactive_accounts_are_refused_like_a_wrong_password(
    publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same responses in the same order, freezing included; one hash computed and one refusal written for each."""
    await publisher.activated(EMAIL)
    await inactive(publisher, "inactive@example.com")
    await log_in(publisher)  # from now on there is a dummy hash
    login = await publisher.service.store.logins.find(publisher.id, identifiers.email(EMAIL))
    assert login is not None
    await publisher.service.store.login_attempts.unlock(publisher.id, login.id, NOW)
    hashes = HashCounter(monkeypatch)
    outcomes_by_email = {}
    for email, password in (
        (EMAIL, "wrong"),
        ("nobody@example.com", "wrong"),
        ("nobody.else@example.com", PASSWORD),
        ("inactive@example.com", "wrong"),
        ("INACTIVE@example.com", PASSWORD),
        ("a\0b", "wrong"),
    ):
        hashes.email = email
        responses = [await publisher.grant("password", username=email, password=password) for _ in range(7)]
        outcomes_by_email[email] = [(response.status_code, response.text) for response in responses]
        assert hashes.computed[email] == 7
    of_reader = outcomes_by_email.pop(EMAIL)
    assert [json.loads(text)["error_description"][:10] for _, text in of_reader] == ["Username/p"] * 5 + [
        "The accoun"
    ] * 2
    frozen = [of_reader[-1]] * 7
    again = outcomes_by_email.pop("INACTIVE@example.com")
    assert again == frozen, "the same login as before, by another spelling"
    assert all(responses == of_reader for responses in outcomes_by_email.values())
    unknown = Counter(row[0::3] for row in await audit(publisher) if row[2] is None)
    assert unknown == {("login_refused", "failed"): 20, ("login_refused", "frozen"): 15}
    query = f"SELECT DISTINCT login FROM login_attempts WHERE organisation = '{publisher.id}'"
    assert len(await rows(publisher.service.settings.database_url, query)) == 1, "kept of the active account alone"


async def test_a_frozen_login_takes_as_long_as_a_wrong_password(
    publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One hash is computed of the same kind, and it is not the account's: the password is not even compared."""
    await publisher.activated(EMAIL)
    await fail(publisher, 5)
    login = await publisher.service.store.logins.find(publisher.id, identifiers.email(EMAIL))
    compared: list[str] = []
    matches = passwords._matches

    def noted(hasher: Any, stored_hash: str, *rest: Any, **options: Any) -> bool:
        compared.append(stored_hash)
        return matches(hasher, stored_hash, *rest, **options)

    monkeypatch.setattr(passwords, "_matches", noted)
    assert await log_in(publisher, PASSWORD) == FROZEN
    assert login is not None and login.hash is not None and login.hash not in compared
    assert [kind_of(hash_) for hash_ in compared] == [kind_of(login.hash)]


async def test_an_attempt_at_an_inactive_account_is_not_stored(publisher: Publisher) -> None:
    await inactive(publisher, EMAIL)
    for _ in range(6):
        assert (await report(publisher)).status_code == 200
    assert await lockout_of(publisher) == (False, 5, None)
    assert await outcomes(publisher) == []


async def test_a_customer_who_brought_a_password_is_counted_too(publisher: Publisher) -> None:
    made = await brought(publisher)
    assert (await report(publisher)).json() == {"id": made.id}
    await fail(publisher, 3)
    assert await lockout_of(publisher) == (False, 1, None)
    await fail(publisher, 1)
    assert await log_in(publisher, PASSWORD) == FROZEN
    assert ("login_frozen", publisher.client.id, made.id, None) in await audit(publisher)


async def test_attempts_of_a_customer_go_along_with_the_account(publisher: Publisher) -> None:
    made = await brought(publisher)
    await fail(publisher, 4)
    assert await log_in(publisher, PASSWORD) == "in"
    assert await lockout_of(publisher) == (False, 5, None)
    assert await outcomes(publisher) == ["succeeded", *["failed"] * 4]
    query = f"SELECT count(*) FROM login_attempts WHERE login = '{made.id}'"
    assert await rows(publisher.service.settings.database_url, query) == [(0,)]


async def test_a_frozen_customer_may_be_activated_with_a_new_password(publisher: Publisher) -> None:
    made = await brought(publisher)
    await fail(publisher, 5)
    body = {"account_candidate_id": made.id, "email": EMAIL, "password": "another password"}
    assert (await publisher.post("/external/api/v1/account/activate_candidate", body)).status_code == 201
    assert await log_in(publisher, "another password") == "in"


# At the same moment ----------------------------------------------------------------------------------------


async def test_of_many_at_once_as_many_are_tried_as_may_fail(publisher: Publisher) -> None:
    await publisher.activated(EMAIL)
    responses = await asyncio.gather(*(log_in(publisher, f"guess {n}") for n in range(50)))
    assert Counter(r["error_description"] for r in responses) == {
        WRONG["error_description"]: 5,
        FROZEN["error_description"]: 45,
    }
    assert Counter(row[0] for row in await audit(publisher)) == {"login_refused": 50, "login_frozen": 1}


async def test_of_many_at_once_in_two_processes(service: RunningService, publisher: Publisher) -> None:
    """The right password is among those that come too late, and gets the same response."""
    await publisher.activated(EMAIL)
    async with RunningService(service.settings.database_url, Path(service.settings.key_file)) as second:
        other = Publisher(second, publisher.organisation)
        other.client, other.secret = publisher.client, publisher.secret
        both = [publisher, other] * 25
        responses = await asyncio.gather(*(log_in(one, f"guess {n}") for n, one in enumerate(both)))
        assert Counter(r["error_description"] for r in responses) == {
            WRONG["error_description"]: 5,
            FROZEN["error_description"]: 45,
        }
        assert await log_in(other, PASSWORD) == await log_in(publisher, PASSWORD) == FROZEN
        assert await lockout_of(other) == (True, 0, THAW)


async def test_right_passwords_at_once_all_get_in(publisher: Publisher) -> None:
    await publisher.activated(EMAIL)
    await fail(publisher, 4)
    assert set(await asyncio.gather(*(log_in(publisher, PASSWORD) for _ in range(30)))) == {"in"}


async def test_a_customers_first_logins_and_failures_at_once(publisher: Publisher) -> None:
    """However they mix, what was counted is the account's in the end, and nothing stays with the customer."""
    made = await brought(publisher)
    responses = await asyncio.gather(*(log_in(publisher, "wrong" if n % 10 == 0 else PASSWORD) for n in range(30)))
    assert Counter(str(r) for r in responses) == {"in": 27, str(WRONG): 3}
    for table in ("login_attempts", "lockouts"):
        query = f"SELECT count(*) FROM {table} WHERE login = '{made.id}'"
        assert await rows(publisher.service.settings.database_url, query) == [(0,)]


async def test_settings_say_how_many_and_how_long(fresh_url: str, tmp_path: Path) -> None:
    chosen = {"failed_logins": 2, "failed_login_seconds": 10, "frozen_login_seconds": 100}
    async with RunningService(fresh_url, tmp_path / "stamkund.key", **chosen) as service:
        publisher = await service.publisher()
        await publisher.activated(EMAIL)
        await fail(publisher, 1)
        with service.clock.at(NOW + 10):
            assert await lockout_of(publisher) == (False, 2, None)
            await fail(publisher, 2)
            assert await lockout_of(publisher) == (True, 0, "2026-01-15T13:01:50+01:00")
        with service.clock.at(NOW + 110):
            assert await log_in(publisher, PASSWORD) == "in"


async def test_expired_counts_are_removed(fresh_url: str, tmp_path: Path) -> None:
    async with RunningService(fresh_url, tmp_path / "stamkund.key") as service:
        publisher = await service.publisher()
        for number in range(3):
            await publisher.activated(f"{number}@example.com", str(number), social_security_number=None)
            await fail(publisher, 1 if number else 5, f"{number}@example.com")
        store = service.store
        assert await store.login_attempts.remove_expired_lockouts(NOW + HOUR - 1) == 0
        assert await store.login_attempts.remove_expired_lockouts(NOW + HOUR, 1) == 1
        assert await store.login_attempts.remove_expired_lockouts(NOW + HOUR) == 1
        assert await lockout_of(publisher, "0@example.com") == (True, 0, THAW)
        assert await store.login_attempts.remove_expired_lockouts(NOW + QUARTER + DAY - 1) == 0, "the next is longer"
        assert await store.login_attempts.remove_expired_lockouts(NOW + QUARTER + DAY) == 1


@pytest.mark.parametrize("is_reader", [True, False])
async def test_another_spelling_of_the_organisation_is_another_login(publisher: Publisher, is_reader: bool) -> None:
    """For whoever has an account and whoever has none: else five failures under the one would tell by the other."""
    if is_reader:
        await publisher.activated(EMAIL)
    await fail(publisher, 5, f"{publisher.id.upper()}^{EMAIL}")
    assert await log_in(publisher, email=f"{publisher.id.upper()}^{EMAIL.upper()}") == FROZEN
    assert await log_in(publisher) == WRONG
