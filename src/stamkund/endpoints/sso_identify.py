"""Identify: a site sends a browser here that it doesn't know, and gets it back with what is known of it."""

from __future__ import annotations

from stamkund import problems
from stamkund.rules.session import Session
from stamkund.sessions import cookie_name, cookies
from stamkund.sso import answers, returning
from stamkund.sso.asking import TOKEN, Asking, asked
from stamkund.sso.operation import GROUP, SOURCE
from stamkund.wire.endpoint import Answer, Call, Example, FormField, endpoint
from stamkund.wire.hosts import elsewhere, redirect

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
async def identify(call: Call) -> Answer:
    """Tells a site who a browser is that it sends here, and sends the browser back.

    The session is that of the browser's cookie, or a new anonymous one. The browser is sent to the first of the
    client's redirect URIs, its landing page, with `t`, the session token, and `r`, the address as it was sent, encoded.
    The session token holds what "Session status" answers; where a reader is logged in, `at` is always a fresh ticket.
    """
    there = elsewhere(call)
    if there is not None:
        return there
    token, sent = returning.read(call.query)
    asking = await asked(call, token)
    address, page = returning.address(sent), returning.landing_page(asking.client)
    session, cookie = await _of_browser(asking)
    ticket = "" if session.reader is None else await answers.new_ticket(asking, session.reader)
    told = answers.text(asking, answers.about(asking, session, ticket))
    return redirect(
        returning.landing(page, told, address), call.services.sessions.cookie(asking.organisation.id, cookie)
    )


async def _of_browser(asking: Asking) -> tuple[Session, str]:
    """The browser's session and the cookie that stands for it, which lives on from now."""
    call, organisation = asking.call, asking.organisation.id
    known = await call.services.sessions.of_browser(organisation, call.headers, call.now)
    if known is not None:
        return known, cookies(call.headers)[cookie_name(organisation)]
    new, cookie = await call.services.sessions.begin(organisation, call.now)
    assert cookie is not None
    return new, cookie
