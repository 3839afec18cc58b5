"""Updating accounts by a client: what is refused, what changes, and that writes at once all stay."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest

from stamkund.rules.account import ACTIVE, ARCHIVED, INACTIVE
from stamkund.rules.ids import new_id
from tests.support.accounts import (
    ACCOUNTS,
    ACCOUNTS_2,
    KALLE,
    PASSWORD,
    create,
    created,
    item,
    outbox,
    own_item,
    update,
)
from tests.support.calls import assert_refused
from tests.support.rows import rows, set_status
from tests.support.service import NOW, Publisher, RunningService

BOTH = pytest.mark.parametrize("path", [ACCOUNTS, ACCOUNTS_2])
NUMBER, OTHER_NUMBER = "800610-8230", "910820-5205"
OLDER_ADDRESS = {
    "first_name": "Kalle",
    "last_name": "Anka",
    "street": "The Streets",
    "building": "12",
    "country_code": "SE",
    "zip_code": "832 42",
    "city": "Stockholm",
}
ADDRESS = {**OLDER_ADDRESS, "street_number": "12"}
del ADDRESS["building"]


async def _events(publisher: Publisher) -> list[str]:
    """The names of the events since the account was made."""
    return [event for event, _ in await outbox(publisher)][1:]


# Refusals --------------------------------------------------------------------------------------------------


@BOTH
async def test_a_token_with_the_scope_is_needed(publisher: Publisher, path: str) -> None:
    account_id = await created(publisher)
    body, http = {"id": account_id, "first_name": "Kalle"}, publisher.service.http
    assert_refused(await http.put(path, json=body), 401, "invalid_token")
    powerless = await publisher.token("/external/account/r")
    assert_refused(await publisher.put(path, body, powerless), 403, "insufficient_scope")
    assert (await item(publisher, id=account_id))["first_name"] is None


@BOTH
async def test_an_account_that_does_not_exist_is_404(service: RunningService, publisher: Publisher, path: str) -> None:
    theirs = await created(await service.publisher())
    for account_id in (new_id(NOW), theirs):
        refusal = assert_refused(await update(publisher, account_id, path, first_name="x"), 404, "not_found")
        assert refusal["message"] == "account could not be found"


async def test_what_is_no_parameter_is_unknown(publisher: Publisher) -> None:
    account_id = await created(publisher)
    for unknown in ("password", "external_ids", "customer_number", "status", "verified"):
        assert_refused(await update(publisher, account_id, **{unknown: "x"}), 400, "unknown_parameter")
    first = await update(publisher, account_id, ACCOUNTS, tags=["a"], atomic=False)
    assert assert_refused(first, 400, "unknown_parameter")["message"] == "Unknown parameters: tags,atomic"


@pytest.mark.parametrize(
    ("path", "fields", "field", "message"),
    [
        (ACCOUNTS, {"id": None}, "id", "Parameter is required"),
        (ACCOUNTS, {"id": "x"}, "id", "Parameter must match format"),
        (ACCOUNTS, {"email": ""}, "email", "Parameter must match format"),
        (ACCOUNTS, {"mobile_phone_number": ""}, "mobile_phone_number", "Parameter must be at least 10"),
        (ACCOUNTS, {"social_security_number": "198006108230"}, "social_security_number", "Parameter must match format"),
        (ACCOUNTS, {"address": {**OLDER_ADDRESS, "country_code": "NO"}}, "address.country_code", "Parameter must"),
        (ACCOUNTS, {"address": {"street": "x"}}, "address.first_name", "Parameter is required"),
        (ACCOUNTS, {"address": {**OLDER_ADDRESS, "city": None}}, "address.city", "Parameter is required"),
        (ACCOUNTS_2, {"address": {**ADDRESS, "last_name": None}}, "address.last_name", "Parameter is required"),
        (ACCOUNTS_2, {"address": {**ADDRESS, "zip_code": "1.2"}}, "address.zip_code", "Parameter must match format"),
        (ACCOUNTS_2, {"address": {**ADDRESS, "contact_email": "x"}}, "address.contact_email", "Parameter must match"),
        (ACCOUNTS_2, {"address": "__UNSET__"}, "address", "Parameter does not support __UNSET__"),
        (ACCOUNTS_2, {"tags": ["a", 1]}, "tags.1", "Parameter must be a string"),
        (ACCOUNTS_2, {"atomic": "false"}, "atomic", "Parameter must be a boolean"),
        (ACCOUNTS_2, {"first_name": "__UNSET__"}, "first_name", "Parameter does not support __UNSET__"),
        (ACCOUNTS_2, {"email": "__UNSET__"}, "email", "Parameter does not support __UNSET__"),
    ],
)
async def test_wrong_values_are_refused_by_path(
    publisher: Publisher, path: str, fields: dict[str, Any], field: str, message: str
) -> None:
    account_id = await created(publisher)
    response = await publisher.put(path, {"id": account_id, "last_name": "Anka", **fields})
    code = "unset_error" if "__UNSET__" in message else "invalid_parameter"
    assert assert_refused(response, 400, code, field)["message"].startswith(message)
    assert (await item(publisher, id=account_id))["last_name"] is None, "what was right did not change either"


async def test_unknown_members_are_named_by_path(publisher: Publisher) -> None:
    account_id = await created(publisher)
    response = await update(publisher, account_id, address={**ADDRESS, "planet": "x"}, tags=["a"], zz=1)
    assert assert_refused(response, 400, "unknown_parameter")["message"] == "Unknown parameters: address.planet,zz"


@BOTH
async def test_what_another_account_has_is_refused_in_the_documents_order(publisher: Publisher, path: str) -> None:
    await created(publisher, "other@example.com", alias="Other", social_security_number=NUMBER)
    account_id = await created(publisher)
    fields = {"email": "OTHER@example.com", "alias": "Other", "social_security_number": NUMBER}
    for field in list(fields):
        response = await update(publisher, account_id, path, first_name="Kalle", **fields)
        assert assert_refused(response, 409, "already_exists", field)["message"] == "already exists"
        del fields[field]
    account = await item(publisher, id=account_id)
    assert (account["first_name"], account["email"]) == (None, KALLE)


async def test_numbers_in_use_are_limited_per_minute(publisher: Publisher) -> None:
    await created(publisher, "other@example.com", social_security_number=NUMBER)
    account_id = await created(publisher)
    for _ in range(30):
        response = await update(publisher, account_id, social_security_number=NUMBER)
        assert_refused(response, 409, "already_exists", "social_security_number")
    assert_refused(await update(publisher, account_id, social_security_number=NUMBER), 429, "too_many_requests")


async def test_the_audit_has_room_for_some_changes_of_an_account(fresh_url: str, tmp_path: Path) -> None:
    async with RunningService(fresh_url, tmp_path / "stamkund.key", audit_successes_per_hour=3) as service:
        publisher = await service.publisher()
        account_id = await created(publisher)
        for number in range(6):
            assert (await update(publisher, account_id, first_name=str(number))).status_code == 200
        assert await _events(publisher) == ["account_changed"] * 6
    assert await rows(fresh_url, "SELECT count(*) FROM audit WHERE event = 'account_changed'") == [(3,)]


# What changes ----------------------------------------------------------------------------------------------


@BOTH
async def test_only_what_is_sent_changes(publisher: Publisher, path: str) -> None:
    account_id = await created(publisher, first_name="Kalle", last_name="Anka", alias="Kalle123")
    before = await item(publisher, id=account_id)
    response = await update(publisher, account_id, path, first_name="Joakim", last_name=None)
    assert (response.status_code, response.json()) == (200, {"id": account_id})
    assert await item(publisher, id=account_id) == {**before, "first_name": "Joakim"}
    assert await _events(publisher) == ["account_changed"]


@BOTH
async def test_nothing_to_change_is_no_change(publisher: Publisher, path: str) -> None:
    account_id = await created(publisher, first_name="Kalle", alias="a")
    for fields in ({}, {"first_name": "Kalle"}, {"email": KALLE, "alias": "a"}):
        assert (await update(publisher, account_id, path, **fields)).status_code == 200
    assert await _events(publisher) == []


async def test_everything_that_can_be_changed_is_read_again(publisher: Publisher) -> None:
    account_id = await created(publisher)
    fields: dict[str, Any] = {
        "email": "joakim@example.com",
        "first_name": "Joakim",
        "last_name": "von Anka",
        "alias": "x" * 1024,
        "mobile_phone_number": "0701234568",
        "social_security_number": NUMBER,
        "company_registration_number": "1234567-8",
        "company_name": "Ankeborg AB",
    }
    more: dict[str, Any] = {
        "birth_date": "1980-06-10",
        "account_origin": "ADEPRIMO",
        "tags": ["b", "a", "b"],
        "address": ADDRESS,
    }
    assert (await update(publisher, account_id, **fields, **more)).status_code == 200
    account = await item(publisher, social_security_number=NUMBER)
    assert {name: account[name] for name in fields} == fields
    mine = await own_item(publisher, await publisher.reader_token("joakim@example.com"))
    assert (mine["birth_date"], mine["account_origin"], mine["tags"]) == ("1980-06-10", "ADEPRIMO", ["b", "a"])
    assert {name: mine["address"][name] for name in ADDRESS} == ADDRESS
    query = f"SELECT detail FROM audit WHERE event = 'account_changed' AND account = '{account_id}'"
    audit = await rows(publisher.service.settings.database_url, query)
    assert len(audit) == 1 and "@" not in audit[0][0] and "email" in audit[0][0].split()


async def test_unset_empties_what_supports_it(publisher: Publisher) -> None:
    full: dict[str, Any] = {"alias": "a", "tags": ["a"], "mobile_phone_number": "0701234567"}
    full |= {"company_name": "Ankeborg AB", "company_registration_number": "556468-3984"}
    account_id = await created(publisher, **full)
    assert (await update(publisher, account_id, **dict.fromkeys(full, "__UNSET__"))).status_code == 200
    account = await item(publisher, id=account_id)
    assert [account[name] for name in full if name != "tags"] == [None] * 4
    assert (await own_item(publisher, await publisher.reader_token(KALLE)))["tags"] == []
    await created(publisher, "other@example.com", alias="a")


async def test_where_an_account_comes_from_is_set_once(publisher: Publisher) -> None:
    account_id = await created(publisher)
    for origin in ("FIRST", "SECOND"):
        assert (await update(publisher, account_id, account_origin=origin)).status_code == 200
    assert (await own_item(publisher, await publisher.reader_token(KALLE)))["account_origin"] == "FIRST"
    assert await _events(publisher) == ["account_changed"]


async def test_a_birth_date_decides_the_century_of_the_number(publisher: Publisher) -> None:
    account_id = await created(publisher, social_security_number="860101-3348")
    await update(publisher, account_id, birth_date="1886-01-01")
    account = await item(publisher, id=account_id)
    assert (account["social_security_number_century"], account["age"]) == ("188601013348", 140)


async def test_an_address_is_replaced_as_a_whole(publisher: Publisher) -> None:
    """The first version's too; it takes the number of the house as `building`."""
    company = {"company_name": "Herald", "street": "x", "zip_code": "1", "city": "y", "country_code": "NO"}
    account_id = await created(publisher, address={**company, "floor": "3"})
    token = await publisher.reader_token(KALLE)
    assert (await update(publisher, account_id, ACCOUNTS, address=OLDER_ADDRESS)).status_code == 200
    address = (await own_item(publisher, token))["address"]
    assert {k: v for k, v in address.items() if v is not None} == ADDRESS
    both = {**OLDER_ADDRESS, "street_number": "14", "care_of": "Joakim", "citizenship_country_code": "NO"}
    assert (await update(publisher, account_id, ACCOUNTS, address=both)).status_code == 200
    address = (await own_item(publisher, token))["address"]
    assert (address["street_number"], address["care_of"], address["citizenship_country_code"]) == ("14", "Joakim", "NO")


