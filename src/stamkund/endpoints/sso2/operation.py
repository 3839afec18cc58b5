"""The declaration that SSO2's calls from server to server share: a token in JSON in both directions."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import wraps

from stamkund import problems
from stamkund.endpoints.sso2.request import TOKEN, VALID_SECONDS, SsoRequest, authenticate_request
from stamkund.endpoints.sso2.session_token import SessionToken, SessionTokenResponse, signed
from stamkund.endpoints.sso2.works_once import respond_once
from stamkund.problems import Problem, Refused
from stamkund.wire.about import About, Example
from stamkund.wire.call import Call
from stamkund.wire.endpoint import Endpoint, Limit, endpoint

SOURCE = "public client code; the documentation of SSO2"
GROUP = "Single sign-on"

SsoHandler = Callable[[SsoRequest], Awaitable[SessionToken]]


def sso_operation(
    path: str,
    title: str,
    *,
    refusals: Sequence[Problem] = (),
    limit: Limit | None = None,
    valid_seconds: int = VALID_SECONDS,
    once: bool = False,
    describes_visitor: bool = False,
) -> Callable[[SsoHandler], Endpoint]:
    """Declares `POST path`, whose handler takes a verified request and returns a session token.

    `valid_seconds`: how far ahead a request may expire. `once`: whether a request works once.
    `describes_visitor`: whether a request must say something of its visitor, as no link does.
    """
    declare = endpoint(
        "POST",
        path,
        public=True,
        parameters=(TOKEN,),
        body="json",
        refusals=(problems.INVALID_SSO_TOKEN, problems.UNAVAILABLE, *refusals),
        limit=limit,
        about=About(
            title=title,
            group=GROUP,
            source=SOURCE,
            response=SessionTokenResponse,
            example=Example(body=f'{{"t": "{TOKEN.type.example}"}}', response="session_token"),
        ),
    )

    def declare_sso(handler: SsoHandler) -> Endpoint:
        @wraps(handler)
        async def handle(call: Call) -> SessionTokenResponse:
            token = call.parameters[TOKEN]
            request = await authenticate_request(call, token, valid_seconds)
            if describes_visitor and not request.claims.describes_visitor:
                raise Refused(problems.INVALID_SSO_TOKEN)
            if once:
                return SessionTokenResponse(await respond_once(request, token, handler))
            return SessionTokenResponse(signed(request, await handler(request)))

        return declare(handle)

    return declare_sso
