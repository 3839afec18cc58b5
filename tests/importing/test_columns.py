"""What a row says becomes what is stored: every column, in both formats; what it does not say stays."""

from __future__ import annotations

from datetime import date
from typing import Any

import msgspec
import pytest

from stamkund.rules import identifiers
from stamkund.rules.account import Address, ExternalId
from tests.importing.conftest import NOW, Publisher

BCRYPT = "$2b$12$CauCJVLA.NTgR4TsdABCR.vv.gJZW1G6ApYdPUevqxnJYXMPHBYEG"
ADDRESS = {
    "first_name": "Ove",
    "last_name": "Ovesson",
    "street": "Storgatan",
    "street_number": "1",
    "staircase": "B",
    "floor": "3",
    "apartment_number": "1301",
    "zip_code": "439 21",
    "city": "Kungsbacka",
    "drop_box": "Box 7",
    "country_code": "SE",
}
PLAIN = {
    "customer_number": "A-100_1",
    "social_security_number": "620817-9256",
    "email": "Ove.Ovesson@example.com",
    "first_name": "Ove",
    "last_name": "Ovesson",
    "mobile_phone_number": "+46 70-123 45 67",
    "zip_code": "439 21",
    "birth_date": "1962-08-17",
    "company_name": "Ovessons Åkeri AB",
    "company_registration_number": "SE 556468-3984",
    "password_hash": BCRYPT,
}
SUBSCRIPTION = {
    "package_code": "total+",
    "title_code": "KP",
    "valid_from": "2020-01-01",
    "valid_to": "2026-10-02 13:00 +0100",
    "subscription_number": "S 1/2",
    "subscription_type": "limited",
    "state": "cancelled",
    "provision_service": "kayak",
    "external_start_date": "2019-12-24T12:00:00",
}
JSON_ROW = {
    **PLAIN,
    "address": ADDRESS,
    "identity_mapping": [{"key": "crm", "value": "17"}, {"key": "shop", "value": "x y"}],
    "subscriptions": [SUBSCRIPTION],
}


def csv_of(rows: list[dict[str, Any]], delimiter: str = ";") -> str:
    lines = [list(rows[0]), *(list(row.values()) for row in rows)]
    return "".join(delimiter.join(line) + "\n" for line in lines)


async def read_json(publisher: Publisher) -> None:
    summary, bad = await publisher.rows(JSON_ROW)
    assert (summary.created, bad) == (1, [])


async def read_csv(publisher: Publisher) -> None:
    row = PLAIN | {f"address.{key}": value for key, value in ADDRESS.items()}
    row |= {"identity_mapping.crm": "17", "identity_mapping.shop": "x y"}
    lines = csv_of([{"customer_number": "A-100_1", **SUBSCRIPTION}])
    summary, bad = await publisher.csv(csv_of([row]), lines)
    assert (summary.created, bad) == (1, [])


@pytest.mark.parametrize("read", [read_json, read_csv])
@pytest.mark.both_engines
async def test_every_column_is_stored(publisher: Publisher, read: Any) -> None:
    await read(publisher)
    customer = await publisher.existing_customer("A-100_1")
    number = customer.social_security_number
    assert number is not None and number.twelve == "196208179256"
    assert msgspec.structs.asdict(customer) == {
        **PLAIN,
        "id": customer.id,
        "created": NOW,
        "updated": NOW,
        "social_security_number": number,
        "birth_date": date(1962, 8, 17),
        "address": Address(**ADDRESS),
        "identity_mapping": [ExternalId("crm", "17"), ExternalId("shop", "x y")],
        "subscriptions": customer.subscriptions,
    }
    assert msgspec.structs.asdict(customer.subscriptions[0]) == {
        **SUBSCRIPTION,
        "id": customer.subscriptions[0].id,
        "valid_from": 1_577_833_200,  # midnight in Stockholm
        "valid_to": 1_790_942_400,
        "external_start_date": 1_577_185_200,
    }


@pytest.mark.both_engines
async def test_a_customer_is_found_by_all_that_it_has(publisher: Publisher) -> None:
    await read_json(publisher)
    key = publisher.vault.number_lookup_hash(publisher.organisation.id, "620817-9256")
    for identifier in (
        identifiers.Identifier(identifiers.PERSON_NUMBER, key),
        identifiers.external_id("crm", "17"),
        identifiers.email("ove.ovesson@EXAMPLE.com"),
    ):
        customer = await publisher.find(identifier)
        assert customer is not None and customer.customer_number == "A-100_1"


