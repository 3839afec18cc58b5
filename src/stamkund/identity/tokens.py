"""Token texts and their digests: access and refresh tokens, codes, tickets."""

from __future__ import annotations

import hashlib
import secrets


def new_token() -> str:
    """A token of 256 random bits, in the 43 characters that clients in the field can paste unencoded."""
    return secrets.token_urlsafe(32)


def token_digest(token: bytes) -> bytes:
    """What a token is stored and looked up by. Tokens have 256 random bits, so a plain hash can't be reversed."""
    return hashlib.sha256(token).digest()
