"""Revocation (RFC 7009): a client gives back a token that it no longer needs, such as at a logout."""

from __future__ import annotations

from stamkund.endpoints.oauth.client_authentication import authenticate_by_secret
from stamkund.endpoints.oauth.errors import NO_STORE_OR_CACHE
from stamkund.endpoints.oauth.operation import LIMIT, about_token_operation, oauth_operation, token_field
from stamkund.identity.tokens import token_digest
from stamkund.store import Issue
from stamkund.wire.call import Call
from stamkund.wire.response import NO_BODY, Response


@oauth_operation(
    "/oauth2/revoke",
    about=about_token_operation("Revoke a token", "RFC 7009", example="<refresh token>", media=NO_BODY),
)
async def revoke_token(call: Call) -> Response:
    """Revokes a token of the client.

    An access token is revoked alone; with a refresh token, all that came from the same login, access tokens too. The
    response is 200 without a body, also where there is no such token, or where it is another client's, which stays
    valid. Errors are OAuth's: `error` and `error_description`.
    """
    client, organisation = await authenticate_by_secret(call)
    call.services.limits.client(LIMIT, organisation.id, client.id, call.now)
    digest = token_digest(token_field(call).encode(errors="replace"))
    admit = call.services.audit_budget.admit
    issue = Issue(organisation.id, client.id, "revocation", call.now, admit)
    await call.services.store.tokens.revoke(digest, client.id, issue)
    return Response(200, b"", headers=NO_STORE_OR_CACHE)
