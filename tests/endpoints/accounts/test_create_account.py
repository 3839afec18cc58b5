"""Creating accounts: who may, what is refused, what the account then is, and that of many at once one is made."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest

from stamkund.rules import identifiers
from stamkund.rules.mail import RegisteredAccountConfirmed
from stamkund.rules.organisation import Organisation, Permission
from stamkund.rules.password_rules import PasswordRules
from tests.support.accounts import (
    ACCOUNTS,
    ACCOUNTS_2,
    KALLE,
    ME,
    PASSWORD,
    create,
    created,
    item,
    mails,
    outbox,
    own_item,
    update,
)
from tests.support.calls import assert_refused
from tests.support.service import Publisher, RunningService

BOTH = pytest.mark.parametrize("path", [ACCOUNTS, ACCOUNTS_2])
PERMISSION = Permission("5ba4a64509c04c5ab4000001", "News", "sms")
NUMBER = "800610-8230"
CANDIDATE = "/external/api/v1/accounts/candidate"
ADDRESS = {"company_name": "Herald", "street": "The Streets"}
ADDRESS |= {"zip_code": "832 42", "city": "Umeå", "country_code": "se"}


async def _changed(publisher: Publisher, **changes: Any) -> None:
    """Changes the organisation's settings."""

    def change(before: Organisation | None) -> Organisation:
        assert before is not None
        return msgspec.structs.replace(before, **changes)

    await publisher.service.store.organisations.change(publisher.id, change)


# Refusals --------------------------------------------------------------------------------------------------


@BOTH
async def test_a_token_with_the_scope_is_needed(publisher: Publisher, path: str) -> None:
    body = {"email": KALLE, "password": PASSWORD}
    http = publisher.service.http
    assert_refused(await http.post(path, json=body), 401, "invalid_token")
    powerless = {"authorization": f"Bearer {await publisher.token('/external/account/r')}"}
    assert_refused(await http.post(path, json=body, headers=powerless), 403, "insufficient_scope")
    assert (await publisher.get(ACCOUNTS, email=KALLE)).status_code == 404


@BOTH
async def test_unknown_parameters_are_refused_by_path(publisher: Publisher, path: str) -> None:
    unknown = await create(publisher, path=path, customer_number="1", id="x")
    assert assert_refused(unknown, 400, "unknown_parameter")["message"] == "Unknown parameters: customer_number,id"
    response = await create(publisher, path=path, address={"planet": "x"}, email_2=1)
    named = "address.planet,email_2" if path == ACCOUNTS_2 else "address,email_2"
    assert assert_refused(response, 400, "unknown_parameter")["message"] == f"Unknown parameters: {named}"


@pytest.mark.parametrize(
    ("fields", "path", "message"),
    [
        ({"email": "kalle"}, "email", "Parameter must match format"),
        ({"password": "12345"}, "password", "Parameter must be at least 6 characters"),
        ({"password": None}, "password", "Parameter is required"),
        ({"first_name": "\x00"}, "first_name", "Parameter must not contain control characters"),
        ({"first_name": "__UNSET__"}, "first_name", "Parameter does not support __UNSET__"),
        ({"mobile_phone_number": "50460531"}, "mobile_phone_number", "Parameter must be at least 10 characters"),
        ({"social_security_number": "8006108230"}, "social_security_number", "Parameter must match format"),
        ({"birth_date": "2026-01-16"}, "birth_date", "Parameter must not be in the future"),
        ({"company_registration_number": "1"}, "company_registration_number", "Parameter must match format"),
        ({"external_ids": {}}, "external_ids", "Parameter must have 1 to 20 members"),
        ({"external_ids": {str(n): "x" for n in range(21)}}, "external_ids", "Parameter must have 1 to 20 members"),
        ({"external_ids": {"crm": "x" * 129}}, "external_ids.crm", "Parameter must be at most 128 characters"),
        ({"external_ids": "crm"}, "external_ids", "Parameter must be an object"),
        ({"created_from_source": "short"}, "created_from_source", "Parameter must be at least 6 characters"),
        ({"login_disabled": "true"}, "login_disabled", "Parameter must be a boolean"),
        ({"address": {}}, "address.first_name", "Parameter is required"),
        ({"address": {"company_name": "x"}}, "address.street", "Parameter is required"),
        ({"address": {**ADDRESS, "country_code": "XX"}}, "address.country_code", "Parameter must match format"),
        ({"address": {**ADDRESS, "zip_code": "12345678901"}}, "address.zip_code", "Parameter must be at most 10"),
        ({"address": {**ADDRESS, "city": "__UNSET__"}}, "address.city", "Parameter does not support __UNSET__"),
        ({"tags": ["a", "b", ""]}, "tags.2", "Parameter must be at least 1 characters"),
        ({"tags": ["a"] * 51}, "tags", "Parameter must have at most 50 items"),
        ({"require_verification": 1}, "require_verification", "Parameter must be a boolean"),
        ({"alias": "x" * 1025}, "alias", "Parameter must be at most 1024 characters"),
        ({"marketing_permissions": PERMISSION.id}, "marketing_permissions", "Parameter must hold ids of active"),
    ],
)
async def test_wrong_values_are_refused_by_path(
    publisher: Publisher, fields: dict[str, Any], path: str, message: str
) -> None:
    response = await create(publisher, **{"email": KALLE, **fields})
    code = "unset_error" if "__UNSET__" in message else "invalid_parameter"
    assert assert_refused(response, 400, code, path)["message"].startswith(message)


