"""Revocation (RFC 7009): a client gives back a token that it no longer needs, such as at a logout."""

from __future__ import annotations

from stamkund import problems
from stamkund.endpoints.oauth.client_authentication import CLIENT_FIELDS, authenticated
from stamkund.endpoints.oauth.errors import BASIC, NO_STORE, OAuthError, TokenError, refusal
from stamkund.endpoints.oauth.grants import LIMIT
from stamkund.identity.tokens import token_digest
from stamkund.store import Issue
from stamkund.wire.endpoint import Call, CustomError, Example, FormField, FormVariant, Limit, Response, endpoint

_TEXT = "text/plain; charset=utf-8"


@endpoint(
    "POST",
    "/oauth2/revoke",
    title="Revoke a token",
    source="RFC 7009",
    public=True,
    body="form",
    media=_TEXT,
    group="OpenID Connect",
    limit=Limit(LIMIT),
    refusals=(problems.UNAVAILABLE,),
    forms=(
        FormVariant(
            "",
            "",
            (
                *CLIENT_FIELDS,
                FormField("token", "An access token or a refresh token.", required=True, example="<refresh token>"),
                FormField("token_type_hint", "Of no use here: tokens of all kinds are found at once."),
            ),
        ),
    ),
    custom_errors=(
        CustomError(400, TokenError("invalid_request", "The field token is required")),
        CustomError(401, TokenError("invalid_client", "The client id or secret is not valid"), BASIC),
    ),
    example=Example(body="client_id=585a4768edce2c5e6f000001&client_secret=<secret>&token=<refresh token>"),
)
async def revoke_token(call: Call) -> Response:
    """Revokes a token of the client.

    An access token goes alone; with a refresh token goes all that came from the same login, access tokens too. The
    answer is 200 without a body, also where there is no such token, or it is another client's, which stays as it is.
    Errors are OAuth's: `error` and `error_description`.
    """
    try:
        client, organisation = await authenticated(call)
        call.services.limits.client(LIMIT, client.id, call.now)
        token = call.form.get("token", "")
        if not token:
            raise OAuthError("invalid_request", "The field token is required")
    except OAuthError as error:
        return refusal(call, error)
    issue = Issue(organisation.id, client.id, "revocation", call.now)
    await call.services.store.tokens.revoke(token_digest(token.encode(errors="replace")), client.id, issue)
    return Response(200, b"", _TEXT.encode(), NO_STORE)
