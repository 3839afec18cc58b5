"""The token endpoint: a client proves who it is and gets an access token, with or without an identity.

Each grant is one function in `_GRANTS`; adding a grant adds a function. Errors are OAuth's (RFC 6749, section 5.2), not
the API's. Facts of clients in the field: credentials come in the body, unencoded; `grant_type=none` is the
server-to-server grant; a refresh answer is read for its access token alone, so the refresh token stays the same.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import msgspec
from msgspec import UNSET, UnsetType

from stamkund import problems
from stamkund.caller import token_hash
from stamkund.logins import Frozen, WrongPassword
from stamkund.rules import identifiers, scopes
from stamkund.rules.attempts import PASSWORD_GRANT, Visit
from stamkund.rules.ids import is_id, new_id
from stamkund.rules.moments import zone
from stamkund.rules.organisation import Client, Organisation
from stamkund.store import ACCESS, REFRESH, NewToken
from stamkund.wire.endpoint import Answer, Call, Example, Form, FormField, Limit, OwnError, endpoint

_DAY = 86_400
_NO_STORE = ((b"cache-control", b"no-store"), (b"pragma", b"no-cache"))
_PASSWORD_SENTENCE = "Username/password do not match"  # noqa: S105
_FROZEN_SENTENCE = "The account is frozen until {}, after too many failed logins"
_LONGEST_AGENT = 4096
_BASIC = ((b"www-authenticate", b'Basic realm="stamkund"'),)


class OAuthError(Exception):
    """An error as RFC 6749 section 5.2 has it."""

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        super().__init__(error)
        self.error = error
        self.description = description
        self.status = status


class TokenAnswer(msgspec.Struct):
    """`expires_in` in seconds; `refresh_token` only where one is issued."""

    access_token: str
    token_type: str
    expires_in: int
    scope: str
    refresh_token: str | UnsetType = UNSET


class TokenError(msgspec.Struct):
    """An error of the token endpoint (RFC 6749, section 5.2)."""

    error: str
    error_description: str


@dataclass(frozen=True)
class Asking:
    """A client that proved who it is, asking for a token."""

    call: Call
    client: Client
    organisation: Organisation

    def field(self, name: str) -> str:
        """A field that the grant can't do without."""
        value = self.call.form.get(name, "")
        if not value:
            raise OAuthError("invalid_request", f"The field {name} is required")
        return value

    def scopes(self) -> str:
        """The scopes asked for, all of the client's when none are."""
        asked = scopes.split(self.call.form.get("scope", ""))
        for scope in asked:
            if scope not in self.client.scopes:
                raise OAuthError("invalid_scope", f"The client does not have the scope {_quoted(scope)}")
        return " ".join(asked or self.client.scopes)


_CLIENT = (
    FormField("client_id", "The client's id. Not with HTTP Basic.", example="585a4768edce2c5e6f000001"),
    FormField("client_secret", "The client's secret. Not with HTTP Basic.", example="<secret>"),
)
_SCOPE = FormField(
    "scope", "Scopes separated by blanks; all of the client's when there are none.", example="/external/account/r"
)
FORMS = (
    Form("none", "A token without identity, for calls from server to server.", (*_CLIENT, _SCOPE)),
    Form("client_credentials", "The standard name of `none`.", (*_CLIENT, _SCOPE)),
    Form(
        "password",
        "A token with identity, and a refresh token, for a reader who has given e-mail and password.",
        (
            *_CLIENT,
            FormField(
                "username",
                "`<organisation>^<email>`; a bare e-mail means the client's own organisation.",
                required=True,
                example="demo^ove.ovesson@example.com",
            ),
            FormField("password", "The reader's password.", required=True, example="Df7Vdd8!!vnM"),
            _SCOPE,
        ),
    ),
    Form(
        "refresh_token",
        "A new access token; the refresh token stays valid, for as long again.",
        (
            *_CLIENT,
            FormField("refresh_token", "The refresh token.", required=True, example="<refresh token>"),
            FormField("scope", "Fewer scopes than were granted; else the same.", example="/external/me/w"),
        ),
    ),
)
"""What each grant of `_GRANTS` wants, for the reference."""

