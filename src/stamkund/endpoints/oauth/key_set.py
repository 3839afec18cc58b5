"""The public keys that ID tokens are checked with."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from stamkund import problems
from stamkund.wire.about import About, Example
from stamkund.wire.call import Call
from stamkund.wire.endpoint import endpoint


class JsonWebKey(msgspec.Struct, kw_only=True):
    """A public key (RFC 7517); `kid` is in the header of the ID tokens that it signed.

    An RSA key (`RS256`) has `n` and `e`, an elliptic one (`ES256`) has `crv`, `x` and `y`.
    """

    kid: str
    use: str
    alg: str
    n: str | UnsetType = UNSET
    e: str | UnsetType = UNSET
    crv: str | UnsetType = UNSET
    x: str | UnsetType = UNSET
    y: str | UnsetType = UNSET
    kty: str


class KeySet(msgspec.Struct):
    keys: list[JsonWebKey]


@endpoint(
    "GET",
    "/oauth2/jwks",
    public=True,
    personal=False,
    max_age=300,
    refusals=(problems.UNAVAILABLE,),
    about=About(
        title="Get signing keys",
        group="OpenID Connect",
        source="OpenID Connect Discovery 1.0; RFC 7517",
        response=KeySet,
        example=Example(response="get_key_set"),
    ),
)
async def get_signing_keys(call: Call) -> dict[str, Any]:
    """Returns the public keys of ID tokens, oldest first.

    There are keys of two kinds, for `RS256` and `ES256`: use the one that the ID token names by its `kid`. A key is
    published for hours or days before it signs, and for as long as any token that it signed may be valid. Use
    the one that the ID token names; fetch the keys again when a token names one that you don't know.
    """
    return await call.services.id_token_keys.key_set()
