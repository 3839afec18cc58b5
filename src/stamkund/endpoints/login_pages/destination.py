"""Whose page is requested, and where the browser goes on to afterwards: `continue`, `oid` and clients.

Nobody is ever sent to an address that an enabled client of the organisation did not register. `continue` may be our own
`/oauth2/auth?…` (which checks the rest itself), or any address at the origin of a client's redirect URIs or of its
`origins`. It is taken apart and put together anew (`rules/urls.py`): what was checked is what is sent.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from stamkund import problems
from stamkund.pages import PageOwner
from stamkund.problems import Problem, Refused
from stamkund.rules.organisation import Client, Organisation, is_organisation_id
from stamkund.rules.urls import encoded, form_target, is_plain, origin_of, web_address
from stamkund.wire.call import Call
from stamkund.wire.parameters import parse_query

AUTHORIZATION = "/oauth2/auth"
REFUSALS = (
    problems.UNREADABLE_PARAMETER,
    problems.WRONG_CONTINUE,
    problems.UNKNOWN_CLIENT,
    problems.UNKNOWN_ORGANISATION,
    problems.OTHER_ORGANISATION,
    problems.WHICH_ORGANISATION,
)
"""What calls declare that ask for a destination."""

Registration = tuple[Client, Organisation]


@dataclass(frozen=True)
class Destination:
    """An organisation's page. `location`: where to go on to, None for nowhere; `client`: who sent the browser here.

    `form_targets`: what the page's `form-action` must let through, because Chromium applies it to redirects too.
    """

    organisation: Organisation
    client: Client | None = None
    location: str | None = None
    form_targets: tuple[str, ...] = ()
    problem: Problem | None = None
    """Why a logout does not lead where the link wants: nobody registered the address."""

    @property
    def client_id(self) -> str:
        return self.client.id if self.client is not None else "login_page"


async def find_destination(call: Call, parameters: dict[str, str]) -> Destination:
    """Where `continue` leads, and whose page it is by `client_id`, `continue` and `oid`. Raises Refused.

    Where nothing names the organisation, it is the only one that there is.
    """
    continue_to, oid = parameters["continue"], parameters["oid"]
    client_id = parameters.get("client_id", "")
    registration = await _enabled_client(call, client_id) if client_id else None
    if not continue_to:
        return _destination(await _organisation(call, oid, registration), registration and registration[0])
    authorization = _own_authorization(call, continue_to)
    if authorization is not None:
        registration = await _enabled_client(call, _client_id(authorization))
        return _destination(await _organisation(call, oid, registration), registration[0], authorization)
    return await _at_a_site(call, continue_to, oid, registration)


async def page_owner(call: Call, organisation: Organisation) -> PageOwner:
    return PageOwner(organisation.name, await call.services.store.branding.of_organisation(organisation.id))


async def _enabled_client(call: Call, client_id: str) -> Registration:
    """A client and its organisation. Raises Refused."""
    registration = await call.services.store.clients.by_sent_id(client_id)
    if registration is None or registration[0].disabled:
        raise Refused(problems.UNKNOWN_CLIENT)
    return registration


async def _organisation(call: Call, oid: str, registration: Registration | None) -> Organisation:
    """The client's organisation, else the one that `oid` names, else the only one. Raises Refused."""
    if registration is not None:
        if oid and oid != registration[1].id:
            raise Refused(problems.OTHER_ORGANISATION)
        return registration[1]
    if oid:
        return await _organisation_by_id(call, oid)
    organisations = await call.services.store.organisations.all()
    if len(organisations) != 1:
        raise Refused(problems.WHICH_ORGANISATION)
    return organisations[0]


async def _organisation_by_id(call: Call, oid: str) -> Organisation:
    organisation = await call.services.store.organisations.get(oid) if is_organisation_id(oid) else None
    if organisation is None:
        raise Refused(problems.UNKNOWN_ORGANISATION)
    return organisation


async def _at_a_site(call: Call, continue_to: str, oid: str, registration: Registration | None) -> Destination:
    """An address at a client's site: of the organisation that was named, or the only one with such a client."""
    address = web_address(continue_to)
    if address is None:
        raise Refused(problems.WRONG_CONTINUE)
    if registration is not None or oid:
        organisations = [await _organisation(call, oid, registration)]
    else:
        organisations = await call.services.store.organisations.all()
    sites = [(o, client) for o in organisations for client in await _clients_at(call, o, address.origin)]
    if not sites:
        raise Refused(problems.WRONG_CONTINUE)
    if len({organisation.id for organisation, _ in sites}) > 1:
        raise Refused(problems.WHICH_ORGANISATION)
    organisation, client = sites[0]
    if registration is not None:
        sender: Client | None = registration[0]
    else:
        sender = client if len(sites) == 1 else None
    return _destination(organisation, sender, address.text, [address.origin])


async def _clients_at(call: Call, organisation: Organisation, origin: str) -> list[Client]:
    """The organisation's enabled clients that have registered an address at this origin."""
    clients = await call.services.store.clients.of_organisation(organisation.id)
    return [c for c in clients if not c.disabled and origin in {origin_of(a) for a in (*c.redirect_uris, *c.origins)}]


def _destination(
    organisation: Organisation, client: Client | None, location: str | None = None, more_targets: Iterable[str] = ()
) -> Destination:
    """All that the client registered may be redirected to: its sites often send a browser on among themselves."""
    registered = () if client is None else (*client.redirect_uris, *client.origins, *client.logout_uris)
    targets = [target for address in (*more_targets, *registered) if (target := form_target(address)) is not None]
    return Destination(organisation, client, location, tuple(dict.fromkeys(targets)))


def _own_authorization(call: Call, continue_to: str) -> str | None:
    """`continue` where it is our own /oauth2/auth, without a host: it is on the host that the browser is on."""
    if not is_plain(continue_to) or "#" in continue_to:
        return None
    settings, address = call.services.settings, web_address(continue_to)
    if address is not None:
        own_origins = {origin_of(settings.issuer), origin_of(settings.pages_url)}
        continue_to = address.rest if address.origin in own_origins else ""
    return encoded(continue_to) if continue_to.startswith(f"{AUTHORIZATION}?") else None


def _client_id(authorization: str) -> str:
    value = parse_query(authorization.partition("?")[2].encode()).get("client_id")
    return value if isinstance(value, str) else ""
