"""Every call that Payway's public documentation names, with the scope and identity that it needs.

Which of them are implemented is not recorded here: `coverage.py` computes it from the declarations. Where two versions
of a call are documented, both are listed. Where no page shows the method of a call, it is that of similar calls.
"""

from __future__ import annotations

from dataclasses import dataclass

_V1 = "/external/api/v1"
_V2 = "/external/api/v2"
_V3 = "/external/api/v3"
_V4 = "/external/api/v4"

ORDER = "orders and payments need a payment provider"
LOYALTY = "needs a loyalty programme"
VOUCHER = "vouchers belong to selling"
SSO1 = "the first single sign-on, deprecated by Payway itself"


@dataclass(frozen=True)
class DocumentedCall:
    """`identity`: whether the access token must stand for an account. `scope` is empty where no token is needed.

    `excluded`: why a call will never be implemented here.
    """

    group: str
    title: str
    method: str
    path: str
    scope: str = ""
    identity: bool = False
    excluded: str = ""


def _account(
    title: str, method: str, path: str, scope: str = "/external/account/r", excluded: str = ""
) -> DocumentedCall:
    return DocumentedCall("Account", title, method, path, scope, excluded=excluded)


def _me(title: str, method: str, path: str, scope: str = "/external/me/w", excluded: str = "") -> DocumentedCall:
    return DocumentedCall("Me", title, method, path, scope, identity=True, excluded=excluded)


def _product(title: str, path: str, excluded: str = "") -> DocumentedCall:
    return DocumentedCall("Product", title, "GET", path, "/external/product/r", excluded=excluded)


def _system(title: str, path: str, method: str = "PUT") -> DocumentedCall:
    access = "r" if method == "GET" else "w"
    scope = f"/external/subscription_system/{access}"
    return DocumentedCall("Subscription system", title, method, f"{_V1}/subscription_system/{path}", scope)


def _voucher(title: str, method: str, path: str) -> DocumentedCall:
    return DocumentedCall("Voucher", title, method, f"{_V1}/{path}", "/external/voucher/w", excluded=VOUCHER)


_ACCOUNT_W = "/external/account/w"
_ME_R = "/external/me/r"
_MARKETING_R = "/external/marketing_permission/r"

AUTHORIZATION = (
    DocumentedCall("Authorization", "Get access token", "POST", "/api/authorization/access_token"),
    DocumentedCall("Authorization", "Log in with a browser", "GET", "/oauth2/auth"),
    DocumentedCall("Authorization", "OpenID Connect discovery", "GET", "/.well-known/openid-configuration"),
)

SINGLE_SIGN_ON = (
    DocumentedCall("Single sign-on", "Identify", "GET", "/identify"),
    DocumentedCall("Single sign-on", "Create session", "POST", "/createsession"),
    DocumentedCall("Single sign-on", "Session status", "POST", "/sessionstatus"),
    DocumentedCall("Single sign-on", "Authenticate", "POST", "/authenticate"),
    DocumentedCall("Single sign-on", "Authenticate with ticket", "POST", "/authenticatewithticket"),
    DocumentedCall("Single sign-on", "Log out", "POST", "/logout"),
    DocumentedCall("Single sign-on", "JavaScript session", "GET", "/js/v2/session", excluded=SSO1),
)

