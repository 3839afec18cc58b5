"""What applies to every call: the introduction of the reference, of the page and of the OpenAPI document."""

from __future__ import annotations

CONVENTIONS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (
        "Access tokens",
        (
            "Every call needs the header `Authorization: Bearer <token>`, unless it is marked public. Tokens come "
            "from `POST /api/authorization/access_token`; a token belongs to one client and is valid for `expires_in` "
            "seconds.",
            "A call needs exactly the scope that is shown with it: no scope implies another. Where an identity is "
            "needed, the token must stand for an account; a token with identity may be used for other calls too.",
        ),
    ),
    (
        "Requests",
        (
            "Query strings are percent-encoded UTF-8. A body is a JSON object of at most 64 KiB with the header "
            "`Content-Type: application/json`, without a `Content-Encoding`; `null` counts as absent, and a UTF-8 byte "
            "order mark is skipped. Parameters that are not listed, and parameters that are given twice, are refused.",
            "What is wrong in an object or array of a body is named by its path: `address.zip_code`, `tags.2`. "
            '`"__UNSET__"` empties a parameter whose description says so, and is refused for others (`unset_error`). A '
            "boolean of a query is `true` or `false` in any case, or `1` or `0`.",
            "Blanks and invisible characters around an e-mail are no part of it, nor is one line end at the end of a "
            "password. A `+` in the e-mail of a query, or in the password grant's `username`, need not be encoded.",
            "Paths may end with a slash, and every `GET` may be made as `HEAD`. A request may have the header "
            "`X-Request-Id` (1 to 128 of `[A-Za-z0-9._~:+/=-]`); every response has that id, or a new one if it was "
            "missing or not valid.",
        ),
    ),
    (
        "Responses",
        (
            'A resource is `{"item": …}`, a list `{"items": […]}`, a change `{"id": …}`. A documented key is always '
            "present, `null` when there is no value, unless its description says when it is left out. Expect new keys.",
            "Ids are 24 hex digits. Times are ISO 8601 with whole seconds and the offset of the organisation's time "
            "zone. Responses with personal data are `Cache-Control: no-store`.",
        ),
    ),
    (
        "Errors",
        (
            'An error is `{"code": …, "field": …, "message": …}`; `field` is present only where the error is about one '
            "parameter. A response has one error, the first in this order: token (401), scope and identity "
            "(403), rate limit (429), size (413), encoding (415), content type, JSON, unknown parameters, values "
            "(400), then the call's own.",
            "What is no request at all is refused first: 431 `headers_too_large` for more than 64 KiB or 100 lines of "
            "headers, 400 `bad_request` for what is not HTTP or has no `Host`. "
            "The response for a path that does not exist is 404 `not_found`, for another method 405 "
            "`method_not_allowed` with the header `Allow`. 401 and 403 have `WWW-Authenticate`, 429 and 503 have "
            "`Retry-After` in seconds.",
        ),
    ),
    (
        "Calls from a browser",
        (
            "Scripts may call from the web origins that the publisher has listed for the client (CORS), with the token "
            "in the header: cookies are ignored. Origins are compared exactly.",
        ),
    ),
)
