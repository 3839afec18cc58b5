"""What the parameters of creating and updating accounts may hold, beyond those of `test_values`."""

from __future__ import annotations

from datetime import UTC, date, datetime
from importlib import resources

import pytest

from stamkund.rules import account_values, values
from stamkund.rules.countries import COUNTRIES, OLDER_COUNTRIES
from stamkund.rules.values import NO_CONTEXT, Context, Invalid

TODAY = Context(date(2026, 1, 15))


def utc(*parts: int) -> int:
    return int(datetime(*parts, tzinfo=UTC).timestamp())  # type: ignore[arg-type, misc]


@pytest.mark.parametrize(
    ("text", "timestamp"),
    [
        ("2018-10-18T14:42:19Z", utc(2018, 10, 18, 14, 42, 19)),
        ("2018-10-18T14:42Z", utc(2018, 10, 18, 14, 42)),
        ("2018-10-18T14:42:19.999+02:00", utc(2018, 10, 18, 12, 42, 19)),
        ("2016-10-02 13:00 +0100", utc(2016, 10, 2, 12)),
        ("2016-10-02 13:00:07 -05:30", utc(2016, 10, 2, 18, 30, 7)),
        ("2016-10-02 13:00+0000", utc(2016, 10, 2, 13)),
        ("2024-02-29T00:00:00Z", utc(2024, 2, 29)),
    ],
)
def test_a_timestamp_with_an_offset(text: str, timestamp: int) -> None:
    assert account_values.TIMESTAMP.parse(text, NO_CONTEXT) == timestamp


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("2018-10-18T14:42:19", "Parameter must be a date and time with an offset"),
        ("2016-10-02 13:00", "Parameter must be a date and time with an offset"),
        ("2016-10-02", "Parameter must be a date and time with an offset"),
        ("", "Parameter must be a date and time with an offset"),
        ("2016-10-02 13:00 CET", "Parameter must be a date and time with an offset"),
        ("٢016-10-02T13:00Z", "Parameter must be a date and time with an offset"),
        ("2018-10-18T14:42:19Z\n", "Parameter must be a date and time with an offset"),
        ("2023-02-29T00:00Z", "Parameter must be a real date and time"),
        ("2018-10-18T24:00Z", "Parameter must be a real date and time"),
        ("2018-10-18T14:42:60Z", "Parameter must be a real date and time"),
        ("2018-10-18T14:42+24:00", "Parameter must be a real date and time"),
        ("1066-10-14T09:00Z", "Parameter must be between the years 1850 and 2999"),
        ("9999-12-31T23:59Z", "Parameter must be between the years 1850 and 2999"),
        ("2" * 41, "Parameter must be at most 40 characters"),
    ],
)
def test_what_is_no_timestamp(text: str, sentence: str) -> None:
    with pytest.raises(Invalid, match=f"^{sentence}$"):
        account_values.TIMESTAMP.parse(text, NO_CONTEXT)


@pytest.mark.parametrize(
    ("text", "twelve"),
    [
        ("620817-9256", "196208179256"),
        ("196208179256", "196208179256"),
        ("123499-0000", None),
        ("191234990000", None),
    ],
)
def test_a_new_accounts_number_has_ten_or_twelve_digits(text: str, twelve: str | None) -> None:
    assert account_values.NEW_PERSON_NUMBER.parse(text, TODAY).twelve == twelve


def test_twelve_digits_decide_the_century() -> None:
    number = account_values.NEW_PERSON_NUMBER.parse("188601013348", TODAY)
    assert (number.ten, number.century) == ("860101-3348", "18")
    assert values.PERSON_NUMBER.parse("860101-3348", TODAY).century == "19"


@pytest.mark.parametrize("text", ["", "6208179256", "19620817-9256", "62081792567", "1962081792561", "19620817925x"])
def test_what_is_no_number_of_a_new_account(text: str) -> None:
    with pytest.raises(Invalid, match="Parameter must match format"):
        account_values.NEW_PERSON_NUMBER.parse(text, TODAY)


def test_an_organisation_may_want_real_numbers_only() -> None:
    for text in ("123499-0000", "191234990000"):
        with pytest.raises(Invalid, match="real date"):
            account_values.NEW_PERSON_NUMBER.parse(text, Context(date(2026, 1, 15), checksum=True))


@pytest.mark.parametrize(("text", "accepted"), [("556468-3984", True), ("1234567-8", True), ("12345678", False)])
def test_a_company_number_is_swedish_or_finnish(text: str, accepted: bool) -> None:
    if accepted:
        assert account_values.COMPANY_NUMBER.parse(text, NO_CONTEXT) == text
        return
    with pytest.raises(Invalid, match="dddddd-dddd or ddddddd-d"):
        account_values.COMPANY_NUMBER.parse(text, NO_CONTEXT)


def test_a_country_is_one_of_iso_3166() -> None:
    assert account_values.COUNTRY.parse("no", NO_CONTEXT) == "NO"
    assert account_values.OLDER_COUNTRY.parse("ax", NO_CONTEXT) == "AX"
    wrong = {"S": "at least 2", "SWE": "at most 2", "XX": "two letters of", "ſe": "two letters of"}
    for text, sentence in wrong.items():
        with pytest.raises(Invalid, match=sentence):
            account_values.COUNTRY.parse(text, NO_CONTEXT)
    with pytest.raises(Invalid, match="SE, FI or AX"):
        account_values.OLDER_COUNTRY.parse("NO", NO_CONTEXT)


def test_the_countries_are_those_of_the_time_zone_database() -> None:
    listed = resources.files("tzdata").joinpath("zoneinfo/iso3166.tab").read_text("utf-8").splitlines()
    assert {line[:2] for line in listed if line and not line.startswith("#")} == COUNTRIES
    assert OLDER_COUNTRIES < COUNTRIES


@pytest.mark.parametrize(("text", "length"), [("", "at least 1"), ("x" * 129, "at most 128")])
def test_a_tag_has_a_length(text: str, length: str) -> None:
    with pytest.raises(Invalid, match=length):
        account_values.TAG.parse(text, NO_CONTEXT)


@pytest.mark.parametrize(
    ("text", "boolean"), [("true", True), ("TRUE", True), ("1", True), ("False", False), ("0", False)]
)
def test_a_boolean_of_a_query(text: str, boolean: bool) -> None:
    assert values.BOOLEAN.parse_in_query(text, NO_CONTEXT) is boolean