@BOTH
async def test_an_organisations_rules_for_passwords_hold(publisher: Publisher, path: str) -> None:
    await _changed(publisher, password_rules=PasswordRules(min_length=8, for_api=True))
    for password, message in (("Df7Vdd8", "at least 8"), ("password1", "most common"), ("Kalle-Anka", "own data")):
        body = {"email": KALLE, "password": password, "first_name": "Kalle", "last_name": "Anka"}
        refusal = assert_refused(await publisher.post(path, body), 400, "invalid_parameter", "password")
        assert message in refusal["message"]
    assert (await create(publisher, path=path)).status_code == 201


# What is in use --------------------------------------------------------------------------------------------


async def test_what_another_account_has_is_named_as_it_was_sent(publisher: Publisher) -> None:
    """The first in the order of the documents, whatever else is in use."""
    taken: dict[str, Any] = {"alias": "Kalle", "social_security_number": NUMBER, "external_ids": {"crm": "1"}}
    await created(publisher, **taken)
    other: dict[str, Any] = {**taken, "email": KALLE.upper()}
    for field in ("email", "alias", "social_security_number", "external_ids"):
        refusal = assert_refused(await create(publisher, **other), 409, "already_exists", field)
        assert refusal["message"] == "already exists"
        del other[field]
        other.setdefault("email", "other@example.com")
    assert (await create(publisher, **other)).status_code == 201
    assert len(await outbox(publisher)) == 2, "nothing of a refused call stays"


async def test_another_organisations_values_are_free(service: RunningService, publisher: Publisher) -> None:
    values: dict[str, Any] = {"alias": "Kalle", "social_security_number": NUMBER, "external_ids": {"crm": "1"}}
    await created(await service.publisher(), **values)
    await created(publisher, **values)


async def test_a_customers_number_is_free_until_the_account_is_made(publisher: Publisher) -> None:
    """Then the candidate can't be activated any more."""
    made = await publisher.customer(social_security_number=NUMBER)
    assert (await publisher.get(CANDIDATE, social_security_number=NUMBER)).status_code == 200
    await created(publisher, social_security_number=NUMBER)
    response = await publisher.get(CANDIDATE, social_security_number=NUMBER)
    assert_refused(response, 409, "already_exists", "customer_number/ssn")
    body = {"account_candidate_id": made.id, "email": "ove@example.com", "password": PASSWORD}
    response = await publisher.post("/external/api/v1/account/activate_candidate", body)
    assert_refused(response, 409, "already_exists", "customer_number/ssn")


async def test_an_email_that_a_customer_logs_in_with_is_in_use(publisher: Publisher) -> None:
    """By an imported password: another account must not take the login away."""
    hash_ = await _imported_hash(publisher)
    await publisher.customer(email="Brought@example.com", password_hash=hash_, social_security_number=None)
    assert_refused(await create(publisher, "brought@example.com"), 409, "already_exists", "email")
    account_id = await created(publisher)
    changed = await update(publisher, account_id, email="brought@example.com")
    assert_refused(changed, 409, "already_exists", "email")
    assert (await publisher.grant("password", username="brought@example.com", password=PASSWORD)).status_code == 200


