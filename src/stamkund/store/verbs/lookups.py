"""The hot path: who calls, and the account that the call is about, in one statement.

One statement is one snapshot, so a token that is revoked and an account that changes can't be seen half; and it keeps a
read within a few microseconds of the engine's own time. Texts may come as bytes (see `sqlite.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import msgspec

from stamkund.rules.account import ACTIVE
from stamkund.rules.identifiers import Identifier
from stamkund.rules.organisation import Client, Organisation
from stamkund.store.documents import client_of, organisation_of
from stamkund.store.work import Row, Sql

_TOKEN_COLUMNS = "t.account, t.scopes, t.expires, t.kind, c.document AS client, o.document AS organisation"  # noqa: S105
_USABLE = f"(t.account IS NULL OR {{}}.status = '{ACTIVE}') AS usable"
"""Whether a token's account may be logged in to; a token without identity has none."""
_READER = "LEFT JOIN accounts b ON b.row = t.account"
_CLIENT = "JOIN clients c ON c.id = t.client JOIN organisations o ON o.id = c.organisation"
_TOKEN_ACCOUNT = "LEFT JOIN accounts a ON a.row = t.account"  # noqa: S105
_ACCOUNT_BY_KEY = (
    "LEFT JOIN identifiers i ON i.organisation = c.organisation AND i.kind = {kind} AND i.value = {value} "
    "LEFT JOIN accounts a ON a.row = i.account"
)
_CATALOGUE = "LEFT JOIN catalogues g ON g.organisation = c.organisation"
NUMBERED = "WITH ORDINALITY AS k"


@dataclass(frozen=True)
class Query:
    """A look-up, alone and as one of a batch (see `Engine.look_up`)."""

    single: Sql
    batch: Sql


def _token_query(columns: str, joins: str, arrays: str, names: str) -> Query:
    single = joins.format(kind="$2", value="$3")
    batch = joins.format(kind="k.kind", value="k.value")
    return Query(
        Sql(f"SELECT {columns} FROM tokens t {single} WHERE t.digest = $1"),
        Sql(
            f"SELECT {columns}, k.place FROM unnest({arrays}) {NUMBERED} ({names}, place) "
            f"JOIN tokens t ON t.digest = k.digest {batch}"
        ),
    )


def _with_and_without_catalogue(document: str, reader: str, joins: str, *keys: str) -> dict[bool, Query]:
    """Queries by whether they look up the catalogue. `reader`: the name of the token's own account in `joins`."""
    arrays = ", ".join(["$1::bytea[]", *(f"${place}::text[]" for place, _ in enumerate(keys, 2))])
    names = ", ".join(["digest", *keys])
    columns = f"{_TOKEN_COLUMNS}, {_USABLE.format(reader)}, {document} AS document"
    return {
        False: _token_query(f"{columns}, NULL AS fingerprint", f"{_CLIENT} {joins}", arrays, names),
        True: _token_query(f"{columns}, g.fingerprint", f"{_CLIENT} {joins} {_CATALOGUE}", arrays, names),
    }


_NO_ACCOUNT_QUERY = _with_and_without_catalogue("NULL", "b", _READER)
_TOKEN_ACCOUNT_QUERY = _with_and_without_catalogue("a.document", "a", _TOKEN_ACCOUNT)
_ACCOUNT_BY_KEY_QUERY = _with_and_without_catalogue("a.document", "b", f"{_ACCOUNT_BY_KEY} {_READER}", "kind", "value")


class TokenAccount:
    """The account that the token itself stands for."""


TOKEN_ACCOUNT = TokenAccount()


@dataclass(frozen=True)
class NumberLookup:
    """The account with a social security number, of ten digits.

    Its hash includes the organisation, which the token tells: such a look-up takes two statements.
    """

    ten_digits: str


AccountLookup = TokenAccount | Identifier | NumberLookup | None
"""The account that a call is about: the token's own, the one with an identifier or a number, or none."""


