"""Refusals as people see them: the page in place of the API's JSON body, with the same status and headers."""

from __future__ import annotations

from stamkund.pages.page import NO_BRANDING, show
from stamkund.pages.page_parameters import texts_of
from stamkund.problems import TOO_MANY, UNAVAILABLE, Problem
from stamkund.wire.endpoint import Call, Response

_ONLY_WAITING = (TOO_MANY, UNAVAILABLE.code)


def refusal_page(call: Call, problem: Problem) -> Response:
    """The `refusal_page` of every call that browsers make. It asks no database, so it is nobody's: plain."""
    texts = texts_of(call)
    heading, sentence = texts.refusal(problem.code)
    return show(
        "message.html",
        texts,
        NO_BRANDING,
        status=problem.status,
        headers=problem.headers,
        heading=heading,
        sentence=sentence,
        detail=_detail(problem),
        link=None,
    )


def _detail(problem: Problem) -> str:
    """What helps whoever made a link, or runs the server; nothing where waiting is all that helps."""
    if problem.code in _ONLY_WAITING:
        return ""
    return f"{problem.field}: {problem.message}" if problem.field else problem.message
