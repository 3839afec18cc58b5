"""One reading of an e-mail and of a password, whichever way they come in."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import argon2
import msgspec
import pytest

from stamkund.importing import Report, import_customers
from tests.support.browser import Browser
from tests.support.connector import Connector
from tests.support.service import Publisher

EMAIL, PASSWORD = "anna.berg+tag@example.com", "Df7Vdd8!!vnM"
AROUND = ["{} ", " {}", "{}\t", "{}\N{NO-BREAK SPACE}", "\N{ZERO WIDTH SPACE}{}\ufeff", "\u2066{}\u2069\r\n"]
"""What keyboards and the clipboard leave around an e-mail."""
WITHIN = ["anna.berg +tag@example.com", "anna.berg+tag@\N{ZERO WIDTH SPACE}example.com", f"x{EMAIL}", f"<{EMAIL}>"]
"""Other e-mails, or none."""
LINE_ENDS = ["\n", "\r\n", "\r"]
ACCOUNTS = "/external/api/v1/accounts"


@dataclass
class Ways:
    """Every way in which a reader's e-mail comes in: each returns whether it was taken for Anna's."""

    publisher: Publisher
    account: str
    connector: Connector

    async def password_grant(self, email: str, password: str = PASSWORD) -> bool:
        return (await self.publisher.grant("password", username=email, password=password)).status_code == 200

    async def with_organisation(self, email: str, password: str = PASSWORD) -> bool:
        return await self.password_grant(f"{self.publisher.id}^{email}", password)

    async def single_sign_on(self, email: str, password: str = PASSWORD) -> bool:
        sid = (await self.connector.create_session())["sid"]
        return bool((await self.connector.authenticate(sid, email, password))["sts"] == "loggedin")

    async def login_page(self, email: str, password: str = PASSWORD) -> bool:
        async with Browser(self.publisher.service) as browser:
            await browser.get("/login", oid=self.publisher.id)
            page = await browser.submit(email=email, password=password)
            return page.status == 200 and "logged in" in page.heading

    async def account_look_up(self, email: str) -> bool:
        return self._is_annas(await self.publisher.get(ACCOUNTS, email=email))

    async def attempts_look_up(self, email: str) -> bool:
        response = await self.publisher.get(f"{ACCOUNTS}/get_authentication_attempts", email=email)
        return response.status_code == 200

    async def report(self, email: str) -> bool:
        return await self._is_reported(email=email)

    async def report_by_account_id(self, email: str) -> bool:
        return await self._is_reported(account_id=email)

    async def _is_reported(self, **who: str) -> bool:
        body = {**who, "login_successful": True, "user_agent": "x", "persist": False}
        return self._is_annas(await self.publisher.post(f"{ACCOUNTS}/create_authentication_attempt", body))

    def _is_annas(self, response: Any) -> bool:
        body = response.json()
        return response.status_code < 300 and bool(body.get("item", body)["id"] == self.account)


LOGINS: list[Callable[..., Awaitable[bool]]] = [
    Ways.password_grant,
    Ways.with_organisation,
    Ways.single_sign_on,
    Ways.login_page,
]
LOOK_UPS: list[Callable[..., Awaitable[bool]]] = [
    Ways.account_look_up,
    Ways.attempts_look_up,
    Ways.report,
    Ways.report_by_account_id,
]


@pytest.fixture
async def ways(publisher: Publisher) -> AsyncIterator[Ways]:
    account = await publisher.activated(EMAIL)
    client, secret = await publisher.new_client("/external/me/w", sso2=True, redirect_uris=["https://a.example/x"])
    service = publisher.service
    connector = Connector(service.url, publisher.id, client.id, secret, service.clock)
    yield Ways(publisher, account, connector)
    await connector.http.aclose()


@pytest.mark.parametrize("way", [*LOGINS, *LOOK_UPS], ids=lambda way: way.__name__)
async def test_blanks_around_an_email_are_no_part_of_it(ways: Ways, way: Callable[..., Awaitable[bool]]) -> None:
    for around in AROUND:
        assert await way(ways, around.format(EMAIL)), ascii(around)
    assert await way(ways, EMAIL.upper())
    for other in WITHIN:
        assert not await way(ways, other), ascii(other)


@pytest.mark.parametrize("around", AROUND, ids=ascii)
async def test_an_account_is_made_without_the_blanks(publisher: Publisher, around: str) -> None:
    """However it is activated, and then found to be taken."""
    account = await publisher.activated(around.format(EMAIL))
    response = await publisher.get(ACCOUNTS, email=EMAIL)
    assert (response.json()["item"]["id"], response.json()["item"]["email"]) == (account, EMAIL)
    other = await publisher.customer("2", social_security_number=None)
    body = {"account_candidate_id": other.id, "email": around.format(EMAIL.upper()), "password": PASSWORD}
    response = await publisher.post(f"{ACCOUNTS}/activate_candidate", body)
    assert (response.status_code, response.json()["field"]) == (409, "email")


@pytest.mark.parametrize("around", AROUND, ids=ascii)
async def test_an_imported_login_is_without_them_too(publisher: Publisher, around: str, tmp_path: Path) -> None:
    stored_hash = argon2.PasswordHasher(1, 8, 1).hash(PASSWORD)
    row = {"customer_number": "9", "email": around.format(EMAIL), "password_hash": stored_hash}
    (tmp_path / "rows.jsonl").write_text(json.dumps(row))
    store, clock = publisher.service.store, publisher.service.clock
    reports: list[Report] = []
    await import_customers(
        store,
        publisher.organisation,
        tmp_path / "rows.jsonl",
        None,
        now=clock(),
        dry_run=False,
        report=reports.append,
        progress=lambda done, rows: None,
    )
    assert reports == []
    await publisher.reader_token(EMAIL, PASSWORD)
    assert (await publisher.get(ACCOUNTS, email=EMAIL)).json()["item"]["email"] == EMAIL


@pytest.mark.parametrize("look_up", [ACCOUNTS, f"{ACCOUNTS}/get_authentication_attempts"])
async def test_a_plus_sign_that_was_not_encoded_is_one(ways: Ways, look_up: str) -> None:
    """A blank is no part of any address, so `+` in a query can only mean itself."""
    headers = await ways.publisher.headers()
    for raw in (EMAIL, EMAIL.upper(), f"%20{EMAIL}+", EMAIL.replace("+", "%20"), quote(EMAIL)):
        response = await ways.publisher.service.http.get(f"{look_up}?email={raw}", headers=headers)
        assert response.status_code == 200, raw
    response = await ways.publisher.service.http.get(f"{look_up}?email=anna.berg++tag@example.com", headers=headers)
    assert response.status_code == 404


async def test_a_plus_sign_that_was_pasted_into_the_token_form_is_one(ways: Ways) -> None:
    publisher = ways.publisher
    form = f"client_id={publisher.client.id}&client_secret={publisher.secret}&grant_type=password&password={PASSWORD}"
    for username in (EMAIL, f"{publisher.id}^{EMAIL}", f"{publisher.id}^{EMAIL}+"):
        content = f"{form}&username={username}".encode()
        response = await publisher.service.http.post("/api/authorization/access_token", content=content)
        assert response.status_code == 200, username


async def test_a_link_to_the_login_page_may_have_one_too(ways: Ways) -> None:
    async with Browser(ways.publisher.service) as browser:
        page = await browser.get(f"/login?oid={ways.publisher.id}&login_hint=+{EMAIL}%20")
        assert page.by_id("email")["value"] == EMAIL


async def test_blanks_cost_no_attempt(ways: Ways) -> None:
    for way in LOGINS:
        for _ in range(2):
            assert await way(ways, f" {EMAIL} ")
    response = await ways.publisher.get(f"{ACCOUNTS}/get_authentication_attempts", email=EMAIL)
    assert response.json()["item"]["remaining_authentication_attempts"] == 5


@pytest.mark.parametrize("way", LOGINS, ids=lambda way: way.__name__)
async def test_a_line_end_is_no_part_of_a_password(ways: Ways, way: Callable[..., Awaitable[bool]]) -> None:
    """One, at its end: whoever pastes a password pastes it along."""
    for line_end in LINE_ENDS:
        assert await way(ways, EMAIL, f"{PASSWORD}{line_end}"), ascii(line_end)
    for wrong in (f"{PASSWORD}\n\n", f"\n{PASSWORD}", f"{PASSWORD} "):
        assert not await way(ways, EMAIL, wrong), ascii(wrong)


@pytest.mark.parametrize("line_end", LINE_ENDS, ids=ascii)
async def test_a_password_is_set_without_its_line_end(publisher: Publisher, line_end: str) -> None:
    """It counts for nothing, so that five characters are too few and a common password stays one."""
    rules = msgspec.structs.replace(publisher.organisation.password_rules, for_api=True)
    organisation = msgspec.structs.replace(publisher.organisation, password_rules=rules)
    await publisher.service.store.organisations.change(publisher.id, lambda _: organisation)
    made = await publisher.customer()
    body = {"account_candidate_id": made.id, "email": EMAIL}
    path = f"{ACCOUNTS}/activate_candidate"
    for chosen in ("12345", "x" * 1025, "password1"):
        response = await publisher.post(path, {**body, "password": chosen + line_end})
        assert (response.status_code, response.json()["field"]) == (400, "password"), chosen
    assert (await publisher.post(path, {**body, "password": "x" * 1024 + line_end})).status_code == 201
    for tried in ("x" * 1024, "x" * 1024 + line_end):
        assert (await publisher.grant("password", username=EMAIL, password=tried)).status_code == 200


@pytest.mark.parametrize("sent", ["secret!!\n\n", "secret!!\n\r\n"])
async def test_of_several_line_ends_one_is_cut(publisher: Publisher, sent: str) -> None:
    """When it is set and when it is tried, so that the same text logs in."""
    made = await publisher.customer()
    body = {"account_candidate_id": made.id, "email": EMAIL, "password": sent}
    assert (await publisher.post(f"{ACCOUNTS}/activate_candidate", body)).status_code == 201
    for tried, status in ((sent, 200), ("secret!!\n\r", 200), ("secret!!", 400)):
        assert (await publisher.grant("password", username=EMAIL, password=tried)).status_code == status, ascii(tried)
