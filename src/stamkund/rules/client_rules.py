"""What a client may be registered with. Whoever creates, changes or examines one asks here.

A client that can't keep a secret is whoever says so: it may have only what its own reader may do. A redirect over plain
http shows the code in it to everybody on the way, who can pretend to be the site as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from urllib.parse import urlsplit

from stamkund.rules.addresses import is_loopback
from stamkund.rules.organisation import GRANTS_FOR_PUBLIC_CLIENTS, Client
from stamkund.rules.urls import web_address


def broken_rules(client: Client, *, plain_http: bool) -> list[str]:
    """A sentence for each rule that the client breaks, which says what to change.

    `plain_http`: whether browsers reach us over plain http ourselves, as on a laptop; then its sites may, too.
    """
    return [*_of_public(client), *([] if plain_http else _of_addresses(client))]


def _of_public(client: Client) -> Iterator[str]:
    if not client.public:
        return
    if client.sso2:
        yield "a public client can't use SSO2, which is signed with a secret: leave out --sso2"
    if forbidden := client.forbidden_scopes:
        yield (
            f"a public client can't have {_listed(forbidden)}, because anybody can call in its name: "
            "make those calls from a server of yours, with a confidential client"
        )
    if grants := [grant for grant in client.grants or () if grant not in GRANTS_FOR_PUBLIC_CLIENTS]:
        allowed = " and ".join(GRANTS_FOR_PUBLIC_CLIENTS)
        yield f"a public client can't use the grant {_listed(grants)}, which needs a secret: it has {allowed}"


def _of_addresses(client: Client) -> Iterator[str]:
    kinds = (("redirect URI", client.redirect_uris), ("logout URI", client.logout_uris), ("origin", client.origins))
    for kind, addresses in kinds:
        for address in addresses:
            if is_plain_http(address):
                yield f"the {kind} {address} must begin with https: plain http is only for a machine's own programs"


def is_plain_http(address: str) -> bool:
    """Whether what is sent to an address can be read on the way: http, but not to the machine's own programs."""
    if urlsplit(address).scheme.lower() != "http":
        return False
    parsed = web_address(address)
    return parsed is None or not is_loopback(urlsplit(parsed.origin).hostname or "")


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)