async def test_a_changed_email_is_the_login_at_once_and_ends_no_session(publisher: Publisher) -> None:
    account_id = await created(publisher)
    token = await publisher.reader_token(KALLE)
    assert (await update(publisher, account_id, email="New@example.com")).status_code == 200
    assert (await own_item(publisher, token))["email"] == "New@example.com"
    await publisher.reader_token("new@example.com")
    assert (await publisher.grant("password", username=KALLE, password=PASSWORD)).json()["error"] == "invalid_grant"
    await created(publisher, KALLE)  # it is free again
    assert (await update(publisher, account_id, email="NEW@EXAMPLE.com")).status_code == 200
    assert (await item(publisher, email="new@example.com"))["email"] == "NEW@EXAMPLE.com"


async def test_keys_that_are_given_up_are_free(publisher: Publisher) -> None:
    account_id = await created(publisher, alias="a", social_security_number=NUMBER)
    changed = await update(publisher, account_id, alias="b", social_security_number=OTHER_NUMBER)
    assert changed.status_code == 200
    for key in ({"alias": "a"}, {"social_security_number": NUMBER}):
        assert (await publisher.get(ACCOUNTS, **key)).status_code == 404
    for key in ({"alias": "b"}, {"social_security_number": OTHER_NUMBER}):
        assert (await item(publisher, **key))["id"] == account_id
    await created(publisher, "other@example.com", alias="a", social_security_number=NUMBER)


