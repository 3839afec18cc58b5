"""An authorization request: which client sends a browser here, where it may go back to, and what it asks for.

RFC 6749 (4.1.1), RFC 7636 (PKCE), OpenID Connect Core (3.1.2.1) and RFC 9700, which wants exact redirect URIs. What is
wrong with client or redirect URI is shown to the person: nobody is sent to an address that was not registered.
Everything else goes back to the client as an error (`RedirectedError`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from stamkund import problems
from stamkund.endpoints.oauth.code_grants import CHALLENGE, CodeBinding
from stamkund.endpoints.oauth.errors import OAuthError, quoted
from stamkund.endpoints.oauth.token_request import requested_scopes
from stamkund.problems import Refused
from stamkund.rules.organisation import CODE_GRANT, Client, Organisation
from stamkund.rules.urls import encoded, web_address, with_query
from stamkund.store import Store
from stamkund.wire.form import MAX_FIELD_LENGTH, too_long
from stamkund.wire.parameters import Unreadable, parse_query

_TARGET = frozenset(("client_id", "redirect_uri", "oid"))
"""What says whose error it is, and where it may be sent."""
_LOOPBACK = ("http://127.0.0.1", "http://[::1]")
MAX_NONCE_LENGTH = 1024
"""It is stored with the code; libraries send less than a hundred characters."""
MIN_AGE_AFTER_LOGIN = 60
"""How many seconds ago a login may have been that was asked for just now."""


class RedirectedError(Exception):
    """An error that the client gets at its redirect URI."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(error)
        self.error = error
        self.description = description


@dataclass(frozen=True)
class RedirectTarget:
    """The client, and where the browser goes back to.

    `sent_uri`: the redirect URI as it was sent, None where it was left out.
    """

    client: Client
    organisation: Organisation
    redirect_uri: str
    sent_uri: str | None
    state: str | None

    def location(self, issuer: str, **parameters: str) -> str:
        """The address at the client that carries `parameters`, with state and issuer (RFC 9207)."""
        state = {} if self.state is None else {"state": self.state}
        iss = {"iss": issuer} if self.client.issuer_in_redirects else {}
        query = urlencode({**parameters, **state, **iss}, quote_via=quote, errors="replace")
        return with_query(encoded(self.redirect_uri), query)


@dataclass(frozen=True, kw_only=True)
class AuthorizationRequest:
    """What the client asks for. `max_age`: how many seconds ago the last login may have been.

    `sent_scope`: the scopes as the client wrote them. `id_token_hint`: an ID token of the reader whom it expects.
    """

    scopes: list[str]
    sent_scope: str
    challenge: str | None
    nonce: str | None
    prompts: frozenset[str]
    max_age: int | None
    id_token_hint: str | None

    def binding(self, target: RedirectTarget, authenticated: int | None) -> CodeBinding:
        """What the code for this request is bound to."""
        return CodeBinding(
            redirect_uri=target.sent_uri,
            challenge=self.challenge,
            nonce=self.nonce,
            authenticated=authenticated,
            scope=self.sent_scope,
        )


class SentParameters(dict[str, str]):
    """The parameters of a request; an empty one counts as absent (RFC 6749, 3.1).

    `unreadable`: what is wrong with those that were given twice, are too long or no UTF-8.
    """

    def __init__(self, query: bytes) -> None:
        sent = parse_query(query)
        self.unreadable = {name: value.sentence for name, value in sent.items() if isinstance(value, Unreadable)}
        self.unreadable |= dict.fromkeys(too_long(sent, sent), f"must be at most {MAX_FIELD_LENGTH} characters")
        super().__init__({name: value for name, value in sent.items() if value and name not in self.unreadable})


async def redirect_target(store: Store, parameters: SentParameters) -> RedirectTarget:
    """The client, and where the browser may go back to. Raises Refused, shown to the person; Unavailable."""
    if not _TARGET.isdisjoint(parameters.unreadable):
        raise Refused(problems.UNREADABLE_PARAMETER)
    client_id = parameters.get("client_id", "")
    stored = await store.clients.by_sent_id(client_id)
    if stored is None or stored[0].disabled:
        raise Refused(problems.UNKNOWN_CLIENT)
    client, organisation = stored
    if parameters.get("oid", organisation.id) != organisation.id:
        raise Refused(problems.OTHER_ORGANISATION)
    uri = parameters.get("redirect_uri")
    if uri is None and len(client.redirect_uris) == 1:
        return RedirectTarget(client, organisation, client.redirect_uris[0], None, parameters.get("state"))
    if uri is None or not may_return(client, uri):
        raise Refused(problems.WRONG_REDIRECT_URI)
    return RedirectTarget(client, organisation, uri, uri, parameters.get("state"))


