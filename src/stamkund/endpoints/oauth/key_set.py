"""The public keys that ID tokens are checked with."""

from __future__ import annotations

from typing import Any

import msgspec

from stamkund import problems
from stamkund.wire.endpoint import Call, Example, endpoint


class JsonWebKey(msgspec.Struct):
    """A public RSA key (RFC 7517); `kid` stands in the header of the ID tokens that it signed."""

    kid: str
    use: str
    alg: str
    n: str
    e: str
    kty: str


class KeySet(msgspec.Struct):
    keys: list[JsonWebKey]


_ANSWER = """
{
    "keys": [
        {
            "kid": "BC-8jpOkqgxGYpGASoGnSR4L2Y3oSI9vry5fyXk1Dsw",
            "use": "sig",
            "alg": "RS256",
            "n": "<342 characters>",
            "e": "AQAB",
            "kty": "RSA"
        }
    ]
}
"""


@endpoint(
    "GET",
    "/oauth2/jwks",
    title="Get signing keys",
    source="OpenID Connect Discovery 1.0; RFC 7517",
    public=True,
    personal=False,
    max_age=300,
    answer=KeySet,
    refusals=(problems.UNAVAILABLE,),
    example=Example(answer=_ANSWER),
    group="OpenID Connect",
)
async def get_signing_keys(call: Call) -> dict[str, Any]:
    """Answers the public keys of ID tokens, oldest first.

    A key is here for hours or days before it signs, and for as long as anything that it signed may be about. Take the
    one that the ID token names; ask again when it names one that you don't know.
    """
    return await call.services.id_token_keys.key_set()
