"""Trying out numbers: look-ups that find nobody are limited more tightly than calls."""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from stamkund.identity.audit_queue import AuditQueue
from stamkund.problems import Refused
from stamkund.rules.password_rules import PasswordRules
from stamkund.settings import Settings, WrongSetting, load
from stamkund.store import Candidate
from stamkund.store.verbs.candidates import CandidateVerbs
from stamkund.vault import Vault
from stamkund.wire.limits import SESSION_LIMIT, limits_of
from tests.support.rows import rows
from tests.support.service import NOW, Publisher, RunningService, publisher_of_two
from tests.support.waiting import until

ACCOUNTS = "/external/api/v1/accounts"
CANDIDATE = "/external/api/v1/accounts/candidate"
ACTIVATE = "/external/api/v1/account/activate_candidate"
NUMBER, OTHER_NUMBER = "620817-9256", "800610-8230"
ZIP_CODE = "43921"


@pytest.fixture
async def strict(fresh_url: str, tmp_path: Path) -> AsyncIterator[Publisher]:
    """A publisher on a server that allows a client twelve misses a minute, and six about one number."""
    chosen = {"misses_per_client": 12, "misses_per_number": 6}
    async with RunningService(fresh_url, tmp_path / "stamkund.key", **chosen) as service:
        yield await service.publisher()


async def look_up(publisher: Publisher, times: int = 1, **query: Any) -> list[int]:
    return [(await publisher.get(CANDIDATE, **query)).status_code for _ in range(times)]


def by_number(number: str = NUMBER) -> dict[str, Any]:
    return {"social_security_number": number}


async def test_misses_of_one_number_are_limited_until_the_minute_is_over(strict: Publisher) -> None:
    """The customer who has the number appears meanwhile: the limit doesn't tell."""
    assert await look_up(strict, 7, **by_number()) == [404] * 6 + [429]
    await strict.customer()
    assert await look_up(strict, **by_number()) == [429]
    assert await look_up(strict, customer_number="100001") == [200], "the same customer by another number"
    with strict.service.clock.at(NOW + 60):
        assert await look_up(strict, **by_number()) == [200]


async def test_a_wrong_zip_code_counts_twice(strict: Publisher) -> None:
    await strict.customer()
    assert await look_up(strict, 4, **by_number(), zip_code="11111") == [404] * 3 + [429]
    assert await look_up(strict, **by_number(), zip_code=ZIP_CODE) == [429]


async def test_hits_and_customers_with_an_account_are_never_counted(strict: Publisher) -> None:
    await strict.customer()
    assert await look_up(strict, 20, **by_number(), zip_code=ZIP_CODE) == [200] * 20
    await strict.activated(number="2", social_security_number=OTHER_NUMBER)
    assert await look_up(strict, 20, **by_number(OTHER_NUMBER)) == [409] * 20
    assert await look_up(strict, 7, **by_number("890201-3286")) == [404] * 6 + [429]


async def test_misses_of_one_client_are_limited_whatever_the_numbers(strict: Publisher) -> None:
    """Its limit comes before the parameters are looked at; other clients are not affected."""
    await strict.customer("hit", social_security_number=None)
    for n in range(12):
        assert await look_up(strict, customer_number=f"miss{n}") == [404]
    response = await strict.get(CANDIDATE, customer_number="hit")
    assert (response.status_code, response.headers["retry-after"]) == (429, "60")
    assert await look_up(strict, unknown="x") == [429]
    client, secret = await strict.new_client("/external/account/r")
    headers = {"authorization": f"Bearer {await strict.token(client=client, secret=secret)}"}
    other = await strict.service.http.get(CANDIDATE, params={"customer_number": "miss99"}, headers=headers)
    assert other.status_code == 404


async def test_numbers_can_not_be_tried_out_on_a_candidate(strict: Publisher) -> None:
    """Activating with a number that is not the candidate's is a miss too: else it would tell the right one."""
    made = await strict.customer()
    body: dict[str, Any] = {"account_candidate_id": made.id, "email": "a@example.com", "password": "Df7Vdd8!!vnM"}
    for number in ({"social_security_number": OTHER_NUMBER}, {"customer_number": "2"}):
        for _ in range(3):
            assert (await strict.post(ACTIVATE, {**body, **number})).status_code == 400
    assert (await strict.post(ACTIVATE, {**body, "social_security_number": NUMBER})).status_code == 429
    with strict.service.clock.at(NOW + 60):
        assert (await strict.post(ACTIVATE, {**body, "social_security_number": NUMBER})).status_code == 201


# Accounts ---------------------------------------------------------------------------------------------------


async def account(publisher: Publisher, times: int = 1, **query: Any) -> list[int]:
    return [(await publisher.get(ACCOUNTS, **query)).status_code for _ in range(times)]


