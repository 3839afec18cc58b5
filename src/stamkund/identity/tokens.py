"""Token texts and their digests: access and refresh tokens, codes, tickets."""

from __future__ import annotations

import hashlib
import secrets

from stamkund.rules.ids import new_id
from stamkund.rules.organisation import Client
from stamkund.store import OneTimeCredential


def new_token() -> str:
    """A token of 256 random bits, in the 43 characters that clients in the field can paste unencoded."""
    return secrets.token_urlsafe(32)


def token_digest(token: bytes) -> bytes:
    """What a token is stored and looked up by. Tokens have 256 random bits, so a plain hash can't be reversed."""
    return hashlib.sha256(token).digest()


CREDENTIAL_SECONDS = 60
"""How long a one-time credential is valid."""


def new_credential(
    kind: str,
    client: Client,
    account: int,
    scopes: str,
    now: int,
    authenticated: int,
    detail: str = "{}",
    session: str | None = None,
) -> tuple[str, OneTimeCredential]:
    """A code or ticket for a client, and what is to be stored of it. `account`: the row of the reader's account.

    `authenticated`: when the reader gave the password, which the longest time that tokens last counts from.
    `session`: the sid of the session that the reader is logged in to.
    """
    text = new_token()
    credential = OneTimeCredential(
        organisation=client.organisation,
        digest=token_digest(text.encode()),
        kind=kind,
        client=client.id,
        account=account,
        scopes=scopes,
        created=now,
        expires=now + CREDENTIAL_SECONDS,
        family=new_id(authenticated),
        detail=detail,
        session=session,
    )
    return text, credential