async def test_what_a_row_does_not_say_stays(publisher: Publisher) -> None:
    await read_json(publisher)
    before = await publisher.existing_customer("A-100_1")
    assert (await publisher.rows({"customer_number": "A-100_1"}))[0].unchanged == 1
    assert (await publisher.csv("customer_number\nA-100_1\n"))[0].unchanged == 1
    await publisher.rows({"customer_number": "A-100_1", "address": {"floor": "4"}, "zip_code": "43922"}, now=NOW + 1)
    after = await publisher.existing_customer("A-100_1")
    assert after.address == msgspec.structs.replace(before.address, floor="4")
    assert after == msgspec.structs.replace(before, address=after.address, zip_code="43922", updated=NOW + 1)


async def test_null_and_empty_clear(publisher: Publisher) -> None:
    await read_json(publisher)
    cleared: dict[str, Any] = dict.fromkeys(JSON_ROW)
    await publisher.rows(cleared | {"customer_number": "A-100_1"}, now=NOW + 1)
    after = await publisher.existing_customer("A-100_1")
    assert [s.state for s in after.subscriptions] == ["deactivated"]
    assert msgspec.json.decode(msgspec.json.encode(msgspec.structs.replace(after, subscriptions=[]))) == {
        "id": after.id,
        "customer_number": "A-100_1",
        "created": NOW,
        "updated": NOW + 1,
        "address": {},
    }


async def test_empty_clears_in_csv_what_the_file_has_columns_for(publisher: Publisher) -> None:
    await read_json(publisher)
    await publisher.csv("customer_number,first_name,address.city,identity_mapping.crm\nA-100_1,,,\n")
    after = await publisher.existing_customer("A-100_1")
    assert (after.first_name, after.last_name) == (None, "Ovesson")
    assert (after.address.city, after.address.street) == (None, "Storgatan")
    assert after.identity_mapping == [ExternalId("shop", "x y")]


async def test_an_external_id_column_sets_its_key_alone(publisher: Publisher) -> None:
    await read_json(publisher)
    await publisher.csv("customer_number,identity_mapping.crm,identity_mapping.new\nA-100_1,18,19\n")
    after = await publisher.existing_customer("A-100_1")
    assert after.identity_mapping == [ExternalId("shop", "x y"), ExternalId("crm", "18"), ExternalId("new", "19")]


@pytest.mark.parametrize(
    "mapping",
    [
        [{"key": "app", "value": "9"}, {"key": "crm", "value": "x" * 200}],
        [{"key": "app", "value": "9"}, {"key": "crm", "value": ["7"]}],
        {"app": "9", "crm": "x" * 200},
    ],
)
async def test_an_external_id_that_can_not_be_used_leaves_the_stored_one(publisher: Publisher, mapping: Any) -> None:
    await publisher.rows({"customer_number": "1", "identity_mapping": {"crm": "7", "app": "8"}})
    summary, bad = await publisher.rows({"customer_number": "1", "identity_mapping": mapping})
    assert (summary.updated, summary.remarks, bad) == (1, 1, [])
    stored = (await publisher.existing_customer("1")).identity_mapping
    assert {(one.key, one.value) for one in stored} == {("crm", "7"), ("app", "9")}


async def test_external_ids_in_json_are_the_full_list(publisher: Publisher) -> None:
    await read_json(publisher)
    same = {"shop": "x y", "crm": "17", "none": None}
    summary, _ = await publisher.rows({"customer_number": "A-100_1", "identity_mapping": same})
    assert summary.unchanged == 1
    pair = {"key": "crm", "value": "18"}
    await publisher.rows({"customer_number": "A-100_1", "identity_mapping": [pair, pair]})
    assert (await publisher.existing_customer("A-100_1")).identity_mapping == [ExternalId("crm", "18")]
    assert await publisher.find(identifiers.external_id("shop", "x y")) is None


