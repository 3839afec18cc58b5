"""Which host a browser came to. Its session's cookie lives on one host alone, so what browsers see is served there."""

from __future__ import annotations

from urllib.parse import urlsplit

from stamkund.rules.urls import encoded
from stamkund.wire.endpoint import Call, Response


def redirect_to_canonical_host(call: Call) -> Response | None:
    """The redirect to the host that browsers should see (`STAMKUND_SSO_URL`); None where the call came to it."""
    there = call.services.settings.sso_url
    if not there or call.headers.get(b"host", b"").decode("latin-1").lower() == urlsplit(there).netloc.lower():
        return None
    return redirect(there + encoded(call.path.encode() + (b"?" + call.query if call.query else b"")))


def redirect(location: str, *headers: tuple[bytes, bytes], status: int = 302) -> Response:
    """Sends a browser on. `location` must be printable ASCII: encode whatever came from outside."""
    if not location.isascii() or not location.isprintable():
        raise ValueError("a location that can't be a header")
    shown = (b"location", location.encode("ascii")), (b"cache-control", b"no-store"), *headers
    return Response(status, b"", b"text/plain; charset=utf-8", shown)
