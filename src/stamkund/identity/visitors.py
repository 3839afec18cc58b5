"""Recognising a browser: what is remembered of it with its session, and compared when a site logs somebody in.

Only keyed hashes are stored (`rules/session.py` says what of). A site's server sends what it sees of its visitor, we
see the browser itself when it is identified. Where the two differ, the site's visitor is not at the session's browser.
"""

from __future__ import annotations

from typing import Any

from stamkund.rules import user_agents
from stamkund.rules.addresses import source_of
from stamkund.rules.session import Visitor
from stamkund.vault import Vault


def browser_visitor(vault: Vault, organisation: str, user_agent: bytes | None, address: str | None) -> Visitor:
    """A browser that is here, by its `User-Agent` and its address."""
    return _visitor(vault, organisation, user_agents.of_header(user_agent), address)


def site_visitor(vault: Vault, organisation: str, user_agent: Any, address: str | None) -> Visitor:
    """A visitor of a site, as the site's server describes them; a user agent that is no text counts as none."""
    return _visitor(vault, organisation, user_agents.printable(user_agent), address)


def _visitor(vault: Vault, organisation: str, user_agent: str | None, address: str | None) -> Visitor:
    text = user_agents.comparable(user_agent or "")
    agent = _pseudonym(vault, "agent", organisation, text) if text else ""
    network = source_of(address)
    if network is None:
        return Visitor(agent, None)
    version = "6" if ":" in network else "4"
    return Visitor(agent, f"{version}.{_pseudonym(vault, 'address', organisation, network)}")


def _pseudonym(vault: Vault, *parts: str) -> str:
    return vault.pseudonym("\0".join(parts).encode(errors="replace"))