class AuthenticatedToken(msgspec.Struct):
    """A token as the database has it now, and the document of the account that was looked up along with it.

    `usable`: False for a token whose account is not active, or has logging in disabled.
    `catalogue`: the fingerprint of the organisation's, where that was asked for and there is one.
    """

    client: Client
    organisation: Organisation
    scopes: frozenset[str]
    account_row: int | None
    expires: int
    kind: str
    usable: bool
    document: str | bytes | None
    catalogue: str | None = None


def statement(
    digest: bytes, account: TokenAccount | Identifier | None, catalogue: bool = False
) -> tuple[Query, tuple[Any, ...]]:
    """The query for a token and an account, with the fingerprint of the `catalogue` or without, and its values."""
    if account is None:
        return _NO_ACCOUNT_QUERY[catalogue], (digest,)
    if isinstance(account, TokenAccount):
        return _TOKEN_ACCOUNT_QUERY[catalogue], (digest,)
    return _ACCOUNT_BY_KEY_QUERY[catalogue], (digest, *account)


def authenticated_token(row: Row) -> AuthenticatedToken:
    # `_TOKEN_COLUMNS`, the three of the query, and in a batch `place`
    account, granted, expires, kind, client, organisation, usable, document, fingerprint, *_ = row
    holder, owner, scopes, kind = _holder(client, organisation, granted, kind)
    catalogue = None if fingerprint is None else text(fingerprint)
    return AuthenticatedToken(holder, owner, scopes, account, expires, kind, bool(usable), document, catalogue)


@lru_cache(maxsize=4096)
def _holder(
    client: str | bytes, organisation: str | bytes, granted: str | bytes, kind: str | bytes
) -> tuple[Client, Organisation, frozenset[str], str]:
    """Who holds a token, by the texts of the row. They are read each time; only their decoded form is cached.

    A token has the scopes that it was granted and that its client still has.
    """
    holder = client_of(client)
    scopes = frozenset(text(granted).split()).intersection(holder.scopes)
    return holder, organisation_of(organisation), scopes, text(kind)


def text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value


# A client that authenticates itself, and a token that it asks about -----------------------------

CLIENT_COLUMNS = "c.document AS client_document, o.document AS organisation_document"
_HELD_COLUMNS = (
    f"t.kind, t.scopes, t.created, t.expires, {_USABLE.format('a')}, h.document AS holder_document, a.id AS account_id"
)
_HELD_JOINS = (
    "LEFT JOIN clients h ON h.id = t.client AND h.organisation = c.organisation "
    "LEFT JOIN accounts a ON a.row = t.account"
)
TOKEN = Query(
    Sql(
        f"SELECT {CLIENT_COLUMNS}, {_HELD_COLUMNS} "
        "FROM clients c JOIN organisations o ON o.id = c.organisation "
        f"LEFT JOIN tokens t ON t.digest = $2 {_HELD_JOINS} WHERE c.id = $1"
    ),
    Sql(
        f"SELECT {CLIENT_COLUMNS}, {_HELD_COLUMNS}, k.place "
        f"FROM unnest($1::text[], $2::bytea[]) {NUMBERED} (client, digest, place) "
        "JOIN clients c ON c.id = k.client JOIN organisations o ON o.id = c.organisation "
        f"LEFT JOIN tokens t ON t.digest = k.digest {_HELD_JOINS}"
    ),
)


class TokenLookup(msgspec.Struct):
    """The client that asks, and the token. `holder`: the token's client, None for no token of this organisation.

    `account_id`: the account that the token stands for; `usable`: False where that may not be logged in to.
    """

    client: Client
    organisation: Organisation
    holder: Client | None = None
    kind: str = ""
    scopes: str = ""
    created: int = 0
    expires: int = 0
    usable: bool = False
    account_id: str | None = None


def token_lookup(row: Row) -> TokenLookup:
    client, organisation, kind, scopes, created, expires, usable, holder, account_id, *_ = row  # `_HELD_COLUMNS` last
    lookup = TokenLookup(client_of(client), organisation_of(organisation))
    if holder is not None:
        lookup.holder = client_of(holder)
        lookup.kind, lookup.scopes = text(kind), text(scopes)
        lookup.created, lookup.expires, lookup.usable = created, expires, bool(usable)
        lookup.account_id = None if account_id is None else text(account_id)
    return lookup
