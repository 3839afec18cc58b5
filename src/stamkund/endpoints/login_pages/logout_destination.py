"""Whose logout it is, who the link says is logged in, and where the browser goes on to.

A link with an address that nobody registered logs out all the same and leads nowhere: whoever wants to be logged out
must not stay logged in because a site's settings are wrong.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from stamkund import problems
from stamkund.endpoints.login_pages.destination import REFUSALS, Destination, find_destination
from stamkund.identity.cookies import cookies
from stamkund.identity.sessions import cookie_name
from stamkund.problems import Refused
from stamkund.rules.urls import encoded, with_parameter
from stamkund.wire.call import Call

LOGOUT_REFUSALS = (*(problem for problem in REFUSALS if problem != problems.WRONG_CONTINUE), problems.OTHER_CLIENT)
"""What calls declare that ask for the destination of a logout."""

Claims = dict[str, Any]
Parameters = dict[str, str]


async def hint_claims(call: Call, parameters: Parameters) -> Claims | None:
    """The claims of an ID token that we issued; any other counts as none."""
    token = parameters["id_token_hint"]
    return await call.services.id_token_keys.verify(token) if token else None


async def logout_destination(call: Call, parameters: Parameters, hint: Claims | None) -> Destination:
    """Whose logout it is, and where to go on to. Raises Refused."""
    audience = hint.get("aud") if hint is not None else None
    if isinstance(audience, str):
        if parameters["client_id"] and parameters["client_id"].lower() != audience:
            raise Refused(problems.OTHER_CLIENT)
        parameters = {**parameters, "client_id": audience}
    destination = await _find(call, parameters)
    uri, state = parameters["post_logout_redirect_uri"], parameters["state"]
    if not uri:
        return destination
    if destination.client is None or uri not in destination.client.logout_uris:
        return replace(destination, location=None, problem=problems.WRONG_LOGOUT_URI)
    location = encoded(with_parameter(uri, "state", state) if state else uri)
    return replace(destination, location=location, problem=None)


async def _find(call: Call, parameters: Parameters) -> Destination:
    """As `find_destination`, but a wrong `continue` counts as none, and is named as the problem. Raises Refused."""
    if not (parameters["client_id"] or parameters["oid"] or parameters["continue"]):
        parameters = {**parameters, "oid": await _organisation_of_cookies(call)}
    try:
        return await find_destination(call, parameters)
    except Refused as refusal:
        if refusal.problem != problems.WRONG_CONTINUE:
            raise
    destination = await _find(call, {**parameters, "continue": ""})
    return replace(destination, problem=problems.WRONG_CONTINUE)


async def _organisation_of_cookies(call: Call) -> str:
    """The organisation that the browser has a session with, where that is one alone; else empty."""
    organisations = await call.services.store.organisations.all()
    sent = cookies(call.headers)
    with_cookie = [organisation.id for organisation in organisations if cookie_name(organisation.id) in sent]
    return with_cookie[0] if len(with_cookie) == 1 else ""
