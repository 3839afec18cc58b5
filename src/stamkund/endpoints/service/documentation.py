"""The documentation of all calls, from the server itself: for people (`/docs`) and for programs (`/openapi.json`).

Both are made once for each process, at the first request: start-up and the calls themselves do not pay for them.
"""

from __future__ import annotations

from functools import cache

import msgspec

from stamkund.wire.endpoint import Call, Endpoint, Response, endpoint

HTML = "text/html; charset=utf-8"


@endpoint(
    "GET",
    "/openapi.json",
    title="OpenAPI document",
    source="our own; OpenAPI 3.1",
    public=True,
    personal=False,
    group="Documentation",
)
async def openapi_document(call: Call) -> Response:
    """Describes every call as OpenAPI 3.1, for programs that make clients and tests out of it."""
    return _openapi(call.services.endpoints)


@endpoint(
    "GET",
    "/docs",
    title="Documentation page",
    source="our own",
    public=True,
    media=HTML,
    personal=False,
    group="Documentation",
)
async def documentation_page(call: Call) -> Response:
    """Describes every call on a page for people. It needs nothing from elsewhere."""
    return _page(call.services.endpoints)


@cache
def _openapi(endpoints: tuple[Endpoint, ...]) -> Response:
    from stamkund.reference.openapi import document

    return Response(200, msgspec.json.encode(document(endpoints)))


@cache
def _page(endpoints: tuple[Endpoint, ...]) -> Response:
    from stamkund.reference.page import CONTENT_SECURITY_POLICY, page

    headers = (
        (b"content-security-policy", CONTENT_SECURITY_POLICY.encode("ascii")),
        (b"x-content-type-options", b"nosniff"),
        (b"referrer-policy", b"no-referrer"),
    )
    return Response(200, page(endpoints).encode(), HTML.encode("ascii"), headers)
