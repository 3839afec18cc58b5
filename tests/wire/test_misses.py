"""Trying out numbers: look-ups that find nobody are limited more tightly than calls."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from stamkund.server import jobs
from stamkund.settings import WrongSetting, load
from tests.support.rows import rows
from tests.support.service import NOW, Publisher, RunningService
from tests.support.waiting import until

CANDIDATE = "/external/api/v1/accounts/candidate"
ACTIVATE = "/external/api/v1/account/activate_candidate"
NUMBER, OTHER_NUMBER = "620817-9256", "800610-8230"
ZIP_CODE = "43921"


@pytest.fixture
async def strict(fresh_url: str, tmp_path: Path) -> AsyncIterator[Publisher]:
    """A publisher on a server that allows a client twelve misses a minute, and six about one number."""
    chosen = {"candidate_misses_per_client": 12, "candidate_misses_per_number": 6}
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


async def test_a_limit_that_bites_is_in_the_audit_once(strict: Publisher) -> None:
    """Without the number."""
    await look_up(strict, 9, **by_number())
    url = strict.service.settings.database_url
    query = "SELECT organisation, client, account, detail FROM audit WHERE event = 'limit_reached'"
    expected = [(strict.id, strict.client.id, None, "candidate: misses of one identifier")]

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
    monkeypatch.setattr(jobs, "_SHARE_SECONDS", 0.05)
    key_file, chosen = tmp_path / "stamkund.key", {"workers": 2, "candidate_misses_per_number": 6}
    async with (
        RunningService(fresh_url, key_file, **chosen) as first,
        RunningService(fresh_url, key_file, **chosen) as second,
    ):
        publisher = await first.publisher()
        other = Publisher(second, publisher.organisation)
        other.client, other.secret = publisher.client, publisher.secret
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


@pytest.mark.parametrize("value", ["candidate", "candidate=", "candidate=-1", "accounts=3", "candidate=1;login=2"])
def test_a_limit_of_an_unknown_call_is_refused(value: str) -> None:
    with pytest.raises(WrongSetting, match="limit_per_client_for"):
        load({"STAMKUND_LIMIT_PER_CLIENT_FOR": value})


@pytest.mark.parametrize("call", ["token", "login", "session", "candidate", "activation"])
def test_each_kind_can_be_named(call: str) -> None:
    assert load({"STAMKUND_LIMIT_PER_CLIENT_FOR": f"{call}=3"}).limit_per_client_for == f"{call}=3"
