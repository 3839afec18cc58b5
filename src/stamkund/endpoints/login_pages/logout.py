"""The logout page, which is also OpenID Connect's end_session_endpoint (RP-Initiated Logout 1.0).

A logout ends the browser's session with the organisation, for all sites. Because any page may send a browser here, the
reader is asked first, unless the link proves with an ID token that it comes from a client which that very reader is
logged in to.
"""

from __future__ import annotations

from urllib.parse import urlencode

from stamkund import problems
from stamkund.endpoints.login_pages.destination import Destination, page_owner
from stamkund.endpoints.login_pages.logout_destination import LOGOUT_REFUSALS, hint_claims, logout_destination
from stamkund.pages import refusal_page, render_page
from stamkund.pages.forms import LOGOUT, TOKEN_FIELD, ProtectedForm, is_genuine
from stamkund.pages.page_parameters import page_parameters, texts_of
from stamkund.pages.texts import Texts
from stamkund.rules.session import Session
from stamkund.wire.about import About, Example, FormField, FormVariant, OtherResponse
from stamkund.wire.call import Call
from stamkund.wire.endpoint import endpoint
from stamkund.wire.hosts import TO_CANONICAL_HOST, redirect_to_canonical_host
from stamkund.wire.response import HTML, Header, Response, redirect

PATH = "/oauth2/logout"
_GROUP = "Pages"
_SOURCE = "our own; OpenID Connect RP-Initiated Logout 1.0, section 2"
_NAMES = ("id_token_hint", "client_id", "post_logout_redirect_uri", "state", "continue", "oid", "ui_locales")
_FIELDS = (
    FormField("id_token_hint", "An ID token of the reader's: then nobody is asked.", example="<ID token>"),
    FormField("client_id", "The client that sends the browser here.", example="585a4768edce2c5e6f000001"),
    FormField(
        "post_logout_redirect_uri",
        "Where to go on to: exactly one of the client's logout URIs, so `client_id` or `id_token_hint` is needed. With "
        "any other address the page says that it leads nowhere.",
        example="https://herald.example.com/goodbye",
    ),
    FormField("state", "Returned with `post_logout_redirect_uri`.", example="af0ifjsldkj"),
    FormField("continue", "Where to go on to, as on the login page.", example="https://herald.example.com/"),
    FormField("oid", "The organisation, where nothing else tells it.", example="demo"),
    FormField("ui_locales", "The language, before what the browser asks for: `sv` or `en`.", example="sv"),
)

_CLEAR: Header = (b"clear-site-data", b'"cache", "storage"')
"""Whatever the browser has kept of our pages; cookies stay, because that of a trusted browser outlives a logout."""


@endpoint(
    "GET",
    PATH,
    "/logout",
    public=True,
    free_query=True,
    refusals=(*LOGOUT_REFUSALS, problems.UNAVAILABLE),
    refusal_page=refusal_page,
    about=About(
        title="Logout page",
        group=_GROUP,
        source=_SOURCE,
        media=HTML,
        query_fields=_FIELDS,
        other_responses=(
            TO_CANONICAL_HOST,
            OtherResponse(303, "Redirect of a browser in which nobody is logged in any more to where it goes on."),
        ),
        example=Example(query="oid=demo"),
    ),
)
async def show_logout_page(call: Call) -> Response:
    """Asks whether to log out, for all sites of the organisation in this browser.

    With an `id_token_hint` of the very account that is logged in, the browser is logged out at once. With an address
    that was not registered the reader is logged out too, or asked, and reads that the link leads nowhere. Refusals are
    pages.
    """
    if (to_canonical_host := redirect_to_canonical_host(call)) is not None:
        return to_canonical_host
    parameters = page_parameters(call, *_NAMES)
    hint = await hint_claims(call, parameters)
    destination = await logout_destination(call, parameters, hint)
    session = await _logged_in_session(call, destination)
    if session is None:
        return await _logged_out_page(call, destination, was_logged_in=False)
    if hint is not None and session.account_id is not None and hint.get("sub") == session.account_id:
        return await _log_out(call, destination, session)
    return await _question_page(call, destination, parameters)


