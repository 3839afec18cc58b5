"""Identify: a site sends a browser here that it does not know, and gets it back with a token about its session."""

from __future__ import annotations

from stamkund import problems
from stamkund.endpoints.sso2.operation import GROUP, SOURCE
from stamkund.endpoints.sso2.request import TOKEN, SsoRequest, authenticate_request
from stamkund.endpoints.sso2.return_url import (
    WRONG_RETURN_URL,
    landing_page,
    landing_url,
    parse_return_url,
    split_query,
)
from stamkund.endpoints.sso2.session_token import new_ticket, session_token, signed
from stamkund.identity.cookies import cookies
from stamkund.identity.sessions import cookie_name
from stamkund.rules.session import Session
from stamkund.wire.about import About, Example, FormField
from stamkund.wire.call import Call
from stamkund.wire.endpoint import endpoint
from stamkund.wire.hosts import redirect_to_canonical_host
from stamkund.wire.response import NO_BODY, Response, redirect

_FIELDS = (
    FormField("t", TOKEN.note, required=True, example=TOKEN.type.example),
    FormField(
        "r",
        "Where the visitor was going: everything after `&r=`, so it comes last. Unencoded, or encoded.",
        required=True,
        example="https://herald.example.com/a?b=c",
    ),
)


@endpoint(
    "GET",
    "/identify",
    public=True,
    free_query=True,
    success=302,
    refusals=(
        problems.required(TOKEN.name),
        WRONG_RETURN_URL,
        problems.NO_LANDING_PAGE,
        problems.INVALID_SSO_TOKEN,
        problems.UNAVAILABLE,
    ),
    about=About(
        title="Identify",
        group=GROUP,
        source=SOURCE,
        media=NO_BODY,
        query_fields=_FIELDS,
        example=Example(query=f"t={TOKEN.type.example}&r=https://herald.example.com/a"),
    ),
)
async def identify(call: Call) -> Response:
    """Tells a site who a browser is that it sends here, and sends the browser back.

    The session is that of the browser's cookie, or a new anonymous one. The browser is sent to the first of the
    client's redirect URIs, its landing page, with `t`, the session token, and `r`, the address as it was sent, encoded.
    The session token holds what "Session status" returns; where a reader is logged in, `at` is always a fresh ticket.
    """
    if (to_canonical_host := redirect_to_canonical_host(call)) is not None:
        return to_canonical_host
    token, sent_url = split_query(call.query)
    request = await authenticate_request(call, token)
    return_url, page = parse_return_url(sent_url), landing_page(request.client)
    session, cookie = await _browser_session(request)
    ticket = "" if session.logged_in_account is None else await new_ticket(request, session)
    session_jwt = signed(request, session_token(request, session, ticket))
    return redirect(
        landing_url(page, session_jwt, return_url), call.services.sessions.cookie(request.organisation.id, cookie)
    )


async def _browser_session(request: SsoRequest) -> tuple[Session, str]:
    """The browser's session, or a new one, and its cookie, which is set again so that it lives on from now.

    The browser is remembered, so that a login at a site by another one is recognised.
    """
    call, organisation = request.call, request.organisation.id
    visitor = call.visitor(organisation)
    session = await call.services.sessions.of_browser(organisation, call.headers, call.now)
    if session is not None:
        if session.visitor != visitor:
            await call.services.store.sessions.recognise(organisation, session.sid, visitor)
        return session, cookies(call.headers)[cookie_name(organisation)]
    session, cookie = await call.services.sessions.begin(organisation, call.now, visitor=visitor)
    assert cookie is not None
    return session, cookie
