"""`stamkund account …`: what an operator sees of a reader's logins, and lifting a freeze, while the server runs."""

from __future__ import annotations

import asyncio
import json
import re

from argon2 import PasswordHasher

from tests.support.installation import ORGANISATION, PASSWORD, Caller, Ended, Installation
from tests.support.installation_fixtures import running
from tests.support.rows import rows

EMAIL = "ove.ovesson@example.com"


async def account(installation: Installation, *arguments: str) -> Ended:
    return await asyncio.to_thread(installation.run, "account", *arguments, "--organisation", ORGANISATION)


async def is_frozen(caller: Caller) -> bool:
    response = await caller.login(EMAIL)
    return response.status_code == 400 and "frozen" in response.json()["error_description"]


async def freeze(caller: Caller) -> None:
    for _ in range(5):
        assert (await caller.login(EMAIL, "wrong")).status_code == 400
    assert await is_frozen(caller)


async def test_an_operator_lifts_a_freeze(installation: Installation) -> None:
    async with running(installation) as (_, caller):
        (candidate,) = await installation.candidates(1)
        account_id = (await caller.activate(candidate, EMAIL)).json()["id"]
        for who in (EMAIL.upper(), account_id, f" {EMAIL} ", f"{account_id} "):
            await freeze(caller)
            assert (await account(installation, "unfreeze", who)).output == f"{who} may log in again\n"
            assert not await is_frozen(caller)
        ended = await account(installation, "unfreeze", EMAIL)
        assert (ended.status, ended.output) == (0, f"{EMAIL} was not frozen; failed logins are cleared\n")
    query = "SELECT client, account, detail FROM audit WHERE event = 'login_unfrozen'"
    assert await rows(installation.database_url, query) == [(None, account_id, None)] * 4


async def test_an_operator_sees_the_latest_attempts(embedded: Installation) -> None:
    async with running(embedded) as (_, caller):
        (candidate,) = await embedded.candidates(1)
        await caller.activate(candidate, EMAIL)
        assert (await account(embedded, "attempts", EMAIL)).output == "no attempts yet\n"
        await caller.login(EMAIL, "wrong")
        await caller.login(EMAIL)
        lines = (await account(embedded, "attempts", EMAIL)).output.splitlines()
        when = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+]\d\d:00"
        assert re.fullmatch(rf"{when}  succeeded  password_grant  Test  127\.0\.0\.1  python-httpx/[\d.]+", lines[0])
        assert re.fullmatch(rf"{when}  failed     password_grant  Test  127\.0\.0\.1  python-httpx/[\d.]+", lines[1])
        attempts = json.loads((await account(embedded, "attempts", EMAIL, "--json")).output)
        assert list(attempts[0]) == ["at", "outcome", "channel", "client", "address", "user_agent"]
        assert [one["outcome"] for one in attempts] == ["succeeded", "failed"]
        assert attempts[0]["client"] == caller.client.id


async def test_a_customer_who_brought_a_password_is_found_too(embedded: Installation) -> None:
    async with running(embedded) as (_, caller):
        stored_hash = PasswordHasher(memory_cost=8, time_cost=1, parallelism=1).hash(PASSWORD)
        await embedded.candidates(1, email=EMAIL, password_hash=stored_hash)
        await freeze(caller)
        assert (await account(embedded, "unfreeze", EMAIL)).output == f"{EMAIL} may log in again\n"
        assert (await caller.login(EMAIL)).status_code == 200


