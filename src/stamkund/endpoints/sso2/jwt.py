"""JSON Web Tokens as SSO2 has them, both ways: HS256 with the client's secret, and nothing else.

Our own, because every question about a session reads one token and signs another, and because less is accepted than a
library would (docs/decisions/0011-our-own-hs256.md): three parts in base64url without padding, a header that says
HS256 and no extension, claims of the right types. Keys that a token brings along (`jwk`, `jku`, `kid`, `x5u`) are not
even read: the only keys are the secrets of the client that it names.
"""

from __future__ import annotations

import binascii
import hmac
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

import msgspec
from msgspec import UNSET

from stamkund.rules.account import Personal

LONGEST = 60_000
"""Characters of a token: user agent and password at their longest, and all of it escaped."""
_LONGEST_HEADER = 1024

_STANDARD = bytes.maketrans(b"-_+/=", b"+/...")
"""From base64url to base64. What only base64 has becomes what neither has, and is refused."""
_URL = bytes.maketrans(b"+/", b"-_")
_encode = msgspec.json.Encoder().encode


class NotValid(Exception):
    """The token is not one that may be believed; why is nobody's business."""


class Claims(Personal):
    """What a site asks with. What only describes the visitor (`ipa`, `uas`, `lks`) may be anything, or missing.

    `cid`: the client; `iss`: its organisation; `sid`: the session; `at`: a ticket.
    """

    cid: str
    iss: str
    aud: str | list[str]
    nbf: int | float
    exp: int | float
    iat: int | float | None = None
    sid: str | None = None
    usr: str | None = None
    pwd: str | None = None
    at: str | None = None
    lks: Any = None
    ipa: Any = None
    uas: Any = None


class _Header(msgspec.Struct):
    alg: str
    typ: str | None = None
    crit: Any = UNSET


_UNREADABLE = (msgspec.DecodeError, ValueError, RecursionError)
_claims = msgspec.json.Decoder(Claims)
_header = msgspec.json.Decoder(_Header)


class Unverified(msgspec.Struct):
    """A token that says who signed it, which is to be proved yet."""

    claims: Claims
    signed: bytes
    signature: bytes

    def proven_by(self, secrets: Iterable[str]) -> str | None:
        """The secret that the token was signed with. All are compared, in constant time, whichever it is."""
        found = None
        for secret in secrets:
            if hmac.compare_digest(self.signature, _signature(secret, self.signed)):
                found = secret
        return found


def read(token: str) -> Unverified:
    """A token whose form is right. Raises NotValid."""
    if len(token) > LONGEST or not token.isascii():
        raise NotValid
    signed, _, signature = token.encode("ascii").rpartition(b".")
    header, dot, payload = signed.partition(b".")
    if not dot or not _acceptable(header):
        raise NotValid
    try:
        claims = _claims.decode(_decoded(payload))
    except _UNREADABLE:
        raise NotValid from None
    return Unverified(claims, signed, signature)


_OUR_HEADER = b"eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9."  # {"alg":"HS256","typ":"JWT"}


def signed(claims: msgspec.Struct, secret: str) -> str:
    """The token that holds `claims`."""
    text = _OUR_HEADER + _encoded(_encode(claims))
    return (text + b"." + _signature(secret, text)).decode("ascii")


def _acceptable(header: bytes) -> bool:
    return len(header) <= _LONGEST_HEADER and _says_hs256(header)


@lru_cache(maxsize=256)
def _says_hs256(header: bytes) -> bool:
    """Each site's library writes the same header into every token, so what was found out is remembered."""
    try:
        found = _header.decode(_decoded(header))
    except _UNREADABLE:
        return False
    return found.alg == "HS256" and (found.typ is None or found.typ.upper() == "JWT") and found.crit is UNSET


def _signature(secret: str, text: bytes) -> bytes:
    """Compared as text, so that bits which base64 doesn't use can't make a second form of it."""
    keyed = _keyed(secret).copy()
    keyed.update(text)
    return _encoded(keyed.digest())


@lru_cache(maxsize=1024)
def _keyed(secret: str) -> hmac.HMAC:
    """The key made ready, which takes longer than signing with it. The secrets are kept open anyway."""
    return hmac.new(secret.encode(), digestmod="sha256")


def _encoded(raw: bytes) -> bytes:
    return binascii.b2a_base64(raw, newline=False).translate(_URL, b"=")


def _decoded(text: bytes) -> bytes:
    """Raises binascii.Error for what is not base64url without padding."""
    return binascii.a2b_base64(text.translate(_STANDARD) + b"=" * (-len(text) % 4), strict_mode=True)