def may_return(client: Client, uri: str) -> bool:
    """Whether a browser may be sent to `uri` for this client: character for character one of the registered ones.

    An app on the reader's own machine listens on whatever port is free, so for a public client a loopback address may
    have another port than the registered one (RFC 8252, 7.3).
    """
    if uri in client.redirect_uris:
        return True
    return client.public and any(_same_but_for_port(uri, registered) for registered in client.redirect_uris)


def authorization_request(target: RedirectTarget, parameters: SentParameters) -> AuthorizationRequest:
    """What the client asks for. Raises RedirectedError."""
    for name, sentence in parameters.unreadable.items():
        reason = sentence.removeprefix("Parameter ")
        raise RedirectedError("invalid_request", f"The parameter {quoted(name)} {reason}")
    if CODE_GRANT not in target.client.allowed_grants:
        raise RedirectedError("unauthorized_client", f"The client may not use the grant type {CODE_GRANT}")
    _check_response_type(parameters)
    challenge = _challenge(target.client, parameters)
    sent_scope = " ".join(dict.fromkeys(parameters.get("scope", "").split()))
    try:
        scopes = requested_scopes(target.client, sent_scope)
    except OAuthError as error:
        raise RedirectedError(error.error, error.description) from None
    prompts = frozenset(parameters.get("prompt", "").split())
    if "none" in prompts and len(prompts) > 1:
        raise RedirectedError("invalid_request", "The prompt none must stand alone")
    return AuthorizationRequest(
        scopes=scopes,
        sent_scope=sent_scope,
        challenge=challenge,
        nonce=_nonce(parameters),
        prompts=prompts,
        max_age=_max_age(parameters),
        id_token_hint=parameters.get("id_token_hint"),
    )


def address_after_login(path: str, parameters: Mapping[str, str]) -> str:
    """The address of the same request for after the login: it must not ask for the login once more."""
    repeated = {name: value for name, value in parameters.items() if name != "prompt"}
    if "max_age" in repeated:
        repeated["max_age"] = str(max(int(repeated["max_age"]), MIN_AGE_AFTER_LOGIN))
    return f"{path}?{urlencode(repeated, quote_via=quote, errors='replace')}"


def _nonce(parameters: Mapping[str, str]) -> str | None:
    nonce = parameters.get("nonce")
    if nonce is not None and len(nonce) > MAX_NONCE_LENGTH:
        raise RedirectedError("invalid_request", f"The nonce must be at most {MAX_NONCE_LENGTH} characters")
    return nonce


def _max_age(parameters: Mapping[str, str]) -> int | None:
    text = parameters.get("max_age")
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise RedirectedError("invalid_request", "The max_age must be a number of seconds")
    return int(text)


def _check_response_type(parameters: Mapping[str, str]) -> None:
    if "request" in parameters:
        raise RedirectedError("request_not_supported", "Request objects are not supported")
    if "request_uri" in parameters:
        raise RedirectedError("request_uri_not_supported", "Request objects are not supported")
    response_type = parameters.get("response_type", "")
    if not response_type:
        raise RedirectedError("invalid_request", "The parameter response_type is required")
    if response_type != "code":
        raise RedirectedError("unsupported_response_type", "The response type must be code")
    if parameters.get("response_mode", "query") != "query":
        raise RedirectedError("invalid_request", "The response mode must be query")


def _challenge(client: Client, parameters: Mapping[str, str]) -> str | None:
    """The PKCE challenge. `plain` protects from nothing, so it is refused; some clients must send one."""
    challenge, method = parameters.get("code_challenge"), parameters.get("code_challenge_method")
    if challenge is None:
        if client.pkce_required or method is not None:
            raise RedirectedError("invalid_request", "The parameter code_challenge is required")
        return None
    if method != "S256":
        raise RedirectedError("invalid_request", "The code_challenge_method must be S256")
    if CHALLENGE.fullmatch(challenge) is None:
        raise RedirectedError("invalid_request", "The code_challenge must be 43 characters of base64url")
    return challenge


def _same_but_for_port(uri: str, registered: str) -> bool:
    """Whether both are the same place on the reader's own machine, whatever the port."""
    sent_address, registered_address = web_address(uri), web_address(registered)
    if sent_address is None or registered_address is None or sent_address.rest != registered_address.rest:
        return False
    return sent_address.portless == registered_address.portless and sent_address.portless in _LOOPBACK
