"""The hosted login page: e-mail and password in the browser, for every site of an organisation at once.

A wrong password answers 403: RFC 9110 means it for credentials that were sent and don't suffice, 401 would need a
challenge that no browser should show, and 200 would tell machines (and password managers) that the login worked.
"""

from __future__ import annotations

from datetime import datetime
from urllib.parse import urlencode

from stamkund import problems
from stamkund.endpoints.login_pages.destination import REFUSALS, Destination, branding_of, destination
from stamkund.identity.logins import LoginLocked, WrongPassword
from stamkund.identity.sessions import cookie_digest, new_cookie
from stamkund.pages import HTML, refusal_page, show
from stamkund.pages.forms import LOGIN, LOGOUT, ProtectedForm, genuine
from stamkund.pages.page_parameters import asked, texts_of
from stamkund.rules import identifiers
from stamkund.rules.lockout import LOGIN_PAGE
from stamkund.rules.session import Session
from stamkund.rules.timestamps import zone
from stamkund.store import NotActive
from stamkund.wire.endpoint import Call, Example, FormField, FormVariant, Limit, Response, endpoint
from stamkund.wire.hosts import redirect, redirect_to_canonical_host

LIMIT = "login"
_CONTINUE = FormField(
    "continue",
    "Where to go on to: an address of `/oauth2/auth`, or one at the origin of a client's redirect URI or at one of its "
    "origins. Without it the page says that the reader is logged in.",
    example="https://herald.example.com/news",
)
_OID = FormField("oid", "The organisation, where neither `continue` nor being the only one tells it.", example="demo")
_LOCALES = FormField("ui_locales", "The language, before what the browser asks for: `sv` or `en`.", example="sv")


@endpoint(
    "GET",
    "/login",
    "/login/index",
    "/Login",
    "/Login/index",
    title="Login page",
    source="our own; the paths are the portal's",
    public=True,
    free_query=True,
    query_fields=(
        _CONTINUE,
        _OID,
        FormField("prompt", "`login`: ask for the password also where somebody is logged in.", example="login"),
        FormField("login_hint", "The e-mail to begin with.", example="ove.ovesson@example.com"),
        _LOCALES,
    ),
    media=HTML,
    refusals=(*REFUSALS, problems.UNAVAILABLE),
    example=Example(query="oid=demo"),
    refusal_page=refusal_page,
    group="Pages",
)
async def show_login_page(call: Call) -> Response:
    """Shows the login page of an organisation. A browser that is logged in is sent on at once (303).

    Swedish or English. Refusals are pages too: an address in `continue` that no client registered answers 400, and
    nobody is sent there.
    """
    if (there := redirect_to_canonical_host(call)) is not None:
        return there
    wish = asked(call, "continue", "oid", "prompt", "login_hint", "ui_locales")
    to = await destination(call, wish)
    session = await call.services.sessions.of_browser(to.organisation.id, call.headers, call.now)
    known = session is not None and await call.services.store.sessions.account_id(session) is not None
    if known and "login" not in wish["prompt"].split():
        return await _logged_in(call, to, wish)
    return await _page(call, to, wish, email=_shown(wish["login_hint"]))


@endpoint(
    "POST",
    "/login",
    title="Send the login form",
    source="our own",
    public=True,
    body="form",
    success=303,
    media=HTML,
    limit=Limit(LIMIT),
    refusals=(*REFUSALS, problems.UNAVAILABLE, problems.BUSY),
    example=Example(body="form_token=<token>&email=ove.ovesson@example.com&password=Df7Vdd8!!vnM&oid=demo"),
    forms=(
        FormVariant(
            "",
            "The login page's own form; it works from no other page.",
            (
                FormField("form_token", "What the page holds, and goes with its cookie.", required=True),
                FormField("email", "The reader's e-mail.", required=True, example="ove.ovesson@example.com"),
                FormField("password", "The reader's password.", required=True, example="Df7Vdd8!!vnM"),
                _CONTINUE,
                _OID,
                _LOCALES,
            ),
        ),
    ),
    refusal_page=refusal_page,
    group="Pages",
)
async def log_in(call: Call) -> Response:
    """Takes the login page's form. Whoever is let in is sent on, with a new cookie; all others see the page again.

    The page comes again with 403 when e-mail and password don't belong together, when the login is frozen, or when the
    form did not come from a page that this browser was shown; with 400 when something was left empty.
    """
    wish = asked(call, "continue", "oid", "ui_locales", "email", "password")
    to = await destination(call, wish)
    email = _shown(wish["email"])
    texts = texts_of(call)
    if not genuine(call, LOGIN):
        return await _page(call, to, wish, email=email, status=403, problem=[texts.try_again])
    wrong = (not email, not wish["password"])
    if any(wrong):
        missing = [s for s, empty in zip((texts.email_missing, texts.password_missing), wrong, strict=True) if empty]
        return await _page(call, to, wish, email=email, status=400, problem=missing, wrong=wrong)
    try:
        cookie = await _let_in(call, to, email, wish["password"])
    except (WrongPassword, LoginLocked) as error:
        return await _page(call, to, wish, email=email, status=403, problem=_why(call, to, error), wrong=(True, True))
    return redirect(to.location or _here(to, wish), cookie, status=303)


