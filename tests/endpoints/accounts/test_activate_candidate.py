"""Activating a candidate: who may become an account, what it then is, and what of it changes with the clock."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, NamedTuple

import httpx
import msgspec
import pytest

from stamkund.endpoints.accounts import (
    activate_candidate as activation,
)
from stamkund.endpoints.accounts import (
    get_account as account,
)
from stamkund.endpoints.accounts import (
    get_candidate as candidate,
)
from stamkund.rules import person_number
from stamkund.rules.account import Address, ExternalId
from stamkund.rules.customer import Customer, Subscription
from stamkund.rules.ids import new_id
from stamkund.rules.organisation import Permission
from stamkund.store import CustomerChange
from tests.support.calls import assert_refused
from tests.support.service import NOW, Publisher, RunningService

ACTIVATE = activation.activate_candidate.paths[0]
ACCOUNTS = account.get_account.paths[0]
CANDIDATE = candidate.get_candidate.paths[0]
ME = "/external/api/v1/me"
DAY = 86_400
PASSWORD = "Df7Vdd8!!vnM"
NOT_THE_CANDIDATES = "Parameter must be the same as the account candidate's"


def body(made: Customer, email: str = "ove@example.com", **more: Any) -> dict[str, Any]:
    return {"account_candidate_id": made.id, "email": email, "password": PASSWORD, **more}


async def activate(publisher: Publisher, made: Customer, email: str = "ove@example.com", **more: Any) -> httpx.Response:
    return await publisher.post(ACTIVATE, body(made, email, **more))


async def account_item(publisher: Publisher, **query: str) -> dict[str, Any]:
    response = await publisher.get(ACCOUNTS, **(query or {"customer_number": "100001"}))
    assert response.status_code == 200, response.text
    item: dict[str, Any] = response.json()["item"]
    return item


def already(response: httpx.Response, field: str) -> None:
    message = "already exists with email" if field == "customer_number/ssn" else "already exists"
    assert assert_refused(response, 409, "already_exists", field)["message"] == message


# Who may not -----------------------------------------------------------------------------------------------


async def test_an_unknown_candidate_is_404(publisher: Publisher) -> None:
    await publisher.customer()
    response = await publisher.post(
        ACTIVATE, {"account_candidate_id": new_id(NOW), "email": "a@example.com", "password": PASSWORD}
    )
    assert assert_refused(response, 404, "not_found")["message"] == "account candidate could not be found"


async def test_another_organisations_candidate_is_404(service: RunningService, publisher: Publisher) -> None:
    theirs = await (await service.publisher()).customer()
    assert_refused(await activate(publisher, theirs), 404, "not_found")
    assert (await publisher.get(CANDIDATE, customer_number="100001")).status_code == 404


async def test_an_accounts_id_is_no_candidates_id(publisher: Publisher) -> None:
    account_id = await publisher.activated()
    response = await publisher.post(
        ACTIVATE, {"account_candidate_id": account_id, "email": "a@example.com", "password": PASSWORD}
    )
    assert_refused(response, 404, "not_found")


async def test_numbers_that_are_sent_must_be_the_candidates(publisher: Publisher) -> None:
    made = await publisher.customer()
    wrong = await activate(publisher, made, social_security_number="800610-8230", customer_number="other")
    refusal = assert_refused(wrong, 400, "invalid_parameter", "social_security_number")
    assert refusal["message"] == NOT_THE_CANDIDATES
    for number in ("other", "10000", "100001x", "1"):
        assert_refused(
            await activate(publisher, made, customer_number=number), 400, "invalid_parameter", "customer_number"
        )
    right = await activate(publisher, made, social_security_number="620817-9256", customer_number="100001")
    assert right.status_code == 201


async def test_a_candidate_without_a_number_takes_the_one_that_is_sent(publisher: Publisher) -> None:
    made = await publisher.customer(social_security_number=None)
    assert (await activate(publisher, made, social_security_number="800610-8230")).status_code == 201
    item = await account_item(publisher, social_security_number="800610-8230")
    assert (item["social_security_number_century"], item["gender"], item["age"]) == ("198006108230", "M", 45)


async def test_a_candidate_is_spent_before_the_e_mail_is_looked_at(publisher: Publisher) -> None:
    made = await publisher.customer()
    assert (await activate(publisher, made)).status_code == 201
    for email in ("ove@example.com", "other@example.com"):
        already(await activate(publisher, made, email), "customer_number/ssn")
    already(await publisher.get(CANDIDATE, customer_number="100001"), "customer_number/ssn")


async def test_a_number_that_an_account_uses_is_taken_before_the_e_mail_is_looked_at(publisher: Publisher) -> None:
    """Also where the number is the caller's, because the candidate has none."""
    await publisher.activated("ove@example.com", "1", social_security_number="800610-8230")
    made = await publisher.customer("2", social_security_number=None)
    for email in ("ove@example.com", "other@example.com"):
        already(await activate(publisher, made, email, social_security_number="800610-8230"), "customer_number/ssn")
    assert (await activate(publisher, made, "other@example.com")).status_code == 201


