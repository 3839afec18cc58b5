"""Rules for passwords that readers choose."""

from __future__ import annotations

from datetime import date
from typing import Literal
from unicodedata import normalize

import msgspec
import pytest

from stamkund.rules.account import Account, Address
from stamkund.rules.customer import Customer
from stamkund.rules.organisation import Organisation
from stamkund.rules.password_rules import (
    PasswordProblem,
    PasswordRules,
    common_passwords,
    own_words,
    problem_of,
)
from stamkund.rules.person_number import PersonNumber

OVE = Customer(
    "c",
    "100001",
    0,
    0,
    social_security_number=PersonNumber("620817-9256", "19"),
    email="ove.ovesson@example.com",
    first_name="Ove",
    last_name="Ovesson",
    mobile_phone_number="0701234567",
    address=Address(street="Storgatan 1", city="Kungsbacka", zip_code="43921"),
)
WORDS = own_words(OVE, "The Herald")


@pytest.mark.parametrize(
    "password", ["password", "Password", "PASSWORD1", "12345678", "qwertyuiop", "iloveyou", "football1"]
)
def test_a_common_password(password: str) -> None:
    assert problem_of(password, PasswordRules(), ()) is PasswordProblem.COMMON
    assert problem_of(password, PasswordRules(block_list=False), ()) is None


def test_the_list_has_the_3000_most_common_for_the_default_length() -> None:
    """And shorter ones, for an organisation that lets them be shorter."""
    passwords = common_passwords()
    assert len([one for one in passwords if len(one) >= PasswordRules().min_length]) == 3000
    assert {"123456", "qwerty", "dragon"} <= passwords and all(len(one) >= 6 for one in passwords)
    assert all(one == one.casefold() for one in passwords)


@pytest.mark.parametrize(
    "password",
    [
        "ove.ovesson@example.com",
        "OVE.OVESSON@example.com!",
        "Ovesson1962",
        "ovesson62!",
        "Ovesson-123",
        "oveovesson",
        "1234Ovesson",
        "19620817",
        "1962-08-17",
        "620817-9256",
        "6208179256",
        "196208179256",
        "0701234567",
        "Kungsbacka1",
        "storgatan1",
        "Storgatan 1",
        "kungsbackaovesson",
        "the herald",
        "Herald2026",
        "100001!!",
    ],
)
def test_a_password_of_the_readers_own_data(password: str) -> None:
    assert problem_of(password, PasswordRules(), WORDS) is PasswordProblem.OWN_DATA
    assert problem_of(password, PasswordRules(block_list=False), WORDS) is None


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_letters_may_be_composed_or_not(form: Literal["NFC", "NFD"]) -> None:
    words = own_words(Customer("c", "1", 0, 0, last_name=normalize("NFD", "Sjöström")))
    assert problem_of(normalize(form, "sjöström60"), PasswordRules(), words) is PasswordProblem.OWN_DATA


@pytest.mark.parametrize(
    "password",
    [
        "Df7Vdd8!!vnM",
        "ovesson-trumpet-42",
        "correct horse battery staple",
        "blåbärsris i skogen",
        "ove-rwhelming",
        "x" * 1024,
        "ovesson" * 100,
    ],
)
def test_a_password_that_is_good_enough(password: str) -> None:
    assert problem_of(password, PasswordRules(), WORDS) is None


def test_the_least_length_is_in_characters() -> None:
    assert problem_of("blåbärå", PasswordRules(), ()) is PasswordProblem.TOO_SHORT
    assert problem_of("blåbärså", PasswordRules(), ()) is None
    assert problem_of("blåbärsris", PasswordRules(min_length=11), ()) is PasswordProblem.TOO_SHORT
    assert problem_of("aaaaab", PasswordRules(min_length=6), ()) is None


def test_an_account_has_the_same_words_and_its_alias() -> None:
    account = Account("a", "kalle@example.com", "active", True, 0, 0, alias="Kalleanka", birth_date=date(1980, 6, 10))
    words = own_words(account)
    for password in ("Kalleanka1!", "kalle1980", "19800610kalle", "80-06-10 kalle", "1980/06/10-kalle-"):
        assert problem_of(password, PasswordRules(), words) is PasswordProblem.OWN_DATA


def test_a_reader_without_data_has_no_words() -> None:
    assert own_words(Customer("c", "1", 0, 0)) == ["1"]
    assert problem_of("Df7Vdd8!", PasswordRules(), own_words(Customer("c", "1", 0, 0))) is None


def test_an_organisation_of_before_has_the_default_rules() -> None:
    """On for what our own pages ask for; clients of the API keep the documented 6 to 1024 characters."""
    stored = msgspec.json.decode(b'{"id":"a","name":"A"}', type=Organisation)
    assert stored.password_rules == PasswordRules(min_length=8, block_list=True, for_api=False)
    assert msgspec.json.encode(stored) == b'{"id":"a","name":"A"}'
