"""The hosted login page: e-mail and password in the browser.

A wrong password is refused with 403: RFC 9110 means it for credentials that were sent and don't suffice, 401 would need
a challenge that no browser should show, and 200 would tell machines (and password managers) that the login worked.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urlencode

from stamkund import problems
from stamkund.endpoints.login_pages.destination import REFUSALS, Destination, find_destination, page_owner
from stamkund.identity.failures import TooManyFailures
from stamkund.identity.logins import LoginLocked, WrongPassword
from stamkund.identity.sessions import cookie_digest
from stamkund.identity.tokens import new_token
from stamkund.pages import refusal_page, render_page
from stamkund.pages.forms import LOGIN, LOGOUT, TOKEN_FIELD, ProtectedForm, came_without_cookies, is_genuine
from stamkund.pages.page_parameters import page_parameters, texts_of
from stamkund.problems import Refused
from stamkund.rules import emails, identifiers
from stamkund.rules.emails import MAX_EMAIL_LENGTH
from stamkund.rules.lockout import LOGIN_PAGE
from stamkund.rules.session import Session
from stamkund.rules.timestamps import zone
from stamkund.store import NotActive
from stamkund.wire.about import About, Example, FormField, FormVariant, OtherResponse
from stamkund.wire.call import Call
from stamkund.wire.endpoint import Limit, endpoint
from stamkund.wire.hosts import TO_CANONICAL_HOST, redirect_to_canonical_host
from stamkund.wire.limits import LOGIN_LIMIT
from stamkund.wire.response import HTML, Header, Response, redirect

_CONTINUE = FormField(
    "continue",
    "Where to go on to: an address of `/oauth2/auth`, or one at the origin of a client's redirect URI or at one of its "
    "origins. Without it the page says that the reader is logged in.",
    example="https://herald.example.com/news",
)
_OID = FormField("oid", "The organisation, where neither `continue` nor being the only one tells it.", example="demo")
_LOCALES = FormField("ui_locales", "The language, before what the browser asks for: `sv` or `en`.", example="sv")


@dataclass(frozen=True)
class _FormState:
    """What the login form shows: the e-mail, and what is wrong, with which of the fields."""

    email: str
    status: int = 200
    sentences: list[str] = field(default_factory=list)
    email_wrong: bool = False
    password_wrong: bool = False


@endpoint(
    "GET",
    "/login",
    "/login/index",
    "/Login",
    "/Login/index",
    public=True,
    free_query=True,
    refusals=(*REFUSALS, problems.UNAVAILABLE),
    refusal_page=refusal_page,
    about=About(
        title="Login page",
        group="Pages",
        source="our own; the paths are the portal's",
        media=HTML,
        query_fields=(
            _CONTINUE,
            _OID,
            FormField("prompt", "`login`: ask for the password also where somebody is logged in.", example="login"),
            FormField("login_hint", "The e-mail to begin with.", example="ove.ovesson@example.com"),
            _LOCALES,
        ),
        other_responses=(
            TO_CANONICAL_HOST,
            OtherResponse(303, "Redirect of a browser that is logged in to the address in `continue`."),
        ),
        example=Example(query="oid=demo"),
    ),
)
async def show_login_page(call: Call) -> Response:
    """Shows the login page of an organisation. A browser that is logged in is redirected at once (303).

    Swedish or English. Refusals are pages too: an address in `continue` that no client registered is refused with 400,
    and nobody is sent there.
    """
    if (to_canonical_host := redirect_to_canonical_host(call)) is not None:
        return to_canonical_host
    parameters = page_parameters(call, "continue", "oid", "prompt", "login_hint", "ui_locales")
    destination = await find_destination(call, parameters)
    session = await call.services.sessions.of_browser(destination.organisation.id, call.headers, call.now)
    if session is not None and session.logged_in_account is not None and "login" not in parameters["prompt"].split():
        return await _logged_in_page(call, destination, parameters)
    return await _login_page(call, destination, parameters, _FormState(emails.pasted(parameters["login_hint"])))


@endpoint(
    "POST",
    "/login",
    public=True,
    body="form",
    success=303,
    limit=Limit(LOGIN_LIMIT),
    refusals=(*REFUSALS, problems.UNAVAILABLE, problems.BUSY),
    refusal_page=refusal_page,
    about=About(
        title="Send the login form",
        group="Pages",
        source="our own",
        media=HTML,
        forms=(
            FormVariant(
                "",
                "The login page's own form; it works from no other page.",
                (
                    FormField("form_token", "What the page holds, and belongs to its cookie.", required=True),
                    FormField("email", "The reader's e-mail.", required=True, example="ove.ovesson@example.com"),
                    FormField("password", "The reader's password.", required=True, example="Df7Vdd8!!vnM"),
                    _CONTINUE,
                    _OID,
                    _LOCALES,
                ),
            ),
        ),
        other_responses=(
            OtherResponse(403, "The page again: a wrong password, a locked login, or a form of another page."),
        ),
        example=Example(body="form_token=<token>&email=ove.ovesson@example.com&password=Df7Vdd8!!vnM&oid=demo"),
    ),
)
async def log_in(call: Call) -> Response:
    """Takes the login page's form. Whoever is logged in is redirected, with a new cookie; others see the page again.

    The page comes again with 403 when e-mail and password don't belong together, when the login is locked, or when the
    form did not come from a page that this browser was shown; with 400 when something was left empty.
    """
    parameters = page_parameters(call, "continue", "oid", "ui_locales", "email", "password")
    destination = await find_destination(call, parameters)
    email, password = emails.trimmed(parameters["email"]), parameters["password"]
    problem = _form_problem(call, email, password)
    if problem is not None:
        return await _login_page(call, destination, parameters, problem)
    try:
        cookies = await _log_in(call, destination, email, password)
    except (WrongPassword, LoginLocked) as error:
        sentences = _refusal_sentences(call, destination, error)
        state = _FormState(email, 403, sentences, email_wrong=True, password_wrong=True)
        return await _login_page(call, destination, parameters, state)
    return redirect(destination.location or _own_address(destination, parameters), *cookies, status=303)


def _form_problem(call: Call, email: str, password: str) -> _FormState | None:
    """Why a form can't be used, before any password is checked."""
    texts = texts_of(call)
    if not is_genuine(call, LOGIN):
        return _FormState(email, 403, [texts.no_cookies if came_without_cookies(call) else texts.try_again])
    missing = [
        sentence for sentence, value in ((texts.email_missing, email), (texts.password_missing, password)) if not value
    ]
    return _FormState(email, 400, missing, email_wrong=not email, password_wrong=not password) if missing else None


