"""The reader that a login, a code, a ticket or a token stands for: who that is, and whether they may be let in."""

from __future__ import annotations

import msgspec

from stamkund.store.work import Ask, Sql, Work, one

_DOCUMENT = Sql("SELECT document FROM accounts WHERE row = $1")


class NotActive(Exception):
    """The account may not be logged in to (any more)."""


class Reader(msgspec.Struct):
    """As much of an account's document as a login needs."""

    id: str
    status: str


_decoder = msgspec.json.Decoder(Reader)


def reader(account: int, *, active: bool = True) -> Work[Reader]:
    """The reader of an account's row. Raises NotActive for one that is gone or, with `active`, may not log in."""
    row = one((yield Ask(_DOCUMENT, (account,))))
    if row is None:
        raise NotActive
    found = _decoder.decode(row[0])
    if active and found.status != "active":
        raise NotActive
    return found


def reader_id(document: str | bytes) -> str:
    """The account id of a document."""
    return _decoder.decode(document).id
