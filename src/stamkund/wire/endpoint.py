"""The declaration of a call: everything about it that is not its story.

`@endpoint(...)` turns a story (an async function from `Call` to an answer) into an `Endpoint`. Dispatch, OpenAPI, the
reference and the guard tests all read the declaration, so a call is added in one place.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from stamkund.problems import Problem
from stamkund.rules.account import Account
from stamkund.rules.catalogue import Catalogue
from stamkund.rules.identifiers import Identifier
from stamkund.rules.lockout import LoginContext
from stamkund.store import AccountLookup, AuthenticatedToken
from stamkund.wire.caller import ANONYMOUS, Caller
from stamkund.wire.parameters import Parameter, ParameterSet, ParsedParameters

if TYPE_CHECKING:
    from stamkund.wire.services import Services

MAX_BODY_BYTES = 64 * 1024
_LONGEST_AGENT = 4096
_SENT_ON = 302


class Item(msgspec.Struct):
    """`{"item": …}`: the envelope of one resource."""

    item: Any


class Created(msgspec.Struct):
    """`{"id": …}`: the answer to a change."""

    id: str


@dataclass(slots=True)
class Response:
    """A whole HTTP answer. `body` is ready to be sent; a struct is encoded by dispatch instead."""

    status: int
    body: bytes
    content_type: bytes = b"application/json"
    headers: tuple[tuple[bytes, bytes], ...] = ()


NOTHING = ParsedParameters({})


class Call:
    """One call that passed all checks: who calls, what was given, and the account that it is about.

    `client` is whoever has proven to be it, by access token or, as the token endpoint's story says, by its secret.
    """

    __slots__ = ("_opened", "caller", "client", "form", "given", "headers", "now", "path", "peer", "query", "services")

    def __init__(self, services: Services, now: int, headers: Mapping[bytes, bytes]) -> None:
        self.services = services
        self.now = now
        self.headers = headers
        self.caller = ANONYMOUS
        self.client = ANONYMOUS.client
        self.given = NOTHING
        self.form: Mapping[str, str] = {}
        self.path = ""
        self.query = b""
        self.peer: tuple[str, int] | None = None
        self._opened: AuthenticatedToken | None = None

    def by(self, caller: Caller, opened: AuthenticatedToken | None) -> None:
        """The caller has passed; `opened` may hold the account that the call is about."""
        self.caller = caller
        self.client = caller.client
        self._opened = opened

    @property
    def address(self) -> str | None:
        """The address that the call came from, as far as the connection tells: a proxy in front is the proxy's."""
        return None if self.peer is None else self.peer[0]

    def context(self, organisation: str, channel: str, client: str) -> LoginContext:
        """Who knocks at a channel now, as far as the connection and the headers tell."""
        agent = self.headers.get(b"user-agent")
        shown = None if agent is None else agent.decode("latin-1")[:_LONGEST_AGENT]
        return LoginContext(organisation, channel, client, self.address, shown, self.now)

    def account(self) -> Account | None:
        """The account that the declaration's `subject` names, None where there is no such account."""
        document = None if self._opened is None else self._opened.document
        return None if document is None else self.services.store.documents.account(document)

    async def catalogue(self) -> Catalogue:
        """The catalogue of the caller's organisation, for a declaration that says `catalogue`. Raises Unavailable."""
        fingerprint = None if self._opened is None else self._opened.catalogue
        return await self.services.store.catalogues.cached(self.caller.organisation.id, fingerprint)


Handler = Callable[[Call], Awaitable[Any]]
ChooseAccount = Callable[[ParsedParameters, "Services"], AccountLookup]
Check = Callable[[ParsedParameters], None]
"""A rule about several parameters. Raises Refused."""


RefusalPage = Callable[[Call, Problem], Response]


def _nothing(_: Call) -> Iterable[Identifier]:
    return ()


@dataclass(frozen=True)
class Limit:
    """That a call is limited: for each client and, together for all clients, for each identifier that it is `about`.

    `name` is what is counted under. A public call learns from its story alone who calls, so its story asks
    `services.limits` itself.
    """

    name: str
    about: Callable[[Call], Iterable[Identifier]] = _nothing


@dataclass(frozen=True)
class Example:
    """An example for the reference: what is sent, and the JSON that answers it."""

    query: str = ""
    body: str = ""
    answer: str = ""