# Not all or nothing ----------------------------------------------------------------------------------------


async def test_what_is_right_is_saved_on_request(publisher: Publisher) -> None:
    await created(publisher, "other@example.com", alias="Other", social_security_number=NUMBER)
    account_id = await created(publisher)
    response = await update(
        publisher,
        account_id,
        atomic=False,
        email="other@example.com",
        first_name="Kalle",
        last_name="__UNSET__",
        alias="Other",
        mobile_phone_number="1",
        social_security_number=NUMBER,
        address={**ADDRESS, "zip_code": "1.2"},
        tags=["a"],
    )
    assert response.status_code == 200 and list(response.json()) == ["id", "errors"]
    assert [(e["code"], e["field"]) for e in response.json()["errors"]] == [
        ("already_exists", "email"),
        ("unset_error", "last_name"),
        ("already_exists", "alias"),
        ("invalid_parameter", "mobile_phone_number"),
        ("already_exists", "social_security_number"),
        ("invalid_parameter", "address.zip_code"),
    ]
    assert list(response.json()["errors"][0]) == ["code", "field", "message"]
    account = await item(publisher, id=account_id)
    assert (account["first_name"], account["email"], account["alias"]) == ("Kalle", KALLE, None)
    assert (await own_item(publisher, await publisher.reader_token(KALLE)))["tags"] == ["a"]
    assert [event for event, account in await outbox(publisher) if account == account_id][1:] == ["account_changed"]


