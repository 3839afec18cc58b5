"""The documentation of all calls, from the server itself: for people (`/docs`) and for programs (`/openapi.json`)."""

from __future__ import annotations

from stamkund.wire.about import About
from stamkund.wire.call import Call
from stamkund.wire.endpoint import endpoint
from stamkund.wire.response import HTML, Response

GROUP = "Documentation"


@endpoint(
    "GET",
    "/openapi.json",
    public=True,
    personal=False,
    about=About(title="OpenAPI document", group=GROUP, source="our own; OpenAPI 3.1"),
)
async def openapi_document(call: Call) -> Response:
    """Describes every call as OpenAPI 3.1, for programs that make clients and tests out of it."""
    return Response(200, call.services.documentation.openapi())


@endpoint(
    "GET",
    "/docs",
    public=True,
    personal=False,
    about=About(title="Documentation page", group=GROUP, source="our own", media=HTML),
)
async def documentation_page(call: Call) -> Response:
    """Describes every call on a page for people. It needs nothing from elsewhere."""
    from stamkund.reference.page import CONTENT_SECURITY_POLICY

    headers = ((b"content-security-policy", CONTENT_SECURITY_POLICY.encode("ascii")),)
    return Response(200, call.services.documentation.page(), HTML.encode("ascii"), headers)