ERRORS = (
    OwnError(400, TokenError("invalid_request", "The field grant_type is required")),
    OwnError(400, TokenError("invalid_grant", _PASSWORD_SENTENCE)),
    OwnError(400, TokenError("invalid_grant", _FROZEN_SENTENCE.format("2016-12-22T10:12:08+01:00"))),
    OwnError(400, TokenError("unsupported_grant_type", "The grant type implicit is not supported")),
    OwnError(400, TokenError("invalid_scope", "The client does not have the scope /external/title/r")),
    OwnError(401, TokenError("invalid_client", "The client id or secret is not valid"), _BASIC),
)

LIMIT = Limit("token")


@endpoint(
    "POST",
    "/api/authorization/access_token",
    title="Get access token",
    source="public client code; RFC 6749",
    public=True,
    body="form",
    answer=TokenAnswer,
    group="Authorization",
    limit=LIMIT,
    refusals=(problems.UNAVAILABLE, problems.BUSY),
    forms=FORMS,
    own_errors=ERRORS,
    example=Example(
        body="client_id=585a4768edce2c5e6f000001&client_secret=<secret>&grant_type=none&scope=/external/account/r",
        answer='{"access_token": "<token>", "token_type": "Bearer", "expires_in": 3600, '
        '"scope": "/external/account/r"}',
    ),
)
async def issue_token(call: Call) -> Answer:
    """Issues an access token to a client.

    Client id and secret come in the form or as HTTP Basic. Errors are OAuth's: `error` and `error_description`.

    Failed logins in a row freeze the login for a while; then the password grant answers `invalid_grant` with a
    description that says so and until when, whatever the password.
    """
    try:
        client, organisation = await _authenticated(call)
        call.services.limits.client(LIMIT.name, client.id, call.now)
        grant = call.form.get("grant_type", "")
        if not grant:
            raise OAuthError("invalid_request", "The field grant_type is required")
        answer = _GRANTS.get(grant)
        if answer is None:
            raise OAuthError("unsupported_grant_type", f"The grant type {_quoted(grant)} is not supported")
        issued = await answer(Asking(call, client, organisation))
        return Answer(200, msgspec.json.encode(issued), headers=_NO_STORE)
    except OAuthError as error:
        return _refusal(call, error)


async def _client_credentials(asking: Asking) -> TokenAnswer:
    return await _issue(asking, None, asking.scopes(), refreshable=False)


async def _password(asking: Asking) -> TokenAnswer:
    organisation, email = _username(asking)
    password = asking.field("password")
    granted = asking.scopes()
    call, own = asking.call, asking.organisation
    call.services.limits.identifier(LIMIT.name, own.id, identifiers.email(email), call.now)
    try:
        row = await call.services.logins.log_in(_visit(asking), organisation, email, password)
    except WrongPassword:
        raise OAuthError("invalid_grant", _PASSWORD_SENTENCE) from None
    except Frozen as frozen:
        raise OAuthError("invalid_grant", _FROZEN_SENTENCE.format(zone(own.timezone).text(frozen.until))) from None
    return await _issue(asking, row, granted, refreshable=True)


def _visit(asking: Asking) -> Visit:
    call = asking.call
    agent = call.headers.get(b"user-agent")
    return Visit(
        organisation=asking.organisation.id,
        door=PASSWORD_GRANT,
        client=asking.client.id,
        address=call.address,
        user_agent=None if agent is None else agent.decode("latin-1")[:_LONGEST_AGENT],
        at=call.now,
    )


async def _refresh(asking: Asking) -> TokenAnswer:
    call, settings = asking.call, asking.call.services.settings
    held = token_hash(asking.field("refresh_token").encode(errors="replace"))
    known = await call.services.store.refresh(held, asking.client.id, call.now)
    if known is None:
        raise OAuthError("invalid_grant", "The refresh token is not valid")
    granted = _narrowed(asking, known.scopes)
    text, new = _new_token(asking, ACCESS, known.account, granted, known.family)
    await call.services.store.use_refresh(held, call.now + settings.refresh_token_days * _DAY, new)
    return TokenAnswer(text, "Bearer", settings.access_token_seconds, granted)


