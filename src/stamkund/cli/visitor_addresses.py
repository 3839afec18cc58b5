"""What `stamkund doctor` finds about the addresses that SSO2 clients send for their visitors (`ipa`)."""

from __future__ import annotations

from stamkund.cli.findings import NOTE, Finding
from stamkund.rules.organisation import Client
from stamkund.store import SHARED_SESSIONS, Store

_MANY_ADDRESSES = 20
"""From how many addresses on that are not their browsers' a client's logins look wrong altogether."""


async def visitor_address_findings(store: Store, organisation: str, now: int) -> list[Finding]:
    """Clients that send other addresses than the same browsers have here: their logins may not reach other sites."""
    counts = await store.visitor_addresses.other_addresses(organisation, now)
    return [
        (NOTE, _sentence(client))
        for client in await store.clients.of_organisation(organisation)
        if client.visitor_address and _looks_wrong(counts.get(client.id, []))
    ]


def _looks_wrong(sessions: list[int]) -> bool:
    """Whether one address was sent for many sessions, or many addresses for one or a few each."""
    return max(sessions, default=0) >= SHARED_SESSIONS or len(sessions) >= _MANY_ADDRESSES


def _sentence(client: Client) -> str:
    return (
        f"client {client.id} ({client.name}) sends other addresses (`ipa`) than its visitors' browsers have here, so "
        "a login at its site may not be one at other sites. If its server sends a proxy's address, run "
        f"`stamkund client change {client.id} --visitor-address no`; if browsers reach this server through a proxy, "
        "name the proxy in STAMKUND_TRUSTED_PROXIES"
    )
