"""Changes of accounts: in the order of the lock, whole or not at all, with their keys, audit entry and event."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import msgspec
import pytest

from stamkund.rules import identifiers
from stamkund.rules.account import ACTIVE, ARCHIVED, CREATED, INACTIVE, LOGIN_DISABLED, Account, ExternalId
from stamkund.rules.identifiers import Identifier
from stamkund.rules.ids import new_id
from stamkund.rules.person_number import PersonNumber
from stamkund.store import TOKEN_ACCOUNT, AccountChange, AccountKey, Store
from tests.store.conftest import StoredOrganisation
from tests.store.verbs.conftest import conflicting_kind
from tests.support.service import NOW

NUMBER = PersonNumber("800610-8230", "19")
Change = Callable[[Account], Account]


def new_account(email: object = "a@example.com", **fields: object) -> Account:
    made = Account(id=new_id(NOW), email=str(email), status=ACTIVE, verified=True, created=NOW, updated=NOW)
    return msgspec.structs.replace(made, **fields)


async def add(paper: StoredOrganisation, email: object = "a@example.com", **fields: object) -> tuple[int, str]:
    """The row and id of a new account."""
    account = new_account(email, **fields)
    return await paper.store.accounts.create(paper.id, account, "hash", paper.client.id, NOW), account.id


def setting(**fields: object) -> Change:
    return lambda account: msgspec.structs.replace(account, **fields)


async def change(
    paper: StoredOrganisation, key: AccountKey, change: Change, store: Store | None = None
) -> AccountChange | None:
    return await (store or paper.store).accounts.change(paper.id, key, change, paper.client.id, NOW + 1)


def by_id(account_id: str) -> Identifier:
    return Identifier(identifiers.ID, account_id)


async def entries(paper: StoredOrganisation, table: str = "audit") -> list[tuple[object, ...]]:
    """What was recorded of accounts; looking one up takes a token, which is recorded too."""
    detail = ", detail" if table == "audit" else ""
    accounts = "organisation = $1 AND event <> 'token_issued'"
    sql = f"SELECT event, account{detail} FROM {table} WHERE {accounts} ORDER BY row"
    return [tuple(row) for row in await paper.rows(sql, paper.id)]


async def test_a_new_account_leaves_everything_that_belongs_to_it(paper: StoredOrganisation) -> None:
    fields = {"social_security_number": NUMBER, "alias": "a", "identity_mapping": [ExternalId("crm", "1")]}
    row, account_id = await add(paper, **fields)
    assert await paper.count("identifiers") == 6
    assert await entries(paper) == [("account_created", account_id, None)]
    assert await entries(paper, "outbox") == [("new_account_registered", account_id)]
    account = await paper.find("tulo_customer_number", "00001")
    assert account is not None and account.id == account_id
    assert account.social_security_number == NUMBER
    login = await paper.store.logins.find(paper.id, identifiers.email("A@example.com"))
    assert login is not None and (login.row, login.hash, login.usable) == (row, "hash", True)


async def test_the_first_key_in_the_documents_order_is_reported(paper: StoredOrganisation) -> None:
    taken: dict[str, object] = {
        "email": "A@example.com",
        "alias": "a",
        "social_security_number": NUMBER,
        "identity_mapping": [ExternalId("crm", "1")],
    }
    await add(paper, **taken)
    _, account_id = await add(paper, "b@example.com")
    free: dict[str, object] = {
        "email": "c@example.com",
        "alias": None,
        "social_security_number": None,
        "identity_mapping": [],
    }
    kinds = ("email", "alias", "social_security_number", "external_id")
    for kind, field in zip(kinds, list(taken), strict=True):
        assert await paper.store.accounts.conflict(paper.id, new_account(**taken)) == kind
        assert await conflicting_kind(add(paper, **taken)) == kind
        assert await conflicting_kind(change(paper, by_id(account_id), setting(**taken))) == kind
        taken[field] = free[field]
    assert await paper.store.accounts.conflict(paper.id, new_account(**taken)) is None
    assert await paper.count("accounts") == 2
    assert len(await entries(paper)) == 2, "nothing of what was refused stays"


@pytest.mark.parametrize("by", ["id", "row"])
async def test_a_change_takes_its_keys_along(paper: StoredOrganisation, by: str) -> None:
    row, account_id = await add(paper, alias="a", social_security_number=NUMBER)
    key = row if by == "row" else by_id(account_id)
    done = await change(paper, key, setting(alias="b", email="B@example.com", social_security_number=None))
    assert done is not None and (done.row, done.id) == (row, account_id)
    assert done.fields == ["email", "social_security_number", "alias"]
    assert (done.before.email, done.after.email, done.after.updated) == ("a@example.com", "B@example.com", NOW + 1)
    for kind, value in (("alias", "a"), ("email", "a@example.com")):
        assert await paper.find(kind, value) is None
    for kind, value in (("alias", "b"), ("email", "b@example.com")):
        assert await paper.find(kind, value) == done.after
    assert await entries(paper) == [
        ("account_created", account_id, None),
        ("account_changed", account_id, "email social_security_number alias"),
    ]
    assert (await entries(paper, "outbox"))[1:] == [("account_changed", account_id)]
    await add(paper, alias="a", social_security_number=NUMBER)


async def test_a_change_that_changes_nothing_leaves_nothing(paper: StoredOrganisation) -> None:
    _, account_id = await add(paper, alias="a")
    done = await change(paper, by_id(account_id), setting(alias="a"))
    assert done is not None and done.fields == [] and done.after.updated == NOW
    assert len(await entries(paper)) == len(await entries(paper, "outbox")) == 1


async def test_a_fault_on_the_way_leaves_the_account_as_it_was(paper: StoredOrganisation) -> None:
    await add(paper, "other@example.com", alias="taken")
    _, account_id = await add(paper, alias="a")
    both = setting(email="b@example.com", alias="taken")
    assert await conflicting_kind(change(paper, by_id(account_id), both)) == "alias"
    assert await paper.find("email", "b@example.com") is None
    account = await paper.find("alias", "a")
    assert account is not None and account.email == "a@example.com"


async def test_another_organisations_account_is_none(paper: StoredOrganisation, neighbour: StoredOrganisation) -> None:
    row, account_id = await add(neighbour)
    for key in (row, by_id(account_id)):
        assert await change(paper, key, setting(alias="a")) is None


async def test_changes_at_once_are_made_one_after_the_other(paper: StoredOrganisation) -> None:
    """From two stores, twenty at a time; each sees what the one before made."""
    _, account_id = await add(paper)

    def tagged(tag: str) -> Change:
        return lambda account: msgspec.structs.replace(account, tags=[*account.tags, tag])

    tags = [str(n) for n in range(20)]
    stores = (paper.store, paper.other)
    await asyncio.gather(*(change(paper, by_id(account_id), tagged(tag), stores[int(tag) % 2]) for tag in tags))
    account = await paper.find("id", account_id)
    assert account is not None and sorted(account.tags, key=int) == tags
    assert len(await entries(paper, "outbox")) == 21


async def test_swapped_keys_end_without_a_deadlock(paper: StoredOrganisation) -> None:
    """Each wants what the other gives up: none is lost, and no account has the other's alone."""
    _, first = await add(paper, "a@example.com")
    _, second = await add(paper, "b@example.com")
    for _ in range(3):
        await asyncio.gather(
            change(paper, by_id(first), setting(email="b@example.com")),
            change(paper, by_id(second), setting(email="a@example.com"), paper.other),
            return_exceptions=True,
        )
        owners = [await paper.find("email", email) for email in ("a@example.com", "b@example.com")]
        assert {one.id for one in owners if one is not None} == {first, second}


