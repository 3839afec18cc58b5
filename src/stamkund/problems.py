"""All refusals of the API: status, code and message, each in one place.

A refusal is a plain value (`Problem`), raised wrapped in `Refused`. This module imports nothing else of ours. The
wording is part of the wire contract (the documents' error tables), so it must not be repeated elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec


class Problem(msgspec.Struct, frozen=True):
    """One refusal as the caller gets it. `headers`: additional headers of the response."""

    status: int
    code: str
    message: str
    field: str | None = None
    headers: tuple[tuple[bytes, bytes], ...] = ()

    def body(self) -> dict[str, str]:
        """The JSON body; with `field` only where the refusal is about one parameter."""
        field = {} if self.field is None else {"field": self.field}
        return {"code": self.code, **field, "message": self.message}


class Refused(Exception):
    """Raised to respond with `problem` instead of handling the request further."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.code)
        self.problem = problem


def _retry_after(seconds: int) -> tuple[tuple[bytes, bytes], ...]:
    return ((b"retry-after", str(seconds).encode()),)


INVALID_PARAMETER = "invalid_parameter"
"""The code of every refusal of a parameter's value, whatever the field and the message."""

# 400: the request is not valid ---------------------------------------------------------------------------


def invalid(field: str | None, message: str) -> Problem:
    """The value of a parameter is refused; `field` is None where a rule about several parameters is broken."""
    return Problem(400, INVALID_PARAMETER, message, field)


def required(field: str) -> Problem:
    return invalid(field, REQUIRED)


REQUIRED = "Parameter is required"


def one_required(names: Iterable[str]) -> Problem:
    return invalid(None, f"One of parameters [{', '.join(names)}] is required")


def only_one(names: Iterable[str]) -> Problem:
    return invalid(None, f"Only one of [{', '.join(names)}] is allowed")


def not_the_candidates(field: str) -> Problem:
    return invalid(field, "Parameter must be the same as the account candidate's")


def unknown_permission(field: str) -> Problem:
    return invalid(field, "Parameter must hold ids of active marketing permissions")


def too_short(field: str, min_length: int) -> Problem:
    return invalid(field, f"Parameter must have at least {min_length} characters")


def common_password(field: str) -> Problem:
    return invalid(field, "Parameter must not be one of the most common passwords")


def password_of_own_data(field: str) -> Problem:
    return invalid(field, "Parameter must not be made of the account's own data")


def unset_not_supported(field: str) -> Problem:
    """`__UNSET__` was sent for a parameter that can't be emptied."""
    return Problem(400, "unset_error", "Parameter does not support __UNSET__", field)


def unknown_parameters(names: Iterable[str]) -> Problem:
    return Problem(400, "unknown_parameter", f"Unknown parameters: {','.join(names)}")


NO_LANDING_PAGE = invalid(None, "The client has no redirect URI to send browsers back to")
INVALID_JSON = Problem(400, "json_parser_error", "Invalid json in request body")
INVALID_CONTENT_TYPE = Problem(400, "invalid_content_type_error", "The Content-Type header must be application/json")

NOT_A_FORM = Problem(
    400,
    "invalid_content_type_error",
    "The Content-Type header must be application/x-www-form-urlencoded, and the body a form",
)

# 400, 431: what is no request at all. The server refuses it before anything of ours looks at it -----------

_BAD_REQUEST = "bad_request"
NOT_HTTP = Problem(400, _BAD_REQUEST, "The request is not valid HTTP/1.1")
HOST_REQUIRED = Problem(400, _BAD_REQUEST, "The header Host is required")
HOST_REPEATED = Problem(400, _BAD_REQUEST, "The header Host must be given once")
TOO_MANY_PIPELINED = Problem(400, _BAD_REQUEST, "Too many requests were sent without waiting for responses")
HEAD_TOO_LARGE = Problem(
    431, "headers_too_large", "The target and the headers of the request are too long, or there are too many headers"
)

# For people: a client sent a browser to us with a request that is not allowed -----------------------------

UNREADABLE_PARAMETER = Problem(
    400, "invalid_request", "A parameter of the address is given more than once, is too long, or is not UTF-8"
)
UNKNOWN_CLIENT = Problem(400, "invalid_client", "The site or app that sent you here is not known")
OTHER_ORGANISATION = Problem(
    400, "invalid_organisation", "The site or app that sent you here is another organisation's"
)
WRONG_REDIRECT_URI = Problem(
    400, "invalid_redirect_uri", "The site or app that sent you here wants you back at an address that it may not use"
)

