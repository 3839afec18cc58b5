"""The logout page, which is also OpenID Connect's end_session_endpoint (RP-Initiated Logout 1.0).

A logout ends the browser's session with the organisation, so it holds for all sites. Because any page may send a
browser here, the reader is asked first, unless the link proves with an ID token that it comes from a client which that
very reader is logged in to.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from stamkund import problems
from stamkund.endpoints.login_pages.destination import REFUSALS, Destination, branding_of, destination
from stamkund.identity.cookies import cookies
from stamkund.identity.sessions import cookie_name
from stamkund.pages import HTML, refusal_page, show
from stamkund.pages.forms import FIELD, LOGOUT, ProtectedForm, genuine
from stamkund.pages.page_parameters import asked, texts_of
from stamkund.problems import Refused
from stamkund.rules.session import Session
from stamkund.rules.urls import encoded, with_parameter
from stamkund.wire.endpoint import Call, Example, FormField, FormVariant, Response, endpoint
from stamkund.wire.hosts import redirect, redirect_to_canonical_host

PATH = "/oauth2/logout"
_NAMES = ("id_token_hint", "client_id", "post_logout_redirect_uri", "state", "continue", "oid", "ui_locales")
_FIELDS = (
    FormField("id_token_hint", "An ID token of the reader's: then nobody is asked.", example="<ID token>"),
    FormField("client_id", "The client that sends the browser here.", example="585a4768edce2c5e6f000001"),
    FormField(
        "post_logout_redirect_uri",
        "Where to go on to: exactly one of the client's logout URIs, so `client_id` or `id_token_hint` is needed.",
        example="https://herald.example.com/goodbye",
    ),
    FormField("state", "Comes back with `post_logout_redirect_uri`.", example="af0ifjsldkj"),
    FormField("continue", "Where to go on to, as on the login page.", example="https://herald.example.com/"),
    FormField("oid", "The organisation, where nothing else tells it.", example="demo"),
    FormField("ui_locales", "The language, before what the browser asks for: `sv` or `en`.", example="sv"),
)


@endpoint(
    "GET",
    PATH,
    "/logout",
    title="Logout page",
    source="our own; OpenID Connect RP-Initiated Logout 1.0, section 2",
    public=True,
    free_query=True,
    query_fields=_FIELDS,
    media=HTML,
    refusals=(*REFUSALS, problems.WRONG_LOGOUT_URI, problems.OTHER_CLIENT, problems.UNAVAILABLE),
    example=Example(query="oid=demo"),
    refusal_page=refusal_page,
    group="Pages",
)
async def show_logout_page(call: Call) -> Response:
    """Asks whether to log out, for all sites of the organisation in this browser.

    With an `id_token_hint` of the very account that is logged in, the browser is logged out at once. Refusals are pages
    too: an address that the client didn't register answers 400, and nobody is sent there.
    """
    if (there := redirect_to_canonical_host(call)) is not None:
        return there
    wish = asked(call, *_NAMES)
    hint = await _hint(call, wish)
    to = await _destination(call, wish, hint)
    session = await _session(call, to)
    if session is None:
        return await _done(call, to, logged_out=False)
    reader = await call.services.store.sessions.account_id(session)
    if hint is not None and reader is not None and hint.get("sub") == reader:
        return await _end(call, to, session)
    return await _question(call, to, wish)


@endpoint(
    "POST",
    PATH,
    title="Send the logout form",
    source="our own; OpenID Connect RP-Initiated Logout 1.0, section 2",
    public=True,
    body="form",
    media=HTML,
    refusals=(*REFUSALS, problems.WRONG_LOGOUT_URI, problems.OTHER_CLIENT, problems.UNAVAILABLE),
    example=Example(body="form_token=<token>&oid=demo"),
    forms=(
        FormVariant(
            "",
            "The logout page's own form; without its `form_token` the page asks first.",
            (FormField("form_token", "What the page holds, and goes with its cookie."), *_FIELDS),
        ),
    ),
    refusal_page=refusal_page,
    group="Pages",
)
async def end_session(call: Call) -> Response:
    """Logs the browser out of all sites of the organisation, and sends it on or says so.

    A form that is not the page's own is a client's: the browser is sent to the page (303), because it brings along no
    cookies with a form from another site. One that pretends to be the page's own is asked again (403).
    """
    wish = asked(call, *_NAMES)
    if FIELD not in call.form:
        return redirect(f"{PATH}?{urlencode({n: v for n, v in wish.items() if v}, errors='replace')}", status=303)
    to = await _destination(call, wish, await _hint(call, wish))
    session = await _session(call, to)
    if session is None:
        return await _done(call, to, logged_out=False)
    if not genuine(call, LOGOUT):
        return await _question(call, to, wish, status=403)
    return await _end(call, to, session)


async def _hint(call: Call, wish: dict[str, str]) -> dict[str, Any] | None:
    """The claims of an ID token that we issued; none for another, which is as good as none."""
    token = wish["id_token_hint"]
    return await call.services.id_token_keys.verify(token) if token else None


async def _destination(call: Call, wish: dict[str, str], hint: dict[str, Any] | None) -> Destination:
    """Whose logout it is, and where to go on to. Raises Refused."""
    audience = hint.get("aud") if hint is not None else None
    if isinstance(audience, str):
        if wish["client_id"] and wish["client_id"].lower() != audience:
            raise Refused(problems.OTHER_CLIENT)
        wish = {**wish, "client_id": audience}
    if not (wish["client_id"] or wish["oid"] or wish["continue"]):
        wish = {**wish, "oid": await _organisation_of_cookies(call)}
    to = await destination(call, wish)
    uri = wish["post_logout_redirect_uri"]
    if not uri:
        return to
    if to.client is None or uri not in to.client.logout_uris:
        raise Refused(problems.WRONG_LOGOUT_URI)
    location = encoded(with_parameter(uri, "state", wish["state"]) if wish["state"] else uri)
    return Destination(to.organisation, to.client, location, to.leads_to)


async def _organisation_of_cookies(call: Call) -> str:
    """The organisation that the browser has a session with, where that is one alone; else empty."""
    known = await call.services.store.organisations.all()
    sent = cookies(call.headers)
    found = [o.id for o in known if cookie_name(o.id) in sent]
    return found[0] if len(found) == 1 else ""


async def _session(call: Call, to: Destination) -> Session | None:
    """The browser's session, where somebody is logged in to it."""
    found = await call.services.sessions.of_browser(to.organisation.id, call.headers, call.now)
    return found if found is not None and found.logged_in_account is not None else None


