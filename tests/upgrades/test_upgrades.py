"""Data of every schema that ever was, brought up to date by the present code and then used like any other."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from stamkund.identity.sessions import cookie_name
from stamkund.rules.mail import WAITING
from stamkund.store import migrations
from tests.support.connector import Connector
from tests.support.service import RunningService
from tests.upgrades import stored_data

API = "/external/api/v1"
FIRST_WITH_MAILS = 9


@dataclass
class Upgraded:
    """An application on upgraded data, and what is known of that data."""

    service: RunningService
    stored: dict[str, Any]
    schema: str

    async def get(self, path: str, token: str) -> httpx.Response:
        return await self.service.http.get(f"{API}/{path}", headers=self.headers(token))

    async def grant(self, grant_type: str, **fields: str) -> httpx.Response:
        form = {**self.stored["client"], "grant_type": grant_type, **fields}
        return await self.service.http.post("/api/authorization/access_token", data=form)

    def headers(self, token: str) -> dict[str, str]:
        return {"authorization": f"Bearer {self.stored['tokens'].get(token, token)}"}


@pytest.fixture(params=stored_data.folders(), ids=lambda folder: folder.name)
async def upgraded(request: pytest.FixtureRequest, fresh_url: str, tmp_path: Path) -> AsyncIterator[Upgraded]:
    folder: Path = request.param
    stored = stored_data.calls(folder)
    await stored_data.load(folder, fresh_url, tmp_path / "stored.key")
    async with RunningService(fresh_url, tmp_path / "stored.key") as service:
        with service.clock.at(stored["now"] + 60):
            yield Upgraded(service, stored, folder.name)


def test_there_is_data_of_every_schema() -> None:
    """The data of a new step is written by `python -m tests.upgrades.stored_data`; see the README beside this file."""
    assert [folder.name for folder in stored_data.folders()] == [f"{m.number:04}" for m in migrations.MIGRATIONS]


@pytest.mark.parametrize("engine", ["sqlite", "postgres"])
@pytest.mark.parametrize("folder", stored_data.folders(), ids=lambda folder: folder.name)
def test_a_step_is_never_edited(folder: Path, engine: str) -> None:
    """Databases that took it would not know: what has to change goes into a new step."""
    assert stored_data.schema(int(folder.name), engine) in (folder / f"{engine}.sql").read_text()


async def test_calls_respond_as_they_did_then(upgraded: Upgraded) -> None:
    """Later releases may return more keys, but every earlier one unchanged."""
    assert upgraded.stored["calls"]
    for call in upgraded.stored["calls"]:
        response = await upgraded.get(call["path"], call["token"])
        assert response.status_code == call["status"], call["path"]
        _holds(response.json(), call["answer"], call["path"])


def _holds(now: Any, then: Any, where: str) -> None:
    if isinstance(then, dict):
        for name, value in then.items():
            assert name in now, f"{where}: {name}"
            _holds(now[name], value, f"{where}: {name}")
    elif isinstance(then, list):
        assert len(now) == len(then), where
        for one_now, one_then in zip(now, then, strict=True):
            _holds(one_now, one_then, where)
    else:
        assert now == then, where


async def test_clients_and_readers_go_on_as_before(upgraded: Upgraded) -> None:
    """With their secrets, passwords and refresh tokens."""
    assert (await upgraded.grant("none")).status_code == 200
    refreshed = await upgraded.grant("refresh_token", refresh_token=upgraded.stored["refresh_token"])
    logged_in = await upgraded.grant("password", username="kalle@example.com", password=stored_data.PASSWORD)
    for response in (refreshed, logged_in):
        me = await upgraded.get("me", response.json()["access_token"])
        assert me.json()["item"]["email"] == "Kalle@example.com"


async def test_candidates_become_accounts(upgraded: Upgraded) -> None:
    """Counters and numbering go on where they were: nothing is given twice."""
    body = {
        "account_candidate_id": upgraded.stored["candidate"],
        "email": "c@example.com",
        "password": stored_data.PASSWORD,
    }
    path = f"{API}/accounts/activate_candidate"
    taken = await upgraded.service.http.post(
        path, json=body | {"email": "KALLE@example.com"}, headers=upgraded.headers("north")
    )
    assert taken.json()["field"] == "email"
    done = await upgraded.service.http.post(path, json=body, headers=upgraded.headers("north"))
    assert done.status_code == 201, done.text
    assert (await upgraded.get(f"accounts?id={done.json()['id']}", "north")).status_code == 200
    assert (await upgraded.get("accounts?tulo_customer_number=00002", "north")).json()["item"]["id"] == done.json()[
        "id"
    ]


async def test_customers_who_brought_a_password_log_in(upgraded: Upgraded) -> None:
    response = await upgraded.grant("password", username="new@example.com", password=stored_data.PASSWORD)
    me = await upgraded.get("me", response.json()["access_token"])
    assert me.json()["item"]["customer_number"] == "20002"


async def test_earlier_logins_are_still_valid(upgraded: Upgraded) -> None:
    """Session, ticket, code and keys, where there were any: no reader has to log in again because of an upgrade."""
    login = upgraded.stored.get("login")
    if login is None:  # of a schema before sessions
        assert int(upgraded.schema) < 4
        return
    service, client = upgraded.service, {name: login[name] for name in ("client_id", "client_secret")}
    site = Connector(service.url, "north", login["client_id"], login["client_secret"], service.clock)
    with service.clock.at(upgraded.stored["now"] + 59):
        form = {**client, "grant_type": "ticket", "ticket": login["ticket"]}
        responses = [await service.http.post("/api/authorization/access_token", data=form) for _ in range(2)]
        assert [response.status_code for response in responses] == [200, 400]
        assert (await site.status(login["sid"], "loggedin"))["sts"] == "loggedin"
        cookie = {"cookie": f"{cookie_name('north')}={login['cookie']}"}
        query = f"client_id={login['client_id']}&response_type=code&prompt=none"
        authorized = await service.http.get(f"/oauth2/auth?{query}", headers=cookie)
        assert "code=" in authorized.headers["location"]
        published = (await service.http.get("/oauth2/jwks")).json()["keys"]
        header = json.loads(base64.urlsafe_b64decode(login["id_token"].split(".")[0] + "=="))
        assert header["kid"] in [key["kid"] for key in published]
        assert "#8a1538" in (await service.http.get("/login?oid=north")).text
    await site.http.aclose()


async def test_passwords_of_before_do_not_expire(upgraded: Upgraded) -> None:
    """An account's, and an imported one that nobody has logged in with before, ten years later."""
    with upgraded.service.clock.at(upgraded.stored["now"] + 3650 * stored_data.DAY):
        for email in ("kalle@example.com", "new@example.com"):
            response = await upgraded.grant("password", username=email, password=stored_data.PASSWORD)
            assert response.status_code == 200, (email, response.text)


async def test_mails_that_wait_go_on_waiting(upgraded: Upgraded) -> None:
    """With address and code, which no key of another installation opens."""
    waiting = await upgraded.service.store.mails.latest(WAITING, 10, "north")
    if int(upgraded.schema) < FIRST_WITH_MAILS:
        assert waiting == []
        return
    [mail] = waiting
    assert (mail.address, mail.purpose, mail.language) == ("kalle@example.com", "password_reset", "fi")
    own = await upgraded.service.store.mail_templates.of_organisation("north")
    assert own == {"test.sv.txt": "Subject: Hej\n\nHej"}
