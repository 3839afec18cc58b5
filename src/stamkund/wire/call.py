"""A request on its way to its handler."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from stamkund.identity.visitors import browser_visitor
from stamkund.rules import user_agents
from stamkund.rules.account import Account
from stamkund.rules.catalogue import Catalogue
from stamkund.rules.identifiers import Identifier
from stamkund.rules.lockout import LoginContext
from stamkund.rules.organisation import Client
from stamkund.rules.requester import Requester, address_source
from stamkund.rules.session import Visitor
from stamkund.store import AuthenticatedToken
from stamkund.wire.caller import ANONYMOUS, Caller
from stamkund.wire.form import FormFields
from stamkund.wire.limits import NO_LOOK_UP
from stamkund.wire.parameters import NO_PARAMETERS
from stamkund.wire.request import Request

if TYPE_CHECKING:
    from stamkund.wire.services import Services

NO_FORM = FormFields()


class Call:
    """A request that passed the checks of dispatch: who calls, with which parameters, and what a handler may use.

    - `caller`: of a call with an access token; anonymous at public calls.
    - `client`: the authenticated client, by access token or, at OAuth's and SSO2's calls, by its secret.
    - `look_up`: counts misses, where the call looks somebody up by numbers.
    - `parameters`: of a query or JSON body, parsed; `form`: the fields of a form, as they were sent.
    """

    __slots__ = (
        "_token",
        "caller",
        "client",
        "form",
        "headers",
        "look_up",
        "now",
        "parameters",
        "request",
        "services",
    )

    def __init__(self, services: Services, now: int, request: Request) -> None:
        self.services = services
        self.now = now
        self.request = request
        self.headers = request.headers
        self.caller = ANONYMOUS
        self.client = ANONYMOUS.client
        self.parameters = NO_PARAMETERS
        self.form = NO_FORM
        self.look_up = NO_LOOK_UP
        self._token: AuthenticatedToken | None = None

    def authenticate_caller(self, caller: Caller, token: AuthenticatedToken | None) -> None:
        """The access token was accepted; `token` may hold the account and catalogue that were read along with it."""
        self.caller = caller
        self.client = caller.client
        self._token = token

    def authenticate_client(self, client: Client) -> None:
        """The client of a public call has authenticated itself by its secret."""
        self.client = client

    @property
    def path(self) -> str:
        return self.request.path

    @property
    def query(self) -> bytes:
        """As it was sent, without the question mark."""
        return self.request.query

    @property
    def address(self) -> str | None:
        """The IP address of the connection, or of the caller behind a trusted proxy."""
        return self.services.address_of(self.request)

    def visitor(self, organisation: str) -> Visitor:
        """What the browser that makes this request is recognised by at sites of the organisation."""
        return browser_visitor(self.services.vault, organisation, self.headers.get(b"user-agent"), self.address)

    def login_context(
        self, organisation: str, channel: str, client: str, *, from_visitor: bool = False, browser: str | None = None
    ) -> LoginContext:
        """The context of a login attempt that is made with this request, by the visitor's own browser or by a site."""
        return LoginContext(
            organisation=organisation,
            channel=channel,
            client=client,
            address=self.address,
            user_agent=user_agents.of_header(self.headers.get(b"user-agent")),
            at=self.now,
            requester=self.requester(),
            from_visitor=from_visitor,
            browser=browser,
        )

    def requester(self, *sources: str) -> Requester:
        """For whom a password is hashed, counted under `sources` and under the address of whoever made the call.

        The calls of a client with a secret come from the publisher's own servers, so they are not counted by address.
        """
        by_address = () if self._is_by_confidential_client else address_source(self.address)
        return Requester((*sources, *by_address), self.request.is_gone)

    @property
    def _is_by_confidential_client(self) -> bool:
        return self.client is not ANONYMOUS.client and not self.client.public

    def begin_look_up(self, numbers: Sequence[Identifier]) -> None:
        """Begins a look-up by numbers. Raises Refused where there were too many misses; without any, of the client."""
        caller = self.caller
        self.look_up = self.services.limits.look_up(caller.organisation.id, caller.client.id, numbers, self.now)
        self.look_up.check()

    def account(self) -> Account | None:
        """The account that was read along with the token, None where there is none. Raises CannotOpen."""
        document = None if self._token is None else self._token.document
        if document is None:
            return None
        return self.services.store.documents.account(self.caller.organisation.id, document)

    async def catalogue(self) -> Catalogue:
        """The catalogue of the caller's organisation, by the fingerprint read with the token. Raises Unavailable."""
        fingerprint = None if self._token is None else self._token.catalogue
        return await self.services.store.catalogues.cached(self.caller.organisation.id, fingerprint)
