"""The grants of the token endpoint: each a function from a client that asks to what it is given."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

from stamkund.caller import token_hash
from stamkund.logins import Frozen, WrongPassword, named
from stamkund.oauth.codes import authorization_code, ticket
from stamkund.oauth.errors import OAuthError, quoted
from stamkund.oauth.issuing import DAY, Asking, Pair, TokenAnswer, issue
from stamkund.rules import identifiers, scopes
from stamkund.rules.attempts import PASSWORD_GRANT
from stamkund.rules.moments import zone
from stamkund.store import NewToken, NotActive, Refresh

LIMIT = "token"
PASSWORD_SENTENCE = "Username/password do not match"  # noqa: S105
FROZEN_SENTENCE = "The account is frozen until {}, after too many failed logins"


async def client_credentials(asking: Asking) -> TokenAnswer:
    """A token without identity."""
    return await issue(asking, None, refreshable=False)


async def password(asking: Asking) -> TokenAnswer:
    """A token for a reader who has given e-mail and password to the client."""
    organisation, email = named(asking.field("username"), asking.organisation.id)
    given = asking.field("password")
    asking.scopes()
    call, own = asking.call, asking.organisation
    call.services.limits.identifier(LIMIT, own.id, identifiers.email(email), call.now)
    visit = call.visit(own.id, PASSWORD_GRANT, asking.client.id)
    try:
        row = await call.services.logins.log_in(visit, organisation, email, given)
        return await issue(asking, row, refreshable=True)
    except (WrongPassword, NotActive):
        raise OAuthError("invalid_grant", PASSWORD_SENTENCE) from None
    except Frozen as frozen:
        raise OAuthError("invalid_grant", FROZEN_SENTENCE.format(zone(own.timezone).text(frozen.until))) from None


async def refresh_token(asking: Asking) -> TokenAnswer:
    """A new access token; a client whose refresh tokens rotate gets the next one too."""
    call, settings = asking.call, asking.call.services.settings
    held = token_hash(asking.field("refresh_token").encode(errors="replace"))
    rotates = asking.client.rotates_refresh_tokens
    pair = Pair.new(refreshable=rotates)
    granted = ""

    def make(known: Refresh) -> list[NewToken]:
        nonlocal granted
        granted = _narrowed(asking, known.scopes)
        made = pair.kept(asking, known.account, granted, known.family)
        if rotates:  # the next refresh token may do whatever the last one might
            made[1] = replace(made[1], scopes=known.scopes)
        return made

    slides_to = None if rotates else call.now + settings.refresh_token_days * DAY
    try:
        reader = await call.services.store.tokens.use_refresh(
            held, asking.client.id, call.now, slides_to, make, asking.issue()
        )
    except NotActive:
        reader = None
    if reader is None:
        raise OAuthError("invalid_grant", "The refresh token is not valid")
    return pair.answer(asking, granted)


GRANTS: dict[str, Callable[[Asking], Awaitable[TokenAnswer]]] = {
    "none": client_credentials,
    "client_credentials": client_credentials,
    "password": password,
    "authorization_code": authorization_code,
    "ticket": ticket,
    "refresh_token": refresh_token,
}
FOR_PUBLIC_CLIENTS = ("authorization_code", "refresh_token")
"""What a client that can't prove itself may use: grants that begin with a secret of another kind."""


def _narrowed(asking: Asking, granted: str) -> str:
    """The scopes of a refreshed token: those asked for, of those that were granted and that the client still has."""
    held = [s for s in granted.split() if s in asking.client.scopes]
    asked = scopes.split(asking.call.form.get("scope", ""))
    for scope in asked:
        if scopes.documented(scope) not in held:
            raise OAuthError("invalid_scope", f"The refresh token does not have the scope {quoted(scope)}")
    return " ".join(map(scopes.documented, asked) if asked else held)