@pytest.mark.parametrize(
    ("parameter", "value"),
    [("social_security_number", NUMBER), ("customer_number", "100001"), ("tulo_customer_number", "00001")],
)
async def test_numbers_can_not_be_tried_out_on_accounts(strict: Publisher, parameter: str, value: str) -> None:
    """The account that has the number appears meanwhile: the limit doesn't tell. An e-mail finds it all the same."""
    query: dict[str, Any] = {parameter: value}
    assert await account(strict, 7, **query) == [404] * 6 + [429]
    response = await strict.get(ACCOUNTS, **query)
    assert response.headers["retry-after"] == "60"
    await strict.activated("a@example.com")
    assert await account(strict, **query) == [429]
    assert await account(strict, email="a@example.com") == [200]


async def test_accounts_and_candidates_count_together(strict: Publisher) -> None:
    """By number as by client: else what one call refuses could be asked of the other."""
    assert await account(strict, 3, **by_number()) == [404] * 3
    assert await look_up(strict, 4, **by_number()) == [404] * 3 + [429]
    assert await account(strict, **by_number()) == [429]
    for n in range(6):
        assert await account(strict, customer_number=f"miss{n}") == [404]
    assert await look_up(strict, customer_number="miss9") == [429]
    assert await account(strict, customer_number="miss9") == [429]


async def test_accounts_that_are_found_and_look_ups_by_email_are_not_counted(strict: Publisher) -> None:
    await strict.activated("a@example.com")
    assert await account(strict, 20, **by_number()) == [200] * 20
    assert await account(strict, 20, email="b@example.com") == [404] * 20
    assert await account(strict, 20, alias="b") == [404] * 20
    assert await look_up(strict, 7, **by_number(OTHER_NUMBER)) == [404] * 6 + [429]
    assert await account(strict, 13, customer_number="x") == [404] * 6 + [429] * 7


# At the same time --------------------------------------------------------------------------------------------


def slow_find(monkeypatch: pytest.MonkeyPatch, together: int) -> None:
    """Lets the store find candidates only when so many have been looked up."""
    find, begun = CandidateVerbs.find, itertools.count(1)
    all_begun = asyncio.Event()

    async def find_together(*arguments: Any) -> Candidate | None:
        if next(begun) == together:
            all_begun.set()
        await all_begun.wait()  # no `asyncio.timeout`: requests run outside of any task
        return await find(*arguments)

    monkeypatch.setattr(CandidateVerbs, "find", find_together)


