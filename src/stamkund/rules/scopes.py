"""The documented scopes that a client can be granted, with their leading slash. No scope implies another."""

from __future__ import annotations

ACCOUNT_READ = "/external/account/r"
ACCOUNT_WRITE = "/external/account/w"
ME_WRITE = "/external/me/w"
TITLE_READ = "/external/title/r"
TOKEN_INFO = "/api/authorization/token_info"  # noqa: S105
OPENID = "/openid"
PROFILE = "/openid/profile"
EMAIL = "/openid/email"
OFFLINE_ACCESS = "/openid/offline_access"

ALL = (
    ACCOUNT_READ,
    ACCOUNT_WRITE,
    "/external/account/archive/w",
    "/external/me/r",
    ME_WRITE,
    "/external/me/update_password/w",
    "/external/me/payment_profile/r",
    "/external/payment_profile/r",
    TITLE_READ,
    "/external/marketing_permission/r",
    "/external/marketing_permission/w",
    "/external/marketing/r",
    "/external/product/r",
    "/external/userproduct/w",
    "/external/subscription/r",
    "/external/subscription_system/r",
    "/external/subscription_system/w",
    "/external/identity_mapping/w",
    "/external/address/r",
    "/external/cancellation_reason/r",
    "/external/useragreement/r",
    "/external/voucher/w",
    "/external/paywall/r",
    "/external/paywall/w",
    "/external/trusted_identity/w",
    "/external/distribution/w",
    "/oauth2/login/x",
    TOKEN_INFO,
    OPENID,
    PROFILE,
    EMAIL,
    OFFLINE_ACCESS,
)
"""Every documented scope. Some are of calls that are not implemented; clients may be granted them already."""


FOR_PUBLIC_CLIENTS = frozenset(
    {
        "/external/me/r",
        ME_WRITE,
        "/external/me/update_password/w",
        "/external/me/payment_profile/r",
        TITLE_READ,
        "/external/product/r",
        "/external/marketing_permission/r",
        "/external/cancellation_reason/r",
        "/external/useragreement/r",
        OPENID,
        PROFILE,
        EMAIL,
        OFFLINE_ACCESS,
    }
)
"""What a client that can't keep a secret may have: its own reader's data, and what the publisher sells to everybody.

Every other scope is for calls from server to server, which read or change any reader's data. One that is new is, too,
until it is named here.
"""


def split(text: str) -> list[str]:
    """The scopes of a space-separated list, in order and without duplicates."""
    return list(dict.fromkeys(text.split()))


STANDARD = {"openid": OPENID, "profile": PROFILE, "email": EMAIL, "offline_access": OFFLINE_ACCESS}
"""OpenID Connect's names of scopes, which ordinary libraries request, and the documented names for the same."""
LEFT_OUT = frozenset((PROFILE, EMAIL, OFFLINE_ACCESS, "address", "phone", "/openid/address", "/openid/phone"))
"""Scopes that are left out of what is granted, without an error, where they are not available."""


def documented(scope: str) -> str:
    """The documented name of a scope, which may be given by OpenID Connect's name."""
    return STANDARD.get(scope, scope)


def as_requested(granted: str, requested: str) -> str:
    """Granted scopes under the names that the client used in its request, otherwise under the documented names."""
    names = {documented(name): name for name in split(requested)}
    return " ".join(names.get(scope, scope) for scope in granted.split())
