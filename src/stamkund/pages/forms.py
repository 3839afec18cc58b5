"""Forms that can't be sent from elsewhere (CSRF).

A form is sent together with a random cookie, and holds a keyed hash of it: who can make a browser send a form knows
neither, and can't plant a cookie with the prefix `__Host-`. The hash is another one for each purpose. Where the browser
says which page sent the form (`Origin`), that must be one of ours.
"""

from __future__ import annotations

import hmac
import re
import secrets
from urllib.parse import urlsplit

from stamkund.identity.cookies import cookies, set_cookie
from stamkund.rules.urls import origin_of
from stamkund.wire.endpoint import Call

COOKIE = "__Host-stamkund_form"
"""With an underscore: `__Host-stamkund-form` would be the session's cookie of an organisation called `form`."""
FIELD = "form_token"
LOGIN, LOGOUT = "login form", "logout form"

_SECONDS = 86_400
_VALUE = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)


class ProtectedForm:
    """A form about to be shown: its hidden `token`, and the header that sets the cookie that goes with it."""

    def __init__(self, call: Call, purpose: str) -> None:
        value = _cookie(call) or secrets.token_urlsafe(32)
        self.token = _token(call, purpose, value)
        self.cookie = set_cookie(COOKIE, value, _SECONDS)


def genuine(call: Call, purpose: str) -> bool:
    """Whether a form that was sent is one that we showed to this very browser."""
    value = _cookie(call)
    expected = _token(call, purpose, value or "")
    matches = hmac.compare_digest(expected.encode(), call.form.get(FIELD, "").encode(errors="replace"))
    return matches and value is not None and _from_ourselves(call)


def _cookie(call: Call) -> str | None:
    """The form's cookie; one that is not of our making counts for nothing."""
    value = cookies(call.headers).get(COOKIE, "")
    return value if _VALUE.fullmatch(value) else None


def _token(call: Call, purpose: str, value: str) -> str:
    return call.services.vault.pseudonym(f"{purpose}\0{value}".encode())


def _from_ourselves(call: Call) -> bool:
    """Whether the page that sent the form, where the browser names it, is on the host that it was sent to."""
    sent = call.headers.get(b"origin")
    if sent is None:
        return True
    origin = sent.decode("latin-1")
    if origin == origin_of(call.services.settings.pages_url):
        return True
    host = call.headers.get(b"host", b"").decode("latin-1").lower()
    known = origin_of(origin)
    return known is not None and bool(host) and urlsplit(known).netloc == host