# Who may log in --------------------------------------------------------------------------------------------


async def test_the_status_beside_the_document_is_that_of_logging_in(paper: StoredOrganisation) -> None:
    row, account_id = await add(paper)
    accounts = paper.store.accounts
    token = await paper.token(row)
    for status, disabled, beside in (
        (ACTIVE, True, LOGIN_DISABLED),
        (INACTIVE, True, INACTIVE),
        (INACTIVE, False, INACTIVE),
        (ACTIVE, False, ACTIVE),
    ):
        await accounts.set_login(paper.id, account_id, "operator", NOW, disabled=disabled)
        await accounts.set_status(paper.id, account_id, status, "operator", NOW)
        stored = await paper.rows("SELECT status FROM accounts WHERE row = $1", row)
        assert stored[0]["status"] == beside
        authenticated = await paper.store.tokens.authenticate(token, TOKEN_ACCOUNT)
        assert authenticated is not None and authenticated.usable == (beside == ACTIVE)
        account = paper.account(authenticated)
        assert account is not None and (account.status, account.login_disabled) == (status, disabled)
        listed = await paper.rows("SELECT status FROM account_list WHERE row = $1", row)
        assert listed[0]["status"] == status


async def test_only_what_is_active_or_inactive_gets_another_status(paper: StoredOrganisation) -> None:
    _, account_id = await add(paper, status=CREATED)
    assert await paper.store.accounts.set_status(paper.id, account_id, ACTIVE, "operator", NOW) == CREATED
    account = await paper.find("id", account_id)
    assert account is not None and account.status == CREATED
    assert await paper.store.accounts.set_login(paper.id, new_id(NOW), "operator", NOW, disabled=True) is None


async def test_an_archived_account_is_not_changed_and_has_no_login(paper: StoredOrganisation) -> None:
    row, account_id = await add(paper, status=ARCHIVED)
    for key in (row, by_id(account_id)):
        assert await change(paper, key, setting(alias="a")) is None
    assert await paper.store.accounts.set_status(paper.id, account_id, ACTIVE, "operator", NOW) is None
    assert await paper.store.logins.find(paper.id, by_id(account_id)) is None
