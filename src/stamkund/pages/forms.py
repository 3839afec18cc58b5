"""Forms that can't be sent from elsewhere (CSRF).

A form is shown together with a random cookie, and holds a keyed hash of it. An attacker who makes a browser send a form
from another site knows neither, and can't plant a cookie with the prefix `__Host-`. The hash differs for each purpose.
Where the browser says which page sent the form (`Origin`), that must be one of ours.
"""

from __future__ import annotations

import hmac
import re
from urllib.parse import urlsplit

from stamkund.identity.cookies import OURS, cookies, set_cookie
from stamkund.identity.tokens import new_token
from stamkund.rules.urls import origin_of
from stamkund.wire.call import Call

COOKIE = "__Host-stamkund_form"
"""With an underscore: `__Host-stamkund-form` would be the session's cookie of an organisation called `form`."""
TOKEN_FIELD = "form_token"  # noqa: S105
LOGIN, LOGOUT = "login form", "logout form"

_COOKIE_SECONDS = 86_400
_COOKIE_VALUE = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)


class ProtectedForm:
    """A form to be shown: its hidden `token`, and the header that sets the cookie that belongs to it."""

    def __init__(self, call: Call, purpose: str) -> None:
        value = _cookie(call) or new_token()
        self.token = _token(call, purpose, value)
        self.cookie = set_cookie(COOKIE, value, _COOKIE_SECONDS)


def is_genuine(call: Call, purpose: str) -> bool:
    """Whether a form that was sent is one that we showed to this very browser."""
    value = _cookie(call)
    expected = _token(call, purpose, value or "")
    matches = hmac.compare_digest(expected.encode(), call.form.get(TOKEN_FIELD, "").encode(errors="replace"))
    return matches and value is not None and _is_same_origin(call)


def came_without_cookies(call: Call) -> bool:
    """Whether a form of our own page came without any cookie of ours: the browser does not keep them.

    One that another site makes a browser send comes without them too (`SameSite`).
    """
    return _is_same_origin(call) and not any(name.startswith(OURS) for name in cookies(call.headers))


def _cookie(call: Call) -> str | None:
    """The form's cookie; one that is not of our making counts for nothing."""
    value = cookies(call.headers).get(COOKIE, "")
    return value if _COOKIE_VALUE.fullmatch(value) else None


def _token(call: Call, purpose: str, cookie: str) -> str:
    return call.services.vault.pseudonym(f"{purpose}\0{cookie}".encode())


def _is_same_origin(call: Call) -> bool:
    """Whether the page that sent the form, where the browser names it, is on the host that it was sent to."""
    header = call.headers.get(b"origin")
    if header is None:
        return True
    sent_origin = header.decode("latin-1")
    if sent_origin == origin_of(call.services.settings.pages_url):
        return True
    host = call.headers.get(b"host", b"").decode("latin-1").lower()
    origin = origin_of(sent_origin)
    return origin is not None and bool(host) and urlsplit(origin).netloc == host
