"""Logins: the account, or the customer with an imported password, that an e-mail belongs to."""

from __future__ import annotations

from stamkund.rules import identifiers
from stamkund.rules.person_number import PersonNumber
from tests.store.conftest import StoredOrganisation

NUMBER = PersonNumber("800610-8230", "19")


async def test_a_login_is_the_accounts_before_the_customers(paper: StoredOrganisation) -> None:
    made = await paper.customer("1", email="Customer@example.com", password_hash="brought")
    login = await paper.store.logins.find(paper.id, identifiers.email("customer@EXAMPLE.com"))
    assert login is not None and login.customer is not None
    assert (login.row, login.account, login.customer.id, login.hash) == (None, None, made.id, "brought")
    row, _ = await paper.activate(made, "other@example.com")
    assert await paper.store.logins.find(paper.id, identifiers.email("customer@example.com")) is None
    login = await paper.store.logins.find(paper.id, identifiers.email("other@example.com"))
    assert login is not None and login.account is not None
    assert (login.row, login.customer, login.hash) == (row, None, "hash")
    assert await paper.store.logins.find(paper.id, identifiers.email("nobody@example.com")) is None


async def test_a_customer_without_a_password_does_not_log_in(paper: StoredOrganisation) -> None:
    await paper.customer("1", email="customer@example.com")
    assert await paper.store.logins.find(paper.id, identifiers.email("customer@example.com")) is None


async def test_a_customer_whose_number_an_account_uses_does_not_log_in(paper: StoredOrganisation) -> None:
    await paper.customer("1", email="c@example.com", password_hash="brought", social_security_number="800610-8230")
    await paper.activate(await paper.customer("2"), social_security_number=NUMBER)
    assert await paper.store.logins.find(paper.id, identifiers.email("c@example.com")) is None


async def test_a_hash_is_upgraded_unless_it_was_changed_meanwhile(paper: StoredOrganisation) -> None:
    row, _ = await paper.activate(await paper.customer())
    for before, after, then in (("other", "x", "hash"), ("hash", "new", "new"), ("hash", "newer", "new")):
        await paper.store.accounts.upgrade_password(row, before, after)
        login = await paper.store.logins.find(paper.id, identifiers.email("a@example.com"))
        assert login is not None and login.hash == then