async def _imported_hash(publisher: Publisher) -> str:
    """A hash of the password that every test uses."""
    account_id = await created(publisher, "imported@example.com")
    login = await publisher.service.store.logins.find(publisher.id, identifiers.Identifier("id", account_id))
    assert login is not None and login.hash is not None
    return login.hash


async def test_numbers_in_use_are_limited_per_minute(publisher: Publisher) -> None:
    """Whoever tries who has an account gets no more refusals than the limit says; making accounts costs nothing."""
    await created(publisher, "first@example.com", social_security_number=NUMBER)
    for _ in range(30):
        refusal = await create(publisher, social_security_number=NUMBER)
        assert_refused(refusal, 409, "already_exists", "social_security_number")
    assert_refused(await create(publisher, social_security_number=NUMBER), 429, "too_many_requests")
    assert (await create(publisher, social_security_number="910820-5205")).status_code == 201


# What is made ----------------------------------------------------------------------------------------------


@BOTH
async def test_the_least_that_an_account_needs(publisher: Publisher, path: str) -> None:
    response = await create(publisher, "Kalle@Example.com", path)
    assert response.status_code == 201 and list(response.json()) == ["id"]
    account_id = response.json()["id"]
    account = await item(publisher, email="kalle@example.COM")
    assert (account["id"], account["email"]) == (account_id, "Kalle@Example.com")
    assert (account["status"], account["verified"], account["user_products"]) == ("active", True, [])
    token = await publisher.reader_token("kalle@example.com")
    mine = await own_item(publisher, token, ME)
    assert (mine["tulo_customer_number"], mine["customer_number"]) == ("00001", None)
    assert await outbox(publisher) == [("new_account_registered", account_id)]
    document = await _document(publisher, account_id)
    assert document["created_from_source"] == f"Test {publisher.client.id}"


async def test_everything_that_the_first_version_takes(publisher: Publisher) -> None:
    fields: dict[str, Any] = {
        "first_name": "Kalle",
        "last_name": "Anka",
        "mobile_phone_number": "0701234567",
        "social_security_number": "198006108230",
        "birth_date": "1980-06-10",
        "company_name": "Ankeborg AB",
        "company_registration_number": "1234567-8",
        "account_origin": "ADEPRIMO",
        "external_ids": {"Key 1": "Value 1", "Key 2": "Value 2"},
        "created_from_source": "Campaign in spring",
        "login_disabled": False,
    }
    account_id = await created(publisher, path=ACCOUNTS, **fields)
    account = await item(publisher, external_id_key="Key 2", external_id_value="Value 2")
    assert account["id"] == account_id
    for name in ("first_name", "last_name", "mobile_phone_number", "company_name", "company_registration_number"):
        assert account[name] == fields[name]
    assert account["social_security_number"] == NUMBER
    assert (account["social_security_number_century"], account["gender"], account["age"]) == ("198006108230", "M", 45)
    assert account["identity_mapping"] == [{"key": "Key 1", "value": "Value 1"}, {"key": "Key 2", "value": "Value 2"}]
    mine = await own_item(publisher, await publisher.reader_token(KALLE), ME)
    assert (mine["birth_date"], mine["account_origin"]) == ("1980-06-10", "ADEPRIMO")
    assert (await _document(publisher, account_id))["created_from_source"] == "Campaign in spring"


async def test_what_the_second_version_takes_beside(service: RunningService) -> None:
    publisher = await service.publisher(marketing_permissions=[PERMISSION])
    fields: dict[str, Any] = {
        "alias": "Kalle123",
        "tags": ["foo", "bar", "foo"],
        "marketing_permissions": PERMISSION.id,
    }
    await created(publisher, **fields, address=ADDRESS)
    account = await item(publisher, alias="Kalle123")
    assert account["accepted_marketing_permissions"] == [{"id": PERMISSION.id, "type": "sms"}]
    assert (account["address"]["street"], account["address"]["zip_code"]) == ("The Streets", "832 42")
    assert account["address"]["country_code"] == "SE"
    mine = await own_item(publisher, await publisher.reader_token(KALLE))
    assert mine["tags"] == ["foo", "bar"]
    assert {k: v for k, v in mine["address"].items() if v is not None} == {**ADDRESS, "country_code": "SE"}


