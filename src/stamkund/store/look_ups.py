"""The hot path: who calls, and the account that the call is about, in one statement.

One statement is one snapshot, so a token that is revoked and an account that changes can't be seen half; and it is what
keeps a read within a few microseconds of the engine's own time.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from stamkund.rules.identifiers import Identifier
from stamkund.rules.organisation import Client, Organisation
from stamkund.rules.session import Session
from stamkund.store import sessions
from stamkund.store.documents import client_of, organisation_of
from stamkund.store.readers import reader_id
from stamkund.store.work import Row, Sql

_COLUMNS = "t.account, t.scopes, t.expires, t.kind, c.document, o.document"
_CLIENT = "JOIN clients c ON c.id = t.client JOIN organisations o ON o.id = c.organisation"
_OWN = "LEFT JOIN accounts a ON a.row = t.account"
_BY_KEY = (
    "LEFT JOIN identifiers i ON i.organisation = c.organisation AND i.kind = {kind} AND i.value = {value} "
    "LEFT JOIN accounts a ON a.row = i.account"
)
_CATALOGUE = "LEFT JOIN catalogues g ON g.organisation = c.organisation"
_PLACES = "WITH ORDINALITY AS k"


@dataclass(frozen=True)
class _LookUp:
    single: Sql
    batch: Sql


def _look_up(columns: str, joins: str, arrays: str, names: str) -> _LookUp:
    single = joins.format(kind="$2", value="$3")
    batch = joins.format(kind="k.kind", value="k.value")
    return _LookUp(
        Sql(f"SELECT {columns} FROM tokens t {single} WHERE t.hash = $1"),  # noqa: S608
        Sql(
            f"SELECT k.place, {columns} FROM unnest({arrays}) {_PLACES} ({names}, place) "  # noqa: S608
            f"JOIN tokens t ON t.hash = k.hash {batch}"
        ),
    )


_TOKEN_ONLY = _look_up(_COLUMNS, _CLIENT, "$1::bytea[]", "hash")
_TOKEN_AND_OWN = _look_up(f"{_COLUMNS}, a.document", f"{_CLIENT} {_OWN}", "$1::bytea[]", "hash")
_TOKEN_AND_KEY = _look_up(
    f"{_COLUMNS}, a.document",
    f"{_CLIENT} {_BY_KEY}",
    "$1::bytea[], $2::text[], $3::text[]",
    "hash, kind, value",
)
_TOKEN_AND_CATALOGUE = _look_up(f"{_COLUMNS}, NULL, g.fingerprint", f"{_CLIENT} {_CATALOGUE}", "$1::bytea[]", "hash")
_TOKEN_OWN_AND_CATALOGUE = _look_up(
    f"{_COLUMNS}, a.document, g.fingerprint", f"{_CLIENT} {_OWN} {_CATALOGUE}", "$1::bytea[]", "hash"
)
_TOKEN_KEY_AND_CATALOGUE = _look_up(
    f"{_COLUMNS}, a.document, g.fingerprint",
    f"{_CLIENT} {_BY_KEY} {_CATALOGUE}",
    "$1::bytea[], $2::text[], $3::text[]",
    "hash, kind, value",
)


class Own:
    """The account that the token itself stands for."""


OWN = Own()
Subject = Own | Identifier | None
"""The account that a call is about: the token's own, the one with an identifier, or none."""


@dataclass(slots=True)
class Opened:
    """A token as the database knows it now, and the document of the account that was asked for along with it.

    `catalogue`: the fingerprint of the organisation's, where that was asked for and there is one.
    """

    client: Client
    organisation: Organisation
    scopes: frozenset[str]
    account_row: int | None
    expires: int
    kind: str
    document: str | bytes | None
    catalogue: str | None = None


def statement(token_hash: bytes, subject: Subject, catalogue: bool = False) -> tuple[_LookUp, tuple[Any, ...]]:
    """The look-up for `subject`, with the fingerprint of the `catalogue` or without, and its values."""
    if subject is None:
        return _TOKEN_AND_CATALOGUE if catalogue else _TOKEN_ONLY, (token_hash,)
    if isinstance(subject, Own):
        return _TOKEN_OWN_AND_CATALOGUE if catalogue else _TOKEN_AND_OWN, (token_hash,)
    return _TOKEN_KEY_AND_CATALOGUE if catalogue else _TOKEN_AND_KEY, (token_hash, *subject)


