"""The way there and back of a browser that a site sends to be identified.

Sites write `/identify?t=<token>&r=<address>` and leave the address as it is, `?` and `&` and all. So everything after
`&r=` is the address, to the end. It goes nowhere but into the query of the client's own landing page, encoded.
"""

from __future__ import annotations

import re
from urllib.parse import quote, unquote

from stamkund import problems
from stamkund.endpoints.sso2.request import TOKEN
from stamkund.problems import Refused
from stamkund.rules import values
from stamkund.rules.organisation import Client
from stamkund.rules.urls import encoded
from stamkund.rules.values import NO_CONTEXT, Invalid
from stamkund.wire import parameters
from stamkund.wire.parameters import Parameter, ParameterSet

RETURN_URL = Parameter("r", values.RETURN_URL, "Where the visitor was going.", required=True)

WRONG_ADDRESS = problems.invalid(RETURN_URL.name, f"Parameter must match format ({values.RETURN_URL.pattern})")

_BEFORE = ParameterSet((TOKEN,))
_IS_ENCODED = re.compile("https?%3a", re.IGNORECASE)


def read(query: bytes) -> tuple[str, str]:
    """The token, and the address as it was sent; what else there is is left alone. Raises Refused."""
    before, found, address = query.partition(b"&r=")
    sent = {name: value for name, value in parameters.query(before).items() if name == TOKEN.name}
    token = _BEFORE.read(sent, NO_CONTEXT)[TOKEN]
    if not found:
        raise Refused(problems.required(RETURN_URL.name))
    return token, address.decode("latin-1")


def address(sent: str) -> str:
    """The address that was meant. Raises Refused."""
    try:
        text = unquote(sent, errors="strict") if _IS_ENCODED.match(sent) else sent
    except UnicodeDecodeError:
        raise Refused(problems.invalid(RETURN_URL.name, "Parameter must be percent-encoded UTF-8")) from None
    try:
        return RETURN_URL.kind.parse(text, NO_CONTEXT)
    except Invalid as error:
        raise Refused(problems.invalid(RETURN_URL.name, str(error))) from None


def landing_page(client: Client) -> str:
    """Where a client takes browsers back: the first of its redirect URIs. Raises Refused."""
    if not client.redirect_uris:
        raise Refused(problems.NO_LANDING_PAGE)
    return encoded(client.redirect_uris[0])


def landing(page: str, token: str, address: str) -> str:
    """The landing page with what it is told."""
    return f"{page}{'&' if '?' in page else '?'}t={token}&r={quote(address, safe='')}"