ACCOUNT = (
    _account("Get account", "GET", f"{_V1}/accounts", _ACCOUNT_W),
    _account("Create account", "POST", f"{_V1}/accounts", _ACCOUNT_W),
    _account("Create account", "POST", f"{_V2}/accounts", _ACCOUNT_W),
    _account("Update account", "PUT", f"{_V1}/accounts", _ACCOUNT_W),
    _account("Update account", "PUT", f"{_V2}/accounts", _ACCOUNT_W),
    _account("Get account candidate", "GET", f"{_V1}/accounts/candidate"),
    _account("Activate candidate", "POST", f"{_V1}/account/activate_candidate", _ACCOUNT_W),
    _account("Get active products", "GET", f"{_V1}/accounts/active_products"),
    _account("Archive account", "DELETE", f"{_V1}/accounts/archive", "/external/account/archive/w"),
    _account("Get account status", "GET", f"{_V1}/accounts/status"),
    _account("Get comments", "GET", f"{_V1}/accounts/comments"),
    _account("Look up address", "GET", f"{_V1}/accounts/lookup_address"),
    _account("Look up address", "GET", f"{_V2}/accounts/lookup_address"),
    _account("Create password reset", "POST", f"{_V1}/accounts/create_password_reset", _ACCOUNT_W),
    _account("Request password reset", "POST", f"{_V1}/accounts/request_password_reset", _ACCOUNT_W),
    _account("Custom request password reset", "POST", f"{_V1}/accounts/custom_request_password_reset", _ACCOUNT_W),
    _account("Complete password reset", "POST", f"{_V1}/accounts/complete_password_reset", _ACCOUNT_W),
    _account("Request one-time password", "POST", f"{_V1}/accounts/request_one_time_password", _ACCOUNT_W),
    _account("Get authentication attempts", "GET", f"{_V1}/accounts/get_authentication_attempts"),
    _account("Create authentication attempt", "POST", f"{_V1}/accounts/create_authentication_attempt", _ACCOUNT_W),
    _account("Create verification request", "POST", f"{_V1}/accounts/create_verification_request", _ACCOUNT_W),
    _account("Get pending verification request", "GET", f"{_V1}/accounts/pending_verification_request"),
    _account("Verify account", "POST", f"{_V1}/accounts/verify_account", _ACCOUNT_W),
    _account("Get pending shares", "GET", f"{_V1}/accounts/pending_shares"),
    _account("Cancel product", "PUT", f"{_V1}/accounts/cancel_product", _ACCOUNT_W),
    DocumentedCall(
        "Account", "Cancel product change", "PUT", f"{_V1}/accounts/cancel_product_change", _ACCOUNT_W, identity=True
    ),
    _account("Get loyalty offers", "GET", f"{_V1}/accounts/tulo_loyalty_offers", excluded=LOYALTY),
    _account("Order by invoice", "POST", f"{_V1}/accounts/invoice_order", _ACCOUNT_W, ORDER),
    _account("Create order", "POST", f"{_V2}/accounts/create_order", _ACCOUNT_W, ORDER),
    _account("Create order", "POST", f"{_V3}/accounts/create_order", _ACCOUNT_W, ORDER),
    _account("Create order", "POST", f"{_V4}/accounts/create_order", _ACCOUNT_W, ORDER),
    _account("Get payment profiles", "GET", f"{_V1}/payment_profile", "/external/payment_profile/r", ORDER),
)

ME = (
    _me("Get current account", "GET", f"{_V1}/me"),
    _me("Get current account", "GET", f"{_V3}/me"),
    _me("Update current account", "PUT", f"{_V1}/me"),
    _me("Update current account", "PUT", f"{_V3}/me"),
    _me("Get active products", "GET", f"{_V1}/me/active_products"),
    _me("Update password", "PUT", f"{_V1}/me/update_password", "/external/me/update_password/w"),
    _me("Request e-mail change", "POST", f"{_V1}/me/request_email_change"),
    _me("Verify e-mail change", "PUT", f"{_V1}/me/verify_email_change"),
    _me("Create verification request", "POST", f"{_V1}/me/create_verification_request"),
    _me("Get pending verification request", "GET", f"{_V1}/me/pending_verification_request", _ME_R),
    _me("Verify account", "POST", f"{_V1}/me/verify_account"),
    _me("Get accepted user agreements", "GET", f"{_V1}/me/accepted_user_agreements", _ME_R),
    _me("Accept user agreement", "POST", f"{_V1}/me/accept_user_agreement"),
    _me("Accept sharing", "PUT", f"{_V1}/me/accept_sharing"),
    _me("Get pending shares", "GET", f"{_V1}/me/pending_shares", _ME_R),
    _me("Get shared subscriptions", "GET", f"{_V1}/me/get_shared_subscriptions"),
    _me("Cancel product", "PUT", f"{_V1}/me/cancel_product"),
    _me("Cancel product change", "PUT", f"{_V1}/me/cancel_product_change"),
    _me("Change product", "PUT", f"{_V1}/me/change_product"),
    _me("Get available product changes", "GET", f"{_V1}/me/available_product_changes", _ME_R),
    _me("Get purchase history", "GET", f"{_V1}/me/get_purchase_history", _ME_R, ORDER),
    _me("Get loyalty offers", "GET", f"{_V1}/me/tulo_loyalty_offers", _ME_R, LOYALTY),
    _me("Get payment profiles", "GET", f"{_V1}/me/payment_profile", "/external/me/payment_profile/r", ORDER),
    _me("Find payment profile", "GET", f"{_V1}/me/payment_profile/find", "/external/me/payment_profile/r", ORDER),
    _me("Create order", "POST", f"{_V4}/me/create_order", excluded=ORDER),
)

