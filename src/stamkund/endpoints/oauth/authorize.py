"""The browser flow: a client sends the reader's browser here, and gets it back with a code."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote, urlencode

from stamkund import problems
from stamkund.endpoints.oauth.authorization_request import (
    MIN_AGE_AFTER_LOGIN,
    AuthorizationRequest,
    RedirectedError,
    RedirectTarget,
    SentParameters,
    address_after_login,
    authorization_request,
    redirect_target,
)
from stamkund.endpoints.oauth.code_grants import new_code
from stamkund.pages import refusal_page
from stamkund.rules.session import Session
from stamkund.wire.about import About, Example, FormField, FormVariant
from stamkund.wire.call import Call
from stamkund.wire.endpoint import endpoint
from stamkund.wire.hosts import redirect_to_canonical_host
from stamkund.wire.response import HTML, Response, redirect

PATH = "/oauth2/auth"
_GROUP = "Authorization"
_PASSED_TO_LOGIN_PAGE = ("login_hint", "ui_locales")
FIELDS = (
    FormField("client_id", "The client's id.", required=True, example="585a4768edce2c5e6f000001"),
    FormField("redirect_uri", "One of the client's, character for character. Not needed where it has one alone."),
    FormField("response_type", "`code`.", required=True, example="code"),
    FormField("state", "Returned unchanged: the client's protection against forged responses."),
    FormField("scope", "Scopes separated by blanks; all of the client's when there are none. `openid` is one."),
    FormField("oid", "The organisation. It must be the client's.", example="demo"),
    FormField("accountOrigin", "Accepted and not used: nobody registers here."),
    FormField(
        "code_challenge",
        "PKCE: base64url of the SHA-256 of the verifier. Some clients must send it: every public one.",
    ),
    FormField("code_challenge_method", "`S256`.", example="S256"),
    FormField("nonce", "Returned in the ID token."),
    FormField("prompt", "`none`: never ask, return `login_required` instead. `login`: ask again."),
    FormField("max_age", "How many seconds ago the last login may have been; `0` asks again."),
    FormField("id_token_hint", "An ID token of the reader whom the client expects. Another reader must log in."),
    FormField("login_hint", "An e-mail to begin with on the login page."),
    FormField("ui_locales", "Languages of the login page, best first."),
)


@endpoint(
    "GET",
    PATH,
    public=True,
    free_query=True,
    success=302,
    refusals=(
        problems.UNREADABLE_PARAMETER,
        problems.UNKNOWN_CLIENT,
        problems.OTHER_ORGANISATION,
        problems.WRONG_REDIRECT_URI,
        problems.UNAVAILABLE,
    ),
    refusal_page=refusal_page,
    about=About(
        title="Log in with a browser",
        group=_GROUP,
        source="public client code; RFC 6749, 7636, 9207, 9700; OpenID Connect Core",
        media=HTML,
        query_fields=FIELDS,
        example=Example(query="client_id=585a4768edce2c5e6f000001&response_type=code&oid=demo"),
    ),
)
async def authorize(call: Call) -> Response:
    """Sends a reader's browser back to the client with a code, by way of the login page where nobody is logged in.

    The response is a redirect to the client's redirect URI with `code`, `state` and `iss`, or with `error`,
    `error_description`, `state` and `iss`. A wrong client or redirect URI is shown to the reader instead. Parameters
    that are not listed are ignored, as OAuth wants it. `iss` is left out for a client with `--no-issuer-in-redirects`.
    """
    if (to_canonical_host := redirect_to_canonical_host(call)) is not None:
        return to_canonical_host
    parameters = SentParameters(call.query)
    services = call.services
    target = await redirect_target(services.store, parameters)
    try:
        request = authorization_request(target, parameters)
        session = await services.sessions.of_browser(target.organisation.id, call.headers, call.now)
        if session is not None and session.logged_in_account is None:
            session = None
        expected = await _expected_reader(call, request)
        if session is None or _must_log_in(session, request, expected, call.now):
            return redirect(_login_page(request, parameters, session))
        return await _redirect_with_code(call, target, request, session)
    except RedirectedError as error:
        return redirect(
            target.location(services.settings.issuer, error=error.error, error_description=error.description)
        )


@endpoint(
    "POST",
    PATH,
    public=True,
    body="form",
    success=303,
    refusal_page=refusal_page,
    about=About(
        title="Log in with a browser, by a form",
        group=_GROUP,
        source="RFC; OpenID Connect Core",
        media=HTML,
        forms=(FormVariant("", "The same as in the query.", FIELDS),),
        example=Example(body="client_id=585a4768edce2c5e6f000001&response_type=code"),
    ),
)
async def authorize_by_form(call: Call) -> Response:
    """Does the same with the parameters in a form, which OpenID Connect allows: redirects the browser to the query."""
    again = [(name, call.form[name]) for name in sorted(call.form.repeated)]  # is refused there
    query = urlencode([*call.form.items(), *again], quote_via=quote, errors="replace")
    return redirect(f"{PATH}?{query}", status=303)


async def _expected_reader(call: Call, request: AuthorizationRequest) -> str | None:
    """The id of the account that the client expects (`id_token_hint`); empty for an ID token that is none of ours.

    None where it expects nobody.
    """
    if request.id_token_hint is None:
        return None
    claims = await call.services.id_token_keys.verify(request.id_token_hint)
    return "" if claims is None else str(claims.get("sub", ""))


def _must_log_in(session: Session, request: AuthorizationRequest, expected: str | None, now: int) -> bool:
    """Raises RedirectedError where the reader logged in just now and is not the one that the client expects.

    An ID token that can't be read any more, such as one whose key was removed, names nobody: then a login at the page
    is enough.
    """
    if "login" in request.prompts or "select_account" in request.prompts:
        return True
    age = now - (session.authenticated or 0)
    if expected is not None and expected != session.account_id:
        if expected and age <= MIN_AGE_AFTER_LOGIN:  # to ask once more would go round in circles
            raise RedirectedError("login_required", "Another reader is logged in")
        if age > MIN_AGE_AFTER_LOGIN or "none" in request.prompts:
            return True
    # A login in this very second is 0 seconds old, and max_age=0 means prompt=login (OpenID Connect Core, 3.1.2.1).
    return request.max_age is not None and (request.max_age == 0 or age > request.max_age)


def _login_page(request: AuthorizationRequest, parameters: Mapping[str, str], session: Session | None) -> str:
    """The login page, which sends the browser back here. Raises RedirectedError where nobody may be asked."""
    if "none" in request.prompts:
        raise RedirectedError("login_required", "The reader must log in")
    query = {"continue": address_after_login(PATH, parameters)}
    query |= {name: parameters[name] for name in _PASSED_TO_LOGIN_PAGE if name in parameters}
    if session is not None:
        query["prompt"] = "login"
    return f"/login?{urlencode(query, quote_via=quote, errors='replace')}"


async def _redirect_with_code(
    call: Call, target: RedirectTarget, request: AuthorizationRequest, session: Session
) -> Response:
    account = session.logged_in_account
    assert account is not None
    binding = request.binding(target, session.authenticated)
    granted = " ".join(request.scopes)
    code = await new_code(call.services.store, target.client, account, granted, binding, call.now, session.sid)
    return redirect(target.location(call.services.settings.issuer, code=code))