def opened(row: Row) -> Opened:
    client, organisation, scopes, kind = _holder(row[4], row[5], row[1], row[3])
    found = Opened(client, organisation, scopes, row[0], row[2], kind, row[6] if len(row) > 6 else None)
    if len(row) > 7 and row[7] is not None:
        found.catalogue = _text(row[7])
    return found


@lru_cache(maxsize=4096)
def _holder(
    client: str | bytes, organisation: str | bytes, granted: str | bytes, kind: str | bytes
) -> tuple[Client, Organisation, frozenset[str], str]:
    """Who holds a token, by the texts of the row. They are read each time; only what they mean is remembered.

    A token has the scopes that it was granted and that its client still has.
    """
    holder = client_of(client)
    scopes = frozenset(_text(granted).split()).intersection(holder.scopes)
    return holder, organisation_of(organisation), scopes, _text(kind)


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value


# Questions of a client that names itself: about a session, and about a token -----------------------------------

_SESSION_COLUMNS = ", ".join(f"s.{column}" for column in sessions.COLUMNS.split(", "))
SESSION = _LookUp(
    Sql(
        f"SELECT c.document, o.document, {_SESSION_COLUMNS} FROM clients c "  # noqa: S608
        "JOIN organisations o ON o.id = c.organisation "
        "LEFT JOIN sessions s ON s.sid = $2 AND s.organisation = c.organisation WHERE c.id = $1"
    ),
    Sql(
        f"SELECT k.place, c.document, o.document, {_SESSION_COLUMNS} "  # noqa: S608
        f"FROM unnest($1::text[], $2::text[]) {_PLACES} (client, sid, place) "
        "JOIN clients c ON c.id = k.client JOIN organisations o ON o.id = c.organisation "
        "LEFT JOIN sessions s ON s.sid = k.sid AND s.organisation = c.organisation"
    ),
)
_HELD_COLUMNS = "c.document, o.document, t.kind, t.scopes, t.created, t.expires, h.document, a.document"
_HELD_JOINS = (
    "LEFT JOIN clients h ON h.id = t.client AND h.organisation = c.organisation "
    "LEFT JOIN accounts a ON a.row = t.account"
)
TOKEN = _LookUp(
    Sql(
        f"SELECT {_HELD_COLUMNS} FROM clients c JOIN organisations o ON o.id = c.organisation "  # noqa: S608
        f"LEFT JOIN tokens t ON t.hash = $2 {_HELD_JOINS} WHERE c.id = $1"
    ),
    Sql(
        f"SELECT k.place, {_HELD_COLUMNS} "  # noqa: S608
        f"FROM unnest($1::text[], $2::bytea[]) {_PLACES} (client, hash, place) "
        "JOIN clients c ON c.id = k.client JOIN organisations o ON o.id = c.organisation "
        f"LEFT JOIN tokens t ON t.hash = k.hash {_HELD_JOINS}"
    ),
)


@dataclass(slots=True)
class SessionAsked:
    """A client that asks about a session of its organisation, None where there is no such session."""

    client: Client
    organisation: Organisation
    session: Session | None


@dataclass(slots=True)
class TokenAsked:
    """A client that asks about a token. `holder`: the token's client, None for no token of this organisation.

    `reader`: the id of the account that the token stands for.
    """

    client: Client
    organisation: Organisation
    holder: Client | None = None
    kind: str = ""
    scopes: str = ""
    created: int = 0
    expires: int = 0
    reader: str | None = None


def session_asked(row: Row) -> SessionAsked:
    found = None if row[2] is None else sessions.session_of(tuple(row)[2:])
    return SessionAsked(client_of(row[0]), organisation_of(row[1]), found)


def token_asked(row: Row) -> TokenAsked:
    asked = TokenAsked(client_of(row[0]), organisation_of(row[1]))
    if row[6] is not None:
        asked.holder = client_of(row[6])
        asked.kind, asked.scopes, asked.created, asked.expires = _text(row[2]), _text(row[3]), row[4], row[5]
        asked.reader = None if row[7] is None else reader_id(row[7])
    return asked