_GRANTS: dict[str, Callable[[Asking], Awaitable[TokenAnswer]]] = {
    "none": _client_credentials,
    "client_credentials": _client_credentials,
    "password": _password,
    "refresh_token": _refresh,
}


async def _authenticated(call: Call) -> tuple[Client, Organisation]:
    """The client whose id and secret the caller knows. Raises OAuthError, the same for whatever is wrong."""
    client_id, secret = _credentials(call)
    found = await call.services.store.client(client_id.lower()) if is_id(client_id) else None
    if found is None or found[0].disabled:
        raise _invalid_client()
    known = call.services.store.documents.secrets(found[0], call.now)
    sent = secret.encode(errors="replace")
    # Every secret is compared, in constant time, whichever matches.
    if sum(hmac.compare_digest(sent, s.encode()) for s in known) == 0:
        raise _invalid_client()
    return found


def _invalid_client() -> OAuthError:
    return OAuthError("invalid_client", "The client id or secret is not valid", 401)


def _credentials(call: Call) -> tuple[str, str]:
    scheme, _, encoded = call.headers.get(b"authorization", b"").partition(b" ")
    if scheme.lower() == b"basic":
        try:
            client_id, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            raise _invalid_client() from None
        return client_id, secret
    return call.form.get("client_id", ""), call.form.get("client_secret", "")


def _username(asking: Asking) -> tuple[str, str]:
    """`<organisation>^<email>`; a bare e-mail means the client's own organisation."""
    organisation, caret, email = asking.field("username").partition("^")
    return (organisation, email) if caret else (asking.organisation.id, organisation)


async def _issue(asking: Asking, account: int | None, granted: str, *, refreshable: bool) -> TokenAnswer:
    services = asking.call.services
    family = new_id(asking.call.now)
    text, access = _new_token(asking, ACCESS, account, granted, family)
    answer = TokenAnswer(text, "Bearer", services.settings.access_token_seconds, granted)
    new = [access]
    if refreshable:
        answer.refresh_token, refresh = _new_token(asking, REFRESH, account, granted, family)
        new.append(refresh)
    await services.store.add_tokens(*new)
    return answer


def _new_token(asking: Asking, kind: str, account: int | None, granted: str, family: str) -> tuple[str, NewToken]:
    settings, now = asking.call.services.settings, asking.call.now
    seconds = settings.access_token_seconds if kind == ACCESS else settings.refresh_token_days * _DAY
    text = secrets.token_urlsafe(32)
    new = NewToken(token_hash(text.encode()), kind, asking.client.id, account, granted, now, now + seconds, family)
    return text, new


def _narrowed(asking: Asking, granted: str) -> str:
    """The scopes of a refreshed token: those asked for, of those that were granted and that the client still has."""
    held = [s for s in granted.split() if s in asking.client.scopes]
    asked = scopes.split(asking.call.form.get("scope", ""))
    for scope in asked:
        if scope not in held:
            raise OAuthError("invalid_scope", f"The refresh token does not have the scope {_quoted(scope)}")
    return " ".join(asked or held)


def _quoted(text: str) -> str:
    """What was sent, as RFC 6749 lets a description quote it: printable ASCII without quotes, not too long."""
    return "".join(c if " " <= c <= "~" and c not in '"\\' else "?" for c in text[:200])


def _refusal(call: Call, error: OAuthError) -> Answer:
    body = msgspec.json.encode(TokenError(error.error, error.description))
    headers: tuple[tuple[bytes, bytes], ...] = _NO_STORE
    if error.status == 401 and call.headers.get(b"authorization"):
        headers = (*headers, *_BASIC)
    return Answer(error.status, body, headers=headers)
