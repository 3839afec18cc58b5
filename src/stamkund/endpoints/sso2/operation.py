"""The declaration that SSO2's calls from server to server share: a token in JSON comes, a token in JSON goes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from stamkund.endpoints.sso2.request import TOKEN
from stamkund.endpoints.sso2.session_token import SessionTokenResponse
from stamkund.problems import Problem
from stamkund.wire.endpoint import Endpoint, Example, Handler, Limit, endpoint

SOURCE = "public client code; the documentation of SSO2"
GROUP = "Single sign-on"
_TOKEN_IN_JSON = f'{{"t": "{TOKEN.kind.example}"}}'


def operation(
    path: str, title: str, *, refusals: Sequence[Problem], limit: Limit | None = None
) -> Callable[[Handler], Endpoint]:
    """Declares `POST path`; see `endpoint`."""
    return endpoint(
        "POST",
        path,
        title=title,
        source=SOURCE,
        public=True,
        parameters=(TOKEN,),
        body="json",
        answer=SessionTokenResponse,
        refusals=refusals,
        example=Example(body=_TOKEN_IN_JSON, answer=_TOKEN_IN_JSON),
        group=GROUP,
        limit=limit,
    )