WRONG_CONTINUE = Problem(
    400,
    "invalid_continue",
    "continue must be an address of /oauth2/auth, or one at a site that a client of the organisation has registered",
)
WHICH_ORGANISATION = Problem(
    400, "organisation_required", "There are several organisations here, and oid does not say which one"
)
UNKNOWN_ORGANISATION = Problem(400, "invalid_organisation", "There is no organisation with the id in oid")
WRONG_LOGOUT_URI = Problem(
    400, "invalid_redirect_uri", "post_logout_redirect_uri must be one of the logout URIs of the client"
)
OTHER_CLIENT = Problem(400, "invalid_client", "The ID token in id_token_hint was issued to another client")

# 401, 403: authentication and authorization ---------------------------------------------------------------

_REFUSED_TOKEN = "The access token is missing or not valid"  # noqa: S105
MISSING_TOKEN = Problem(
    401, "invalid_token", _REFUSED_TOKEN, headers=((b"www-authenticate", b'Bearer realm="stamkund"'),)
)
INVALID_TOKEN = Problem(
    401,
    "invalid_token",
    _REFUSED_TOKEN,
    headers=((b"www-authenticate", b'Bearer realm="stamkund", error="invalid_token"'),),
)
INVALID_SSO_TOKEN = Problem(
    401,
    "invalid_token",
    "The token t is not valid, or its client may not use single sign-on",
    headers=((b"www-authenticate", b'Bearer realm="stamkund", error="invalid_token"'),),
)
IDENTITY_REQUIRED = Problem(
    403, "identity_required", "The access token must have an identity: it stands for no account"
)


def insufficient_scope(scope: str) -> Problem:
    challenge = f'Bearer realm="stamkund", error="insufficient_scope", scope="{scope}"'
    return Problem(
        403,
        "insufficient_scope",
        f"The access token must have the scope {scope}",
        headers=((b"www-authenticate", challenge.encode("ascii")),),
    )


# 404, 405, 413, 415: resource, method and body ----------------------------------------------------------------


def not_found(thing: str) -> Problem:
    return Problem(404, "not_found", f"{thing} could not be found")


ACCOUNT_NOT_FOUND = not_found("account")
CANDIDATE_NOT_FOUND = not_found("account candidate")
TITLE_NOT_FOUND = not_found("title")
PATH_NOT_FOUND = not_found("path")
PAYLOAD_TOO_LARGE = Problem(413, "payload_too_large", "The request body must be at most 64 KiB")
TOO_MANY_FIELDS = Problem(413, "payload_too_large", "The form has too many fields")
UNSUPPORTED_ENCODING = Problem(
    415,
    "unsupported_encoding",
    "The request body must come without a Content-Encoding",
    headers=((b"accept-encoding", b"identity"),),
)


def method_not_allowed(allowed: Iterable[str]) -> Problem:
    listed = ", ".join(sorted(allowed))
    return Problem(
        405,
        "method_not_allowed",
        f"The method must be one of: {listed}",
        headers=((b"allow", listed.encode("ascii")),),
    )


# 409: conflicts with another account ----------------------------------------------------------------------

CUSTOMER_TAKEN = Problem(409, "already_exists", "already exists with email", "customer_number/ssn")


def taken(field: str) -> Problem:
    """A value that must be unique belongs to another account."""
    return Problem(409, "already_exists", "already exists", field)


EMAIL_TAKEN = taken("email")
ALIAS_TAKEN = taken("alias")
PERSON_NUMBER_TAKEN = taken("social_security_number")
EXTERNAL_ID_TAKEN = taken("identity_mapping")
EXTERNAL_IDS_TAKEN = taken("external_ids")

# 429: rate limits -----------------------------------------------------------------------------------------


TOO_MANY = "too_many_requests"


def too_many_requests(seconds: int) -> Problem:
    """A rate limit was reached; the count starts again in `seconds`."""
    return Problem(
        429, TOO_MANY, "Too many requests; try again when the header Retry-After says", headers=_retry_after(seconds)
    )


# 500, 503: errors of the server ---------------------------------------------------------------------------


def internal(request_id: str) -> Problem:
    return Problem(
        500,
        "internal_server_error",
        f"Something unexpected happened on the server; its log has more under request id {request_id}",
    )


UNAVAILABLE = Problem(
    503,
    "service_unavailable",
    "The database is out of reach right now; try again shortly",
    headers=_retry_after(2),
)
TOO_MANY_CONNECTIONS = Problem(
    503,
    "service_unavailable",
    "There are too many connections right now; try again shortly",
    headers=_retry_after(2),
)
BUSY = Problem(
    503,
    "service_unavailable",
    "Too many passwords are being checked right now; try again shortly",
    headers=_retry_after(1),
)
