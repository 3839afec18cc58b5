"""A session: a browser, or one app, and whether a reader is logged in there. All sites of an organisation share it.

Statuses are those that SSO2 clients read (`sts`). A session that was ended stays `terminated` until it expires, so that
every site learns of it at its next request; a browser whose session was ended gets another one.
"""

from __future__ import annotations

from stamkund.rules.account import Personal

ANONYMOUS = "anon"
LOGGED_IN = "loggedin"
TERMINATED = "terminated"


class Session(Personal):
    """`client`: the one that an app's session belongs to, None for a browser's, which has a cookie.

    `account`: the row of the account that logged in last; `authenticated`: when its password was last checked.
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

    @property
    def logged_in_account(self) -> int | None:
        """The row of the account that is logged in, None where none is."""
        return self.account if self.status == LOGGED_IN else None

    def visible_to(self, client: str) -> bool:
        """Whether this client may ask about the session: an app's session is its own."""
        return self.client is None or self.client == client