PRODUCT = (
    _product("Get product", f"{_V2}/products"),
    _product("Get product", f"{_V3}/products"),
    _product("Get product", f"{_V4}/products"),
    _product("Search packages", f"{_V2}/products/package/search"),
    _product("Get payment periods", f"{_V1}/products/payment_periods", ORDER),
)

USER_PRODUCT = (
    DocumentedCall("User product", "Provision", "POST", f"{_V1}/userproducts", "/external/userproduct/w"),
    DocumentedCall("User product", "Update", "PUT", f"{_V1}/userproducts", "/external/userproduct/w"),
    DocumentedCall("User product", "List", "GET", f"{_V1}/userproducts/{{accountId}}", "/external/userproduct/w"),
    DocumentedCall(
        "User product", "Get by account", "GET", f"{_V1}/subscription/get_by_account", "/external/subscription/r"
    ),
)

SUBSCRIPTION_SYSTEM = (
    _system("Set subscription number", "subscription_number"),
    _system("Set customer number", "customer_number"),
    _system("Look up customer number", "lookup_customer_number", "GET"),
    _system("Synchronise subscriptions", "sync_customer_subscriptions"),
    _system("Synchronise address", "sync_address_from_external_subscription_system"),
    _system("Get package mappings", "package_mappings", "GET"),
    _system("Change product", "change_product"),
    _system("Cancel subscription provisioned by Payway", "cancel_payway_provisioned_subscription"),
    _system("Cancel subscription of the subscription system", "cancel_subscription"),
)

OTHERS = (
    DocumentedCall(
        "Marketing permission",
        "Get marketing permissions",
        "GET",
        f"{_V1}/marketing_permissions/get_marketing_permissions",
        _MARKETING_R,
    ),
    DocumentedCall(
        "Marketing permission",
        "Get marketing permissions",
        "GET",
        f"{_V2}/marketing_permissions/get_marketing_permissions",
        _MARKETING_R,
    ),
    DocumentedCall(
        "Marketing permission",
        "Update marketing permissions",
        "PUT",
        f"{_V1}/marketing_permissions/update",
        "/external/marketing_permission/w",
    ),
    DocumentedCall(
        "Marketing",
        "Get marketplace groups",
        "GET",
        f"{_V2}/marketing/marketplace/groups",
        "/external/marketing/r",
    ),
    DocumentedCall(
        "Identity mapping",
        "Create or update",
        "POST",
        f"{_V1}/identity_mapping",
        "/external/identity_mapping/w",
    ),
    DocumentedCall("Title", "Get titles", "GET", f"{_V1}/titles", "/external/title/r"),
    DocumentedCall("Title", "Find one title", "GET", f"{_V1}/titles/find_one", "/external/title/r"),
    DocumentedCall(
        "Cancellation reason", "Get", "GET", f"{_V1}/cancellation_reasons", "/external/cancellation_reason/r"
    ),
    DocumentedCall("User agreement", "Get", "GET", f"{_V2}/useragreements", "/external/useragreement/r"),
    DocumentedCall("User agreement", "Get", "GET", f"{_V3}/useragreements", "/external/useragreement/r"),
    DocumentedCall("Address", "Parse", "GET", f"{_V1}/address", "/external/address/r"),
    DocumentedCall("Address", "Parse", "GET", f"{_V2}/address", "/external/address/r"),
    DocumentedCall("Address", "Parse", "POST", f"{_V2}/address", "/external/address/r"),
    _voucher("Create", "POST", "vouchers"),
    _voucher("Get", "GET", "vouchers"),
    _voucher("Redeem", "POST", "vouchers/redeem"),
)

DOCUMENTED: tuple[DocumentedCall, ...] = (
    *AUTHORIZATION,
    *SINGLE_SIGN_ON,
    *ACCOUNT,
    *ME,
    *PRODUCT,
    *USER_PRODUCT,
    *SUBSCRIPTION_SYSTEM,
    *OTHERS,
)

EXCLUDED_GROUPS: tuple[tuple[str, str], ...] = (
    ("Adyen", ORDER),
    ("Campaign", "campaigns belong to selling"),
    ("Klarna payments", ORDER),
    ("Order", ORDER),
    ("Price", "prices belong to selling"),
)
"""Groups of which the documentation's navigation shows little more than the names, and why they are excluded."""
