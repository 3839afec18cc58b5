"""JSON Web Tokens as SSO2 has them, both ways: HS256 with the client's secret, and nothing else.

Our own, because every call about a session reads one token and signs another, and because less is accepted than a
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
from stamkund.rules.values import MAX_SSO_TOKEN_LENGTH

_MAX_HEADER_LENGTH = 1024

_TO_BASE64 = bytes.maketrans(b"-_+/=", b"+/...")
"""From base64url to base64. What only base64 has becomes what neither has, and is refused."""
_TO_BASE64URL = bytes.maketrans(b"+/", b"-_")
_encode = msgspec.json.Encoder().encode


class InvalidToken(Exception):
    """The token is not valid; the reason is not given."""


class RequestClaims(Personal):
    """The claims of a request. What only describes the visitor (`ipa`, `uas`, `lks`, `apn`) may be anything or missing.

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
    apn: Any = None

    @property
    def describes_visitor(self) -> bool:
        """Whether it says anything of a visitor: address, user agent or app. No link that a browser is sent to does."""
        return any(claim is not None for claim in (self.ipa, self.uas, self.apn))


class _Header(msgspec.Struct):
    alg: str
    typ: str | None = None
    crit: Any = UNSET


_DECODE_ERRORS = (msgspec.DecodeError, ValueError, RecursionError)
_claims_decoder = msgspec.json.Decoder(RequestClaims)
_header_decoder = msgspec.json.Decoder(_Header)


class UnverifiedToken(msgspec.Struct):
    """A well-formed token whose signature is yet to be verified."""

    claims: RequestClaims
    signed: bytes
    signature: bytes

    def verifying_secret(self, secrets: Iterable[str]) -> str | None:
        """The secret that the token was signed with. All are compared, in constant time, whichever it is."""
        verifying = None
        for secret in secrets:
            if hmac.compare_digest(self.signature, _signature(secret, self.signed)):
                verifying = secret
        return verifying


def parse(token: str) -> UnverifiedToken:
    """A token that is well-formed. Raises InvalidToken."""
    if len(token) > MAX_SSO_TOKEN_LENGTH or not token.isascii():
        raise InvalidToken
    signed, _, signature = token.encode("ascii").rpartition(b".")
    header, dot, payload = signed.partition(b".")
    if not dot or len(header) > _MAX_HEADER_LENGTH or not _says_hs256(header):
        raise InvalidToken
    try:
        claims = _claims_decoder.decode(_decoded(payload))
    except _DECODE_ERRORS:
        raise InvalidToken from None
    return UnverifiedToken(claims, signed, signature)


_OUR_HEADER = b"eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9."  # {"alg":"HS256","typ":"JWT"}


def sign(claims: msgspec.Struct, secret: str) -> str:
    """The token with these claims."""
    signed = _OUR_HEADER + _encoded(_encode(claims))
    return (signed + b"." + _signature(secret, signed)).decode("ascii")


@lru_cache(maxsize=256)
def _says_hs256(header: bytes) -> bool:
    """Each site's library writes the same header into every token, so the result is cached."""
    try:
        decoded = _header_decoder.decode(_decoded(header))
    except _DECODE_ERRORS:
        return False
    is_jwt = decoded.typ is None or decoded.typ.upper() == "JWT"
    return decoded.alg == "HS256" and is_jwt and decoded.crit is UNSET


def _signature(secret: str, signed: bytes) -> bytes:
    """Compared as text, so that bits which base64 does not use can't make a second form of it."""
    keyed = _keyed(secret).copy()
    keyed.update(signed)
    return _encoded(keyed.digest())


@lru_cache(maxsize=1024)
def _keyed(secret: str) -> hmac.HMAC:
    """The prepared key, which takes longer to make than a signature. The secrets are cached anyway."""
    return hmac.new(secret.encode(), digestmod="sha256")


def _encoded(raw: bytes) -> bytes:
    return binascii.b2a_base64(raw, newline=False).translate(_TO_BASE64URL, b"=")


def _decoded(text: bytes) -> bytes:
    """Raises binascii.Error for what is not base64url without padding."""
    return binascii.a2b_base64(text.translate(_TO_BASE64) + b"=" * (-len(text) % 4), strict_mode=True)
