"""The documentation that a server serves, made at the first request: start-up and other calls do not pay for it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import msgspec

from stamkund.wire.endpoint import Endpoint
from stamkund.wire.services import Documentation


def documentation_of(endpoints: Sequence[Endpoint]) -> Documentation:
    """OpenAPI and page of these calls. What makes them takes long to load, so it is imported when it is needed."""

    @cache
    def openapi() -> bytes:
        from stamkund.reference.openapi import document

        return msgspec.json.encode(document(endpoints))

    @cache
    def html() -> bytes:
        from stamkund.reference.page import page

        return page(endpoints).encode()

    return Documentation(openapi, html)
