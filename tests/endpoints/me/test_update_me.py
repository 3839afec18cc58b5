"""The reader's own account: updating it in both versions, and the version of `/me` that shows the whole address."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.support.accounts import KALLE, ME, ME_3, create, created, item, outbox, own_item, update
from tests.support.calls import assert_refused
from tests.support.service import Publisher

BOTH = pytest.mark.parametrize("path", [ME, ME_3])
NUMBER = "800610-8230"
ADDRESS = {"street": "The Streets", "zip_code": "832 42", "city": "Stockholm", "country_code": "SE"}
NAMES = {"first_name": "Kalle", "last_name": "Anka"}


async def _reader(publisher: Publisher, **fields: Any) -> str:
    """The access token of a new reader."""
    await created(publisher, **fields)
    return await publisher.reader_token(KALLE)


@BOTH
async def test_a_token_with_scope_and_identity_is_needed(publisher: Publisher, path: str) -> None:
    assert_refused(await publisher.service.http.put(path, json={}), 401, "invalid_token")
    assert_refused(await publisher.put(path, {}), 403, "identity_required")
    await _reader(publisher)
    powerless = await publisher.reader_token(KALLE, scope="/external/account/r")
    assert_refused(await publisher.put(path, {}, powerless), 403, "insufficient_scope")


@pytest.mark.parametrize(
    ("path", "body", "named"),
    [
        (ME, {"id": "x", "email": KALLE, "company_name": "x", "tags": []}, "id,email,company_name,tags"),
        (ME_3, {"id": "x", "email": KALLE, "tags": [], "atomic": False}, "id,email,tags,atomic"),
        (ME, {"address": {"company_name": "x"}}, "address.company_name"),
        (ME_3, {"address": {"building": "x"}}, "address.building"),
    ],
)
async def test_each_version_takes_its_own_parameters(
    publisher: Publisher, path: str, body: dict[str, Any], named: str
) -> None:
    response = await publisher.put(path, body, await _reader(publisher))
    assert assert_refused(response, 400, "unknown_parameter")["message"] == f"Unknown parameters: {named}"


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        (ME, {"address": {**NAMES, **ADDRESS, "country_code": "NO"}}, "address.country_code"),
        (ME, {"address": ADDRESS}, "address.first_name"),
        (ME_3, {"address": ADDRESS}, "address.first_name"),
        (ME_3, {"mobile_phone_number": "1"}, "mobile_phone_number"),
    ],
)
async def test_wrong_values_are_refused_by_path(
    publisher: Publisher, path: str, body: dict[str, Any], field: str
) -> None:
    token = await _reader(publisher)
    assert_refused(await publisher.put(path, {**body, "last_name": "x"}, token), 400, "invalid_parameter", field)
    assert (await own_item(publisher, token))["last_name"] is None


@BOTH
async def test_what_another_account_has_is_refused(publisher: Publisher, path: str) -> None:
    await created(publisher, "other@example.com", alias="Other", social_security_number=NUMBER)
    token = await _reader(publisher)
    for body in ({"alias": "Other"}, {"social_security_number": NUMBER}):
        (field,) = body
        assert_refused(await publisher.put(path, body, token), 409, "already_exists", field)


@BOTH
async def test_what_a_reader_changes_every_call_shows(publisher: Publisher, path: str) -> None:
    token = await _reader(publisher)
    fields: dict[str, Any] = {
        **NAMES,
        "alias": "Kalle123",
        "mobile_phone_number": "0701234567",
        "social_security_number": NUMBER,
        "company_registration_number": "556468-3984",
    }
    more = {"birth_date": "1980-06-10", "account_origin": "ADEPRIMO", "address": {**NAMES, **ADDRESS}}
    if path == ME_3:
        fields["company_name"] = "Ankeborg AB"
    response = await publisher.put(path, {**fields, **more}, token)
    account = await item(publisher, alias="Kalle123")
    assert (response.status_code, response.json()) == (200, {"id": account["id"]})
    assert {name: account[name] for name in fields} == fields
    mine, mine_3 = await own_item(publisher, token, ME), await own_item(publisher, token)
    for own in (mine, mine_3):
        assert (own["birth_date"], own["account_origin"]) == ("1980-06-10", "ADEPRIMO")
        assert own["address"]["zip_code"] == account["address"]["zip_code"] == "832 42"
    assert [event for event, _ in await outbox(publisher)] == ["new_account_registered", "account_changed"]


@BOTH
async def test_a_reader_may_empty_what_supports_it(publisher: Publisher, path: str) -> None:
    token = await _reader(publisher, alias="a", mobile_phone_number="0701234567")
    body = {"alias": "__UNSET__", "mobile_phone_number": "__UNSET__"}
    assert (await publisher.put(path, body, token)).status_code == 200
    mine = await own_item(publisher, token)
    assert (mine["alias"], mine["mobile_phone_number"]) == (None, None)
    refusal = await publisher.put(path, {"first_name": "__UNSET__"}, token)
    assert_refused(refusal, 400, "unset_error", "first_name")
    assert (await create(publisher, "other@example.com", alias="a")).status_code == 201


async def test_readers_do_not_change_their_accounts_without_end(publisher: Publisher) -> None:
    """Each change is an event for other systems. Clients still may, and so may other readers."""
    token = await _reader(publisher)
    other_id = await created(publisher, "other@example.com")
    requests = [publisher.put((ME, ME_3)[n % 2], {"first_name": str(n)}, token) for n in range(121)]
    statuses = sorted(response.status_code for response in await asyncio.gather(*requests))
    assert statuses == [200] * 120 + [429]
    account_id = (await own_item(publisher, token))["id"]
    assert (await update(publisher, account_id, first_name="Kalle")).status_code == 200
    other = await publisher.reader_token("other@example.com")
    assert (await publisher.put(ME, {"first_name": "x"}, other)).json() == {"id": other_id}
