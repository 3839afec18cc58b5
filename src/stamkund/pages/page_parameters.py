"""The parameters of a page, from a link or a form.

Unknown parameters are ignored: browsers come from newsletters and campaigns that add their own.
"""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import quote, urlencode

from stamkund import problems
from stamkund.pages.language import choose_texts
from stamkund.pages.texts import Texts
from stamkund.problems import Refused
from stamkund.wire.call import Call
from stamkund.wire.form import too_long
from stamkund.wire.parameters import parse_query
from stamkund.wire.response import Response, redirect

_MAX_QUERY_LENGTH = 32_768
_BOUNDED_ELSEWHERE = ("email", "password", "login_hint", "continue")
"""A reader who pastes too much gets the page again, as for a wrong password (`identity/logins.py`); an address that is
too long is none that anybody registered (`rules/urls.py`)."""


def page_parameters(call: Call, *names: str) -> dict[str, str]:
    """The named parameters, of the form where one was sent and else of the query; empty where they are absent.

    Raises Refused for one that is too long, or that two readers could read differently.
    """
    sent = call.form or parse_query(call.query)
    if too_long(sent, (name for name in names if name not in _BOUNDED_ELSEWHERE)):
        raise Refused(problems.UNREADABLE_PARAMETER)
    parameters = {}
    for name in names:
        value = sent.get(name, "")
        if not isinstance(value, str):
            raise Refused(problems.UNREADABLE_PARAMETER)
        parameters[name] = value
    return parameters


def redirect_to_page(path: str, fields: Iterable[tuple[str, str]]) -> Response:
    """Redirects the browser from a form of a client's to the page, with the same fields in its query.

    Raises Refused where that would be longer than browsers and proxies take.
    """
    query = urlencode(list(fields), quote_via=quote, errors="replace")
    if len(query) > _MAX_QUERY_LENGTH:
        raise Refused(problems.UNREADABLE_PARAMETER)
    return redirect(f"{path}?{query}", status=303)


def texts_of(call: Call) -> Texts:
    """The texts in the language of whoever makes this call. Never fails: refusals are shown in it too."""
    ui_locales = (call.form or parse_query(call.query)).get("ui_locales", "")
    accept_language = call.headers.get(b"accept-language", b"").decode("latin-1")
    return choose_texts(accept_language, ui_locales if isinstance(ui_locales, str) else "")