@pytest.mark.both_engines
async def test_of_many_look_ups_at_once_no_more_learn_something(
    strict: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wrong zip code counts two, so three of them are six misses; whoever comes later learns nothing."""
    await strict.customer()
    slow_find(monkeypatch, together=60)
    statuses = await asyncio.gather(*(look_up(strict, **by_number(), zip_code=str(n)) for n in range(10_000, 10_060)))
    assert Counter(status for [status] in statuses) == {404: 3, 429: 57}


async def test_of_many_look_ups_of_accounts_at_once_no_more_learn_something(strict: Publisher) -> None:
    statuses = await asyncio.gather(*(account(strict, customer_number=f"c{n}") for n in range(60)))
    assert Counter(status for [status] in statuses) == {404: 12, 429: 48}


async def test_many_that_find_somebody_at_once_take_nothing(strict: Publisher, monkeypatch: pytest.MonkeyPatch) -> None:
    await strict.customer()
    slow_find(monkeypatch, together=60)
    statuses = await asyncio.gather(*(look_up(strict, **by_number(), zip_code=ZIP_CODE) for _ in range(60)))
    assert Counter(status for [status] in statuses) == {200: 60}


# Activation ------------------------------------------------------------------------------------------------


def activation(candidate: str, email: str, **more: Any) -> dict[str, Any]:
    return {"account_candidate_id": candidate, "email": email, "password": "Df7Vdd8!!vnM", **more}


def some_number(n: int) -> str:
    """One of many valid numbers, none of anybody here."""
    return f"600101-{n:03}{_check_digit(f'600101{n:03}')}"


def _check_digit(nine: str) -> int:
    doubled = (int(digit) * (2 - place % 2) for place, digit in enumerate(nine))
    return -sum(number // 10 + number % 10 for number in doubled) % 10


@pytest.mark.both_engines
@pytest.mark.parametrize("taken", ["email", "alias", "password"])
async def test_a_refused_activation_tells_of_few_numbers_whether_an_account_has_them(
    fresh_url: str, tmp_path: Path, taken: str
) -> None:
    """A candidate without a number can be given any: each refusal would tell, whatever else is wrong with it."""
    chosen = {"misses_per_client": 0, "misses_per_number": 6}
    async with RunningService(fresh_url, tmp_path / "stamkund.key", **chosen) as service:
        publisher = await service.publisher(password_rules=PasswordRules(for_api=True))
        first = await publisher.customer("1", social_security_number=NUMBER)
        await publisher.post(ACTIVATE, activation(first.id, "a@example.com", alias="ove"))
        candidate = (await publisher.customer("2", social_security_number=None)).id
        wrong = {
            "email": activation(candidate, "a@example.com"),
            "alias": activation(candidate, "b@example.com", alias="ove"),
            "password": activation(candidate, "b@example.com") | {"password": "password1"},
        }[taken]
        sent = [publisher.post(ACTIVATE, {**wrong, "social_security_number": some_number(n)}) for n in range(20)]
        statuses = Counter(response.status_code for response in await asyncio.gather(*sent))
        assert statuses == {400 if taken == "password" else 409: 6, 429: 14}
        assert (await publisher.post(ACTIVATE, {**wrong, "social_security_number": NUMBER})).status_code == 429


async def test_a_number_that_goes_into_the_account_is_no_miss(strict: Publisher) -> None:
    for n in range(15):
        candidate = (await strict.customer(str(n), social_security_number=None)).id
        body = activation(candidate, f"{n}@example.com", social_security_number=some_number(n))
        assert (await strict.post(ACTIVATE, body)).status_code == 201


# Audit, several processes, settings ------------------------------------------------------------------------


async def test_a_limit_that_bites_is_in_the_audit_once(strict: Publisher) -> None:
    """Without the number."""
    await look_up(strict, 9, **by_number())
    url = strict.service.settings.database_url
    query = "SELECT organisation, client, account, detail FROM audit WHERE event = 'limit_reached'"
    expected = [(strict.id, strict.client.id, None, "misses of one identifier")]

    async def is_written() -> bool:
        return await rows(url, query) == expected

    await until(is_written)
    with strict.service.clock.at(NOW + 60):
        await look_up(strict, 7, **by_number())
        await until(lambda: _count(url, 2))


async def _count(url: str, expected: int) -> bool:
    return await rows(url, "SELECT count(*) FROM audit WHERE event = 'limit_reached'") == [(expected,)]


@pytest.mark.both_engines
async def test_processes_share_their_misses(fresh_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with publisher_of_two(fresh_url, tmp_path / "a.key", monkeypatch, misses_per_number=6) as (publisher, other):
        assert await look_up(publisher, 6, **by_number()) == [404] * 6

        async def is_limited() -> bool:
            return await look_up(other, **by_number()) == [429]

        await until(is_limited)


async def test_each_kind_of_call_may_have_a_limit_of_its_own(fresh_url: str, tmp_path: Path) -> None:
    chosen = {
        "limit_per_client": 4,
        "limit_per_client_for": "candidate=2,activation=0",
        "limit_per_identifier": 5,
        "limit_per_identifier_for": "login=1",
    }
    async with RunningService(fresh_url, tmp_path / "stamkund.key", **chosen) as service:
        publisher = await service.publisher()
        seen = [await look_up(publisher, customer_number=str(n)) for n in range(3)]
        assert seen == [[404], [404], [429]]
        statuses = {(await publisher.post(ACTIVATE, {})).status_code for _ in range(10)}
        assert statuses == {400}
        for _ in range(3):  # one token was issued for the calls above
            assert (await publisher.grant("none")).status_code == 200
        assert (await publisher.grant("none")).status_code == 429


def test_an_apps_new_sessions_have_a_limit_by_default(tmp_path: Path) -> None:
    """Also where other kinds are set."""
    by_default = int(Settings().limit_per_client_for.removeprefix("session="))
    assert by_default <= 6_000
    settings, vault = Settings(limit_per_client_for="candidate=2"), Vault.create(tmp_path / "a.key", NOW)
    limits = limits_of(settings, vault, AuditQueue())
    for _ in range(by_default):
        limits.client(SESSION_LIMIT, "org", "client", NOW)
    with pytest.raises(Refused):
        limits.client(SESSION_LIMIT, "org", "client", NOW)


@pytest.mark.parametrize("value", ["candidate", "candidate=", "candidate=-1", "accounts=3", "candidate=1;login=2"])
def test_a_limit_of_an_unknown_call_is_refused(value: str) -> None:
    with pytest.raises(WrongSetting, match="limit_per_client_for"):
        load({"STAMKUND_LIMIT_PER_CLIENT_FOR": value})


@pytest.mark.parametrize(
    "call", ["token", "login", "session", "candidate", "activation", "creation", "update", "own_update"]
)
def test_each_kind_can_be_named(call: str) -> None:
    assert load({"STAMKUND_LIMIT_PER_CLIENT_FOR": f"{call}=3"}).limit_per_client_for == f"{call}=3"
