"""An organisation (a publisher) with its settings, and its clients."""

from __future__ import annotations

import re
import secrets

import msgspec

from stamkund.rules import scopes
from stamkund.rules.account import Personal
from stamkund.rules.customer_numbers import DOCUMENTED_CUSTOMER_NUMBER, LONG_CUSTOMER_NUMBER
from stamkund.rules.key_schedule import RS256
from stamkund.rules.mail import SWEDISH
from stamkund.rules.password_rules import PasswordRules

PERSON_NUMBER_CHECKS = ("pattern", "checksum")
_ID = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)
DEFAULT_TIMEZONE = "Europe/Stockholm"

REFRESH_GRANT, CODE_GRANT = "refresh_token", "authorization_code"
GRANTS = ("none", "client_credentials", "password", CODE_GRANT, "ticket", REFRESH_GRANT)
"""The grants of the token endpoint, all of which a client has unless it is given fewer."""
GRANTS_FOR_PUBLIC_CLIENTS = (CODE_GRANT, REFRESH_GRANT)
"""What a client that can't authenticate itself may use: grants that begin with a secret of another kind."""


def is_organisation_id(text: str) -> bool:
    """Whether an organisation may have this id."""
    return _ID.fullmatch(text) is not None


class Permission(msgspec.Struct, omit_defaults=True):
    """A marketing permission that readers may accept; `type` says how it reaches them (`email`, `sms` …)."""

    id: str
    name: str
    type: str
    active: bool = True


class Organisation(msgspec.Struct, omit_defaults=True):
    """A publisher.

    - `person_number_check`: `pattern`, or `checksum` to require real numbers wherever one is stored.
    - `password_rules`: for passwords that readers choose.
    - `email_verification`: new accounts can be made to wait until their e-mail is verified.
    - `long_customer_numbers`: its customer numbers have up to 50 characters, and look-ups accept them.
    - `language`: of mails to its readers, where nothing else says (`rules/mail.py` `LANGUAGES`).
    - `mail_from`: the address that its mails come from; empty for the installation's.
    """

    id: str
    name: str
    timezone: str = DEFAULT_TIMEZONE
    person_number_check: str = "pattern"
    marketing_permissions: list[Permission] = []
    password_rules: PasswordRules = PasswordRules()
    long_customer_numbers: bool = False
    email_verification: bool = True
    language: str = SWEDISH
    mail_from: str = ""

    @property
    def longest_customer_number(self) -> int:
        """How many characters of a customer number look-ups accept: as documented, or as many as an import."""
        return LONG_CUSTOMER_NUMBER if self.long_customer_numbers else DOCUMENTED_CUSTOMER_NUMBER

    @property
    def requires_checksum(self) -> bool:
        return self.person_number_check == "checksum"

    def active_permissions(self) -> dict[str, Permission]:
        return {p.id: p for p in self.marketing_permissions if p.active}


class Secret(Personal):
    """One of a client's secrets, sealed. `expires`: a timestamp, set when it has been replaced."""

    sealed: str
    created: int
    expires: int | None = None

    def is_valid(self, now: int) -> bool:
        return self.expires is None or now < self.expires


class Client(Personal):
    """An application that may call us (an "API user"). Never deleted, only disabled.

    - `redirect_uris`: where logins may return to, compared exactly; the first is an SSO2 client's landing page.
      `logout_uris`: the same for logouts that an OpenID Connect client begins.
    - `origins`: web origins whose scripts may call us with this client's tokens (CORS).
    - `public`: an app that can't keep a secret. It has none; it proves with PKCE that a code is its own.
    - `rotate_refresh_tokens`: each use of a refresh token replaces it, and using a replaced one revokes its family.
      None: so for a public client, and for no other.
    - `grants`: by which it may get tokens; None for a client from before they were listed, which has all of its kind.
    - `require_pkce`: it must prove with PKCE that a code is its own. Always so for a public client.
    - `visitor_address`: what an SSO2 client sends as its visitors' address (`ipa`) is theirs, not a proxy's.
    - `issuer_in_redirects`: it gets `iss` with a code or an error (RFC 9207). No for a library that misreads it.
    - `id_token_signed_response_alg`: what its ID tokens are signed with, `RS256` or `ES256`.
    """

    id: str
    organisation: str
    name: str
    created: int
    scopes: list[str]
    secrets: list[Secret]
    redirect_uris: list[str] = []
    offline_access: bool = False
    sso2: bool = False
    disabled: bool = False
    public: bool = False
    rotate_refresh_tokens: bool | None = None
    origins: list[str] = []
    logout_uris: list[str] = []
    grants: list[str] | None = None
    require_pkce: bool = False
    visitor_address: bool = True
    issuer_in_redirects: bool = True
    id_token_signed_response_alg: str = RS256

    @property
    def possible_grants(self) -> tuple[str, ...]:
        """All grants that a client of its kind may be given."""
        return GRANTS_FOR_PUBLIC_CLIENTS if self.public else GRANTS

    @property
    def allowed_grants(self) -> tuple[str, ...]:
        """The grants by which the client may get tokens, in the order of `GRANTS`."""
        if self.grants is None:
            return self.possible_grants
        return tuple(grant for grant in self.possible_grants if grant in self.grants)

    @property
    def gets_refresh_tokens(self) -> bool:
        """Whether a refresh token would be of use to it."""
        return REFRESH_GRANT in self.allowed_grants

    @property
    def pkce_required(self) -> bool:
        return self.require_pkce or self.public

    @property
    def forbidden_scopes(self) -> list[str]:
        """Those of its scopes that a client of its kind must not have."""
        return [scope for scope in self.scopes if scope not in scopes.FOR_PUBLIC_CLIENTS] if self.public else []

    @property
    def rotation(self) -> bool:
        """Whether the client's refresh tokens rotate."""
        return self.public if self.rotate_refresh_tokens is None else self.rotate_refresh_tokens


def new_secret() -> str:
    """A client secret: 48 characters of `[A-Za-z0-9_-]`, which clients in the field can paste unencoded."""
    return secrets.token_urlsafe(36)
