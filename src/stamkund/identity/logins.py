"""Logging in with e-mail and password, the same through every channel.

`Logins.log_in` is all that a channel needs. It checks the password, counts the attempt, locks a login that failed too
often, and returns the account. Three things are true for every channel:

- The attempt is counted after the password was checked, in one transaction that first looks whether the login is locked
  (`store/verbs/login_attempts.py`). So of any number of attempts at the same moment only as many learn whether their
  password was right as may fail in a row; for all others the login is locked, also for one with the right password.
- For a login that is locked already, the password is verified against a dummy hash, which takes as long.
- An unknown e-mail, and an account that is not active, are refused like a wrong password: the same words, counted and
  locked alike, one hash computed and one transaction written.
"""

from __future__ import annotations

from collections.abc import Sequence

from stamkund.identity.passwords import Passwords
from stamkund.rules import identifiers
from stamkund.rules.customer import Customer, account_of
from stamkund.rules.identifiers import Identifier
from stamkund.rules.lockout import FAILED, FROZEN, AttemptResult, LockoutPolicy, LoginContext
from stamkund.rules.values import MAX_EMAIL_LENGTH
from stamkund.settings import Settings
from stamkund.store import Login, Store, UniqueConflict
from stamkund.vault import Vault


class WrongPassword(Exception):
    """E-mail and password don't belong together, or nobody may log in with them.

    `remaining`: how many more failures lock the login, whether there is such a login or not.
    """

    def __init__(self, remaining: int) -> None:
        super().__init__("wrong password")
        self.remaining = remaining


class LoginLocked(Exception):
    """The login is locked until `until`; it does not tell whether the password was right."""

    def __init__(self, until: int) -> None:
        super().__init__("login locked")
        self.until = until


def parse_username(username: str, own_organisation: str) -> tuple[str, str]:
    """Organisation and e-mail of `<organisation>^<email>`; a bare e-mail means the client's own organisation."""
    organisation, caret, email = username.partition("^")
    return (organisation, email) if caret else (own_organisation, organisation)


class Logins:
    """Logs readers in."""

    def __init__(self, store: Store, vault: Vault, passwords: Passwords, settings: Settings) -> None:
        self._store = store
        self._vault = vault
        self._passwords = passwords
        self.policy = LockoutPolicy(
            settings.failed_logins, settings.failed_login_seconds, settings.frozen_login_seconds
        )

    async def log_in(self, context: LoginContext, organisation: str, email: str, password: str) -> int:
        """The row of the account that e-mail and password belong to.

        `organisation` is the one that the reader named: another one than that of the context is refused like a wrong
        password. Outdated hashes are upgraded, and a customer with an imported password gets an account.
        What is longer than any e-mail or password may be is refused like a wrong password too.
        Raises WrongPassword, LoginLocked, HashingQueueFull, CallerGone, Unavailable.
        """
        email, organisation = email[: MAX_EMAIL_LENGTH + 1], organisation[: MAX_EMAIL_LENGTH + 1]
        requester = context.requester.counted_under(f"email {context.organisation} {email.lower()}")
        login = await self._usable_login(context, organisation, email)
        locked = login is not None and login.lockout.locked(context.at)
        stored_hash = None if login is None or locked else login.hash
        matches = await self._passwords.verify(password, stored_hash, requester)
        if login is None:
            result = await self._record_unknown(context, f"{organisation}^{email}")
        else:
            result = await self._record(context, login, succeeded=matches, audited=True)
        if result.outcome == FROZEN:
            raise LoginLocked(result.lockout.locked_until or context.at)
        if result.outcome == FAILED:
            raise WrongPassword(result.lockout.remaining(self.policy, context.at))
        assert login is not None
        return await self._account_row(context, login, password)

    async def find(self, organisation: str, identifiers: Sequence[Identifier]) -> Login | None:
        """The one login that all identifiers mean: an account's, or that of a customer with an imported password."""
        logins = [await self._store.logins.find(organisation, identifier) for identifier in identifiers]
        ids = {None if login is None else login.id for login in logins}
        return logins[0] if len(ids) == 1 else None

    async def report(self, context: LoginContext, login: Login, *, succeeded: bool) -> None:
        """Counts an attempt that a client checked itself; none for an account that is not active."""
        if login.usable:
            await self._record(context, login, succeeded=succeeded, audited=False)

    async def _record(self, context: LoginContext, login: Login, *, succeeded: bool, audited: bool) -> AttemptResult:
        return await self._store.login_attempts.record(
            context, login.id, self.policy, succeeded=succeeded, customer=login.account is None, audited=audited
        )

    async def _record_unknown(self, context: LoginContext, email: str) -> AttemptResult:
        """Counts under a keyed hash, so that the database does not tell who tried which e-mail."""
        key = self._vault.pseudonym(f"{context.organisation}\0{email.lower()}".encode(errors="replace"))
        return await self._store.login_attempts.record_unknown(context, key, self.policy)

    async def _usable_login(self, context: LoginContext, organisation: str, email: str) -> Login | None:
        # No e-mail has a NUL, and PostgreSQL can't even be asked for one.
        if organisation != context.organisation or "\0" in email or len(email) > MAX_EMAIL_LENGTH:
            return None
        login = await self._store.logins.find(organisation, identifiers.email(email))
        return login if login is not None and login.usable else None

    async def _account_row(self, context: LoginContext, login: Login, password: str) -> int:
        if login.row is not None:
            if login.hash is not None and self._passwords.is_outdated(login.hash):
                upgraded = await self._passwords.hash(password, requester=context.requester)
                await self._store.accounts.upgrade_password(login.row, login.hash, upgraded)
            return login.row
        assert login.customer is not None
        return await self._activated_row(context, login.customer, password)

    async def _activated_row(self, context: LoginContext, customer: Customer, password: str) -> int:
        """The account that a customer with an imported password gets at the first login."""
        email = customer.email
        assert email is not None
        try:
            row, _ = await self._store.accounts.activate(
                context.organisation,
                customer.id,
                lambda stored: account_of(stored, email, context.at),
                await self._passwords.hash(password, requester=context.requester),
                context.client,
                context.at,
            )
        except UniqueConflict:
            # Either the same reader logged in twice at once, and the other login made the account, or somebody else has
            # one of the customer's identifiers.
            login = await self._usable_login(context, context.organisation, email)
            stored_hash = None if login is None else login.hash
            matches = await self._passwords.verify(password, stored_hash, context.requester)
            if login is None or login.row is None or not matches:
                raise WrongPassword(self.policy.max_failures) from None
            return login.row
        return row
