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

from stamkund.caller import token_hash
from stamkund.oauth.errors import OAuthError
from stamkund.oauth.id_tokens import id_token
from stamkund.oauth.issuing import Asking, Pair, TokenAnswer
from stamkund.rules import scopes
from stamkund.rules.ids import new_id
from stamkund.store import CODE, TICKET, NewToken, NotActive, OneTime, Store

SECONDS = 60
"""How long a code or a ticket holds."""

CheckCode = Callable[[OneTime], None]

_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")
CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
"""What a verifier, and the challenge made of it by S256, look like (RFC 7636, 4.1 and 4.2)."""


class Asked(msgspec.Struct, omit_defaults=True):
    """How a code was asked for, kept along with it.

    `redirect_uri` as it was sent, None where it was left out. `authenticated`: when the reader's password was checked.
    `scope`: the scopes under the names that they were asked by, empty where none were.
    """

    redirect_uri: str | None = None
    challenge: str | None = None
    nonce: str | None = None
    authenticated: int | None = None
    scope: str = ""


async def new_code(store: Store, client: str, account: int, granted: str, asked: Asked, now: int) -> str:
    """A code for a reader who is logged in, kept. Raises Unavailable."""
    text = secrets.token_urlsafe(32)
    detail = msgspec.json.encode(asked).decode()
    kept = OneTime(
        token_hash(text.encode()), CODE, client, account, granted, now, now + SECONDS, new_id(now), detail=detail
    )
    await store.tokens.add_one_time(kept)
    return text


async def authorization_code(asking: Asking) -> TokenAnswer:
    """A token for the reader who came back from the login page."""
    code, verifier = asking.field("code"), asking.call.form.get("code_verifier", "")
    if verifier and _VERIFIER.fullmatch(verifier) is None:
        raise OAuthError("invalid_request", "The code_verifier must have 43 to 128 letters, digits or -._~")
    asked = Asked()

    def check(known: OneTime) -> None:
        nonlocal asked
        asked = msgspec.json.decode(known.detail, type=Asked)
        sent = asking.call.form.get("redirect_uri")
        if sent != asked.redirect_uri and not (asked.redirect_uri is None and sent in asking.client.redirect_uris[:1]):
            raise _unusable()
        if not _proves(verifier, asked.challenge):
            raise _unusable()

    pair, known, reader = await _exchanged(asking, CODE, code, check)
    answer = pair.answer(asking, known.scopes, asked.scope)
    if scopes.OPENID in known.scopes.split():
        answer.id_token = await id_token(asking, reader, answer.access_token, asked.nonce, asked.authenticated)
    return answer


async def ticket(asking: Asking) -> TokenAnswer:
    """A token for the reader of a single sign-on session. Scopes are asked for here, as with the other old grants."""
    granted = " ".join(asking.scopes())
    pair, _, _ = await _exchanged(asking, TICKET, asking.field("ticket"), lambda _: None, granted)
    return pair.answer(asking, granted)


async def _exchanged(
    asking: Asking, kind: str, text: str, check: CheckCode, granted: str | None = None
) -> tuple[Pair, OneTime, str]:
    """Spends a code or ticket for tokens with its scopes, or with those `granted`."""
    pair = Pair.new(asking.client.offline_access)

    def make(known: OneTime) -> list[NewToken]:
        return pair.kept(asking, known.account, known.scopes if granted is None else granted, known.family)

    hashed, client = token_hash(text.encode(errors="replace")), asking.client.id
    try:
        found = await asking.call.services.store.tokens.exchange(
            hashed, kind, client, asking.call.now, check, make, asking.issue()
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
