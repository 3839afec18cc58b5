"""Refusals as people see them: a page instead of the API's JSON body, with the same status and headers."""

from __future__ import annotations

from stamkund.pages.page import NO_OWNER, render_page
from stamkund.pages.page_parameters import texts_of
from stamkund.problems import TOO_MANY, UNAVAILABLE, Problem
from stamkund.wire.call import Call
from stamkund.wire.response import Response

_CODES_WITHOUT_DETAIL = (TOO_MANY, UNAVAILABLE.code)
"""Where waiting is all that helps."""


def refusal_page(call: Call, problem: Problem) -> Response:
    """The `refusal_page` of every call that browsers make. It reads no database, so it is rendered without branding."""
    texts = texts_of(call)
    heading, sentence = texts.refusal(problem.code)
    return render_page(
        "message.html",
        texts,
        NO_OWNER,
        status=problem.status,
        headers=problem.headers,
        heading=heading,
        sentence=sentence,
        detail=_detail(problem),
        link=None,
    )


def _detail(problem: Problem) -> str:
    """What helps whoever made a link, or runs the server."""
    if problem.code in _CODES_WITHOUT_DETAIL:
        return ""
    return f"{problem.field}: {problem.message}" if problem.field else problem.message
