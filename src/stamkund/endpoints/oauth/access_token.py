"""The token endpoint: a client authenticates itself and gets an access token, with or without an identity.

Each grant is one function (`grants.py`, `code_grants.py`); adding a grant adds a function and, here, its form. Errors
are OAuth's (RFC 6749, section 5.2), not the API's. Facts of clients in the field: credentials come in the body,
unencoded; `grant_type=none` is the server-to-server grant; of a refresh response they read the access token alone, so
the refresh token stays the same, unless the client was set to rotate.
"""

from __future__ import annotations

import msgspec

from stamkund import problems
from stamkund.endpoints.oauth.client_authentication import CLIENT_FIELDS, authenticate_by_secret
from stamkund.endpoints.oauth.errors import (
    INVALID_CLIENT_ERROR,
    NO_STORE_OR_CACHE,
    OAuthError,
    TokenError,
    quoted,
    required_field,
)
from stamkund.endpoints.oauth.grants import FROZEN_SENTENCE, GRANTS, PASSWORD_SENTENCE
from stamkund.endpoints.oauth.operation import LIMIT, oauth_operation
from stamkund.endpoints.oauth.token_request import TokenRequest, TokenResponse
from stamkund.rules.events import AuditEntry, AuditEvent
from stamkund.rules.organisation import Client, Organisation
from stamkund.wire.about import About, CustomError, Example, FormField, FormVariant
from stamkund.wire.call import Call
from stamkund.wire.response import Response

_SCOPE = FormField(
    "scope", "Scopes separated by blanks; all of the client's when there are none.", example="/external/account/r"
)
FORMS = (
    FormVariant("none", "A token without identity, for calls from server to server.", (*CLIENT_FIELDS, _SCOPE)),
    FormVariant("client_credentials", "The standard name of `none`.", (*CLIENT_FIELDS, _SCOPE)),
    FormVariant(
        "password",
        "A token with identity, and a refresh token, for a reader who has given e-mail and password.",
        (
            *CLIENT_FIELDS,
            FormField(
                "username",
                "`<organisation>^<email>`; a bare e-mail means the client's own organisation.",
                required=True,
                example="demo^ove.ovesson@example.com",
            ),
            FormField("password", "The reader's password.", required=True, example="Df7Vdd8!!vnM"),
            _SCOPE,
        ),
    ),
    FormVariant(
        "authorization_code",
        "A token with identity for a reader who came back from the login page (`/oauth2/auth`).",
        (
            *CLIENT_FIELDS,
            FormField("code", "The code. It works once, for a minute.", required=True, example="<code>"),
            FormField("redirect_uri", "The same as in the request, where there was one."),
            FormField("code_verifier", "PKCE: what the code_challenge was made of. Needed where there was one."),
        ),
    ),
    FormVariant(
        "ticket",
        "A token with identity for the reader of a single sign-on session.",
        (
            *CLIENT_FIELDS,
            FormField("ticket", "The ticket. It works once, for a minute.", required=True, example="<ticket>"),
            _SCOPE,
        ),
    ),
    FormVariant(
        "refresh_token",
        "A new access token. The refresh token stays valid, for as long again, unless the client's rotate: then the "
        "response has the next one, and one that is used again revokes all that came from the same login.",
        (
            *CLIENT_FIELDS,
            FormField("refresh_token", "The refresh token.", required=True, example="<refresh token>"),
            FormField("scope", "Fewer scopes than were granted; else the same.", example="/external/me/w"),
        ),
    ),
)
"""The form of each grant, for the reference."""


def _error(error: str, description: str) -> CustomError:
    return CustomError(400, TokenError(error, description))


ERRORS = (
    _error("invalid_request", required_field("grant_type").description),
    _error("invalid_grant", PASSWORD_SENTENCE),
    _error("invalid_grant", FROZEN_SENTENCE.format("2016-12-22T10:12:08+01:00")),
    _error("unsupported_grant_type", "The grant type implicit is not supported"),
    _error("unauthorized_client", "The client may not use the grant type password"),
    _error("invalid_scope", "The client does not have the scope /external/title/r"),
    INVALID_CLIENT_ERROR,
)


@oauth_operation(
    "/api/authorization/access_token",
    refusals=(problems.BUSY,),
    about=About(
        title="Get access token",
        group="Authorization",
        source="public client code; RFC 6749",
        response=TokenResponse,
        forms=FORMS,
        custom_errors=ERRORS,
        example=Example(
            body="client_id=585a4768edce2c5e6f000001&client_secret=<secret>&grant_type=none&scope=/external/account/r",
            response="issue_token",
        ),
    ),
)
async def issue_token(call: Call) -> Response:
    """Issues an access token to a client.

    Client id and secret come in the form or as HTTP Basic. Errors are OAuth's: `error` and `error_description`.

    Failed logins in a row freeze the login for a while; then the error of the password grant is `invalid_grant` with a
    description that says so and until when, whatever the password.
    """
    client, organisation = await authenticate_by_secret(call)
    services = call.services
    services.limits.client(LIMIT, organisation.id, client.id, call.now)
    try:
        return await _token_response(call, client, organisation)
    except OAuthError as error:
        refusal = AuditEntry(organisation.id, call.now, AuditEvent.TOKEN_REFUSED, client.id, detail=error.error)
        if services.audit_budget.admit(refusal):  # before the transaction, which it spares the database
            await services.store.audit.record([refusal])
        raise


async def _token_response(call: Call, client: Client, organisation: Organisation) -> Response:
    grant = call.form.get("grant_type", "")
    if not grant:
        raise required_field("grant_type")
    issue = GRANTS.get(grant)
    if issue is None:
        raise OAuthError("unsupported_grant_type", f"The grant type {quoted(grant)} is not supported")
    if grant not in client.allowed_grants:
        raise OAuthError("unauthorized_client", f"The client may not use the grant type {quoted(grant)}")
    response = await issue(TokenRequest(call, client, organisation, grant))
    return Response(200, msgspec.json.encode(response), headers=NO_STORE_OR_CACHE)