async def test_a_number_that_an_account_took_makes_its_customer_no_candidate(publisher: Publisher) -> None:
    first = await publisher.customer("1", social_security_number=None)
    assert (await activate(publisher, first, social_security_number="800610-8230")).status_code == 201
    second = await publisher.customer("2", social_security_number="800610-8230")
    already(await publisher.get(CANDIDATE, social_security_number="800610-8230"), "customer_number/ssn")
    already(await publisher.get(CANDIDATE, customer_number="2", zip_code="43921"), "customer_number/ssn")
    already(await activate(publisher, second, "second@example.com"), "customer_number/ssn")
    assert_refused(await publisher.get(CANDIDATE, customer_number="2", zip_code="1"), 404, "not_found")


async def test_an_e_mail_is_taken_in_any_case(publisher: Publisher) -> None:
    await publisher.activated("Ove.Ovesson@Example.com", "1")
    made = await publisher.customer("2", social_security_number=None)
    for email in ("ove.ovesson@example.com", "OVE.OVESSON@EXAMPLE.COM"):
        already(await activate(publisher, made, email), "email")
    assert (await account_item(publisher, email="ove.ovesson@EXAMPLE.com"))["email"] == "Ove.Ovesson@Example.com"


async def test_an_alias_is_taken(publisher: Publisher) -> None:
    made = [await publisher.customer(number, social_security_number=None) for number in ("1", "2", "3")]
    assert (await activate(publisher, made[0], "a@example.com", alias="Kalle123")).status_code == 201
    already(await activate(publisher, made[1], "b@example.com", alias="Kalle123"), "alias")
    already(await activate(publisher, made[1], "a@example.com", alias="Kalle123"), "email")
    assert (await activate(publisher, made[1], "b@example.com", alias="")).status_code == 201
    assert (await activate(publisher, made[2], "c@example.com", alias="")).status_code == 201
    assert (await account_item(publisher, customer_number="2"))["alias"] is None


async def test_an_external_id_is_taken(publisher: Publisher) -> None:
    """The subscription system gave it to another customer, after an account had it."""
    pair = ExternalId("crm", "1")
    await publisher.activated("a@example.com", "1", social_security_number=None, identity_mapping=[pair])
    await _put(publisher, "1", identity_mapping=[])
    made = await publisher.customer("2", social_security_number=None, identity_mapping=[pair])
    already(await activate(publisher, made, "b@example.com"), "identity_mapping")


async def _put(publisher: Publisher, number: str, **changes: Any) -> None:
    def change(before: Customer | None) -> Customer:
        assert before is not None
        return msgspec.structs.replace(before, **changes)

    outcome = await publisher.service.store.customers.put(
        publisher.id, [CustomerChange(number, change)], publisher.service.clock()
    )
    assert outcome.updated == 1


async def test_what_was_refused_left_nothing(publisher: Publisher) -> None:
    """After a 409 the candidate is still one, and its e-mail, alias and number are free."""
    await publisher.activated("taken@example.com", "1", social_security_number=None)
    made = await publisher.customer("2")
    already(await activate(publisher, made, "taken@example.com", alias="Kalle"), "email")
    assert (await publisher.get(CANDIDATE, customer_number="2")).status_code == 200
    assert_refused(await publisher.get(ACCOUNTS, alias="Kalle"), 404, "not_found")
    assert_refused(await publisher.get(ACCOUNTS, social_security_number="620817-9256"), 404, "not_found")
    assert (await activate(publisher, made, "free@example.com", alias="Kalle")).status_code == 201
    assert [await _tulo_number(publisher, e) for e in ("taken@example.com", "free@example.com")] == ["00001", "00002"]


async def _tulo_number(publisher: Publisher, email: str) -> str:
    for number in ("00001", "00002"):
        if (await account_item(publisher, tulo_customer_number=number))["email"] == email:
            return number
    return "none"


