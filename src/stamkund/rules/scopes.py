"""The scopes that a client can be given, as documented, with their leading slash. None implies another."""

from __future__ import annotations

ACCOUNT_READ = "/external/account/r"
ACCOUNT_WRITE = "/external/account/w"
ME_WRITE = "/external/me/w"
TITLE_READ = "/external/title/r"

KNOWN = (
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
    "/api/authorization/token_info",
    "/openid",
    "/openid/profile",
    "/openid/email",
    "/openid/offline_access",
)
"""Every scope that a document names. A client may be given others; nothing asks for them yet."""


def split(text: str) -> list[str]:
    """The scopes of a space-separated list, each once, in the order given."""
    return list(dict.fromkeys(text.split()))
