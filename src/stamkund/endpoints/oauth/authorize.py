"""The browser flow: a client sends the reader's browser here, and gets it back with a code."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote, urlencode

from stamkund import problems
from stamkund.endpoints.oauth.authorization_request import (
    AuthorizationRequest,
    RedirectedError,
    RedirectTarget,
    after_login,
    parameters,
    target,
    wanted,
)
from stamkund.endpoints.oauth.codes import new_code
from stamkund.pages import HTML, refusal_page
from stamkund.rules.session import Session
from stamkund.wire.endpoint import Call, Example, FormField, FormVariant, Response, endpoint
from stamkund.wire.hosts import redirect, redirect_to_canonical_host

PATH = "/oauth2/auth"
_SOURCE = "public client code; RFC 6749, 7636, 9207, 9700; OpenID Connect Core"
_TO_LOGIN = ("login_hint", "ui_locales")
FIELDS = (
    FormField("client_id", "The client's id.", required=True, example="585a4768edce2c5e6f000001"),
    FormField("redirect_uri", "One of the client's, character for character. Not needed where it has one alone."),
    FormField("response_type", "`code`.", required=True, example="code"),
    FormField("state", "Given back unchanged: the client's protection against forged answers."),
    FormField("scope", "Scopes separated by blanks; all of the client's when there are none. `openid` is one."),
    FormField("oid", "The organisation. It must be the client's.", example="demo"),
    FormField("accountOrigin", "Accepted and not used: nobody registers here."),
    FormField("code_challenge", "PKCE: base64url of the SHA-256 of the verifier. A public client must send it."),
    FormField("code_challenge_method", "`S256`.", example="S256"),
    FormField("nonce", "Given back in the ID token."),
    FormField("prompt", "`none`: never ask, answer `login_required` instead. `login`: ask again."),
    FormField("max_age", "How many seconds the last login may be ago."),
    FormField("login_hint", "An e-mail to begin with on the login page."),
    FormField("ui_locales", "Languages of the login page, best first."),
)


@endpoint(
    "GET",
    PATH,
    title="Log in with a browser",
    source=_SOURCE,
    public=True,
    free_query=True,
    example=Example(query="client_id=585a4768edce2c5e6f000001&response_type=code&oid=demo"),
    query_fields=FIELDS,
    media=HTML,
    success=302,
    refusals=(
        problems.UNREADABLE_PARAMETER,
        problems.UNKNOWN_CLIENT,
        problems.OTHER_ORGANISATION,
        problems.WRONG_REDIRECT_URI,
        problems.UNAVAILABLE,
    ),
    refusal_page=refusal_page,
    group="Authorization",
)
async def authorize(call: Call) -> Response:
    """Sends a reader's browser back to the client with a code, by way of the login page where nobody is logged in.

    The answer is a redirect to the client's redirect URI with `code`, `state` and `iss`, or with `error`,
    `error_description`, `state` and `iss`. A wrong client or redirect URI is shown to the reader instead. Parameters
    that are not listed are ignored, as OAuth wants it.
    """
    there = redirect_to_canonical_host(call)
    if there is not None:
        return there
    sent = parameters(call.query)
    services = call.services
    client_target = await target(services.store, sent)
    try:
        want = wanted(client_target, sent)
        session = await services.sessions.of_browser(client_target.organisation.id, call.headers, call.now)
        if session is not None and await services.store.sessions.account_id(session) is None:
            session = None  # nobody is logged in, or an account that was switched off since
        if session is None or _must_log_in(session, want, call.now):
            return redirect(_login(want, sent, session))
        return await _back_with_code(call, client_target, want, session)
    except RedirectedError as error:
        said = {"error": error.error, "error_description": error.description}
        return redirect(client_target.back(services.settings.issuer, **said))


@endpoint(
    "POST",
    PATH,
    title="Log in with a browser, by a form",
    source="RFC; OpenID Connect Core",
    public=True,
    body="form",
    example=Example(body="client_id=585a4768edce2c5e6f000001&response_type=code"),
    forms=(FormVariant("", "The same as in the query.", FIELDS),),
    media=HTML,
    success=303,
    refusal_page=refusal_page,
    group="Authorization",
)
async def authorize_by_form(call: Call) -> Response:
    """Does the same with the parameters in a form, which OpenID Connect allows: sends the browser on to the query."""
    return redirect(f"{PATH}?{urlencode(call.form, quote_via=quote, errors='replace')}", status=303)


def _must_log_in(session: Session, want: AuthorizationRequest, now: int) -> bool:
    if "login" in want.prompts or "select_account" in want.prompts:
        return True
    return want.max_age is not None and now - (session.authenticated or 0) > want.max_age


def _login(want: AuthorizationRequest, sent: Mapping[str, str], session: Session | None) -> str:
    """The login page, which sends the browser back here. Raises RedirectedError where nobody may be asked."""
    if "none" in want.prompts:
        raise RedirectedError("login_required", "The reader must log in")
    query = {"continue": after_login(PATH, sent), **{name: sent[name] for name in _TO_LOGIN if name in sent}}
    if session is not None:
        query["prompt"] = "login"
    return f"/login?{urlencode(query, quote_via=quote, errors='replace')}"


async def _back_with_code(call: Call, to: RedirectTarget, want: AuthorizationRequest, session: Session) -> Response:
    assert session.logged_in_account is not None
    store = call.services.store
    asked = want.asked(to, session.authenticated)
    code = await new_code(store, to.client, session.logged_in_account, " ".join(want.scopes), asked, call.now)
    return redirect(to.back(call.services.settings.issuer, code=code))