@pytest.mark.parametrize(("atomic", "keys"), [(True, ["id"]), (None, ["id"]), (False, ["id", "errors"])])
async def test_errors_are_there_only_on_request(publisher: Publisher, atomic: bool | None, keys: list[str]) -> None:
    response = await update(publisher, await created(publisher), first_name="Kalle", atomic=atomic)
    assert response.status_code == 200 and list(response.json()) == keys
    assert response.json().get("errors", []) == []


async def test_an_unknown_account_is_404_in_any_case(publisher: Publisher) -> None:
    assert_refused(await update(publisher, new_id(NOW), atomic=False, first_name="\x00"), 404, "not_found")


# Many at once ----------------------------------------------------------------------------------------------


@pytest.mark.both_engines
async def test_changes_of_different_fields_at_once_all_stay(publisher: Publisher) -> None:
    account_id = await created(publisher)
    token = await publisher.reader_token(KALLE)
    fields: dict[str, Any] = {
        "first_name": "Kalle",
        "last_name": "Anka",
        "alias": "Kalle123",
        "mobile_phone_number": "0701234567",
        "company_name": "Ankeborg AB",
    }
    responses = await asyncio.gather(
        *(update(publisher, account_id, **{name: value}) for name, value in fields.items()),
        publisher.put("/external/api/v3/me", {"address": ADDRESS}, token),
    )
    assert {response.status_code for response in responses} == {200}
    account = await item(publisher, alias="Kalle123")
    assert {name: account[name] for name in fields} == fields
    assert account["address"]["city"] == "Stockholm"
    assert await _events(publisher) == ["account_changed"] * 6


@pytest.mark.both_engines
async def test_an_update_and_an_operator_at_once_both_stay(publisher: Publisher) -> None:
    account_id = await created(publisher)
    accounts, now = publisher.service.store.accounts, publisher.service.clock()
    for round_ in range(5):
        status = (INACTIVE, ACTIVE)[round_ % 2]
        response, _, _ = await asyncio.gather(
            update(publisher, account_id, last_name=f"Anka {round_}"),
            accounts.set_status(publisher.id, account_id, status, "operator", now),
            accounts.set_login(publisher.id, account_id, "operator", now, disabled=round_ % 2 == 0),
        )
        assert response.status_code == 200
        account = await item(publisher, id=account_id)
        assert (account["last_name"], account["status"]) == (f"Anka {round_}", status)
    assert await accounts.set_login(publisher.id, account_id, "operator", now, disabled=True) is True


