"""Identify: a site sends a browser here that it doesn't know, and gets it back with what is known of it."""

from __future__ import annotations

from stamkund import problems
from stamkund.endpoints.sso2 import return_url as returning
from stamkund.endpoints.sso2 import session_token as answers
from stamkund.endpoints.sso2.operation import GROUP, SOURCE
from stamkund.endpoints.sso2.request import TOKEN, SsoRequest, asked
from stamkund.identity.cookies import cookies
from stamkund.identity.sessions import cookie_name
from stamkund.rules.session import Session
from stamkund.wire.endpoint import Call, Example, FormField, Response, endpoint
from stamkund.wire.hosts import redirect, redirect_to_canonical_host

_FIELDS = (
    FormField("t", TOKEN.note, required=True, example=TOKEN.kind.example),
    FormField(
        "r",
        "Where the visitor was going: everything after `&r=`, so it comes last. As it is, or encoded.",
        required=True,
        example="https://herald.example.com/a?b=c",
    ),
)


@endpoint(
    "GET",
    "/identify",
    title="Identify",
    source=SOURCE,
    public=True,
    free_query=True,
    query_fields=_FIELDS,
    success=302,
    media="text/plain; charset=utf-8",
    refusals=(
        problems.required(TOKEN.name),
        returning.WRONG_ADDRESS,
        problems.NO_LANDING_PAGE,
        problems.INVALID_SSO_TOKEN,
        problems.UNAVAILABLE,
    ),
    example=Example(query=f"t={TOKEN.kind.example}&r=https://herald.example.com/a"),
    group=GROUP,
)
async def identify(call: Call) -> Response:
    """Tells a site who a browser is that it sends here, and sends the browser back.

    The session is that of the browser's cookie, or a new anonymous one. The browser is sent to the first of the
    client's redirect URIs, its landing page, with `t`, the session token, and `r`, the address as it was sent, encoded.
    The session token holds what "Session status" answers; where a reader is logged in, `at` is always a fresh ticket.
    """
    there = redirect_to_canonical_host(call)
    if there is not None:
        return there
    token, sent = returning.read(call.query)
    request = await asked(call, token)
    address, page = returning.address(sent), returning.landing_page(request.client)
    session, cookie = await _of_browser(request)
    ticket = "" if session.logged_in_account is None else await answers.new_ticket(request, session.logged_in_account)
    told = answers.text(request, answers.about(request, session, ticket))
    return redirect(
        returning.landing(page, told, address), call.services.sessions.cookie(request.organisation.id, cookie)
    )


async def _of_browser(request: SsoRequest) -> tuple[Session, str]:
    """The browser's session and the cookie that stands for it, which lives on from now."""
    call, organisation = request.call, request.organisation.id
    known = await call.services.sessions.of_browser(organisation, call.headers, call.now)
    if known is not None:
        return known, cookies(call.headers)[cookie_name(organisation)]
    new, cookie = await call.services.sessions.begin(organisation, call.now)
    assert cookie is not None
    return new, cookie
