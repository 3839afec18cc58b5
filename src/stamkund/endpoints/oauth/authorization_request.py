"""An authorization request: which client sends a browser here, where it may come back to, and what it wants.

RFC 6749 (4.1.1), RFC 7636 (PKCE), OpenID Connect Core (3.1.2.1) and RFC 9700, which asks for exact redirect URIs. What
is wrong with client or redirect URI is shown to the person: nobody is sent to an address that was not registered.
Everything else goes back to the client as an error (`RedirectedError`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from stamkund import problems
from stamkund.endpoints.oauth.codes import CHALLENGE, CodeBinding
from stamkund.endpoints.oauth.errors import OAuthError
from stamkund.endpoints.oauth.token_issuing import asked_scopes
from stamkund.problems import Refused
from stamkund.rules.ids import is_id
from stamkund.rules.organisation import Client, Organisation
from stamkund.rules.urls import web_address
from stamkund.store import Store
from stamkund.wire.parameters import query

_LOOPBACK = ("http://127.0.0.1", "http://[::1]")
_LONGEST_AGE_KEPT = 60


class RedirectedError(Exception):
    """An error that the client is told, at its redirect URI."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(error)
        self.error = error
        self.description = description


@dataclass(frozen=True)
class RedirectTarget:
    """Who asks, and where the browser goes back to. `sent`: the redirect URI as it came, None where it was left out."""

    client: Client
    organisation: Organisation
    redirect_uri: str
    sent: str | None
    state: str | None

    def back(self, issuer: str, **said: str) -> str:
        """The address at the client that carries `said`, with state and issuer (RFC 9207)."""
        state = {} if self.state is None else {"state": self.state}
        query = urlencode({**said, **state, "iss": issuer}, quote_via=quote, errors="replace")
        return f"{self.redirect_uri}{'&' if '?' in self.redirect_uri else '?'}{query}"


@dataclass(frozen=True)
class AuthorizationRequest:
    """What the client wants of the reader. `max_age`: seconds that the last login may be ago.

    `named`: the scopes as the client wrote them.
    """

    scopes: list[str]
    named: str
    challenge: str | None
    nonce: str | None
    prompts: frozenset[str]
    max_age: int | None

    def asked(self, target: RedirectTarget, authenticated: int | None) -> CodeBinding:
        return CodeBinding(target.sent, self.challenge, self.nonce, authenticated, self.named)


def parameters(sent: bytes) -> dict[str, str]:
    """The parameters of a request, each given at most once (RFC 6749, 3.1). Raises Refused."""
    found = query(sent)
    if not all(isinstance(value, str) for value in found.values()):
        raise Refused(problems.UNREADABLE_PARAMETER)
    return found


async def target(store: Store, sent: Mapping[str, str]) -> RedirectTarget:
    """Who asks, and where the browser may go back to. Raises Refused, shown to the person; Unavailable."""
    client_id = sent.get("client_id", "")
    found = await store.clients.get(client_id.lower()) if is_id(client_id) else None
    if found is None or found[0].disabled:
        raise Refused(problems.UNKNOWN_CLIENT)
    client, organisation = found
    if sent.get("oid", organisation.id) != organisation.id:
        raise Refused(problems.OTHER_ORGANISATION)
    uri = sent.get("redirect_uri")
    if uri is None and len(client.redirect_uris) == 1:
        return RedirectTarget(client, organisation, client.redirect_uris[0], None, sent.get("state"))
    if uri is None or not may_return(client, uri):
        raise Refused(problems.WRONG_REDIRECT_URI)
    return RedirectTarget(client, organisation, uri, uri, sent.get("state"))


def may_return(client: Client, uri: str) -> bool:
    """Whether a browser may be sent to `uri` for this client: character for character one of the registered ones.

    An app on the reader's own machine listens on whatever port is free, so for a public client a loopback address may
    have another port than the registered one (RFC 8252, 7.3).
    """
    if uri in client.redirect_uris:
        return True
    return client.public and any(_same_but_for_port(uri, known) for known in client.redirect_uris)


def wanted(target: RedirectTarget, sent: Mapping[str, str]) -> AuthorizationRequest:
    """What the client wants. Raises RedirectedError."""
    _check_kind(sent)
    challenge = _challenge(target.client, sent)
    try:
        scopes = asked_scopes(target.client, sent.get("scope", ""))
    except OAuthError as error:
        raise RedirectedError(error.error, error.description) from None
    prompts = frozenset(sent.get("prompt", "").split())
    if "none" in prompts and len(prompts) > 1:
        raise RedirectedError("invalid_request", "The prompt none must stand alone")
    age = sent.get("max_age")
    if age is not None and not (age.isascii() and age.isdigit() and len(age) < 10):
        raise RedirectedError("invalid_request", "The max_age must be a number of seconds")
    return AuthorizationRequest(
        scopes, sent.get("scope", ""), challenge, sent.get("nonce"), prompts, None if age is None else int(age)
    )


def after_login(path: str, sent: Mapping[str, str]) -> str:
    """The same request for after the login: it must not ask for the login once more."""
    kept = {name: value for name, value in sent.items() if name != "prompt"}
    if "max_age" in kept:
        kept["max_age"] = str(max(int(kept["max_age"]), _LONGEST_AGE_KEPT))
    return f"{path}?{urlencode(kept, quote_via=quote, errors='replace')}"


def _check_kind(sent: Mapping[str, str]) -> None:
    if "request" in sent:
        raise RedirectedError("request_not_supported", "Request objects are not supported")
    if "request_uri" in sent:
        raise RedirectedError("request_uri_not_supported", "Request objects are not supported")
    kind = sent.get("response_type", "")
    if not kind:
        raise RedirectedError("invalid_request", "The parameter response_type is required")
    if kind != "code":
        raise RedirectedError("unsupported_response_type", "The response type must be code")
    if sent.get("response_mode", "query") != "query":
        raise RedirectedError("invalid_request", "The response mode must be query")


def _challenge(client: Client, sent: Mapping[str, str]) -> str | None:
    """The PKCE challenge. `plain` protects from nothing, so it is refused; a public client can't do without any."""
    challenge, method = sent.get("code_challenge"), sent.get("code_challenge_method")
    if challenge is None:
        if client.public or method is not None:
            raise RedirectedError("invalid_request", "The parameter code_challenge is required")
        return None
    if method != "S256":
        raise RedirectedError("invalid_request", "The code_challenge_method must be S256")
    if CHALLENGE.fullmatch(challenge) is None:
        raise RedirectedError("invalid_request", "The code_challenge must be 43 characters of base64url")
    return challenge


def _same_but_for_port(uri: str, known: str) -> bool:
    """Whether both are the same place on the reader's own machine, whatever the port."""
    one, other = web_address(uri), web_address(known)
    if one is None or other is None or one.rest != other.rest:
        return False
    return one.portless == other.portless and one.portless in _LOOPBACK