async def test_the_same_e_mail_and_number_in_two_organisations(service: RunningService) -> None:
    for publisher in [await service.publisher(), await service.publisher()]:
        made = await publisher.customer(identity_mapping=[ExternalId("crm", "1")])
        assert (await activate(publisher, made, alias="Kalle")).status_code == 201
        assert (await account_item(publisher, email="ove@example.com"))["alias"] == "Kalle"


# Marketing permissions -------------------------------------------------------------------------------------

ACTIVE = Permission("5ba4a64509c04c5ab4000001", "News", "sms")
ALSO_ACTIVE = Permission("5ba4a64509c04c5ab4000002", "Offers", "email")
INACTIVE = Permission("5ba4a64509c04c5ab4000003", "Old", "email", active=False)


async def test_only_active_permissions_of_the_organisation_are_accepted(service: RunningService) -> None:
    publisher = await service.publisher(marketing_permissions=[ACTIVE, ALSO_ACTIVE, INACTIVE])
    made = await publisher.customer()
    for wrong in (INACTIVE.id, "5ba4a64509c04c5ab4000009", f"{ACTIVE.id},{INACTIVE.id}", f"{ACTIVE.id},", "x"):
        response = await activate(publisher, made, marketing_permissions=wrong)
        assert_refused(response, 400, "invalid_parameter", "marketing_permissions")
    sent = f" {ALSO_ACTIVE.id.upper()} , {ACTIVE.id},{ACTIVE.id}"
    assert (await activate(publisher, made, marketing_permissions=sent)).status_code == 201
    accepted = (await account_item(publisher))["accepted_marketing_permissions"]
    assert accepted == [{"id": ALSO_ACTIVE.id, "type": "email"}, {"id": ACTIVE.id, "type": "sms"}]


async def test_a_wrong_permission_is_refused_before_the_candidate_is_looked_up(publisher: Publisher) -> None:
    made = await publisher.customer()
    assert (await activate(publisher, made)).status_code == 201
    response = await activate(publisher, made, marketing_permissions=ACTIVE.id)
    assert_refused(response, 400, "invalid_parameter", "marketing_permissions")


# What follows from a social security number ----------------------------------------------------------------


class Who(NamedTuple):
    """What is sent, and what follows from it on 2026-01-15."""

    number: str | None
    born: str | None
    century: str | None
    birth_date: str | None
    gender: str | None
    age: int | None


WHO = [
    Who("620817-9256", None, "196208179256", "1962-08-17", "M", 63),
    Who("910820-5205", None, "199108205205", "1991-08-20", "F", 34),
    Who("860101-3348", "1886-01-01", "188601013348", "1886-01-01", "F", 140),
    Who("860101-3348", "1986-01-01", "198601013348", "1986-01-01", "F", 40),
    Who("860101-3348", "1999-05-14", "198601013348", "1999-05-14", "F", 26),
    Who("123499-0000", None, None, None, None, None),
    Who("123499-0000", "1999-05-14", None, "1999-05-14", None, 26),
    Who("620817-9257", None, None, None, None, None),
    Who(None, "1999-05-14", None, "1999-05-14", None, 26),
    Who(None, None, None, None, None, None),
]


@pytest.mark.parametrize("whose", ["candidate", "caller"])
@pytest.mark.parametrize("who", WHO, ids=lambda who: f"{who.number} {who.born}")
async def test_what_follows_from_a_number(publisher: Publisher, whose: str, who: Who) -> None:
    """Whoever named it; a birth date that fits decides the century, one that does not is just the birth date."""
    made = await publisher.customer(social_security_number=who.number if whose == "candidate" else None)
    sent: dict[str, Any] = {"birth_date": who.born, "social_security_number": who.number if whose == "caller" else None}
    assert (await activate(publisher, made, **sent)).status_code == 201
    me = await _me(publisher, "ove@example.com")
    for item in (await account_item(publisher), me):
        assert (item["social_security_number"], item["social_security_number_century"]) == (who.number, who.century)
        assert item["age"] == who.age
        assert item.get("gender", "left out") == (who.gender or "left out")
    assert me["birth_date"] == who.birth_date


async def _me(publisher: Publisher, email: str) -> dict[str, Any]:
    token = await publisher.reader_token(email)
    response = await publisher.service.http.get(ME, headers={"authorization": f"Bearer {token}"})
    item: dict[str, Any] = response.json()["item"]
    return item


