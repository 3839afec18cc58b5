"""The declaration that OAuth's calls from server to server share: they take a form, and respond with OAuth's errors."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import wraps

from stamkund import problems
from stamkund.endpoints.oauth.client_authentication import CLIENT_FIELDS
from stamkund.endpoints.oauth.errors import (
    INVALID_CLIENT_ERROR,
    OAuthError,
    TokenError,
    error_response,
    quoted,
    required_field,
)
from stamkund.problems import Problem
from stamkund.wire.about import About, CustomError, Example, FormField, FormVariant
from stamkund.wire.call import Call
from stamkund.wire.endpoint import Endpoint, Limit, endpoint
from stamkund.wire.form import FORM_TYPE, is_form, too_long
from stamkund.wire.response import JSON, Response

LIMIT = "token"
"""What the calls of a client are counted under, all of OAuth's together."""

_BOUNDED_FIELDS = (
    "client_id",
    "client_secret",
    "grant_type",
    "scope",
    "code",
    "redirect_uri",
    "code_verifier",
    "ticket",
    "refresh_token",
    "token",
)
"""All fields but those of a login, where whatever is too long is refused like what is wrong (`identity/logins.py`)."""

OAuthHandler = Callable[[Call], Awaitable[Response]]


def oauth_operation(path: str, *, about: About, refusals: Sequence[Problem] = ()) -> Callable[[OAuthHandler], Endpoint]:
    """Declares `POST path`, whose handler raises OAuthError."""
    declare = endpoint(
        "POST",
        path,
        public=True,
        body="form",
        limit=Limit(LIMIT),
        refusals=(problems.UNAVAILABLE, *refusals),
        about=about,
    )

    def declare_oauth(handler: OAuthHandler) -> Endpoint:
        @wraps(handler)
        async def handle(call: Call) -> Response:
            try:
                check_form(call)
                for name in too_long(call.form, _BOUNDED_FIELDS):
                    raise OAuthError("invalid_request", f"The field {name} is too long")
                return await handler(call)
            except OAuthError as error:
                return error_response(call, error)

        return declare(handle)

    return declare_oauth


def check_form(call: Call) -> None:
    """Checks that the body is a form with each field once, and drops empty fields (RFC 6749, 3.2). Raises OAuthError.

    Before the client is looked at: a body that can't be read has no credentials, and `invalid_client` would send its
    developers the wrong way.
    """
    if not is_form(call.headers.get(b"content-type", b""), call.form):
        raise OAuthError("invalid_request", f"The content type must be {FORM_TYPE.decode()}, and the body a form")
    if call.form.repeated:
        raise OAuthError("invalid_request", f"The field {quoted(min(call.form.repeated))} is given more than once")
    call.form = call.form.without_empty()


def about_token_operation(
    title: str,
    source: str,
    *,
    example: str,
    response: type | None = None,
    response_example: str = "",
    media: str = JSON,
) -> About:
    """What the reference says about a call that takes a token in a form: introspection and revocation."""
    fields = (
        *CLIENT_FIELDS,
        FormField("token", "An access token or a refresh token.", required=True, example=example),
        FormField("token_type_hint", "Ignored: tokens of all kinds are found at once."),
    )
    required = required_field("token")
    return About(
        title=title,
        group="OpenID Connect",
        source=source,
        response=response,
        media=media,
        forms=(FormVariant("", "", fields),),
        custom_errors=(
            CustomError(required.status, TokenError(required.error, required.description)),
            INVALID_CLIENT_ERROR,
        ),
        example=Example(
            body=f"client_id=585a4768edce2c5e6f000001&client_secret=<secret>&token={example}", response=response_example
        ),
    )


def token_field(call: Call) -> str:
    """The token in the form. Raises OAuthError."""
    token = call.form.get("token", "")
    if not token:
        raise required_field("token")
    return token