async def test_a_twelve_digit_number_decides_the_century(publisher: Publisher) -> None:
    await created(publisher, social_security_number="188601013348")
    account = await item(publisher, social_security_number="860101-3348")
    assert (account["social_security_number_century"], account["age"]) == ("188601013348", 140)


async def test_an_account_that_waits_for_verification_can_not_be_used(publisher: Publisher) -> None:
    account_id = await created(publisher, require_verification=True)
    account = await item(publisher, id=account_id)
    assert (account["status"], account["verified"]) == ("created", False)
    response = await publisher.grant("password", username=KALLE, password=PASSWORD)
    assert response.json()["error"] == "invalid_grant"
    assert await outbox(publisher) == [("new_account_registered", account_id)]


async def test_verification_may_be_switched_off(publisher: Publisher) -> None:
    await _changed(publisher, email_verification=False)
    account_id = await created(publisher, require_verification=True)
    account = await item(publisher, id=account_id)
    assert (account["status"], account["verified"]) == ("active", True)


@BOTH
async def test_login_may_be_disabled_from_the_start(publisher: Publisher, path: str) -> None:
    account_id = await created(publisher, path=path, login_disabled=True)
    response = await publisher.grant("password", username=KALLE, password=PASSWORD)
    assert response.json()["error"] == "invalid_grant"
    assert (await item(publisher, id=account_id))["status"] == "active"
    assert (await update(publisher, account_id, first_name="Kalle")).status_code == 200


async def _document(publisher: Publisher, account_id: str) -> dict[str, Any]:
    login = await publisher.service.store.logins.find(publisher.id, identifiers.Identifier("id", account_id))
    assert login is not None and login.account is not None
    return msgspec.structs.asdict(login.account)


# Many at once ----------------------------------------------------------------------------------------------


@pytest.mark.both_engines
async def test_of_twenty_with_one_email_one_is_made(publisher: Publisher) -> None:
    """In different case; whoever loses leaves nothing."""
    email = "kalle.anka@example.com"
    written = [email[:n].upper() + email[n:] for n in range(20)]
    responses = await asyncio.gather(*(create(publisher, one, social_security_number=NUMBER) for one in written))
    winners = [r for r in responses if r.status_code == 201]
    assert len(winners) == 1
    for response in responses:
        if response not in winners:
            assert_refused(response, 409, "already_exists", "email")
    assert await outbox(publisher) == [("new_account_registered", winners[0].json()["id"])]
    account = await item(publisher, social_security_number=NUMBER)
    assert account["id"] == winners[0].json()["id"] and account["email"] in written


@pytest.mark.both_engines
async def test_of_creating_and_activating_with_one_number_at_once_one_succeeds(publisher: Publisher) -> None:
    made = await publisher.customer(social_security_number=NUMBER)
    body = {"account_candidate_id": made.id, "email": "ove@example.com", "password": PASSWORD}
    activated, account = await asyncio.gather(
        publisher.post("/external/api/v1/account/activate_candidate", body),
        create(publisher, social_security_number=NUMBER),
    )
    assert sorted((activated.status_code, account.status_code)) == [201, 409]
    assert len(await outbox(publisher)) == 1


# The mail of welcome ---------------------------------------------------------------------------------------


@BOTH
async def test_the_reader_is_told(publisher: Publisher, path: str) -> None:
    """With the account, in its transaction: where to log in."""
    await created(publisher, path=path, first_name="Kalle")
    [mail] = await mails(publisher)
    url = f"{publisher.service.url}/login?oid={publisher.id}"
    assert (mail.address, mail.values) == (KALLE, RegisteredAccountConfirmed(url, "Kalle"))
    await create(publisher, path=path)
    assert len(await mails(publisher)) == 1, "nothing of a refused call stays"


async def test_who_waits_for_verification_is_not_welcome_yet(publisher: Publisher) -> None:
    await created(publisher, path=ACCOUNTS_2, require_verification=True)
    assert await mails(publisher) == []