@endpoint(
    "POST",
    PATH,
    public=True,
    body="form",
    refusals=(*LOGOUT_REFUSALS, problems.UNAVAILABLE),
    refusal_page=refusal_page,
    about=About(
        title="Send the logout form",
        group=_GROUP,
        source=_SOURCE,
        media=HTML,
        forms=(
            FormVariant(
                "",
                "The logout page's own form; without its `form_token` the page asks first.",
                (FormField("form_token", "What the page holds, and belongs to its cookie."), *_FIELDS),
            ),
        ),
        other_responses=(
            OtherResponse(303, "Redirect to where the browser goes on, or of a client's own form to the page."),
            OtherResponse(403, "The page again: the form is of another page."),
        ),
        example=Example(body="form_token=<token>&oid=demo"),
    ),
)
async def end_session(call: Call) -> Response:
    """Logs the browser out of all sites of the organisation, and redirects it or says so.

    A form that is not the page's own is a client's: the browser is redirected to the page (303), because it brings
    along no cookies with a form from another site. One that pretends to be the page's own is asked again (403).
    """
    parameters = page_parameters(call, *_NAMES)
    if TOKEN_FIELD not in call.form:
        query = urlencode({name: value for name, value in parameters.items() if value}, errors="replace")
        return redirect(f"{PATH}?{query}", status=303)
    destination = await logout_destination(call, parameters, await hint_claims(call, parameters))
    session = await _logged_in_session(call, destination)
    if session is None:
        return await _logged_out_page(call, destination, was_logged_in=False)
    if not is_genuine(call, LOGOUT):
        return await _question_page(call, destination, parameters, status=403)
    return await _log_out(call, destination, session)


async def _logged_in_session(call: Call, destination: Destination) -> Session | None:
    """The browser's session, where somebody is logged in to it."""
    session = await call.services.sessions.of_browser(destination.organisation.id, call.headers, call.now)
    return session if session is not None and session.logged_in_account is not None else None


async def _log_out(call: Call, destination: Destination, session: Session) -> Response:
    await call.services.store.sessions.terminate(
        destination.organisation.id, session.sid, call.now, destination.client_id, call.services.audit_budget.admit
    )
    return await _logged_out_page(call, destination, was_logged_in=True)


async def _logged_out_page(call: Call, destination: Destination, *, was_logged_in: bool) -> Response:
    """Redirects a browser in which nobody is logged in (any more), or says so."""
    organisation = destination.organisation
    headers = [call.services.sessions.no_cookie(organisation.id), _CLEAR] if was_logged_in else []
    if destination.location is not None:
        return redirect(destination.location, *headers, status=303)
    texts = texts_of(call)
    query = urlencode({"oid": organisation.id, "ui_locales": texts.language})
    return render_page(
        "message.html",
        texts,
        await page_owner(call, organisation),
        headers=headers,
        heading=texts.logged_out if was_logged_in else texts.not_logged_in,
        sentence=_with_problem(
            texts, texts.logged_out_note if was_logged_in else texts.not_logged_in_note, destination
        ),
        detail="" if destination.problem is None else destination.problem.message,
        link={"href": f"/login?{query}", "text": texts.log_in_again},
    )


async def _question_page(
    call: Call, destination: Destination, parameters: dict[str, str], status: int = 200
) -> Response:
    texts, form = texts_of(call), ProtectedForm(call, LOGOUT)
    hidden = {name: value for name, value in parameters.items() if value and name != "id_token_hint"}
    client = {} if destination.client is None else {"client_id": destination.client.id}
    return render_page(
        "logout.html",
        texts,
        await page_owner(call, destination.organisation),
        status=status,
        headers=[form.cookie],
        form_targets=destination.form_targets,
        failed=status != 200,
        heading=texts.log_out,
        sentence=_with_problem(texts, texts.log_out_question, destination),
        form=form,
        hidden={**hidden, **client, "oid": destination.organisation.id},
        problem=[texts.try_again] if status != 200 else [],
    )


def _with_problem(texts: Texts, sentence: str, destination: Destination) -> str:
    return sentence if destination.problem is None else f"{sentence} {texts.leads_nowhere}"