@pytest.mark.parametrize(
    ("text", "timestamp"),
    [
        ("2026-01-01T00:00", 1_767_222_000),
        ("2026-01-01 00:00:00", 1_767_222_000),
        ("2025-12-31T23:00:00Z", 1_767_222_000),
        ("2025-12-31T23:00:00.999+00:00", 1_767_222_000),
        ("2026-01-01 00:00 +0100", 1_767_222_000),
        ("2026-01-01T00:00:00+01", 1_767_222_000),
        ("2026-07-01 00:00", 1_782_856_800),
    ],
)
async def test_moments(publisher: Publisher, text: str, timestamp: int) -> None:
    row = {"customer_number": "1", "subscriptions": [{"package_code": "p", "valid_to": text}]}
    _, bad = await publisher.rows(row)
    assert bad == []
    assert (await publisher.existing_customer("1")).subscriptions[0].valid_to == timestamp


async def test_moments_are_local_to_the_organisation(publisher: Publisher) -> None:
    publisher.organisation.timezone = "Europe/Helsinki"
    await publisher.rows(
        {"customer_number": "1", "subscriptions": [{"package_code": "p", "valid_to": "2026-01-01T00:00"}]}
    )
    assert (await publisher.existing_customer("1")).subscriptions[0].valid_to == 1_767_222_000 - 3600


class TestCentury:
    """Twelve digits decide; else the birth date; else the most recent date that is not in the future."""

    @pytest.mark.parametrize(
        ("row", "twelve"),
        [
            ({"social_security_number": "800610-8230"}, "198006108230"),
            ({"social_security_number": "8006108230"}, "198006108230"),
            ({"social_security_number": "19800610-8230"}, "198006108230"),
            ({"social_security_number": "188006108230"}, "188006108230"),
            ({"social_security_number": "800610-8230", "birth_date": "1880-06-10"}, "188006108230"),
            ({"social_security_number": "198006108230", "birth_date": "1880-06-10"}, "198006108230"),
            ({"social_security_number": "800610-8230", "birth_date": "1979-01-01"}, "198006108230"),
            ({"social_security_number": "123499-0000"}, None),
        ],
    )
    async def test_of_a_new_number(self, publisher: Publisher, row: dict[str, str], twelve: str | None) -> None:
        _, bad = await publisher.rows({"customer_number": "1", **row})
        number = (await publisher.existing_customer("1")).social_security_number
        assert bad == [] and number is not None and number.twelve == twelve

    @pytest.mark.parametrize(
        ("first", "then", "twelve"),
        [
            ({"social_security_number": "188006108230"}, {"social_security_number": "800610-8230"}, "188006108230"),
            ({"birth_date": "1880-06-10"}, {"social_security_number": "800610-8230"}, "188006108230"),
            (
                {"social_security_number": "188006108230"},
                {"social_security_number": "198006108230"},
                "198006108230",
            ),
            (
                {"social_security_number": "800610-8230"},
                {"social_security_number": "800610-8230", "birth_date": "1880-06-10"},
                "188006108230",
            ),
            (
                {"social_security_number": "188006108230"},
                {"social_security_number": "860101-3348", "birth_date": None},
                "198601013348",
            ),
        ],
    )
    async def test_of_a_number_that_comes_again(
        self, publisher: Publisher, first: dict[str, str], then: dict[str, str | None], twelve: str
    ) -> None:
        await publisher.rows({"customer_number": "1", **first})
        await publisher.rows({"customer_number": "1", **then})
        number = (await publisher.existing_customer("1")).social_security_number
        assert number is not None and number.twelve == twelve
        assert (await publisher.rows({"customer_number": "1", **then}))[0].unchanged == 1


async def test_a_customer_with_a_password_can_log_in_until_there_is_an_account(publisher: Publisher) -> None:
    await publisher.rows(PLAIN)
    login = await publisher.store.logins.find(publisher.organisation.id, identifiers.email("ove.ovesson@example.com"))
    assert login is not None and login.customer is not None
    assert (login.customer.customer_number, login.hash) == ("A-100_1", BCRYPT)
    await publisher.activate("A-100_1", "ove.ovesson@example.com")
    await publisher.rows(PLAIN | {"first_name": "Ny"})
    login = await publisher.store.logins.find(publisher.organisation.id, identifiers.email("ove.ovesson@example.com"))
    assert login is not None and login.account is not None and login.hash == "hash"