async def _log_in(call: Call, destination: Destination, email: str, password: str) -> list[Header]:
    """Logs the browser in; returns the headers with its new cookies. Raises WrongPassword, LoginLocked, Refused."""
    services, organisation = call.services, destination.organisation.id
    services.limits.client(LOGIN_LIMIT, organisation, f"login page of {organisation}", call.now)
    services.limits.identifier(LOGIN_LIMIT, organisation, LOGIN_PAGE, identifiers.email(email), call.now)
    browser = services.trusted_browsers.id_of(organisation, email, call.headers, call.now)
    context = call.login_context(organisation, LOGIN_PAGE, destination.client_id, from_visitor=True, browser=browser)
    context.requester = context.requester.counted_under(f"form {call.form[TOKEN_FIELD]}")
    try:
        account = await services.logins.log_in(context, organisation, email, password)
    except TooManyFailures as error:
        raise Refused(problems.too_many_requests(error.seconds)) from None
    cookie = new_token()
    try:
        session = await _session_for(call, destination, account)
        while not await _log_in_to(call, destination, session, account, cookie):
            session = await _new_session(call, organisation)  # the other was ended just now
    except NotActive:  # since the password was checked
        raise WrongPassword(services.logins.policy.max_failures) from None
    trusted = services.trusted_browsers.cookies_for(organisation, email, browser, call.now)
    return [services.sessions.cookie(organisation, cookie), *trusted]


