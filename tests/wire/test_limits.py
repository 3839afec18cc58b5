"""Rate limits: by client and by identifier, at their place among the checks, in one process and in several."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from stamkund.identity import counts
from stamkund.identity.audit_queue import AuditQueue
from stamkund.problems import Refused
from stamkund.rules import identifiers
from stamkund.store import Unavailable
from stamkund.wire.limits import Limits, LimitValues, no_limits
from tests.support.calls import assert_refused
from tests.support.rows import rows
from tests.support.service import NOW, Publisher, RunningService, publisher_of_two
from tests.support.waiting import until

CANDIDATE = "/external/api/v1/accounts/candidate"
ACTIVATE = "/external/api/v1/account/activate_candidate"
ACCOUNTS = "/external/api/v1/accounts"
TOKEN = "/api/authorization/access_token"
PASSWORD = "Df7Vdd8!!vnM"
NUMBER = "620817-9256"


@pytest.fixture
async def strict(fresh_url: str, tmp_path: Path) -> AsyncIterator[Publisher]:
    """A publisher on a server that allows a client ten calls a minute, and three about one identifier."""
    async with RunningService(
        fresh_url, tmp_path / "stamkund.key", limit_per_client=10, limit_per_identifier=3
    ) as service:
        yield await service.publisher()


def is_limited(response: Any, seconds: int = 60) -> bool:
    assert_refused(response, 429, "too_many_requests")
    return bool(response.headers["retry-after"] == str(seconds))


async def candidate(publisher: Publisher, **query: str) -> int:
    return (await publisher.get(CANDIDATE, **query)).status_code


async def test_lookups_of_a_number_are_limited_per_minute(strict: Publisher) -> None:
    await strict.customer()
    responses = [await candidate(strict, social_security_number=NUMBER, zip_code=str(n)) for n in range(3)]
    assert responses == [404] * 3
    with strict.service.clock.at(NOW + 17):
        assert is_limited(await strict.get(CANDIDATE, social_security_number=NUMBER, zip_code="43921"), 43)
        assert await candidate(strict, customer_number="100001") == 200, "another identifier"
    with strict.service.clock.at(NOW + 60):
        assert await candidate(strict, social_security_number=NUMBER, zip_code="43921") == 200


async def test_the_limit_of_an_identifier_is_shared_by_the_clients_of_an_organisation(strict: Publisher) -> None:
    for _ in range(3):
        assert await candidate(strict, customer_number="1") == 404
    client, secret = await strict.new_client("/external/account/r")
    headers = {"authorization": f"Bearer {await strict.token(client=client, secret=secret)}"}
    query = {"customer_number": "1"}
    assert is_limited(await strict.service.http.get(CANDIDATE, params=query, headers=headers))
    other = await strict.service.publisher()
    assert await candidate(other, customer_number="1") == 404


async def test_a_client_may_make_each_call_so_often(strict: Publisher) -> None:
    responses = [await candidate(strict, customer_number=str(n)) for n in range(10)]
    assert responses == [404] * 10
    assert is_limited(await strict.get(CANDIDATE, customer_number="11"))
    assert (await strict.get(ACCOUNTS, email="nobody@example.com")).status_code == 404, "a call without limit"
    client, secret = await strict.new_client("/external/account/r")
    headers = {"authorization": f"Bearer {await strict.token(client=client, secret=secret)}"}
    response = await strict.service.http.get(CANDIDATE, params={"customer_number": "12"}, headers=headers)
    assert response.status_code == 404, "another client"


async def test_activations_are_counted_by_candidate_and_by_email(strict: Publisher) -> None:
    one, two = await strict.customer("1"), await strict.customer("2", social_security_number=None)
    body = {"account_candidate_id": one.id, "password": PASSWORD}
    for number in range(3):
        response = await strict.post(ACTIVATE, {**body, "email": f"{number}@example.com"})
        assert response.status_code == (409 if number else 201)
    assert is_limited(await strict.post(ACTIVATE, {**body, "email": "4@example.com"}))
    body["account_candidate_id"] = two.id
    for _ in range(2):
        assert (await strict.post(ACTIVATE, {**body, "email": "0@Example.com"})).status_code == 409
    assert is_limited(await strict.post(ACTIVATE, {**body, "email": "0@example.com"}))


async def test_logins_are_limited_by_email_whether_there_is_an_account_or_not(strict: Publisher) -> None:
    await strict.activated("ove@example.com")
    for username in ("ove@example.com", f"{strict.id}^NOBODY@example.com"):
        for _ in range(3):
            response = await strict.grant("password", username=username, password="wrong")
            assert response.status_code == 400
        assert is_limited(await strict.grant("password", username=username.lower(), password=PASSWORD))


async def test_tokens_are_limited_by_client_once_the_client_is_authenticated(strict: Publisher) -> None:
    """So that knowing a client's id is not enough to use up its limit."""
    for _ in range(20):
        response = await strict.grant("none", secret="wrong")
        assert (response.status_code, response.json()["error"]) == (401, "invalid_client")
    for _ in range(10):
        assert (await strict.grant("none")).status_code == 200
    assert is_limited(await strict.grant("none"))
    assert is_limited(await strict.grant("unknown"))
    assert (await strict.grant("none", secret="wrong")).status_code == 401


