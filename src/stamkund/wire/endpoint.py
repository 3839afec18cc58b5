"""The declaration of a call: everything about it that is not its handler.

`@endpoint(…)` turns a handler (an async function from a `Call` to a response) into an `Endpoint`. Dispatch, OpenAPI,
the reference and the guard tests all read the declaration, so a call is added in one place.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from stamkund.problems import Problem
from stamkund.rules.identifiers import Identifier
from stamkund.rules.values import ValueType
from stamkund.store import TOKEN_ACCOUNT, AccountLookup, TokenAccount
from stamkund.wire.about import About
from stamkund.wire.call import Call
from stamkund.wire.parameters import Parameter, ParameterSet, ParsedParameters
from stamkund.wire.response import NO_STORE, VARY_BY_ORIGIN, Header, Response

if TYPE_CHECKING:
    from stamkund.wire.services import Services

_REDIRECT = 302

Handler = Callable[..., Awaitable[Any]]
"""Takes the call and, by name, what the declaration `loads`."""
ChooseAccount = Callable[[ParsedParameters, "Services"], AccountLookup]
Check = Callable[[ParsedParameters], None]
"""A rule about several parameters. Raises Refused."""
RefusalPage = Callable[[Call, Problem], Response]


@dataclass(frozen=True)
class Loads:
    """What is read in the same statement as the token, and given to the handler as arguments of these names.

    - `account`: chooses the account by the parameters. Where there is no such account, the call is refused with
      `missing`, which must be given.
    - `catalogue`: the catalogue of the caller's organisation.
    """

    account: ChooseAccount | None = None
    missing: Problem | None = None
    catalogue: bool = False

    @property
    def arguments(self) -> list[str]:
        return [*(["account"] if self.account is not None else []), *(["catalogue"] if self.catalogue else [])]


NOTHING = Loads()


def token_account(_: ParsedParameters, __: Services) -> TokenAccount:
    """For `Loads`: the account that the access token stands for."""
    return TOKEN_ACCOUNT


def _no_identifiers(_: Call) -> Iterable[Identifier]:
    return ()


ChooseNumbers = Callable[[Call], Sequence[Identifier]]
"""What a call looks somebody up by, of what could be tried out."""


@dataclass(frozen=True)
class Limit:
    """The rate limit of a call: for each client and, for all clients together, for each identifier that it is about.

    `name` is what is counted under. At a public call the handler learns who the client is, so the handler itself asks
    `services.limits`.
    """

    name: str
    identifiers: Callable[[Call], Iterable[Identifier]] = _no_identifiers


@dataclass(frozen=True, eq=False, kw_only=True)
class Endpoint:
    """A declared call. See `endpoint` for the fields."""

    method: str
    paths: tuple[str, ...]
    handler: Handler
    about: About
    scope: str | None
    identity: bool
    public: bool
    parameter_set: ParameterSet
    long_parameters: tuple[Parameter[Any], ...]
    check: Check | None
    loads: Loads
    body: str | None
    free_query: bool
    success: int
    personal: bool
    max_age: int
    refusals: tuple[Problem, ...]
    limit: Limit | None
    numbers: ChooseNumbers | None
    mails: bool
    refusal_page: RefusalPage | None

    @cached_property
    def name(self) -> str:
        """Method and documented path, for the log."""
        return f"{self.method} {self.paths[0]}"

    @cached_property
    def cache_headers(self) -> tuple[Header, ...]:
        """What the response to a struct says to caches."""
        if self.personal:
            return (NO_STORE,)
        if not self.max_age:
            return ()
        # Also where no origin was sent: what a cache stores of that must not be given to a script.
        return (b"cache-control", b"public, max-age=%d" % self.max_age), VARY_BY_ORIGIN

    @property
    def is_limited(self) -> bool:
        """Whether a request can be one too many."""
        return self.limit is not None or self.numbers is not None or self.mails

    @property
    def description(self) -> str:
        return inspect.getdoc(self.handler) or ""

    @property
    def for_browsers(self) -> bool:
        """Whether people come here in a browser, to see a page or be redirected, and no script has anything to read."""
        return self.refusal_page is not None or self.success == _REDIRECT


def endpoint(
    method: str,
    *paths: str,
    about: About,
    scope: str | None = None,
    identity: bool = False,
    public: bool = False,
    parameters: Sequence[Parameter[Any]] = (),
    check: Check | None = None,
    loads: Loads = NOTHING,
    body: str | None = None,
    free_query: bool = False,
    success: int = 200,
    personal: bool = True,
    max_age: int = 0,
    refusals: Sequence[Problem] = (),
    limit: Limit | None = None,
    numbers: ChooseNumbers | None = None,
    mails: bool = False,
    refusal_page: RefusalPage | None = None,
) -> Callable[[Handler], Endpoint]:
    """Declares a call.

    - `about`: for the reference alone.
    - `scope`, `identity`: what the access token must have; `public` calls take no access token.
    - `parameters` in the document's order; `check` refuses combinations of them.
    - `loads`: what is read together with the token and given to the handler.
    - `body`: None, `json` or `form`. `free_query`: the handler reads `call.query` itself, because other rules than the
      API's apply to it.
    - `success`: the status of a struct that the handler returns.
    - `personal`: the response is not for caches; else they may keep it for `max_age` seconds, where that is given.
    - `refusals`: those that the handler itself may raise; raising another one is a fault of ours.
    - `limit`: how the call is counted, where it is limited.
    - `numbers`: by which it looks somebody up. Where there is nobody it is a miss, of which there may be so many.
    - `mails`: a verb that the handler calls may queue a mail (`store/verbs/mail_queue.py`). Over the limit of mails it
      raises TooManyMails, which becomes a 429.
    - `refusal_page`: shows refusals to people, where browsers make the call.
    """
    missing = () if loads.missing is None else (loads.missing,)

    def declare(handler: Handler) -> Endpoint:
        _check_paths(paths)
        _check_declaration(handler, loads, public=public, body=body)
        return Endpoint(
            method=method,
            paths=paths,
            handler=handler,
            about=about,
            scope=scope,
            identity=identity,
            public=public,
            parameter_set=ParameterSet(parameters, json=body == "json"),
            long_parameters=tuple(
                p for p in parameters if isinstance(p.type, ValueType) and p.type.long_length is not None
            ),
            check=check,
            loads=loads,
            body=body,
            free_query=free_query,
            success=success,
            personal=personal,
            max_age=max_age,
            refusals=(*missing, *refusals),
            limit=limit,
            numbers=numbers,
            mails=mails,
            refusal_page=refusal_page,
        )

    return declare


def _check_declaration(handler: Handler, loads: Loads, *, public: bool, body: str | None) -> None:
    """A handler takes the call and exactly what its declaration loads, and that can be read. Raises TypeError."""
    name = handler.__qualname__
    _, *arguments = inspect.signature(handler, follow_wrapped=False).parameters
    if sorted(arguments) != sorted(loads.arguments):
        raise TypeError(f"{name} takes {arguments}, but its declaration loads {loads.arguments}")
    if (loads.account is None) != (loads.missing is None):
        raise TypeError(f"{name}: an account that is read needs the refusal for a missing one")
    if public and loads.arguments:
        raise TypeError(f"{name}: a public call has no access token that an account or a catalogue is read with")
    if body is not None and loads.account is not None:
        raise TypeError(f"{name}: the account is chosen by the query, before a body is read")


def _check_paths(paths: Sequence[str]) -> None:
    """Dispatch compares paths as they are. Raises TypeError."""
    for path in paths:
        if "{" in path:
            raise TypeError(f"{path}: paths have no parameters yet; until they do, the call would never be reached")
