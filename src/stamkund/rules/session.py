"""A session: a browser, or one app, and whether a reader is logged in there. All sites of an organisation share it.

Statuses are those that SSO2 clients read (`sts`). A session that was ended stays `terminated` until it expires, so that
every site learns of it at its next request; a browser whose session was ended gets another one. That of an account
which is not active counts as ended while it is not.
"""

from __future__ import annotations

from dataclasses import dataclass

from stamkund.rules.account import Personal

ANONYMOUS = "anon"
LOGGED_IN = "loggedin"
TERMINATED = "terminated"


@dataclass(frozen=True)
class Lifetime:
    """How long a session or a refresh token lasts: `idle_seconds` after its use, `longest_seconds` after its login."""

    idle_seconds: int
    longest_seconds: int

    def expiry(self, now: int, begun: int) -> int:
        """Expiry time of what is used at `now`, and whose reader logged in (or which was created) at `begun`."""
        return min(now + self.idle_seconds, begun + self.longest_seconds)


class Visitor(Personal):
    """What a browser is recognised by, as keyed hashes: its user agent, and its address where that can be compared.

    `agent` is empty where there is none: such visitors are never the same.

    `address` begins with the version of IP (`4.` or `6.`), because a browser may use both.
    """

    agent: str
    address: str | None

    @property
    def address_version(self) -> str:
        return "" if self.address is None else self.address[:2]


class Session(Personal):
    """`client`: the one that a session without a browser belongs to (an app's); None for a browser's, with a cookie.

    `account`: the row of the account that logged in last; `authenticated`: when its password was last checked.
    `visitor`: the browser, as it was last seen here; None where it was never seen. `account_id`: the account's id.
    """

    sid: str
    organisation: str
    status: str
    account: int | None
    client: str | None
    created: int
    authenticated: int | None
    seen: int
    expires: int
    visitor: Visitor | None = None
    account_id: str | None = None

    @property
    def logged_in_account(self) -> int | None:
        """The row of the account that is logged in, None where none is."""
        return self.account if self.status == LOGGED_IN else None

    @property
    def begun(self) -> int:
        """What the longest time that a session may last counts from: the last login, else when it was created."""
        return self.created if self.authenticated is None else self.authenticated

    def visible_to(self, client: str) -> bool:
        """Whether this client may ask about the session: an app's session is its own."""
        return self.client is None or self.client == client

    def has_agent_of(self, visitor: Visitor) -> bool:
        """Whether a visitor of a site uses the same program as the session's browser. An app's session has none."""
        if self.client is not None:
            return True
        return self.visitor is not None and self.visitor.agent == visitor.agent != ""

    def has_other_address_than(self, visitor: Visitor) -> bool:
        """Whether a visitor of a site is elsewhere than the session's browser, as far as that can be compared."""
        if self.client is not None or self.visitor is None or not visitor.address_version:
            return False
        if self.visitor.address_version != visitor.address_version:
            return False
        return self.visitor.address != visitor.address