async def test_an_operator_blocks_an_account_and_lets_it_in_again(installation: Installation) -> None:
    async with running(installation) as (_, caller):
        (candidate,) = await installation.candidates(1)
        account_id = (await caller.activate(candidate, EMAIL)).json()["id"]
        login = (await caller.login(EMAIL)).json()
        for who in (account_id, EMAIL):
            outputs = [(await account(installation, "set-status", who, "inactive")).output for _ in range(2)]
            assert outputs == [f"{who} is inactive\n", f"{who} was inactive already\n"]
            assert await _reads(caller, login["access_token"]) == 401
            assert (await caller.login(EMAIL)).status_code == 400
            assert (await account(installation, "set-status", who, "active")).output == f"{who} is active\n"
            assert await _reads(caller, login["access_token"]) == 200
            assert (await caller.login(EMAIL)).status_code == 200
        for wrong in ("archived", "created", ""):
            ended = await account(installation, "set-status", account_id, wrong)
            assert ended.status == 2 and "the status must be active or inactive" in ended.errors
        outputs = [(await account(installation, "set-login", EMAIL, "disabled")).output for _ in range(2)]
        assert outputs == [f"logging in to {EMAIL} {verb}\n" for verb in ("is disabled", "was disabled already")]
        assert await _reads(caller, login["access_token"]) == 401
        assert (await caller.login(EMAIL)).status_code == 400
        enabled = await account(installation, "set-login", account_id, "enabled")
        assert enabled.output == f"logging in to {account_id} is enabled\n"
        assert await _reads(caller, login["access_token"]) == 200
        ended = await account(installation, "set-login", account_id, "off")
        assert ended.status == 2 and "the login must be enabled or disabled" in ended.errors
    query = "SELECT client, account, detail FROM audit WHERE event = 'account_login_changed' ORDER BY row"
    changes = [("operator", account_id, login_state) for login_state in ("disabled", "enabled")]
    assert await rows(installation.database_url, query) == changes
    query = "SELECT client, account, detail FROM audit WHERE event = 'account_status_changed' ORDER BY row"
    changes = [("operator", account_id, status) for status in ("inactive", "active")] * 2
    assert await rows(installation.database_url, query) == changes


async def test_an_operator_logs_a_reader_out_everywhere(installation: Installation) -> None:
    async with running(installation) as (_, caller):
        (candidate,) = await installation.candidates(1)
        account_id = (await caller.activate(candidate, EMAIL)).json()["id"]
        login = (await caller.login(EMAIL)).json()
        ended = await account(installation, "end-sessions", account_id)
        assert ended.output == f"{account_id} is logged out: 0 sessions ended, tokens revoked\n"
        assert await _reads(caller, login["access_token"]) == 401
        again = (await caller.login(EMAIL)).json()
        assert await _reads(caller, again["access_token"]) == 200
        assert (await account(installation, "end-sessions", EMAIL, "--offline-access")).status == 0
        assert await _reads(caller, again["access_token"]) == 401
    query = "SELECT client, account, detail FROM audit WHERE event = 'sessions_ended'"
    assert await rows(installation.database_url, query) == [("operator", account_id, "0")] * 2


async def _reads(caller: Caller, token: str) -> int:
    return (await caller.get("/external/api/v1/me", token)).status_code


async def test_an_unknown_account_can_not_be_unfrozen(embedded: Installation) -> None:
    embedded.prepare()
    for command in (["unfreeze"], ["attempts"], ["end-sessions"], ["set-status"], ["set-login"]):
        more = {"set-status": ["inactive"], "set-login": ["disabled"]}.get(command[0], [])
        ended = await account(embedded, *command, "nobody@example.com", *more)
        assert ended.status == 2
        message = (
            f"there is no account nobody@example.com in {ORGANISATION}: check the e-mail or id, and the organisation"
        )
        assert ended.errors == f"stamkund: {message}\n"
    ended = embedded.run("account", "unfreeze", EMAIL, "--organisation", "other")
    assert ended.status == 2 and "there is no organisation other" in ended.errors


async def test_an_operator_moves_an_account_to_another_number(embedded: Installation) -> None:
    async with running(embedded) as (_, caller):
        first, second = await embedded.candidates(2)
        account_id = (await caller.activate(first, EMAIL)).json()["id"]
        moved = await account(embedded, "move", account_id, "new-number")
        assert (moved.status, moved.output) == (
            0,
            f"the customer of account {account_id} has the number new-number now\n",
        )
        numbers = await rows(embedded.database_url, "SELECT customer_number FROM customer_list ORDER BY 1")
        other = next(number for (number,) in numbers if number != "new-number")
        moved = await account(embedded, "move", account_id.upper(), other)
        assert moved.output.startswith(f"account {account_id.upper()} belongs to customer {other} now")
        again = await caller.activate(second, "anna@example.com")
        assert again.status_code == 409
    for arguments, sentence in (
        (("0" * 24, other), "there is no account with the id"),
        ((account_id, "!"), "a customer number has up to 50"),
    ):
        ended = await account(embedded, "move", *arguments)
        assert ended.status == 2 and sentence in ended.errors
    query = "SELECT client, account FROM audit WHERE event = 'account_moved'"
    assert await rows(embedded.database_url, query) == [(None, account_id)] * 2
