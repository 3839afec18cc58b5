"""What a link or a form asks of a page. Parameters that we don't know are nobody's business and ignored: browsers come
from newsletters and campaigns that add their own.
"""

from __future__ import annotations

from stamkund import problems
from stamkund.pages.language import chosen
from stamkund.pages.texts import Texts
from stamkund.problems import Refused
from stamkund.wire.endpoint import Call
from stamkund.wire.parameters import query


def asked(call: Call, *names: str) -> dict[str, str]:
    """The named parameters, of the form where one was sent and else of the query; empty where there are none.

    Raises Refused for one that two readers could read differently.
    """
    sent = call.form or query(call.query)
    found = {}
    for name in names:
        value = sent.get(name, "")
        if not isinstance(value, str):
            raise Refused(problems.UNREADABLE_PARAMETER)
        found[name] = value
    return found


def texts_of(call: Call) -> Texts:
    """The language for whoever makes this call. Never fails: refusals are told in it too."""
    wished = (call.form or query(call.query)).get("ui_locales", "")
    accepted = call.headers.get(b"accept-language", b"").decode("latin-1")
    return chosen(accepted, wished if isinstance(wished, str) else "")
