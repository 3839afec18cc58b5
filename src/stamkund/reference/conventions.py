"""What holds for every call, in sentences: the head of the reference, of the page and of the OpenAPI document."""

from __future__ import annotations

CONVENTIONS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (
        "Access tokens",
        (
            "Every call wants the header `Authorization: Bearer <token>`, unless it is marked public. A token comes "
            "from `POST /api/authorization/access_token`; it belongs to one client and holds for as many seconds as "
            "`expires_in` says.",
            "A call needs exactly the scope that is shown with it: no scope implies another. Where it says that an "
            "identity is needed, the token must stand for an account; a token with identity may be used for the "
            "other calls too.",
        ),
    ),
    (
        "What is sent",
        (
            "Query strings are percent-encoded UTF-8. A body is a JSON object of at most 64 KiB with the header "
            "`Content-Type: application/json`; `null` counts as absent. Parameters that are not listed, and parameters "
            "that are given twice, are refused.",
            "Paths answer with and without a slash at their end. A request may carry `X-Request-Id` (1 to 128 of "
            "`[A-Za-z0-9._~:+/=-]`); every answer carries it, or one of ours.",
        ),
    ),
    (
        "What is answered",
        (
            'A resource is `{"item": …}`, a list `{"items": […]}`, a change `{"id": …}`. A key that is shown is always '
            "there, `null` when there is no value, unless its description says when it is left out. Expect new keys.",
            "Ids are 24 hex digits. Times are ISO 8601 with whole seconds and the offset of the organisation's time "
            "zone. Answers with personal data are `Cache-Control: no-store`.",
        ),
    ),
    (
        "Errors",
        (
            'An error is `{"code": …, "field": …, "message": …}`; `field` is there only where the error is about one '
            "parameter. One error is answered at a time, the first in this order: token (401), scope and identity "
            "(403), rate limit (429), size (413), content type, JSON, unknown parameters, values (400), then the "
            "call's own.",
            "A path that does not exist answers 404 `not_found`, another method 405 `method_not_allowed` with the "
            "header `Allow`. 401 and 403 carry `WWW-Authenticate`, 429 and 503 carry `Retry-After` in seconds.",
        ),
    ),
    (
        "Calls from a browser",
        (
            "Scripts may call from the web origins that the publisher has listed for the client (CORS), with the token "
            "in the header: cookies are never taken. Origins are compared exactly.",
        ),
    ),
)
