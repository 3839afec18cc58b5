"""The address of a caller behind reverse proxies, of which only those in the settings are believed."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Any

from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from stamkund.settings import Settings
from stamkund.wire.request import Request
from stamkund.wire.services import AddressOf, peer_address

_FORWARDED_FOR = b"x-forwarded-for"


def address_of(settings: Settings) -> AddressOf:
    """Finds the address in `X-Forwarded-For` where the connection comes from a trusted proxy (`trusted_proxies`)."""
    if not settings.trusted_proxies:
        return peer_address
    trusted = ProxyHeadersMiddleware(_no_application, settings.trusted_proxies).trusted_hosts

    def address(request: Request) -> str | None:
        peer = peer_address(request)
        if peer not in trusted:
            return peer
        forwarded = b", ".join(value for name, value in request.header_lines if name == _FORWARDED_FOR)
        client, _ = trusted.get_trusted_client_address(forwarded.decode("latin-1"))
        return client if _is_address(client) else peer

    return address


def _is_address(text: str) -> bool:
    """Whether it is an IP address. One with a zone is none here: a zone may be any text of any length."""
    try:
        ip_address(text)
    except ValueError:
        return False
    return "%" not in text


async def _no_application(*_: Any) -> None:
    """The middleware is only asked which addresses are trusted."""
