"""Many callers at the same moment: one gets what only one can have, the others are refused, nothing is half made."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path

import httpx
import pytest
from argon2 import PasswordHasher

from tests.support.connector import Connector
from tests.support.installation import PASSWORD, TOKEN, Installation
from tests.support.installation_fixtures import running
from tests.support.rows import counts, halves, made, rows
from tests.support.service import SCOPES, applications

CALLERS = 200
EMAIL = "ove.ovesson@example.com"

both_sizes = pytest.mark.parametrize("workers", [1, 2])


@both_sizes
async def test_one_candidate_is_activated_once(installation: Installation, workers: int) -> None:
    async with running(installation, workers=workers) as (_, caller):
        [candidate] = await installation.candidates(1, social_security_number="620817-9256")
        responses = await asyncio.gather(
            *(caller.activate(candidate, f"reader{number}@example.com") for number in range(CALLERS))
        )
        assert summary(responses) == {(201, None): 1, (409, "customer_number/ssn"): CALLERS - 1}
        [won] = [response for response in responses if response.status_code == 201]
        item = (await caller.get("/external/api/v1/accounts", customer_number="c1")).json()["item"]
    assert item["id"] == won.json()["id"]
    assert len(item["user_products"]) == 1
    assert await counts(installation.database_url) == made(1)
    assert await halves(installation.database_url) == []


@both_sizes
async def test_one_email_is_taken_once_in_whatever_case(installation: Installation, workers: int) -> None:
    async with running(installation, workers=workers) as (_, caller):
        candidates = await installation.candidates(CALLERS)
        responses = await asyncio.gather(
            *(caller.activate(candidate, in_case(EMAIL, number)) for number, candidate in enumerate(candidates))
        )
        assert summary(responses) == {(201, None): 1, (409, "email"): CALLERS - 1}
        response = await caller.get("/external/api/v1/accounts", email=EMAIL)
    assert response.status_code == 200
    assert await counts(installation.database_url) == made(1)
    assert await halves(installation.database_url) == []


async def test_first_logins_at_the_same_time(installation: Installation) -> None:
    """A reader who brought a password from elsewhere logs in for the first time, on several screens: one account."""
    async with running(installation, workers=2) as (_, caller):
        hashed = PasswordHasher(memory_cost=8, time_cost=1, parallelism=1).hash(PASSWORD)
        await installation.candidates(1, email=EMAIL, password_hash=hashed)
        responses = await asyncio.gather(*(caller.login(EMAIL) for _ in range(40)))
        assert Counter(response.status_code for response in responses) == {200: 40}
    assert await counts(installation.database_url) == made(1)
    assert await halves(installation.database_url) == []


@both_sizes
async def test_a_login_request_of_a_site_is_used_once(fresh_url: str, tmp_path: Path, workers: int) -> None:
    """A double click reaches whichever worker: one checks the password, the others get its response."""
    async with applications(fresh_url, tmp_path / "stamkund.key", workers) as services:
        publisher = await services[0].publisher()
        await publisher.activated(EMAIL)
        client, secret = await publisher.new_client("/external/me/w", sso2=True, redirect_uris=["https://a.example/"])
        sites = [Connector(one.url, publisher.id, client.id, secret, one.clock) for one in services]
        sid = (await sites[0].create_session())["sid"]
        token = sites[0].token(sid=sid, usr=EMAIL, pwd=PASSWORD)
        responses = await asyncio.gather(
            *(site.send("authenticate", token) for _ in range(30 // workers) for site in sites)
        )
        await asyncio.gather(*(site.http.aclose() for site in sites))
    assert {response.status_code for response in responses} == {200}
    assert len({response.text for response in responses}) == 1
    assert sites[0].read(responses[0].json()["t"])["sts"] == "loggedin"
    assert await rows(fresh_url, "SELECT count(*) FROM login_attempts") == [(1,)]


@both_sizes
async def test_a_replaced_refresh_token_gives_siblings_in_any_worker(
    fresh_url: str, tmp_path: Path, workers: int
) -> None:
    async with applications(fresh_url, tmp_path / "stamkund.key", workers) as services:
        publisher = await services[0].publisher()
        await publisher.activated(EMAIL)
        client, secret = await publisher.new_client(*SCOPES, rotate_refresh_tokens=True)
        form = {"client_id": client.id, "client_secret": secret}
        login = await publisher.grant("password", client, secret, username=EMAIL, password=PASSWORD)
        refresh = {**form, "grant_type": "refresh_token", "refresh_token": login.json()["refresh_token"]}
        sending = [one.http.post(TOKEN, data=refresh) for _ in range(40 // workers) for one in services]
        responses = await asyncio.gather(*sending)
    assert Counter(response.status_code for response in responses) == {200: 40}
    assert len({response.json()["refresh_token"] for response in responses}) == 40
    stored = await rows(fresh_url, "SELECT kind, count(*) FROM tokens GROUP BY kind")
    assert {kind: number for kind, number in stored if kind != "access"} == {"refresh": 40, "spent": 1}


async def test_a_number_sent_by_two_candidates(installation: Installation) -> None:
    """Customers whom the subscription system knows without social security number, and who all send the same one."""
    async with running(installation, workers=2) as (_, caller):
        candidates = await installation.candidates(40)
        responses = await asyncio.gather(
            *(
                caller.activate(c, f"{c.customer_number}@example.com", social_security_number="800610-8230")
                for c in candidates
            )
        )
        assert summary(responses) == {(201, None): 1, (409, "customer_number/ssn"): 39}
    assert await counts(installation.database_url) == made(1)
    assert await halves(installation.database_url) == []


async def test_numbers_are_given_without_gaps(installation: Installation) -> None:
    """Activations that are refused at the last moment take back the number that they had been given."""
    async with running(installation, workers=2) as (_, caller):
        candidates = await installation.candidates(60)
        await asyncio.gather(*(caller.activate(c, f"reader{n % 20}@example.com") for n, c in enumerate(candidates)))
        statuses = [
            (await caller.get("/external/api/v1/accounts", tulo_customer_number=f"{number:05}")).status_code
            for number in range(1, 22)
        ]
    assert statuses == [200] * 20 + [404]
    assert await halves(installation.database_url) == []


def summary(responses: list[httpx.Response]) -> Counter[tuple[int, str | None]]:
    return Counter((response.status_code, response.json().get("field")) for response in responses)


def in_case(text: str, number: int) -> str:
    """`text` with the letters that the bits of `number` name in upper case: another one for each number."""
    return "".join(c.upper() if number >> place & 1 else c for place, c in enumerate(text))
