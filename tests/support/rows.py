"""Looking into a database directly, past the product: whether anything in it is half made."""

from __future__ import annotations

import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

import asyncpg
import msgspec

Rows = list[tuple[Any, ...]]

TABLES = (
    *("meta", "organisations", "counters", "clients", "accounts", "passwords", "identifiers"),
    *("customers", "customer_identifiers", "tokens", "audit", "outbox", "catalogues"),
    *("lockouts", "login_attempts", "call_counts"),
    *("sessions", "one_time_credentials", "id_token_keys", "branding", "sso_logins", "visitor_addresses"),
    *("mails", "mail_templates"),
)


async def rows(url: str, statement: str) -> Rows:
    """The rows of a statement without values, on either engine."""
    if url.startswith("sqlite:"):
        with closing(sqlite3.connect(database_file(url), isolation_level=None)) as database:
            return list(database.execute(statement))
    connection = await asyncpg.connect(url)
    try:
        return [tuple(row) for row in await connection.fetch(statement)]
    finally:
        await connection.close()


async def executed(url: str, statement: str) -> None:
    """Changes a database past the product, as an operator's console or an accident may."""
    if url.startswith("sqlite:"):
        await rows(url, statement)
        return
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


async def set_status(url: str, organisation: str, status: str, email: str | None = None) -> None:
    """Gives the active account with an e-mail, or all of an organisation, another status, as no call does yet."""
    document = f"""replace(document, '"status":"active"', '"status":"{status}"')"""
    which = f"organisation = '{organisation}'"
    if email is not None:
        which += f" AND row = (SELECT account FROM identifiers WHERE {which} AND kind = 'email' AND value = '{email}')"
    await executed(url, f"UPDATE accounts SET status = '{status}', document = {document} WHERE {which}")
    assert set(await rows(url, f"SELECT status FROM accounts WHERE {which}")) == {(status,)}


def database_file(url: str) -> Path:
    return Path(url.removeprefix("sqlite:///"))


async def counts(url: str) -> dict[str, int]:
    """How much of everything that an activation makes is there."""
    queries = {
        "accounts": "accounts",
        "passwords": "passwords",
        "spent": "customers WHERE account IS NOT NULL",
        "audit": "audit WHERE event = 'account_activated'",
        "outbox": "outbox WHERE event = 'account_activated_for_existing_customer'",
        "emails": "identifiers WHERE kind = 'email'",
        "ids": "identifiers WHERE kind = 'id'",
        "customer_numbers": "identifiers WHERE kind = 'customer_number'",
    }
    return {name: (await rows(url, f"SELECT count(*) FROM {what}"))[0][0] for name, what in queries.items()}


def made(accounts: int) -> dict[str, int]:
    """What `counts` returns when so many accounts were made, whole."""
    names = ("accounts", "passwords", "spent", "audit", "outbox", "emails", "ids", "customer_numbers")
    return dict.fromkeys(names, accounts)


async def halves(url: str) -> list[str]:
    """A sentence for everything that is half made: an account without what belongs to it, or the other way round."""
    accounts = {row: msgspec.json.decode(text) for row, text in await rows(url, "SELECT row, document FROM accounts")}
    by_id = {account["id"]: row for row, account in accounts.items()}
    sentences = []
    spent = await rows(url, "SELECT account, document FROM customers WHERE account IS NOT NULL")
    sentences += _unlike("customers.account", [row for row, _ in spent], accounts)
    sentences += _unlike("passwords", [row for (row,) in await rows(url, "SELECT account FROM passwords")], accounts)
    for table, event in (("audit", "account_activated"), ("outbox", "account_activated_for_existing_customer")):
        entries = await rows(url, f"SELECT account FROM {table} WHERE event = '{event}'")
        sentences += _unlike(table, [by_id.get(account_id, account_id) for (account_id,) in entries], accounts)
    sentences += _wrong_identifiers(await rows(url, "SELECT account, kind, value FROM identifiers"), accounts)
    sentences += [sentence for row, text in spent if (sentence := _wrong_products(row, accounts.get(row), text))]
    return sentences


def _unlike(what: str, rows_named: list[Any], accounts: dict[int, Any]) -> list[str]:
    """Sentences where `given` does not name every account exactly once."""
    difference = Counter(rows_named)
    difference.subtract(list(accounts))
    return [f"{what} names account {row} {1 + count} times" for row, count in difference.items() if count]


def _wrong_identifiers(stored_rows: Rows, accounts: dict[int, Any]) -> list[str]:
    """Sentences where the identifiers are not those that the accounts' documents say."""
    plain = {"id", "email", "customer_number", "tulo_customer_number", "alias"}
    stored: Counter[tuple[Any, ...]] = Counter((row, kind, value) for row, kind, value in stored_rows if kind in plain)
    stored.update((row, kind) for row, kind, _ in stored_rows if kind == "social_security_number")
    expected: Counter[tuple[Any, ...]] = Counter()
    for row, account in accounts.items():
        expected.update((row, kind, _compared(kind, account[kind])) for kind in plain if account.get(kind))
        expected.update([(row, "social_security_number")] if account.get("social_security_number") else [])
    return [
        f"identifier {key} is there {stored[key]} times" for key in stored | expected if stored[key] != expected[key]
    ]


def _wrong_products(row: int, account: dict[str, Any] | None, customer: str) -> str | None:
    """A sentence where the user products of an account are not its customer's subscriptions."""
    products = [product["id"] for product in account["user_products"]] if account else []
    subscriptions = [subscription["id"] for subscription in msgspec.json.decode(customer)["subscriptions"]]
    return None if products == subscriptions else f"account {row} has {products} for the subscriptions {subscriptions}"


def _compared(kind: str, value: str) -> str:
    return value.lower() if kind == "email" else value