async def test_a_twelve_digit_source_decides_the_century(publisher: Publisher) -> None:
    """A subscriber born in 1886 does not get younger by an activation that says nothing about it."""
    number = person_number.parse("18860101-3348", datetime.fromtimestamp(NOW, UTC).date())
    made = await publisher.customer(social_security_number=number)
    assert (await activate(publisher, made, social_security_number="860101-3348")).status_code == 201
    item = await account_item(publisher)
    assert (item["social_security_number_century"], item["age"]) == ("188601013348", 140)


async def test_age_changes_on_the_birthday_in_the_organisations_zone(service: RunningService) -> None:
    """At 23:30 UTC on 16 August it is already the 17th in Stockholm, and not yet in New York."""
    late = int(datetime(2026, 8, 16, 23, 30, tzinfo=UTC).timestamp())
    for timezone, age in (("Europe/Stockholm", 64), ("America/New_York", 63), ("UTC", 63)):
        publisher = await service.publisher(timezone=timezone)
        await publisher.activated()
        with service.clock.at(late):
            publisher._token = None
            assert (await account_item(publisher))["age"] == age


@pytest.mark.parametrize("number", ["620817-9257", "123499-0000"])
async def test_a_wrong_check_digit_is_accepted_unless_the_organisation_checks_it(
    service: RunningService, number: str
) -> None:
    lenient, strict = await service.publisher(), await service.publisher(person_number_check="checksum")
    made = await lenient.customer(social_security_number=None)
    assert (await activate(lenient, made, social_security_number=number)).status_code == 201
    made = await strict.customer(social_security_number=None)
    refusal = assert_refused(
        await activate(strict, made, social_security_number=number), 400, "invalid_parameter", "social_security_number"
    )
    assert refusal["message"] == "Parameter must be a real date followed by a right check digit"
    assert (await activate(strict, made, social_security_number="800610-8230")).status_code == 201


async def test_look_ups_never_want_more_than_the_pattern(service: RunningService) -> None:
    """A number that came with the import is found, whatever its check digit."""
    strict = await service.publisher(person_number_check="checksum")
    made = await strict.customer(social_security_number="123499-0000")
    response = await strict.get(CANDIDATE, social_security_number="123499-0000")
    assert response.json()["item"]["account_candidate_id"] == made.id
    assert (await activate(strict, made)).status_code == 201
    assert (await account_item(strict, social_security_number="123499-0000"))["social_security_number_century"] is None


# Whose data the account has --------------------------------------------------------------------------------


async def test_the_customers_data_unless_the_caller_sends_other_data(publisher: Publisher) -> None:
    made = await publisher.customer(company_name="Ove AB", company_registration_number="556468-3984")
    sent: dict[str, Any] = {"first_name": "Åke", "mobile_phone_number": "+46701234567", "account_origin": None}
    assert (await activate(publisher, made, **sent)).status_code == 201
    item = await account_item(publisher)
    assert item["first_name"] == "Åke" and item["mobile_phone_number"] == "+46701234567"
    assert item["last_name"] == "Ovesson" and item["company_name"] == "Ove AB"
    assert item["company_registration_number"] == "556468-3984"
    assert item["address"]["street"] == "The Streets" and item["address"]["first_name"] == "Ove"


async def test_a_customer_without_data_has_an_account_with_every_key(publisher: Publisher) -> None:
    nothing: dict[str, Any] = dict.fromkeys(("first_name", "last_name", "mobile_phone_number", "zip_code", "email"))
    made = await publisher.customer(social_security_number=None, address=Address(), subscriptions=[], **nothing)
    assert (await activate(publisher, made)).status_code == 201
    item = await account_item(publisher)
    assert set(item["address"].values()) == {None} and len(item["address"]) == 11
    assert [item[k] for k in ("first_name", "last_name", "mobile_phone_number", "alias", "age")] == [None] * 5
    assert [item[k] for k in ("identity_mapping", "user_products", "accepted_marketing_permissions")] == [[], [], []]
    assert len((await _me(publisher, "ove@example.com"))["address"]) == 10


async def test_a_password_is_the_same_however_its_letters_are_composed(publisher: Publisher) -> None:
    composed, decomposed = "l\u00f6senord", "lo\u0308senord"
    made = await publisher.customer()
    assert (await publisher.post(ACTIVATE, body(made) | {"password": decomposed})).status_code == 201
    for password in (composed, decomposed):
        assert await publisher.reader_token("ove@example.com", password)
    assert (await publisher.grant("password", username="ove@example.com", password="losenord")).status_code == 400


