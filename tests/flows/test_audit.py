"""What is written down of logins: tokens issued and refused, readers let in, refused, frozen and logged out; in ids."""

from __future__ import annotations

from typing import Any

from tests.support.browser import Browser
from tests.support.connector import Connector
from tests.support.rows import rows
from tests.support.service import SCOPES, Publisher, RunningService

EMAIL = "ove.ovesson@example.com"
PASSWORD = "Df7Vdd8!!vnM"
BACK = "https://site.example.com/landing"


async def written(publisher: Publisher) -> list[tuple[Any, ...]]:
    """What came since the last time."""
    entries = await rows(
        publisher.service.settings.database_url,
        f"SELECT event, client, account, detail FROM audit WHERE organisation = '{publisher.id}' ORDER BY row",
    )
    seen = getattr(publisher, "seen", 0)
    publisher.seen = len(entries)  # type: ignore[attr-defined]
    return entries[seen:]


async def test_the_tokens_of_every_login_are_written_down(publisher: Publisher) -> None:
    account, client = await publisher.activated(EMAIL), publisher.client.id
    await written(publisher)
    assert (await publisher.grant("none")).status_code == 200
    assert await written(publisher) == [("token_issued", client, None, "none")]
    login = (await publisher.grant("password", username=EMAIL, password=PASSWORD)).json()
    assert await written(publisher) == [
        ("login_succeeded", client, account, "password_grant"),
        ("token_issued", client, account, "password"),
    ]
    await publisher.grant("refresh_token", refresh_token=login["refresh_token"])
    assert await written(publisher) == [], "the login has its entry; whatever goes on from it has none"
    form = {"client_id": client, "client_secret": publisher.secret, "token": login["refresh_token"]}
    await publisher.service.http.post("/oauth2/revoke", data=form)
    assert await written(publisher) == [("token_revoked", client, account, "refresh")]


async def test_every_refusal_is_written_down(publisher: Publisher) -> None:
    account, client = await publisher.activated(EMAIL), publisher.client.id
    await written(publisher)
    await publisher.grant("none", scope="/external/title/r")
    await publisher.grant("refresh_token", refresh_token="x")
    assert await written(publisher) == [
        ("token_refused", client, None, "invalid_scope"),
        ("token_refused", client, None, "invalid_grant"),
    ]
    for _ in range(6):
        await publisher.grant("password", username=EMAIL, password="wrong")
    entries = await written(publisher)
    refusals = [(event, account_id, detail) for event, _, account_id, detail in entries if event == "login_refused"]
    assert refusals == [("login_refused", account, "failed")] * 5 + [("login_refused", account, "frozen")]
    assert [row for row in entries if row[0] == "login_frozen"] == [("login_frozen", client, account, None)]
    assert [row for row in entries if row[0] == "token_refused"] == [
        ("token_refused", client, None, "invalid_grant")
    ] * 6


async def test_logins_and_logouts_of_browsers_are_written_down(service: RunningService, publisher: Publisher) -> None:
    account = await publisher.activated(EMAIL)
    client, secret = await publisher.new_client(*SCOPES, sso2=True, redirect_uris=[BACK])
    await written(publisher)
    async with Browser(service) as browser:
        await browser.get("/login", oid=publisher.id)
        await browser.submit(email=EMAIL, password=PASSWORD)
        let_in = [("login_succeeded", account, "login_page"), ("logged_in", account, None)]
        assert [(event, who, detail) for event, _, who, detail in await written(publisher)] == let_in
        await browser.get("/oauth2/logout", oid=publisher.id)
        await browser.submit()
        assert [(event, who) for event, _, who, _ in await written(publisher)] == [("logged_out", account)]
    site = Connector(service.url, publisher.id, client.id, secret, service.clock)
    sid = (await site.create_session())["sid"]
    assert (await site.authenticate(sid, EMAIL, PASSWORD))["sts"] == "loggedin"
    assert (await site.log_out(sid))["sts"] == "terminated"
    await site.log_out(sid)
    assert await written(publisher) == [
        ("login_succeeded", client.id, account, "sso2"),
        ("logged_in", client.id, account, None),
        ("logged_out", client.id, account, None),
    ], "and ending it again is no second logout"
    await site.http.aclose()


async def test_what_is_old_is_dropped(service: RunningService, publisher: Publisher) -> None:
    await publisher.grant("none")
    retention = service.settings.audit_days * 86_400
    count = f"SELECT count(*) FROM audit WHERE organisation = '{publisher.id}'"
    assert await rows(service.settings.database_url, count) != [(0,)]
    await service.store.audit.remove_older(service.clock() - retention, 10_000)
    assert await rows(service.settings.database_url, count) != [(0,)]
    while await service.store.audit.remove_older(service.clock() + 1, 10_000):
        pass
    assert await rows(service.settings.database_url, count) == [(0,)]