@dataclass(frozen=True)
class FormField:
    """A field of a form, for the reference: a story with a form reads it itself."""

    name: str
    note: str
    required: bool = False
    example: str = ""


@dataclass(frozen=True)
class FormVariant:
    """One way to fill in a form, such as one grant of the token endpoint; `title` is the grant, else empty."""

    title: str
    note: str
    fields: tuple[FormField, ...]


@dataclass(frozen=True)
class CustomError:
    """An error with a body of the call's own instead of the API's: OAuth has its own shape."""

    status: int
    body: msgspec.Struct
    headers: tuple[tuple[bytes, bytes], ...] = ()


@dataclass(frozen=True, eq=False)
class Endpoint:
    """A declared call. See `endpoint` for the fields."""

    method: str
    paths: tuple[str, ...]
    story: Handler
    title: str
    source: str
    scope: str | None
    identity: bool
    public: bool
    declared: ParameterSet
    check: Check | None
    subject: ChooseAccount | None
    catalogue: bool
    body: str | None
    success: int
    answer: type | None
    media: str
    personal: bool
    max_age: int
    refusals: tuple[Problem, ...]
    forms: tuple[FormVariant, ...]
    custom_errors: tuple[CustomError, ...]
    example: Example
    description: str
    group: str
    limit: Limit | None
    free_query: bool
    query_fields: tuple[FormField, ...]
    refusal_page: RefusalPage | None

    @property
    def for_browsers(self) -> bool:
        """Whether people come here in a browser, to see a page or be sent on, and no script has anything to read."""
        return self.refusal_page is not None or self.success == _SENT_ON


def endpoint(
    method: str,
    *paths: str,
    title: str,
    source: str,
    scope: str | None = None,
    identity: bool = False,
    public: bool = False,
    parameters: Sequence[Parameter[Any]] = (),
    check: Check | None = None,
    subject: ChooseAccount | None = None,
    catalogue: bool = False,
    body: str | None = None,
    success: int = 200,
    answer: type | None = None,
    media: str = "application/json",
    personal: bool = True,
    max_age: int = 0,
    refusals: Sequence[Problem] = (),
    forms: Sequence[FormVariant] = (),
    custom_errors: Sequence[CustomError] = (),
    example: Example | None = None,
    group: str = "Account",
    limit: Limit | None = None,
    free_query: bool = False,
    query_fields: Sequence[FormField] = (),
    refusal_page: RefusalPage | None = None,
) -> Callable[[Handler], Endpoint]:
    """Declares a call.

    - `scope`, `identity`: what the access token must have; `public` calls take no access token.
    - `parameters` in the document's order; `check` refuses combinations of them.
    - `subject` chooses the account that is read together with the token; `catalogue`: so is the organisation's.
    - `body`: None, `json` or `form`. `success` and `answer`: the status and the shape of what answers.
    - `personal`: the answer is not for caches; else they may keep it for `max_age` seconds, where that is said.
    - `refusals`: those that the story itself may raise; raising another one is a fault of ours.
    - `limit`: how the call is counted, where it is limited.
    - `free_query`: the story reads `call.query` itself, because other rules than the API's hold for it; `query_fields`
      describes it, for the reference alone.
    - `refusal_page`: shows refusals to people, where browsers make the call.
    - `forms`, `custom_errors`, `example`: for the reference alone.
    - `source`: the document that the behaviour comes from.
    """

    def declare(story: Handler) -> Endpoint:
        return Endpoint(
            method=method,
            paths=tuple(paths),
            story=story,
            title=title,
            source=source,
            scope=scope,
            identity=identity,
            public=public,
            declared=ParameterSet(parameters, json=body == "json"),
            check=check,
            subject=subject,
            catalogue=catalogue,
            body=body,
            success=success,
            answer=answer,
            media=media,
            personal=personal,
            max_age=max_age,
            refusals=tuple(refusals),
            forms=tuple(forms),
            custom_errors=tuple(custom_errors),
            example=example or Example(),
            description=inspect.getdoc(story) or "",
            group=group,
            limit=limit,
            free_query=free_query,
            query_fields=tuple(query_fields),
            refusal_page=refusal_page,
        )

    return declare