async def _let_in(call: Call, to: Destination, email: str, password: str) -> tuple[bytes, bytes]:
    """Logs the browser in; answers the header with its new cookie. Raises WrongPassword, LoginLocked, Refused."""
    services, organisation = call.services, to.organisation.id
    services.limits.client(LIMIT, f"login page of {organisation}", call.now)
    services.limits.identifier(LIMIT, organisation, identifiers.email(email), call.now)
    context = call.context(organisation, LOGIN_PAGE, to.client_id)
    account = await services.logins.log_in(context, organisation, email, password)
    cookie = new_cookie()
    try:
        session = await _session(call, to, account)
        while not await _enter(call, to, session, account, cookie):
            session, _ = await services.sessions.begin(organisation, call.now)  # the other was ended just now
    except NotActive:  # switched off since the password was checked
        raise WrongPassword(services.logins.policy.max_failures) from None
    return services.sessions.cookie(organisation, cookie)


async def _session(call: Call, to: Destination, account: int) -> Session:
    """The browser's session, or a new one. Another reader's is ended: sites must not find two under one sid."""
    sessions, organisation = call.services.sessions, to.organisation.id
    known = await sessions.of_browser(organisation, call.headers, call.now)
    if known is not None and known.logged_in_account not in (None, account):
        await call.services.store.sessions.terminate(organisation, known.sid, call.now, to.client_id)
        known = None
    return known or (await sessions.begin(organisation, call.now))[0]


async def _enter(call: Call, to: Destination, session: Session, account: int, cookie: str) -> bool:
    """Lets the reader into a session under a new cookie, so that one from before opens nothing."""
    organisation, ends = to.organisation.id, call.services.sessions.expiry(call.now)
    entered = await call.services.store.sessions.log_in(
        organisation, session.sid, account, call.now, ends, to.client_id, cookie_digest(cookie)
    )
    return entered is not None


def _why(call: Call, to: Destination, error: WrongPassword | LoginLocked) -> list[str]:
    """What a reader who was not let in is told; the same whether anybody has that e-mail or not."""
    texts, info = texts_of(call), zone(to.organisation.timezone).info
    if isinstance(error, LoginLocked):
        return [texts.frozen_until(datetime.fromtimestamp(error.until, info))]
    if error.remaining:
        return [texts.wrong, texts.left(error.remaining)]
    until = call.now + call.services.logins.policy.lockout_seconds
    return [texts.wrong, texts.frozen_until(datetime.fromtimestamp(until, info))]


async def _page(
    call: Call,
    to: Destination,
    wish: dict[str, str],
    *,
    email: str,
    status: int = 200,
    problem: list[str] | None = None,
    wrong: tuple[bool, bool] = (False, False),
) -> Response:
    """The login page. `wrong` says of which fields `problem` tells: e-mail, password."""
    texts, form = texts_of(call), ProtectedForm(call, LOGIN)
    return show(
        "login.html",
        texts,
        await branding_of(call, to.organisation),
        status=status,
        headers=[form.cookie],
        leads_to=to.leads_to,
        failed=bool(problem),
        heading=texts.log_in,
        form=form,
        hidden=_kept(to, wish, "continue", "ui_locales"),
        email=email,
        problem=problem or [],
        email_wrong=wrong[0],
        password_wrong=wrong[1],
    )


async def _logged_in(call: Call, to: Destination, wish: dict[str, str]) -> Response:
    """Sends a browser on that is logged in; without an address the page says so and offers to log out."""
    if to.location is not None:
        return redirect(to.location, status=303)
    texts, form = texts_of(call), ProtectedForm(call, LOGOUT)
    return show(
        "logout.html",
        texts,
        await branding_of(call, to.organisation),
        headers=[form.cookie],
        heading=texts.logged_in,
        sentence=texts.logged_in_note,
        form=form,
        hidden=_kept(to, wish, "ui_locales"),
        problem=[],
    )


def _here(to: Destination, wish: dict[str, str]) -> str:
    """This page, which tells a logged-in browser that it is."""
    return f"/login?{urlencode(_kept(to, wish, 'ui_locales'))}"


def _kept(to: Destination, wish: dict[str, str], *names: str) -> dict[str, str]:
    """What the next request must say again."""
    return {"oid": to.organisation.id, **{name: wish[name] for name in names if wish[name]}}


def _shown(email: str) -> str:
    """An e-mail as it was typed, without the blanks that keyboards add and the characters that pages can't show."""
    return "".join(c for c in email if c.isprintable()).strip()