async def test_a_clients_limit_comes_after_the_scope_and_before_everything_else(strict: Publisher) -> None:
    for number in range(10):
        await candidate(strict, customer_number=str(number))
        await strict.post(ACTIVATE, {})
    http, headers = strict.service.http, await strict.headers()
    powerless = {"authorization": f"Bearer {await strict.token('/external/me/w')}"}
    large = b"x" * 70_000
    assert (await http.get(CANDIDATE)).status_code == 401
    assert (await http.post(ACTIVATE, content=large)).status_code == 401
    assert (await http.get(CANDIDATE, headers=powerless)).status_code == 403
    assert (await http.post(ACTIVATE, content=large, headers=powerless)).status_code == 403
    assert is_limited(await http.get(CANDIDATE, params={"unknown": "1"}, headers=headers))
    assert is_limited(await http.post(ACTIVATE, content=large, headers=headers))
    assert is_limited(await http.post(f"{ACTIVATE}/", content=b"{", headers=headers))


async def test_an_identifiers_limit_comes_after_the_values_and_before_the_handler(strict: Publisher) -> None:
    made = await strict.customer()
    body = {"account_candidate_id": made.id, "email": "ove@example.com", "password": PASSWORD}
    for _ in range(3):
        await strict.post(ACTIVATE, body)
    assert_refused(await strict.post(ACTIVATE, {**body, "password": "x"}), 400, "invalid_parameter", "password")
    assert_refused(await strict.post(ACTIVATE, {**body, "unknown": 1}), 400, "unknown_parameter")
    assert is_limited(await strict.post(ACTIVATE, body))


async def test_nothing_is_limited_where_the_settings_say_so(fresh_url: str, tmp_path: Path) -> None:
    async with RunningService(
        fresh_url,
        tmp_path / "stamkund.key",
        limit_per_client=0,
        limit_per_identifier=0,
        misses_per_client=0,
        misses_per_number=0,
    ) as service:
        publisher = await service.publisher()
        assert {await candidate(publisher, customer_number="1") for _ in range(50)} == {404}


# Several processes -----------------------------------------------------------------------------------------


async def _all_are_written(url: str, count: int) -> bool:
    return await rows(url, "SELECT max(count) FROM call_counts") == [(count,)]


async def _is_counted(publisher: Publisher) -> bool:
    response = await publisher.get(CANDIDATE, customer_number="1")
    return response.status_code == 429 and is_limited(response)


