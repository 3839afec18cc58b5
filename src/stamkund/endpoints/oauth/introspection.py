"""Introspection (RFC 7662): a service that was sent a token asks whether it holds, and what it may do.

This is a hot path: services ask at every request of theirs. One statement brings the client that asks and the token.
"""

from __future__ import annotations

import msgspec
from msgspec import UNSET, UnsetType

from stamkund import problems
from stamkund.endpoints.oauth.client_authentication import CLIENT_FIELDS, authenticate_client, credentials
from stamkund.endpoints.oauth.errors import BASIC, NO_STORE, OAuthError, TokenError, invalid_client, refusal
from stamkund.endpoints.oauth.grants import LIMIT
from stamkund.identity.tokens import token_digest
from stamkund.rules import scopes
from stamkund.rules.ids import is_id
from stamkund.store import ACCESS, REFRESH, TokenLookup
from stamkund.wire.endpoint import Call, CustomError, Example, FormField, FormVariant, Limit, Response, endpoint


class Introspected(msgspec.Struct):
    """Only `active` for a token that does not hold. `token_type` is there for access tokens, `sub` with identity."""

    active: bool
    scope: str | UnsetType = UNSET
    client_id: str | UnsetType = UNSET
    token_type: str | UnsetType = UNSET
    exp: int | UnsetType = UNSET
    iat: int | UnsetType = UNSET
    sub: str | UnsetType = UNSET
    iss: str | UnsetType = UNSET


_ANSWER = """
{
    "active": true,
    "scope": "/external/me/w",
    "client_id": "585a4768edce2c5e6f000001",
    "token_type": "Bearer",
    "exp": 1482315128,
    "iat": 1482311528,
    "sub": "585a4768edce2c5e6f000002",
    "iss": "https://stamkund.example.com"
}
"""


@endpoint(
    "POST",
    "/oauth2/introspect",
    title="Introspect a token",
    source="RFC 7662",
    public=True,
    body="form",
    answer=Introspected,
    group="OpenID Connect",
    limit=Limit(LIMIT),
    refusals=(problems.UNAVAILABLE,),
    forms=(
        FormVariant(
            "",
            "",
            (
                *CLIENT_FIELDS,
                FormField("token", "An access token or a refresh token.", required=True, example="<token>"),
                FormField("token_type_hint", "Of no use here: tokens of all kinds are found at once."),
            ),
        ),
    ),
    custom_errors=(
        CustomError(400, TokenError("invalid_request", "The field token is required")),
        CustomError(401, TokenError("invalid_client", "The client id or secret is not valid"), BASIC),
    ),
    example=Example(
        body="client_id=585a4768edce2c5e6f000001&client_secret=<secret>&token=<token>",
        answer=_ANSWER,
    ),
)
async def introspect_token(call: Call) -> Response:
    """Answers whether a token holds, whose it is and what it may do.

    A client may ask about its own tokens; about those of other clients of its organisation with the scope
    `/api/authorization/token_info`. About any other the answer is `{"active": false}`, as about one that is
    unknown, over or revoked, or whose client is disabled. A public client may not ask. Errors are OAuth's: `error` and
    `error_description`.
    """
    try:
        token = call.form.get("token", "")
        asked = await _asked(call, token)
        call.services.limits.client(LIMIT, asked.client.id, call.now)
        if not token:
            raise OAuthError("invalid_request", "The field token is required")
    except OAuthError as error:
        return refusal(call, error)
    told = _told(asked, call) if _holds(asked, call.now) else Introspected(active=False)
    return Response(200, msgspec.json.encode(told), headers=NO_STORE)


async def _asked(call: Call, token: str) -> TokenLookup:
    """The client that asks, when it proved who it is, and the token. Raises OAuthError."""
    client_id, secret = credentials(call)
    asked = None
    if is_id(client_id):
        hashed = token_digest(token.encode(errors="replace"))
        asked = await call.services.store.tokens.introspect(client_id.lower(), hashed)
    if asked is None or asked.client.public or not authenticate_client(call, asked.client, secret):
        raise invalid_client()
    return asked


def _holds(asked: TokenLookup, now: int) -> bool:
    """Whether there is a token that holds, and the client may know."""
    holder = asked.holder
    if holder is None or holder.disabled or asked.kind not in (ACCESS, REFRESH) or asked.expires <= now:
        return False
    return holder.id == asked.client.id or scopes.TOKEN_INFO in asked.client.scopes


def _told(asked: TokenLookup, call: Call) -> Introspected:
    """A token may do what it was granted and its client still may."""
    holder = asked.holder
    assert holder is not None
    return Introspected(
        active=True,
        scope=" ".join(s for s in asked.scopes.split() if s in holder.scopes),
        client_id=holder.id,
        token_type="Bearer" if asked.kind == ACCESS else UNSET,
        exp=asked.expires,
        iat=asked.created,
        sub=UNSET if asked.account_id is None else asked.account_id,
        iss=call.services.settings.issuer,
    )