@pytest.mark.parametrize("password", ["å" * 1024, " \t\n\r\0 ", "a&b=c+d%41"])
async def test_any_password_logs_in_again(publisher: Publisher, password: str) -> None:
    made = await publisher.customer()
    assert (await publisher.post(ACTIVATE, body(made) | {"password": password})).status_code == 201
    assert await publisher.reader_token("ove@example.com", password)


# Subscriptions ---------------------------------------------------------------------------------------------


def subscription(**fields: Any) -> Subscription:
    return Subscription(**{"id": new_id(NOW), "package_code": "paper", **fields})


STATES = [
    # imported state, from, to, then the state before, within and after
    ("activated", NOW, NOW + DAY, "pending", "activated", "deactivated"),
    ("pending", NOW, NOW + DAY, "pending", "activated", "deactivated"),
    ("cancelled", NOW, NOW + DAY, "pending", "cancelled", "deactivated"),
    ("frozen", NOW, NOW + DAY, "pending", "frozen", "deactivated"),
    ("deactivated", NOW, NOW + DAY, "deactivated", "deactivated", "deactivated"),
    ("activated", None, None, "activated", "activated", "activated"),
    ("pending", None, None, "activated", "activated", "activated"),
    ("activated", NOW, None, "pending", "activated", "activated"),
    ("cancelled", None, NOW + DAY, "cancelled", "cancelled", "deactivated"),
]


async def test_states_move_with_the_clock(publisher: Publisher) -> None:
    """At the second: a subscription begins with `valid_from` and ends with `valid_to`."""
    subscriptions = [
        subscription(state=s, valid_from=f, valid_to=t, subscription_number=str(n))
        for n, (s, f, t, *_) in enumerate(STATES)
    ]
    clock = publisher.service.clock
    with clock.at(NOW - DAY):
        await publisher.activated(subscriptions=subscriptions)
    for timestamp, expected in ((NOW - 1, 3), (NOW, 4), (NOW + DAY - 1, 4), (NOW + DAY, 5)):
        with clock.at(timestamp):
            publisher._token = None
            for item in (await account_item(publisher), await _me(publisher, "ove.ovesson@example.com")):
                assert [p["state"] for p in item["user_products"]] == [s[expected] for s in STATES]


async def test_ended_subscriptions_become_deactivated_products(publisher: Publisher) -> None:
    over = [
        subscription(valid_to=NOW, subscription_number="1"),
        subscription(valid_to=NOW - DAY, state="frozen", subscription_number="2"),
        subscription(state="deactivated", subscription_number="3"),
        subscription(valid_to=NOW + 1, subscription_number="4"),
    ]
    made = await publisher.customer(subscriptions=over)
    products = (await publisher.get(CANDIDATE, customer_number="100001")).json()["item"]["products"]
    assert [p["valid_to"] for p in products] == ["2026-01-15T13:00:01+01:00"]
    assert (await activate(publisher, made)).status_code == 201
    products = (await account_item(publisher))["user_products"]
    assert [p["state"] for p in products] == ["deactivated", "deactivated", "deactivated", "activated"]
    assert [p["id"] for p in products] == [s.id for s in over]


async def test_a_candidates_products_are_listed_latest_end_first(publisher: Publisher) -> None:
    ends = {"short": NOW + DAY, "endless": None, "over": NOW - 1, "long": NOW + 9 * DAY}
    subscriptions = [subscription(package_code=code, valid_to=end) for code, end in ends.items()]
    await publisher.customer(subscriptions=subscriptions)
    products = (await publisher.get(CANDIDATE, customer_number="100001")).json()["item"]["products"]
    assert [p["product_code"] for p in products] == ["endless", "long", "short"]
    assert products[0]["valid_to"] is None


ENDS = [
    # type, state, valid_to, then subscription_end_date
    ("limited", "activated", NOW + DAY, "2026-01-16T13:00:00+01:00"),
    ("recurring", "cancelled", NOW + DAY, "2026-01-16T13:00:00+01:00"),
    (None, "cancelled", NOW + DAY, "2026-01-16T13:00:00+01:00"),
    ("recurring", "activated", NOW + DAY, None),
    (None, "activated", NOW + DAY, None),
    ("recurring", "frozen", NOW + DAY, None),
    ("limited", "activated", None, None),
    ("limited", "activated", NOW - DAY, "2026-01-14T13:00:00+01:00"),
    ("recurring", "cancelled", NOW - DAY, "2026-01-14T13:00:00+01:00"),
    ("recurring", "activated", NOW - DAY, None),
]


