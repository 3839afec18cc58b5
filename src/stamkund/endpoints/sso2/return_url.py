"""The way there and back of a browser that a site sends to be identified.

Sites write `/identify?t=<token>&r=<address>` and leave the address unencoded, `?` and `&` and all. So everything after
`&r=` is the address, to the end. It goes nowhere but into the query of the client's own landing page, encoded.
"""

from __future__ import annotations

import re
from urllib.parse import quote

from stamkund import problems
from stamkund.endpoints.sso2.request import TOKEN
from stamkund.problems import Refused
from stamkund.rules import values
from stamkund.rules.organisation import Client
from stamkund.rules.urls import encoded, with_query
from stamkund.rules.values import NO_CONTEXT, Invalid
from stamkund.wire.escapes import unescaped
from stamkund.wire.parameters import Parameter, ParameterSet, parse_query

RETURN_URL = Parameter("r", values.RETURN_URL, "Where the visitor was going.", required=True)

WRONG_RETURN_URL = problems.invalid(RETURN_URL.name, f"Parameter must match format ({values.RETURN_URL.pattern})")

_PARAMETERS = ParameterSet((TOKEN,))
_IS_ENCODED = re.compile("https?%3a", re.IGNORECASE)


def split_query(query: bytes) -> tuple[str, str]:
    """The token, and the return URL as it was sent; other parameters are ignored. Raises Refused."""
    before, separator, return_url = query.partition(b"&r=")
    sent = {name: value for name, value in parse_query(before).items() if name == TOKEN.name}
    token = _PARAMETERS.parse(sent, NO_CONTEXT)[TOKEN]
    if not separator:
        raise Refused(problems.required(RETURN_URL.name))
    return token, return_url.decode("latin-1")


def parse_return_url(sent: str) -> str:
    """The return URL, decoded where it was encoded. Raises Refused."""
    try:
        url = unescaped(sent.encode("latin-1")).decode() if _IS_ENCODED.match(sent) else sent
    except UnicodeDecodeError:
        raise Refused(problems.invalid(RETURN_URL.name, "Parameter must be percent-encoded UTF-8")) from None
    try:
        return values.RETURN_URL.parse(url, NO_CONTEXT)
    except Invalid as error:
        raise Refused(problems.invalid(RETURN_URL.name, str(error))) from None


def landing_page(client: Client) -> str:
    """Where a client wants browsers back: the first of its redirect URIs. Raises Refused."""
    if not client.redirect_uris:
        raise Refused(problems.NO_LANDING_PAGE)
    return encoded(client.redirect_uris[0])


def landing_url(page: str, token: str, return_url: str) -> str:
    """The landing page with a session token and the return URL."""
    return with_query(page, f"t={token}&r={quote(return_url, safe='')}")
