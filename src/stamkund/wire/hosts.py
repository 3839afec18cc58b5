"""The host that browsers should see: a session's cookie belongs to one host alone, so pages are served there."""

from __future__ import annotations

from urllib.parse import urlsplit

from stamkund.rules.urls import encoded
from stamkund.wire.about import OtherResponse
from stamkund.wire.call import Call
from stamkund.wire.response import Response, redirect

TO_CANONICAL_HOST = OtherResponse(302, "Redirect to the host that browsers should see (`STAMKUND_SSO_URL`).")
"""What calls declare that use `redirect_to_canonical_host`, unless 302 is their success."""


def redirect_to_canonical_host(call: Call) -> Response | None:
    """The redirect to the host that browsers should see (`STAMKUND_SSO_URL`); None where the request came to it."""
    canonical = call.services.settings.sso_url
    host = call.headers.get(b"host", b"").decode("latin-1").lower()
    if not canonical or host == urlsplit(canonical).netloc.lower():
        return None
    return redirect(canonical + encoded(call.path.encode() + (b"?" + call.query if call.query else b"")))