async def test_the_end_date_of_what_is_limited_or_cancelled(publisher: Publisher) -> None:
    """Whether it was over when the account was made, or got there since."""
    subscriptions = [
        subscription(subscription_type=kind, state=state, valid_to=end, subscription_number=str(n))
        for n, (kind, state, end, _) in enumerate(ENDS)
    ]
    await publisher.activated(subscriptions=subscriptions)
    expected = [end for *_, end in ENDS]
    for timestamp in (NOW, NOW + 2 * DAY):
        with publisher.service.clock.at(timestamp):
            publisher._token = None
            assert [p["subscription_end_date"] for p in (await account_item(publisher))["user_products"]] == expected


async def test_the_external_start_date_is_kayaks_alone(publisher: Publisher) -> None:
    subscriptions = [
        subscription(provision_service=service, external_start_date=start, subscription_number=str(n))
        for n, (service, start) in enumerate((("kayak", NOW), ("kayak", None), ("tulo", NOW), (None, NOW)))
    ]
    await publisher.activated(subscriptions=subscriptions)
    products = (await account_item(publisher))["user_products"]
    dates = [p.get("external_start_date", "left out") for p in products]
    assert dates == ["2026-01-15T13:00:00+01:00", None, "left out", "left out"]
    mine = (await _me(publisher, "ove.ovesson@example.com"))["user_products"]
    assert not any("external_start_date" in p for p in mine)


def utc(year: int, month: int, day: int, hour: int = 0, minute: int = 0, second: int = 0) -> int:
    return int(datetime(year, month, day, hour, minute, second, tzinfo=UTC).timestamp())


TIMES = [
    (utc(2026, 3, 29, 0, 59, 59), "2026-03-29T01:59:59+01:00", "2026-03-28T20:59:59-04:00"),
    (utc(2026, 3, 29, 1, 0, 0), "2026-03-29T03:00:00+02:00", "2026-03-28T21:00:00-04:00"),
    (utc(2026, 10, 25, 0, 59, 59), "2026-10-25T02:59:59+02:00", "2026-10-24T20:59:59-04:00"),
    (utc(2026, 10, 25, 1, 0, 0), "2026-10-25T02:00:00+01:00", "2026-10-24T21:00:00-04:00"),
    (utc(2026, 12, 31, 23, 0, 0), "2027-01-01T00:00:00+01:00", "2026-12-31T18:00:00-05:00"),
    (utc(2026, 6, 30, 22, 0, 0), "2026-07-01T00:00:00+02:00", "2026-06-30T18:00:00-04:00"),
]


@pytest.mark.parametrize(("timezone", "column"), [("Europe/Stockholm", 1), ("America/New_York", 2)])
async def test_times_across_the_change_of_summer_time(service: RunningService, timezone: str, column: int) -> None:
    """One offset does not do for a zone: each moment has its own, in every response."""
    publisher = await service.publisher(timezone=timezone)
    subscriptions = [
        subscription(valid_from=row[0], valid_to=row[0], subscription_number=str(n)) for n, row in enumerate(TIMES)
    ]
    expected = [row[column] for row in TIMES]
    with service.clock.at(utc(2025, 12, 31)):
        made = await publisher.customer(subscriptions=subscriptions)
        listed = (await publisher.get(CANDIDATE, customer_number="100001")).json()["item"]["products"]
        assert sorted(p["valid_to"] for p in listed) == sorted(expected)
        assert (await activate(publisher, made)).status_code == 201
        for item in (await account_item(publisher), await _me(publisher, "ove@example.com")):
            assert [p["valid_from"] for p in item["user_products"]] == expected
            assert [p["valid_to"] for p in item["user_products"]] == expected


async def test_an_organisation_may_move_to_another_zone(service: RunningService, publisher: Publisher) -> None:
    """Moments are stored in UTC, so only their text changes."""
    await publisher.activated()
    before = (await account_item(publisher))["user_products"][0]["created"]
    moved = msgspec.structs.replace(publisher.organisation, timezone="Asia/Kolkata")
    await service.store.organisations.change(publisher.id, lambda _: moved)
    after = (await account_item(publisher))["user_products"][0]["created"]
    assert (before, after) == ("2026-01-15T13:00:00+01:00", "2026-01-15T17:30:00+05:30")
