"""Social security numbers: the century that is decided once, and what follows from it."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import luhn

from stamkund.rules.person_number import PersonNumber, from_stored, parse, parse_lenient

TODAY = date(2026, 1, 15)


def with_check_digit(nine: str) -> str:
    """Ten digits with a dash; an invented number, since it is made here."""
    return f"{nine[:6]}-{nine[6:]}{luhn.calc_check_digit(nine)}"


@pytest.mark.parametrize(
    ("text", "twelve", "born", "gender"),
    [
        ("800610-8230", "198006108230", date(1980, 6, 10), "M"),
        ("620817-9256", "196208179256", date(1962, 8, 17), "M"),
        ("910820-5205", "199108205205", date(1991, 8, 20), "F"),
        ("860101-3348", "198601013348", date(1986, 1, 1), "F"),
        ("18860101-3348", "188601013348", date(1886, 1, 1), "F"),
        ("188601013348", "188601013348", date(1886, 1, 1), "F"),
        ("620817-9257", None, None, None),
        ("196208179257", None, None, None),
        ("123499-0000", None, None, None),
        ("000000-0000", None, None, None),
    ],
)
def test_what_follows_from_a_number(text: str, twelve: str | None, born: date | None, gender: str | None) -> None:
    number = parse(text, TODAY)
    assert number is not None
    assert number.ten == text[-11:] if "-" in text else f"{text[2:8]}-{text[8:]}"
    assert (number.twelve, number.birth_date, number.gender) == (twelve, born, gender)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "6208179256",
        "620817+9256",
        "620817-925",
        "620817-92566",
        "x620817-9256",
        "620817-9256\n",
        "٦20817-9256",
        "19620817-925",
    ],
)
def test_texts_that_are_no_number(text: str) -> None:
    assert parse(text, TODAY) is None


def test_registers_leave_the_dash_out() -> None:
    assert parse_lenient("6208179256", TODAY) == parse("620817-9256", TODAY)
    assert parse_lenient("196208179256", TODAY) == parse("620817-9256", TODAY)
    assert parse_lenient("62081792566", TODAY) is None
    assert parse_lenient("9" * 100_000, TODAY) is None


def test_ten_digits_alone_are_the_most_recent_date_that_is_not_in_the_future() -> None:
    """Made-up numbers of today and tomorrow."""
    born_today, born_tomorrow = with_check_digit("260115000"), with_check_digit("260116000")
    numbers = [parse(text, TODAY) for text in (born_today, born_tomorrow)]
    assert [n.birth_date for n in numbers if n] == [date(2026, 1, 15), date(1926, 1, 16)]
    later = parse(born_tomorrow, date(2026, 1, 16))
    assert later is not None and later.birth_date == date(2026, 1, 16)


def test_leap_days_are_only_in_leap_years() -> None:
    number = parse(with_check_digit("000229000"), TODAY)
    assert number is not None and number.birth_date == date(2000, 2, 29)
    number = parse(with_check_digit("960229000"), TODAY)
    assert number is not None and number.birth_date == date(1996, 2, 29)
    number = parse(with_check_digit("970229000"), TODAY)
    assert number is not None and number.birth_date is None


def test_a_co_ordination_number_has_sixty_added_to_its_day() -> None:
    number = parse(with_check_digit("800670000"), TODAY)
    assert number is not None and (number.birth_date, number.century) == (date(1980, 6, 10), "19")


@pytest.mark.parametrize("nine", ["800660239", "800070239", "800060239", "800000239"])
def test_a_co_ordination_number_may_lack_a_part_of_its_date(nine: str) -> None:
    """Month 00 or day 60: it has a century and a gender, and no birth date. Without 60 it is no such number."""
    number = parse(with_check_digit(nine), TODAY)
    assert number is not None and number.birth_date is None
    if int(nine[4:6]) < 60:
        assert number.century is None
    else:
        assert (number.century, number.gender) == ("19", "M")
        twelve = parse(f"19{number.ten}".replace("-", ""), TODAY)
        assert twelve == number and parse(f"20{number.ten}".replace("-", ""), date(2026, 1, 1)) != number


@pytest.mark.parametrize("letter", "TRSUWXJKLMN")
def test_an_interim_number_has_a_letter_that_counts_as_one(letter: str) -> None:
    ten = with_check_digit("800610123")
    interim = parse_lenient(f"{ten[:7]}{letter.lower()}{ten[8:]}", TODAY)
    assert interim is not None and interim.ten == f"{ten[:7]}{letter}{ten[8:]}"
    assert (interim.birth_date, interim.century) == (date(1980, 6, 10), "19")
    assert from_stored(interim.stored()) == interim
    assert parse(interim.ten, TODAY) is None, "the API knows digits alone"
    wrong = parse_lenient(f"{interim.ten[:-1]}{(int(interim.ten[-1]) + 1) % 10}", TODAY)
    assert wrong is not None and wrong.century is None
    assert parse_lenient(f"{ten[:7]}Q{ten[8:]}", TODAY) is None


def test_a_plus_sign_is_a_hundred_years() -> None:
    plus = parse_lenient("800610+8230", TODAY)
    assert plus is not None and plus.twelve == "188006108230"
    plus = parse_lenient("860101+3348", TODAY)
    assert plus is not None and plus.twelve == "188601013348"


@pytest.mark.parametrize(
    ("born", "century"),
    [(date(1886, 1, 1), "18"), (date(1986, 1, 1), "19"), (date(1999, 5, 14), "19"), (None, "19")],
)
def test_a_birth_date_decides_the_century_where_it_fits(born: date | None, century: str) -> None:
    number = parse("860101-3348", TODAY, born)
    assert number is not None and number.century == century


@given(nine=st.from_regex(r"[0-9]{9}", fullmatch=True), today=st.dates(date(1990, 1, 1), date(2100, 1, 1)))
def test_any_number_with_a_right_check_digit(nine: str, today: date) -> None:
    """Either nothing follows, or a date that is past and is the number's own."""
    number = parse(with_check_digit(nine), today)
    assert number is not None
    assert (number.twelve is None) == (number.gender is None)
    assert number.birth_date is None or number.twelve is not None
    if number.birth_date is not None:
        assert number.birth_date <= today
        day = int(nine[4:6])
        assert f"{number.birth_date:%y%m}{day - 60 if day > 60 else day:02}" == f"{number.birth_date:%y%m%d}"
        assert number.birth_date.strftime("%y%m") == nine[:4]
        assert number.gender == "FM"[int(nine[8]) % 2]


@given(digits=st.from_regex(r"[0-9]{10}", fullmatch=True))
def test_any_ten_digits_are_a_number_and_keep_their_century_when_stored(digits: str) -> None:
    """In the next century a person does not become a newborn: the stored century stays."""
    number = parse(f"{digits[:6]}-{digits[6:]}", TODAY)
    assert number is not None and number.ten == f"{digits[:6]}-{digits[6:]}"
    stored = from_stored(number.stored())
    assert stored == number and hash(stored) == hash(number)


def test_a_number_never_prints() -> None:
    number = PersonNumber("620817-9256", "19")
    for text in (str(number), repr(number), f"{number}", repr([number])):
        assert "9256" not in text and "620817" not in text
