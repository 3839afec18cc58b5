"""Authorization codes and tickets: what works once, and the tokens that it is exchanged for.

A code is made for a browser that came back from the login page, a ticket for a site of a session (SSO2). Both hold for
a minute, for the client that they were made for, and once. RFC 9700 is the yardstick for codes: the redirect URI must
be the same again, and a code that was asked for with a PKCE challenge is given for its verifier alone, one that was
asked for without is not given to somebody who sends a verifier (the downgrade).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import Callable

import msgspec

from stamkund.endpoints.oauth.errors import OAuthError
from stamkund.endpoints.oauth.id_tokens import id_token
from stamkund.endpoints.oauth.token_issuing import TokenPair, TokenRequest, TokenResponse
from stamkund.identity.tokens import token_digest
from stamkund.rules import scopes
from stamkund.rules.ids import new_id
from stamkund.rules.organisation import Client
from stamkund.store import CODE, TICKET, NewToken, NotActive, OneTimeCredential, Store

SECONDS = 60
"""How long a code or a ticket holds."""

CheckCode = Callable[[OneTimeCredential], None]

_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")
CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
"""What a verifier, and the challenge made of it by S256, look like (RFC 7636, 4.1 and 4.2)."""


class CodeBinding(msgspec.Struct, omit_defaults=True):
    """How a code was asked for, kept along with it.

    `redirect_uri` as it was sent, None where it was left out. `authenticated`: when the reader's password was checked.
    `scope`: the scopes under the names that they were asked by, empty where none were.
    """

    redirect_uri: str | None = None
    challenge: str | None = None
    nonce: str | None = None
    authenticated: int | None = None
    scope: str = ""


async def new_code(store: Store, client: Client, account: int, granted: str, asked: CodeBinding, now: int) -> str:
    """A code for a reader who is logged in, kept. Raises Unavailable."""
    text = secrets.token_urlsafe(32)
    detail = msgspec.json.encode(asked).decode()
    kept = OneTimeCredential(
        organisation=client.organisation,
        digest=token_digest(text.encode()),
        kind=CODE,
        client=client.id,
        account=account,
        scopes=granted,
        created=now,
        expires=now + SECONDS,
        family=new_id(now),
        detail=detail,
    )
    await store.one_time_credentials.add(kept)
    return text


async def authorization_code(request: TokenRequest) -> TokenResponse:
    """A token for the reader who came back from the login page."""
    code, verifier = request.field("code"), request.call.form.get("code_verifier", "")
    if verifier and _VERIFIER.fullmatch(verifier) is None:
        raise OAuthError("invalid_request", "The code_verifier must have 43 to 128 letters, digits or -._~")
    asked = CodeBinding()

    def check(known: OneTimeCredential) -> None:
        nonlocal asked
        asked = msgspec.json.decode(known.detail, type=CodeBinding)
        sent = request.call.form.get("redirect_uri")
        if sent != asked.redirect_uri and not (asked.redirect_uri is None and sent in request.client.redirect_uris[:1]):
            raise _unusable()
        if not _proves(verifier, asked.challenge):
            raise _unusable()

    pair, known, reader = await _exchanged(request, CODE, code, check)
    answer = pair.answer(request, known.scopes, asked.scope)
    if scopes.OPENID in known.scopes.split():
        answer.id_token = await id_token(request, reader, answer.access_token, asked.nonce, asked.authenticated)
    return answer


async def ticket(request: TokenRequest) -> TokenResponse:
    """A token for the reader of a single sign-on session. Scopes are asked for here, as with the other old grants."""
    granted = " ".join(request.scopes())
    pair, _, _ = await _exchanged(request, TICKET, request.field("ticket"), lambda _: None, granted)
    return pair.answer(request, granted)


async def _exchanged(
    request: TokenRequest, kind: str, text: str, check: CheckCode, granted: str | None = None
) -> tuple[TokenPair, OneTimeCredential, str]:
    """Spends a code or ticket for tokens with its scopes, or with those `granted`."""
    pair = TokenPair.new(request.client.offline_access)

    def make(known: OneTimeCredential) -> list[NewToken]:
        return pair.kept(request, known.account, known.scopes if granted is None else granted, known.family)

    digest = token_digest(text.encode(errors="replace"))
    try:
        found = await request.call.services.store.one_time_credentials.exchange(
            digest, kind, check, make, request.issue()
        )
    except NotActive:
        found = None
    if found is None:
        raise _unusable(kind)
    return pair, *found


def _proves(verifier: str, challenge: str | None) -> bool:
    """Whether a verifier belongs to a challenge; without a challenge there must be none (RFC 9700, 2.1.1)."""
    if challenge is None or not verifier:
        return challenge is None and not verifier
    made = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode("ascii")).digest()).rstrip(b"=")
    return hmac.compare_digest(made, challenge.encode("ascii"))


def _unusable(kind: str = CODE) -> OAuthError:
    return OAuthError("invalid_grant", f"The {kind} is not valid")
