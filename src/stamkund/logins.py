"""Logging in with e-mail and password, the same behind every door: the password grant now, others later.

`Logins.log_in` is all that a door needs. It checks the password, counts the attempt, freezes a login that failed too
often, and answers the account. Three things hold for every door:

- The attempt is counted after the password was checked, in one transaction that first looks whether the login is frozen
  (`store/attempts.py`). So of any number of attempts at the same moment only as many are told whether their password
  was right as may fail in a row; to all others the login is frozen, also to one with the right password.
- A login that is frozen already has its password compared with nobody's, which takes as long as comparing it.
- Nobody's e-mail, and an account that is not active, are refused like a wrong password: the same words, counted and
  frozen alike, one hash computed and one transaction written.
"""

from __future__ import annotations

from collections.abc import Sequence

from stamkund.passwords import Passwords
from stamkund.rules.attempts import FAILED, FROZEN, Policy, Visit
from stamkund.rules.customer import Customer, account_of
from stamkund.rules.identifiers import Identifier
from stamkund.settings import Settings
from stamkund.store import Login, Store, Taken


class WrongPassword(Exception):
    """E-mail and password don't belong together, or nobody may log in with them.

    `remaining`: how many more failures freeze the login, whether there is such a login or not.
    """

    def __init__(self, remaining: int) -> None:
        super().__init__("wrong password")
        self.remaining = remaining


class Frozen(Exception):
    """The login is frozen until the moment `until`; whether the password was right is not told."""

    def __init__(self, until: int) -> None:
        super().__init__("frozen")
        self.until = until


def named(username: str, own: str) -> tuple[str, str]:
    """Organisation and e-mail of `<organisation>^<email>`; a bare e-mail means the client's `own` organisation."""
    organisation, caret, email = username.partition("^")
    return (organisation, email) if caret else (own, organisation)


class Logins:
    """What doors use to let readers in."""

    def __init__(self, store: Store, passwords: Passwords, settings: Settings) -> None:
        self._store = store
        self._passwords = passwords
        self.policy = Policy(settings.failed_logins, settings.failed_login_seconds, settings.frozen_login_seconds)

    async def log_in(self, visit: Visit, organisation: str, email: str, password: str) -> int:
        """The row of the account that e-mail and password belong to.

        `organisation` is the one that the reader named: another one than the visited answers like a wrong password.
        A hash of old is replaced, and a customer who brought a password gets the account that it proves to be theirs.
        Raises WrongPassword, Frozen, Busy, Unavailable.
        """
        login = await self._usable(visit, organisation, email)
        compared = login.hash if login is not None and not login.standing.frozen(visit.at) else None
        matches = await self._passwords.verify(password, compared)
        if login is None:
            judged = await self._store.judge_stranger(visit, f"{organisation}^{email}", self.policy)
        else:
            judged = await self._store.judge(visit, login, self.policy, succeeded=matches, audited=True)
        if judged.outcome == FROZEN:
            raise Frozen(judged.standing.frozen_until or visit.at)
        if judged.outcome == FAILED:
            raise WrongPassword(judged.standing.remaining(self.policy, visit.at))
        assert login is not None
        return await self._let_in(visit, login, password)

    async def find(self, organisation: str, identifiers: Sequence[Identifier]) -> Login | None:
        """The one login that all of `identifiers` mean: an account's, or that of a customer who brought a password."""
        found = [await self._store.login_of(organisation, identifier) for identifier in identifiers]
        ids = {None if login is None else login.id for login in found}
        return found[0] if len(ids) == 1 else None

    async def report(self, visit: Visit, login: Login, *, succeeded: bool) -> None:
        """Counts an attempt that a client saw at a door of its own; none at an account that is not active."""
        if login.usable:
            await self._store.judge(visit, login, self.policy, succeeded=succeeded, audited=False)

    async def _usable(self, visit: Visit, organisation: str, email: str) -> Login | None:
        # No e-mail has a NUL, and PostgreSQL can't even be asked for one.
        if organisation != visit.organisation or "\0" in email:
            return None
        login = await self._store.login(organisation, email)
        return login if login is not None and login.usable else None

    async def _let_in(self, visit: Visit, login: Login, password: str) -> int:
        if login.row is not None:
            if login.hash is not None and self._passwords.outdated(login.hash):
                await self._store.upgrade_password(login.row, login.hash, await self._passwords.hash(password))
            return login.row
        assert login.customer is not None
        return await self._activated(visit, login.customer, password)

    async def _activated(self, visit: Visit, customer: Customer, password: str) -> int:
        """The account that a customer becomes who brought a password and has proved to know it."""
        email = customer.email
        assert email is not None
        try:
            row, _ = await self._store.activate(
                visit.organisation,
                customer.id,
                lambda fresh: account_of(fresh, email, visit.at),
                await self._passwords.hash(password),
                visit.client,
                visit.at,
            )
        except Taken:  # by a login at the same moment, whose account is theirs too, or by somebody else's account
            login = await self._usable(visit, visit.organisation, email)
            theirs = await self._passwords.verify(password, None if login is None else login.hash)
            if login is None or login.row is None or not theirs:
                raise WrongPassword(self.policy.most) from None
            return login.row
        return row
