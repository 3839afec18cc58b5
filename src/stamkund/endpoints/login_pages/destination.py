"""Whose page is asked for, and where the browser goes on to afterwards: `continue`, `oid` and clients.

Nobody is ever sent to an address that an enabled client of the organisation didn't register. `continue` may be our own
`/oauth2/auth?…` (which checks the rest itself), or any address at the origin of a client's redirect URIs or of its
`origins`. It is taken apart and put together anew (`rules/urls.py`): what was checked is what is sent.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from stamkund import problems
from stamkund.pages.page import PageBranding
from stamkund.problems import Refused
from stamkund.rules.ids import is_id
from stamkund.rules.organisation import Client, Organisation
from stamkund.rules.urls import encoded, form_target, is_plain, origin_of, web_address
from stamkund.wire.endpoint import Call
from stamkund.wire.parameters import query

AUTHORIZATION = "/oauth2/auth"
REFUSALS = (
    problems.UNREADABLE_PARAMETER,
    problems.WRONG_CONTINUE,
    problems.UNKNOWN_CLIENT,
    problems.UNKNOWN_ORGANISATION,
    problems.OTHER_ORGANISATION,
    problems.WHICH_ORGANISATION,
)
"""What stories declare that ask for a destination."""

_ORGANISATION_ID = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)


@dataclass(frozen=True)
class Destination:
    """An organisation's page. `location`: where to go on to, None for nowhere; `client`: who sent the browser here.

    `leads_to`: what the page's `form-action` must let through, because Chromium asks it about redirects too.
    """

    organisation: Organisation
    client: Client | None = None
    location: str | None = None
    leads_to: tuple[str, ...] = ()

    @property
    def client_id(self) -> str:
        return self.client.id if self.client is not None else "login_page"


async def destination(call: Call, asked: dict[str, str]) -> Destination:
    """Where `continue` leads, and whose page it is by `client_id`, `continue` and `oid`. Raises Refused.

    Where nothing tells the organisation, it is the only one that there is.
    """
    wanted, oid = asked["continue"], asked["oid"]
    client_id = asked.get("client_id", "")
    named = None if not client_id else await _enabled_client(call, client_id)
    if not wanted:
        return _of(await _organisation(call, oid, named), named and named[0])
    to_authorization = _own(call, wanted)
    if to_authorization is not None:
        named = await _enabled_client(call, _client_id(to_authorization))
        return _of(await _organisation(call, oid, named), named[0], to_authorization)
    return await _elsewhere(call, wanted, oid, named)


async def branding_of(call: Call, organisation: Organisation) -> PageBranding:
    return PageBranding(organisation.name, await call.services.store.branding.of_organisation(organisation.id))


async def _enabled_client(call: Call, client_id: str) -> tuple[Client, Organisation]:
    """A client and its organisation. Raises Refused."""
    found = await call.services.store.clients.get(client_id.lower()) if is_id(client_id) else None
    if found is None or found[0].disabled:
        raise Refused(problems.UNKNOWN_CLIENT)
    return found


async def _organisation(call: Call, oid: str, named: tuple[Client, Organisation] | None) -> Organisation:
    if named is not None:
        if oid and oid != named[1].id:
            raise Refused(problems.OTHER_ORGANISATION)
        return named[1]
    if oid:
        return await _known_organisation(call, oid)
    every = await call.services.store.organisations.all()
    if len(every) != 1:
        raise Refused(problems.WHICH_ORGANISATION)
    return every[0]


async def _known_organisation(call: Call, oid: str) -> Organisation:
    found = await call.services.store.organisations.get(oid) if _ORGANISATION_ID.fullmatch(oid) else None
    if found is None:
        raise Refused(problems.UNKNOWN_ORGANISATION)
    return found


async def _elsewhere(call: Call, wanted: str, oid: str, named: tuple[Client, Organisation] | None) -> Destination:
    """An address at a site of a client: the only organisation that has such a client, or the one that was named."""
    address = web_address(wanted)
    if address is None:
        raise Refused(problems.WRONG_CONTINUE)
    if named is not None or oid:
        every = [await _organisation(call, oid, named)]
    else:
        every = await call.services.store.organisations.all()
    found = [(o, c) for o in every for c in await _clients_at(call, o, address.origin)]
    if not found:
        raise Refused(problems.WRONG_CONTINUE)
    if len({organisation.id for organisation, _ in found}) > 1:
        raise Refused(problems.WHICH_ORGANISATION)
    organisation, only = found[0]
    sender = named[0] if named is not None else only if len(found) == 1 else None
    return _of(organisation, sender, address.text, [address.origin])


async def _clients_at(call: Call, organisation: Organisation, origin: str) -> list[Client]:
    known = await call.services.store.clients.of_organisation(organisation.id)
    return [c for c in known if not c.disabled and origin in {origin_of(a) for a in (*c.redirect_uris, *c.origins)}]


def _of(
    organisation: Organisation, client: Client | None, location: str | None = None, more: Iterable[str] = ()
) -> Destination:
    """All that the client registered may be redirected to: its sites often send a browser on among themselves."""
    registered = () if client is None else (*client.redirect_uris, *client.origins, *client.logout_uris)
    targets = [target for address in (*more, *registered) if (target := form_target(address)) is not None]
    return Destination(organisation, client, location, tuple(dict.fromkeys(targets)))


def _own(call: Call, wanted: str) -> str | None:
    """`continue` where it is our own /oauth2/auth, without a host: it is on the host that the browser is on."""
    if not is_plain(wanted) or "#" in wanted:
        return None
    settings, address = call.services.settings, web_address(wanted)
    if address is not None:
        ours = {origin_of(settings.issuer), origin_of(settings.pages_url)}
        wanted = address.rest if address.origin in ours else ""
    return encoded(wanted) if wanted.startswith(f"{AUTHORIZATION}?") else None


def _client_id(to_authorization: str) -> str:
    value = query(to_authorization.partition("?")[2].encode()).get("client_id")
    return value if isinstance(value, str) else ""
