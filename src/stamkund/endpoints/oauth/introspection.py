"""Introspection (RFC 7662): a service that was sent a token asks whether it is valid, and what it may do.

This is a hot path: services ask at every request of theirs. One statement reads the client that asks and the token.
"""

from __future__ import annotations

import msgspec
from msgspec import UNSET, UnsetType

from stamkund.endpoints.oauth.client_authentication import authenticate_client, credentials
from stamkund.endpoints.oauth.errors import NO_STORE_OR_CACHE, invalid_client
from stamkund.endpoints.oauth.operation import LIMIT, about_token_operation, oauth_operation, token_field
from stamkund.identity.tokens import token_digest
from stamkund.rules import scopes
from stamkund.rules.ids import parse_id
from stamkund.store import ACCESS, REFRESH, TokenLookup
from stamkund.wire.call import Call
from stamkund.wire.response import Response


class Introspection(msgspec.Struct):
    """Only `active` for a token that is not valid. `token_type` is there for access tokens, `sub` with identity."""

    active: bool
    scope: str | UnsetType = UNSET
    client_id: str | UnsetType = UNSET
    token_type: str | UnsetType = UNSET
    exp: int | UnsetType = UNSET
    iat: int | UnsetType = UNSET
    sub: str | UnsetType = UNSET
    iss: str | UnsetType = UNSET


@oauth_operation(
    "/oauth2/introspect",
    about=about_token_operation(
        "Introspect a token", "RFC 7662", example="<token>", response=Introspection, response_example="introspect_token"
    ),
)
async def introspect_token(call: Call) -> Response:
    """Returns whether a token is valid, whose it is and what it may do.

    A client may ask about its own tokens; about those of other clients of its organisation with the scope
    `/api/authorization/token_info`. About any other the response is `{"active": false}`, as about one that is unknown,
    expired or revoked, or whose client is disabled. A public client may not ask. Errors are OAuth's: `error` and
    `error_description`.
    """
    lookup = await _token_lookup(call)
    call.services.limits.client(LIMIT, lookup.client.organisation, lookup.client.id, call.now)
    token_field(call)
    introspection = _introspection(lookup, call) if _is_valid(lookup, call.now) else Introspection(active=False)
    return Response(200, msgspec.json.encode(introspection), headers=NO_STORE_OR_CACHE)


async def _token_lookup(call: Call) -> TokenLookup:
    """The authenticated client, and the token that it asks about. Raises OAuthError."""
    client_id, secret = credentials(call)
    id_, lookup = parse_id(client_id), None
    if id_ is not None:
        digest = token_digest(call.form.get("token", "").encode(errors="replace"))
        lookup = await call.services.store.tokens.introspect(id_, digest)
    if lookup is None or lookup.client.public or not authenticate_client(call, lookup.client, secret):
        raise invalid_client()
    return lookup


def _is_valid(lookup: TokenLookup, now: int) -> bool:
    """Whether the token is valid, and the client may know."""
    holder = lookup.holder
    if (
        holder is None
        or holder.disabled
        or not lookup.usable
        or lookup.kind not in (ACCESS, REFRESH)
        or lookup.expires <= now
    ):
        return False
    return holder.id == lookup.client.id or scopes.TOKEN_INFO in lookup.client.scopes


def _introspection(lookup: TokenLookup, call: Call) -> Introspection:
    """A token may do what it was granted and its client still may."""
    holder = lookup.holder
    assert holder is not None
    return Introspection(
        active=True,
        scope=" ".join(s for s in lookup.scopes.split() if s in holder.scopes),
        client_id=holder.id,
        token_type="Bearer" if lookup.kind == ACCESS else UNSET,
        exp=lookup.expires,
        iat=lookup.created,
        sub=UNSET if lookup.account_id is None else lookup.account_id,
        iss=call.services.settings.issuer,
    )
