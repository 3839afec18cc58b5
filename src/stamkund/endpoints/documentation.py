"""The documentation of all calls, from the server itself: for people (`/docs`) and for programs (`/openapi.json`).

Both are made once for each process, when first asked for: start-up and the calls themselves do not pay for them.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import msgspec

from stamkund.wire.endpoint import Answer, Call, Endpoint, endpoint

HTML = "text/html; charset=utf-8"


def documented(calls: Sequence[Endpoint]) -> tuple[Endpoint, ...]:
    """The calls, and the two that describe them all, themselves included."""

    @endpoint(
        "GET",
        "/openapi.json",
        title="OpenAPI document",
        source="our own; OpenAPI 3.1",
        public=True,
        personal=False,
        group="Documentation",
    )
    async def openapi_document(_: Call) -> Answer:
        """Describes every call as OpenAPI 3.1, for programs that make clients and tests out of it."""
        return as_json()

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
    async def documentation_page(_: Call) -> Answer:
        """Describes every call on a page for people. It needs nothing from elsewhere."""
        return as_page()

    every = (*calls, openapi_document, documentation_page)

    @cache
    def as_json() -> Answer:
        from stamkund.reference.openapi import document

        return Answer(200, msgspec.json.encode(document(every)))

    @cache
    def as_page() -> Answer:
        from stamkund.reference.page import CONTENT_SECURITY_POLICY, page

        headers = (
            (b"content-security-policy", CONTENT_SECURITY_POLICY.encode("ascii")),
            (b"x-content-type-options", b"nosniff"),
            (b"referrer-policy", b"no-referrer"),
        )
        return Answer(200, page(every).encode(), HTML.encode("ascii"), headers)

    return every