async def _end(call: Call, to: Destination, session: Session) -> Response:
    await call.services.store.sessions.terminate(to.organisation.id, session.sid, call.now, to.client_id)
    return await _done(call, to, logged_out=True)


async def _done(call: Call, to: Destination, *, logged_out: bool) -> Response:
    """Sends a browser on in which nobody is logged in (any more), or says so."""
    headers = [call.services.sessions.no_cookie(to.organisation.id)] if logged_out else []
    if to.location is not None:
        return redirect(to.location, *headers, status=303)
    texts = texts_of(call)
    again = urlencode({"oid": to.organisation.id, "ui_locales": texts.language})
    return show(
        "message.html",
        texts,
        await branding_of(call, to.organisation),
        headers=headers,
        heading=texts.logged_out if logged_out else texts.not_logged_in,
        sentence=texts.logged_out_note if logged_out else texts.not_logged_in_note,
        detail="",
        link={"href": f"/login?{again}", "text": texts.log_in_again},
    )


async def _question(call: Call, to: Destination, wish: dict[str, str], status: int = 200) -> Response:
    texts, form = texts_of(call), ProtectedForm(call, LOGOUT)
    hidden = {name: value for name, value in wish.items() if value and name != "id_token_hint"}
    client = {} if to.client is None else {"client_id": to.client.id}
    return show(
        "logout.html",
        texts,
        await branding_of(call, to.organisation),
        status=status,
        headers=[form.cookie],
        leads_to=to.leads_to,
        failed=status != 200,
        heading=texts.log_out,
        sentence=texts.log_out_question,
        form=form,
        hidden={**hidden, **client, "oid": to.organisation.id},
        problem=[texts.try_again] if status != 200 else [],
    )
