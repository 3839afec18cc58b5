"""The documents' own examples as tests: the request in, the response key by key in the documents' order."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from stamkund.rules.account import ExternalId
from stamkund.rules.customer import Subscription
from stamkund.rules.organisation import Permission
from tests.support.service import Publisher, RunningService

CANDIDATE = "/external/api/v1/accounts/candidate"
ACTIVATE = "/external/api/v1/account/activate_candidate"
ACCOUNTS = "/external/api/v1/accounts"
ME = "/external/api/v1/me"

ADDRESS_KEYS = ["first_name", "last_name", "street", "street_number", "staircase", "floor", "apartment_number"]
ADDRESS_KEYS += ["zip_code", "city", "drop_box"]
PERMISSION = Permission("5ba4a64509c04c5ab4000001", "News", "sms")


def utc(year: int, month: int, day: int, hour: int = 0, minute: int = 0, second: int = 0) -> int:
    return int(datetime(year, month, day, hour, minute, second, tzinfo=UTC).timestamp())


async def test_get_candidate_as_documented(publisher: Publisher) -> None:
    """Get account candidate: found by social security number and zip code."""
    subscription = Subscription("585a4768edce2c5e6f000003", "product code", valid_to=utc(2026, 8, 2, 11))
    made = await publisher.customer(email="", subscriptions=[subscription])
    response = await publisher.get(CANDIDATE, social_security_number="620817-9256", zip_code="43921")
    assert response.status_code == 200
    assert list(response.json()["item"].items()) == [
        ("account_candidate_id", made.id),
        ("email", ""),
        ("first_name", "Ove"),
        ("last_name", "Ovesson"),
        ("mobile_phone_number", "0701234567"),
        ("social_security_number", "620817-9256"),
        ("customer_number", "100001"),
        ("zip_code", "43921"),
        ("products", [{"product_code": "product code", "valid_to": "2026-08-02T13:00:00+02:00"}]),
    ]
    assert response.headers["cache-control"] == "no-store"


async def test_candidate_error_as_documented(publisher: Publisher) -> None:
    response = await publisher.get(CANDIDATE, social_security_number="6208179256")
    assert response.status_code == 400
    assert list(response.json().items()) == [
        ("code", "invalid_parameter"),
        ("field", "social_security_number"),
        ("message", "Parameter must match format (/^[0-9]{6}-[0-9]{4}$/)"),
    ]


async def test_activation_minimal_as_documented(publisher: Publisher) -> None:
    made = await publisher.customer()
    body = {"account_candidate_id": made.id, "email": "test@example.com", "password": "Df7Vdd8!!vnM"}
    response = await publisher.post(ACTIVATE, body)
    assert response.status_code == 201
    assert list(response.json()) == ["id"]
    assert len(response.json()["id"]) == 24


@pytest.mark.parametrize("path", [ACTIVATE, "/external/api/v1/accounts/activate_candidate"])
async def test_activation_complete_as_documented(service: RunningService, path: str) -> None:
    publisher = await service.publisher(marketing_permissions=[PERMISSION])
    made = await publisher.customer(social_security_number=None)
    body = {
        "account_candidate_id": made.id.upper(),
        "email": "Test@Example.com",
        "password": "Df7Vdd8!!vnM",
        "first_name": "Åke",
        "last_name": "Åkesson",
        "mobile_phone_number": "0701234568",
        "social_security_number": "620817-9256",
        "company_registration_number": "556468-3984",
        "customer_number": "100001",
        "account_origin": "ADEPRIMO",
        "birth_date": "1999-05-14",
        "alias": "Oves Alias",
        "marketing_permissions": PERMISSION.id,
    }
    response = await publisher.post(path, body)
    assert response.status_code == 201, response.text
    item = (await publisher.get(ACCOUNTS, email="test@example.com")).json()["item"]
    echoed = {name: item[name] for name in body if name in item}
    del body["account_candidate_id"], body["password"], body["account_origin"], body["birth_date"]
    del body["marketing_permissions"]
    assert echoed == body
    assert item["accepted_marketing_permissions"] == [{"id": PERMISSION.id, "type": "sms"}]
    assert item["status"] == "active"
    assert item["verified"] is True


async def test_activation_conflict_as_documented(publisher: Publisher) -> None:
    await publisher.activated()
    candidate = await publisher.get(CANDIDATE, customer_number="100001", zip_code="43921")
    assert candidate.status_code == 409
    assert list(candidate.json().items()) == [
        ("code", "already_exists"),
        ("field", "customer_number/ssn"),
        ("message", "already exists with email"),
    ]


async def test_get_account_as_documented(service: RunningService) -> None:
    """Get account (/accounts): every key of the document, in its order."""
    publisher = await service.publisher(marketing_permissions=[PERMISSION])
    subscription = Subscription(
        "585a4768edce2c5e6f000003",
        "package_code",
        "TITLE_CODE",
        utc(2025, 12, 20, 9, 12, 8),
        utc(2026, 12, 22, 9, 12, 8),
        "12345",
        "limited",
        provision_service="kayak",
        external_start_date=utc(2025, 12, 20, 9, 12, 8),
    )
    made = await publisher.customer(
        "12345",
        social_security_number="800610-8230",
        identity_mapping=[ExternalId("Key 1", "Value 1"), ExternalId("Key 2", "Value 2")],
        subscriptions=[subscription],
    )
    body = {
        "account_candidate_id": made.id,
        "email": "user@example.com",
        "password": "Df7Vdd8!!vnM",
        "alias": "Kalle123",
        "marketing_permissions": PERMISSION.id,
    }
    account_id = (await publisher.post(ACTIVATE, body)).json()["id"]
    response = await publisher.get(ACCOUNTS, customer_number="12345")
    assert response.status_code == 200
    item = response.json()["item"]
    address: dict[str, str | None] = dict(
        zip(ADDRESS_KEYS, ["Ove", "Ovesson", "The Streets", "12", "A", "3", "13", "43921"], strict=False)
    )
    address |= {"city": "Stockholm", "drop_box": None, "country_code": "SE"}
    expected = {
        "id": account_id,
        "email": "user@example.com",
        "status": "active",
        "verified": True,
        "customer_number": "12345",
        "first_name": "Ove",
        "last_name": "Ovesson",
        "mobile_phone_number": "0701234567",
        "social_security_number": "800610-8230",
        "social_security_number_century": "198006108230",
        "age": 45,
        "gender": "M",
        "company_registration_number": None,
        "company_name": None,
        "alias": "Kalle123",
        "address": address,
        "identity_mapping": [{"key": "Key 1", "value": "Value 1"}, {"key": "Key 2", "value": "Value 2"}],
        "user_products": [
            {
                "id": "585a4768edce2c5e6f000003",
                "created": "2026-01-15T13:00:00+01:00",
                "updated": "2026-01-15T13:00:00+01:00",
                "product_code": "package_code",
                "title_code": "TITLE_CODE",
                "valid_from": "2025-12-20T10:12:08+01:00",
                "valid_to": "2026-12-22T10:12:08+01:00",
                "provision_service": "kayak",
                "subscription_type": "limited",
                "subscription_number": "12345",
                "state": "activated",
                "has_pending_change_request": False,
                "campaign_end_date": None,
                "subscription_end_date": "2026-12-22T10:12:08+01:00",
                "external_start_date": "2025-12-20T10:12:08+01:00",
            }
        ],
        "accepted_marketing_permissions": [{"id": PERMISSION.id, "type": "sms"}],
    }
    assert json.dumps(item) == json.dumps(expected)


async def test_get_me_as_documented(publisher: Publisher) -> None:
    """Get account (/me): its own keys and order, with and without a trailing slash."""
    account_id = await publisher.activated("reader@example.com", social_security_number="800610-8230")
    token = await publisher.reader_token("reader@example.com")
    responses = [
        await publisher.service.http.get(path, headers={"authorization": f"bearer {token}"}) for path in (ME, f"{ME}/")
    ]
    assert responses[0].json() == responses[1].json()
    item = responses[0].json()["item"]
    product = item["user_products"][0]
    address: dict[str, str | None] = dict(
        zip(ADDRESS_KEYS, ["Ove", "Ovesson", "The Streets", "12", "A", "3", "13", "43921"], strict=False)
    )
    expected = {
        "id": account_id,
        "email": "reader@example.com",
        "status": "active",
        "verified": True,
        "customer_number": "100001",
        "tulo_customer_number": "00001",
        "first_name": "Ove",
        "last_name": "Ovesson",
        "mobile_phone_number": "0701234567",
        "birth_date": "1980-06-10",
        "social_security_number": "800610-8230",
        "social_security_number_century": "198006108230",
        "age": 45,
        "gender": "M",
        "company_registration_number": None,
        "alias": None,
        "account_origin": None,
        "address": address | {"city": "Stockholm", "drop_box": None},
        "user_products": [
            {
                "id": product["id"],
                "order_id": None,
                "created": "2026-01-15T13:00:00+01:00",
                "updated": "2026-01-15T13:00:00+01:00",
                "product_code": "package_code",
                "title_code": "TITLE_CODE",
                "valid_from": "2025-12-16T13:00:00+01:00",
                "valid_to": "2026-02-14T13:00:00+01:00",
                "provision_service": "tulo",
                "subscription_type": "recurring",
                "subscription_number": "12345",
                "state": "activated",
            }
        ],
        "identity_mapping": [],
        "accepted_marketing_permissions": [],
    }
    assert json.dumps(item) == json.dumps(expected)


PAYWAY_ADDRESS_KEYS = ["first_name", "last_name", "company_name", "company_department", "company_reference"]
PAYWAY_ADDRESS_KEYS += ["company_crn", "company_vat_number", "care_of", "street", "street_number", "staircase"]
PAYWAY_ADDRESS_KEYS += ["floor", "apartment", "apartment_number", "zip_code", "city", "country_code"]
PAYWAY_ADDRESS_KEYS += ["citizenship_country_code", "drop_box", "mobile_number", "phone_number", "contact_email"]


async def test_get_me_version_3_as_documented(publisher: Publisher) -> None:
    """As the first version, but for the whole address, tags, and what user products say of their end."""
    account_id = await publisher.activated("reader@example.com", social_security_number="800610-8230")
    token = await publisher.reader_token("reader@example.com")
    address = {name: f"{place}" for place, name in enumerate(PAYWAY_ADDRESS_KEYS)}
    address |= {"country_code": "NO", "citizenship_country_code": "SE", "contact_email": "home@example.com"}
    changed = await publisher.put("/external/api/v3/me", {"address": address}, token)
    assert (changed.status_code, changed.json()) == (200, {"id": account_id})
    await publisher.put("/external/api/v2/accounts", {"id": account_id, "tags": ["foo", "bar"]})
    bearer = {"authorization": f"Bearer {token}"}
    older = (await publisher.service.http.get(ME, headers=bearer)).json()["item"]
    item = (await publisher.service.http.get("/external/api/v3/me", headers=bearer)).json()["item"]
    expected: dict[str, object] = {}
    for name, value in older.items():
        expected[name] = value
        if name == "account_origin":
            expected["tags"] = ["foo", "bar"]
    del expected["tulo_customer_number"]
    expected["address"] = address
    ends = {"has_pending_change_request": False, "campaign_end_date": None, "subscription_end_date": None}
    expected["user_products"] = [{**older["user_products"][0], **ends}]
    assert json.dumps(item) == json.dumps(expected)
    assert list(older["address"]) == ADDRESS_KEYS and older["address"]["street"] == address["street"]


@pytest.mark.parametrize("version", ["v1", "v2"])
async def test_creating_and_updating_as_documented(publisher: Publisher, version: str) -> None:
    """The pages show no responses: those are as for the calls beside them."""
    path = f"/external/api/{version}/accounts"
    made = await publisher.post(path, {"email": "test@example.com", "password": "Df7Vdd8!!vnM"})
    assert made.status_code == 201 and list(made.json()) == ["id"]
    account_id = made.json()["id"]
    changed = await publisher.put(path, {"id": account_id, "alias": "Kalle123"})
    assert (changed.status_code, changed.json()) == (200, {"id": account_id})
    emptied = await publisher.put(path, {"id": account_id, "alias": "__UNSET__"})
    assert (emptied.status_code, emptied.json()) == (200, {"id": account_id})
    assert (await publisher.get(ACCOUNTS, id=account_id)).json()["item"]["alias"] is None
    again = await publisher.post(path, {"email": "Test@Example.com", "password": "Df7Vdd8!!vnM"})
    assert again.status_code == 409
    assert list(again.json().items()) == [
        ("code", "already_exists"),
        ("field", "email"),
        ("message", "already exists"),
    ]


async def test_unknown_parameters_are_named_as_documented(publisher: Publisher) -> None:
    response = await publisher.get(
        ACCOUNTS, unknown_api_parameter_1="a", email="test@example.com", unknown_api_parameter_2="b"
    )
    assert response.status_code == 400
    assert response.json() == {
        "code": "unknown_parameter",
        "message": "Unknown parameters: unknown_api_parameter_1,unknown_api_parameter_2",
    }


async def test_every_documented_key_finds_the_account(publisher: Publisher) -> None:
    account_id = await publisher.activated(
        "find.me@example.com", identity_mapping=[ExternalId("crm", "a/b&c=å")], social_security_number="910820-5205"
    )
    keys: list[dict[str, str]] = [
        {"id": account_id},
        {"id": account_id.upper()},
        {"email": "Find.Me@EXAMPLE.com"},
        {"social_security_number": "910820-5205"},
        {"customer_number": "100001"},
        {"external_id_key": "crm", "external_id_value": "a/b&c=å"},
        {"tulo_customer_number": "00001"},
    ]
    responses = [await publisher.get(ACCOUNTS, **key) for key in keys]
    assert [r.status_code for r in responses] == [200] * len(keys)
    assert {r.json()["item"]["id"] for r in responses} == {account_id}
