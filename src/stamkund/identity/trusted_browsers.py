"""Browsers that have logged a reader in before, by a cookie of their own for each reader.

Failed logins in such a browser are counted apart from all others, so nobody else's failures shut its reader out. The
cookie holds a random id, when it was made, and a keyed hash of both with the organisation and the e-mail, so nothing is
stored until a login fails. It opens nothing: it only says which count an attempt belongs to.
"""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Mapping

from stamkund.identity.cookies import cookies, set_cookie
from stamkund.rules import identifiers
from stamkund.rules.timestamps import DAY
from stamkund.settings import Settings
from stamkund.vault import Vault

_COOKIE_PREFIX = "__Host-stamkund_browser-"
"""With an underscore: an organisation's session has `__Host-stamkund-` and its id."""
_VALUE = re.compile(r"([A-Za-z0-9_-]{22})\.([0-9]{1,12})\.([0-9a-f]{32})", re.ASCII)
_ID_BYTES = 16


class TrustedBrowsers:
    """Makes and reads the cookies of trusted browsers."""

    def __init__(self, vault: Vault, settings: Settings) -> None:
        self._vault = vault
        self._seconds = settings.trusted_browser_days * DAY

    def id_of(self, organisation: str, email: str, headers: Mapping[bytes, bytes], now: int) -> str | None:
        """The id of a browser that this reader logged in with before; None for any other."""
        match = _VALUE.fullmatch(cookies(headers).get(self._name(organisation, email), ""))
        if match is None:
            return None
        browser, made, signature = match.groups()
        genuine = hmac.compare_digest(signature, self._signature(organisation, email, browser, made))
        return browser if genuine and now < int(made) + self._seconds else None

    def cookies_for(self, organisation: str, email: str, browser: str | None, now: int) -> list[tuple[bytes, bytes]]:
        """The header that makes a browser trusted, or keeps it trusted under its id; none where the setting is 0."""
        if not self._seconds:
            return []
        id_ = browser or secrets.token_urlsafe(_ID_BYTES)
        value = f"{id_}.{now}.{self._signature(organisation, email, id_, str(now))}"
        return [set_cookie(self._name(organisation, email), value, self._seconds)]

    def _name(self, organisation: str, email: str) -> str:
        return _COOKIE_PREFIX + self._hash("name of a trusted browser", organisation, email)[:16]

    def _signature(self, organisation: str, email: str, browser: str, made: str) -> str:
        return self._hash("trusted browser", organisation, email, browser, made)

    def _hash(self, purpose: str, organisation: str, email: str, *more: str) -> str:
        text = "\0".join((purpose, organisation, identifiers.email(email).value, *more))
        return self._vault.pseudonym(text.encode(errors="replace"))