async def _session_for(call: Call, destination: Destination, account: int) -> Session:
    """The browser's session, or a new one. Another reader's is ended: sites must not find two under one sid."""
    sessions, organisation = call.services.sessions, destination.organisation.id
    session = await sessions.of_browser(organisation, call.headers, call.now)
    if session is not None and session.logged_in_account not in (None, account):
        await call.services.store.sessions.terminate(
            organisation, session.sid, call.now, destination.client_id, call.services.audit_budget.admit
        )
        session = None
    return session or await _new_session(call, organisation)


async def _new_session(call: Call, organisation: str) -> Session:
    session, _ = await call.services.sessions.begin(organisation, call.now, visitor=call.visitor(organisation))
    return session


async def _log_in_to(call: Call, destination: Destination, session: Session, account: int, cookie: str) -> bool:
    """Logs the reader in to a session under a new cookie, so that one from before opens nothing."""
    organisation, expiry = destination.organisation.id, call.services.sessions.lifetime.expiry(call.now, call.now)
    changed = await call.services.store.sessions.log_in(
        organisation,
        session.sid,
        account,
        call.now,
        expiry,
        destination.client_id,
        cookie_digest(cookie),
        admit=call.services.audit_budget.admit,
    )
    return changed is not None


def _refusal_sentences(call: Call, destination: Destination, error: WrongPassword | LoginLocked) -> list[str]:
    """What a reader who was not logged in sees; the same whether there is such a login or not."""
    texts, time_zone = texts_of(call), zone(destination.organisation.timezone).info
    if isinstance(error, LoginLocked):
        return [texts.locked_until(datetime.fromtimestamp(error.until, time_zone))]
    if error.locked_until is None:
        return [texts.wrong, texts.attempts_left(error.remaining)]
    return [texts.wrong, texts.locked_until(datetime.fromtimestamp(error.locked_until, time_zone))]


async def _login_page(call: Call, destination: Destination, parameters: dict[str, str], state: _FormState) -> Response:
    texts, form = texts_of(call), ProtectedForm(call, LOGIN)
    return render_page(
        "login.html",
        texts,
        await page_owner(call, destination.organisation),
        status=state.status,
        headers=[form.cookie],
        form_targets=destination.form_targets,
        failed=bool(state.sentences),
        heading=texts.log_in,
        form=form,
        hidden=_hidden_fields(destination, parameters, "continue", "ui_locales"),
        email=_printable(state.email),
        problem=state.sentences,
        email_wrong=state.email_wrong,
        password_wrong=state.password_wrong,
    )


async def _logged_in_page(call: Call, destination: Destination, parameters: dict[str, str]) -> Response:
    """Redirects a browser that is logged in; without an address the page says so and offers to log out."""
    if destination.location is not None:
        return redirect(destination.location, status=303)
    texts, form = texts_of(call), ProtectedForm(call, LOGOUT)
    return render_page(
        "logout.html",
        texts,
        await page_owner(call, destination.organisation),
        headers=[form.cookie],
        heading=texts.logged_in,
        sentence=texts.logged_in_note,
        form=form,
        hidden=_hidden_fields(destination, parameters, "ui_locales"),
        problem=[],
    )


def _own_address(destination: Destination, parameters: dict[str, str]) -> str:
    """This page, which tells a logged-in browser that it is."""
    return f"/login?{urlencode(_hidden_fields(destination, parameters, 'ui_locales'))}"


def _hidden_fields(destination: Destination, parameters: dict[str, str], *names: str) -> dict[str, str]:
    """What the next request must repeat."""
    return {"oid": destination.organisation.id, **{name: parameters[name] for name in names if parameters[name]}}


def _printable(email: str) -> str:
    """An e-mail without the characters that a page can't show; one that is too long stays so, as far as that takes."""
    return "".join(c for c in email[: MAX_EMAIL_LENGTH + 1] if c.isprintable())