@pytest.mark.both_engines
async def test_processes_share_their_counts(fresh_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = {"limit_per_client": 0, "limit_per_identifier": 5}
    async with publisher_of_two(fresh_url, tmp_path / "a.key", monkeypatch, **chosen) as (publisher, other):
        assert [await candidate(publisher, customer_number="1") for _ in range(5)] == [404] * 5
        assert is_limited(await publisher.get(CANDIDATE, customer_number="1"))
        await until(lambda: _all_are_written(fresh_url, 5))
        assert await candidate(other, customer_number="1") == 404, "it has not read the other process's counts yet"
        await until(lambda: _is_counted(other))
        keys = await rows(fresh_url, "SELECT key FROM call_counts")
        assert keys and all(len(key) == 32 for (key,) in keys), "keyed hashes"
        assert await publisher.service.store.call_counts.remove_expired(NOW) == 0
        assert await publisher.service.store.call_counts.remove_expired(NOW + 60) > 0


async def test_one_process_on_an_embedded_database_writes_no_counts(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'stamkund.db'}"
    async with RunningService(url, tmp_path / "stamkund.key", limit_per_client=2) as service:
        publisher = await service.publisher()
        assert (await publisher.grant("none")).status_code == 200
    assert not service.settings.shares_counts
    assert await rows(url, "SELECT * FROM call_counts") == []


class FakeStore:
    """A store of call counts alone, which is out of reach while `lost`."""

    def __init__(self) -> None:
        self.call_counts = self
        self.lost = False
        self.totals: dict[str, int] = {}

    async def add(self, ends: int, new: dict[str, int]) -> dict[str, int]:
        if self.lost:
            raise Unavailable("gone")
        for key, count in new.items():
            self.totals[key] = self.totals.get(key, 0) + count
        return {key: self.totals[key] for key in new}


def limits_for(per_identifier: int) -> Limits:
    return Limits(LimitValues(per_identifier=per_identifier), lambda data: data.hex(), AuditQueue(), shared=True)


def count_calls(limits: Limits, times: int = 1, now: int = NOW, who: str = "a@example.com") -> None:
    for _ in range(times):
        limits.identifier("call", "org", "client", identifiers.email(who), now)


async def test_counts_that_could_not_be_shared_are_shared_later() -> None:
    store: Any = FakeStore()
    one, two = (limits_for(per_identifier=10) for _ in range(2))
    store.lost = True
    count_calls(one, 4)
    with pytest.raises(Unavailable):
        await one.share(store)
    count_calls(one, 2)
    store.lost = False
    await one.share(store)
    assert list(store.totals.values()) == [6]
    count_calls(two, 4)
    await two.share(store)
    with pytest.raises(Refused):
        count_calls(two)
    count_calls(one, 4)
    with pytest.raises(Refused):
        count_calls(one)


async def test_counts_of_a_past_minute_are_not_shared() -> None:
    store: Any = FakeStore()
    limits = limits_for(per_identifier=10)
    count_calls(limits, 3)
    count_calls(limits, 2, NOW + 60)
    await limits.share(store)
    assert list(store.totals.values()) == [2]


def test_strange_identifiers_do_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counts, "_MAX_COUNTS", 10)
    limits = limits_for(per_identifier=3)
    count_calls(limits, 3)
    for number in range(50):
        count_calls(limits, who=f"{number}@example.com")
        assert len(limits.calls._counts) <= 10
    with pytest.raises(Refused):
        count_calls(limits)


def test_other_calls_make_no_miss_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each e-mail that is typed at the login page is a count."""
    monkeypatch.setattr(counts, "_MAX_COUNTS", 10)
    limits = Limits(LimitValues(per_identifier=1_000, misses_per_identifier=1), str, AuditQueue(), shared=False)
    number = [identifiers.Identifier(identifiers.CUSTOMER_NUMBER, "1")]
    limits.look_up("org", "client", number, NOW).miss()
    for n in range(50):
        count_calls(limits, 30, who=f"{n}@example.com")
    with pytest.raises(Refused):
        limits.look_up("org", "client", number, NOW).check()


@pytest.mark.parametrize("path", ["/oauth2/introspect", "/oauth2/revoke", TOKEN])
async def test_a_limit_of_tokens_is_in_the_audit(strict: Publisher, path: str) -> None:
    form = {"client_id": strict.client.id, "client_secret": strict.secret, "token": "x", "grant_type": "none"}
    for _ in range(10):
        assert (await strict.service.http.post(path, data=form)).status_code == 200
    assert is_limited(await strict.service.http.post(path, data=form))
    query = "SELECT organisation, client, detail FROM audit WHERE event = 'limit_reached'"

    async def is_written() -> bool:
        expected = [(strict.id, strict.client.id, "token: calls of a client")]
        return await rows(strict.service.settings.database_url, query) == expected

    await until(is_written)


def test_services_without_limits_limit_nothing() -> None:
    limits = no_limits()
    for _ in range(1000):
        limits.client("call", "org", "client", NOW)
