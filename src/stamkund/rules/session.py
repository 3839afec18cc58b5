"""A session: a browser, or one app, and whether a reader is logged in there. All sites of an organisation share it.

Statuses are those that SSO2 clients read (`sts`). A session that was ended stays `terminated` until it is over, so that
every site learns it at its next question; a browser whose session ended gets another one.
"""

from __future__ import annotations

from stamkund.rules.account import Personal

ANONYMOUS = "anon"
LOGGED_IN = "loggedin"
TERMINATED = "terminated"


class Session(Personal):
    """`client`: the one that an app's session belongs to, None for a browser's, which has a cookie.

    `account`: the row of the reader's account while logged in; `authenticated`: when the password was last checked.
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
    def reader(self) -> int | None:
        """The row of the account that is logged in, if one is."""
        return self.account if self.status == LOGGED_IN else None

    def belongs_to(self, client: str) -> bool:
        """Whether this client may ask about it: an app's session is its own."""
        return self.client is None or self.client == client