@pytest.mark.both_engines
async def test_of_updating_and_creating_with_one_email_at_once_one_succeeds(publisher: Publisher) -> None:
    account_id = await created(publisher)
    for round_ in range(5):
        email = f"new{round_}@example.com"
        changed, made = await asyncio.gather(
            update(publisher, account_id, email=email, alias=f"a{round_}"), create(publisher, email.upper())
        )
        assert sorted((changed.status_code, made.status_code)) in ([200, 409], [201, 409])
        account = await item(publisher, id=account_id)
        won = changed.status_code == 200
        assert (account["email"] == email, account["alias"] == f"a{round_}") == (won, won)
        assert (await item(publisher, email=email))["id"] == (account_id if won else made.json()["id"])


@pytest.mark.both_engines
async def test_two_accounts_never_swap_what_only_one_can_have(publisher: Publisher) -> None:
    """Each wants what the other has at that moment: both are refused, or one after the other gets something free."""
    first, second = await created(publisher, "a@example.com"), await created(publisher, "b@example.com")
    for _ in range(5):
        emails = [(await item(publisher, id=one))["email"] for one in (first, second)]
        await asyncio.gather(update(publisher, first, email=emails[1]), update(publisher, second, email=emails[0]))
        now = [(await item(publisher, id=one))["email"] for one in (first, second)]
        assert sorted(now) == sorted(emails), "no e-mail got lost or doubled"


# Accounts that are not active ------------------------------------------------------------------------------


@pytest.fixture
async def blocked(publisher: Publisher) -> tuple[str, str]:
    """The id of an account that nobody may log in to, and an access token from before."""
    account_id = await created(publisher)
    token = await publisher.reader_token(KALLE)
    await publisher.service.store.accounts.set_login(publisher.id, account_id, "operator", NOW, disabled=True)
    return account_id, token


async def test_calls_about_an_account_without_login_work(publisher: Publisher, blocked: tuple[str, str]) -> None:
    account_id, token = blocked
    assert (await update(publisher, account_id, first_name="Kalle")).status_code == 200
    assert (await item(publisher, id=account_id))["first_name"] == "Kalle"
    refusal = await publisher.put("/external/api/v1/me", {"first_name": "x"}, token)
    assert_refused(refusal, 401, "invalid_token")
    response: httpx.Response = await publisher.grant("password", username=KALLE, password=PASSWORD)
    assert response.json()["error"] == "invalid_grant"


async def test_an_archived_account_is_unknown_to_every_call(publisher: Publisher) -> None:
    """Whatever it is still found by."""
    account_id = await created(publisher, alias="Kalle123")
    await set_status(publisher.service.settings.database_url, publisher.id, ARCHIVED)
    queries = [(ACCOUNTS, {"id": account_id}), (ACCOUNTS, {"email": KALLE}), (ACCOUNTS, {"alias": "Kalle123"})]
    queries.append((f"{ACCOUNTS}/active_products", {"account_id": account_id}))
    queries.append((f"{ACCOUNTS}/get_authentication_attempts", {"email": KALLE}))
    for path, query in queries:
        assert_refused(await publisher.get(path, **query), 404, "not_found")
    attempt = {"account_id": account_id, "login_successful": False, "user_agent": "x", "persist": False}
    assert_refused(await publisher.post(f"{ACCOUNTS}/create_authentication_attempt", attempt), 404, "not_found")
    for path in (ACCOUNTS, ACCOUNTS_2):
        assert_refused(await update(publisher, account_id, path, first_name="x"), 404, "not_found")


async def test_login_that_is_enabled_again_works_as_before(publisher: Publisher, blocked: tuple[str, str]) -> None:
    account_id, token = blocked
    await publisher.service.store.accounts.set_login(publisher.id, account_id, "operator", NOW, disabled=False)
    assert (await own_item(publisher, token))["id"] == account_id
