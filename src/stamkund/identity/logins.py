"""Logging in with e-mail and password, the same through every channel.

`Logins.log_in` is all that a channel needs. It checks the password, counts the attempt, locks a login that failed too
often, and returns the account. These things are true for every channel:

- The attempt is counted after the password was checked, in one transaction that first looks whether the login is locked
  (`store/verbs/login_attempts.py`). So of any number of attempts at the same moment only as many learn whether their
  password was right as may fail in a row; for all others the login is locked, also for one with the right password.
- For a login that is locked already, the password is verified against a decoy of the same kind and cost as its own
  hash; for an unknown e-mail against one that the organisation's readers could have (`decoys.py`).
- An unknown e-mail, and an account that is not active, are refused like a wrong password: the same words, counted and
  locked alike, one hash computed and one transaction written. Whoever knows the password of an account that is not
  active may learn that (`AccountNotActive`).
- A visitor's address that has failed too often is refused before anything is computed (`failures.py`).
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from stamkund import log
from stamkund.identity.decoys import Decoy, Decoys, decoy_like
from stamkund.identity.failures import Failures, TooManyFailures
from stamkund.identity.passwords import Passwords
from stamkund.rules import emails, identifiers
from stamkund.rules.customer import Customer, account_of
from stamkund.rules.emails import MAX_EMAIL_LENGTH
from stamkund.rules.events import Admit
from stamkund.rules.identifiers import Identifier
from stamkund.rules.lockout import FAILED, FROZEN, SUCCEEDED, AttemptResult, LockoutPolicy, LoginContext
from stamkund.rules.requester import Requester, address_source
from stamkund.rules.values import without_line_end
from stamkund.settings import Settings
from stamkund.store import Login, Store, UniqueConflict
from stamkund.vault import Vault


class WrongPassword(Exception):
    """E-mail and password don't belong together, or nobody may log in with them.

    `remaining`: how many more failures lock the login, whether there is such a login or not. `locked_until`: until when
    this failure has locked it, None where it has not.
    """

    def __init__(self, remaining: int, locked_until: int | None = None) -> None:
        super().__init__("wrong password")
        self.remaining = remaining
        self.locked_until = locked_until


class AccountNotActive(WrongPassword):
    """The password was right, but the account is not active. Most channels tell it like a wrong password."""


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

    def __init__(
        self, store: Store, vault: Vault, passwords: Passwords, settings: Settings, failures: Failures, admit: Admit
    ) -> None:
        """`admit`: whether the audit has room for an entry."""
        self._store = store
        self._vault = vault
        self._passwords = passwords
        self._failures = failures
        self._admit = admit
        self.decoys = Decoys(store, vault, passwords)
        self.policy = LockoutPolicy(
            settings.failed_logins,
            settings.failed_login_seconds,
            settings.frozen_login_seconds,
            settings.frozen_login_max_seconds,
        )

    async def log_in(self, context: LoginContext, organisation: str, email: str, password: str) -> int:
        """The row of the account that e-mail and password belong to.

        `organisation` is the one that the reader named: another one than that of the context is refused like a wrong
        password. E-mail and password are read as everywhere: without blanks around the one, and without a line end at
        the end of the other. Outdated hashes are upgraded, and a customer with an imported password gets an account.
        What is longer than any e-mail or password may be is refused like a wrong password too.
        Raises WrongPassword, AccountNotActive, LoginLocked, TooManyFailures, HashingQueueFull, CallerGone, Unavailable.
        """
        try:
            self._failures.check_address(context)
        except TooManyFailures:
            _log_attempt(context, _LIMITED)
            raise
        email, organisation = emails.trimmed(email[: MAX_EMAIL_LENGTH + 1]), organisation[: MAX_EMAIL_LENGTH + 1]
        password, comparable = without_line_end(password), emails.comparable(email)
        by_email, by_address = f"email {context.organisation} {comparable}", address_source(context.visitor_address)
        context = msgspec.structs.replace(context, requester=context.requester.counted_under(by_email, *by_address))
        username = f"{organisation}^{comparable}"  # another organisation is another login, for readers and others
        decoy = await self.decoys.for_login(context.organisation, username)
        login = await self._login(context, organisation, email, decoy)
        locked = login is not None and login.lockout.locked(context.at)
        matches = await self._matches(login, decoy, password, context.requester, locked=locked)
        if login is None or not login.usable:
            like_customer = login is None and decoy.like_customer
            result = await self._record_unknown(context, username, like_customer=like_customer)
        else:
            result = await self._record(context, login, succeeded=matches, audited=True)
        _log_attempt(context, result.outcome)
        if result.outcome != SUCCEEDED:
            self._failures.count(context)
        if result.outcome == FROZEN:
            raise LoginLocked(result.lockout.locked_until or context.at)
        if result.outcome == FAILED:
            refusal = AccountNotActive if matches else WrongPassword
            until = result.lockout.locked_until if result.lockout.locked(context.at) else None
            raise refusal(result.lockout.remaining(self.policy, context.at), until)
        assert login is not None
        return await self._account_row(context, login, password)

    async def find(self, organisation: str, identifiers: Sequence[Identifier]) -> Login | None:
        """The one login that all identifiers mean: an account's, or that of a customer with an imported password."""
        logins = [await self._store.logins.find(organisation, identifier) for identifier in identifiers]
        ids = {None if login is None else login.id for login in logins}
        return logins[0] if len(ids) == 1 else None

    async def report(self, context: LoginContext, login: Login, *, succeeded: bool) -> None:
        """Counts an attempt that a client checked itself; none for an account that is not active.

        An attempt that the same client made just now by the password grant is not counted again.
        """
        if login.usable:
            result = await self._record(context, login, succeeded=succeeded, audited=False)
            _log_attempt(context, result.outcome)

    async def _record(self, context: LoginContext, login: Login, *, succeeded: bool, audited: bool) -> AttemptResult:
        return await self._store.login_attempts.record(
            context,
            login.id,
            self.policy,
            succeeded=succeeded,
            customer=login.account is None,
            audited=audited,
            admit=self._admit,
        )

    async def _record_unknown(self, context: LoginContext, username: str, *, like_customer: bool) -> AttemptResult:
        """Counts under a keyed hash, so that the database does not tell who tried which e-mail."""
        key = self._vault.pseudonym(f"{context.organisation}\0{username}".encode(errors="replace"))
        return await self._store.login_attempts.record_unknown(
            context, key, self.policy, like_customer=like_customer, admit=self._admit
        )

    async def _matches(
        self, login: Login | None, decoy: Decoy, password: str, requester: Requester, *, locked: bool
    ) -> bool:
        """Whether the password is that of the login. Without a login, or for a locked one, False after as long."""
        if login is None or login.hash is None:
            await self._passwords.verify(password, decoy.hash, requester, imported=decoy.like_customer)
            return False
        imported = login.account is None
        if not locked:
            return await self._passwords.verify(password, login.hash, requester, imported=imported)
        await self._passwords.verify(password, decoy_like(login.hash), requester, imported=imported)
        return False

    async def _login(self, context: LoginContext, organisation: str, email: str, decoy: Decoy) -> Login | None:
        # No e-mail has a NUL, and PostgreSQL can't even be asked for one. Another organisation's reader is nobody here.
        impossible = organisation != context.organisation or "\0" in email or len(email) > MAX_EMAIL_LENGTH
        key = identifiers.email("" if impossible else email)
        return await self._store.logins.find(
            context.organisation, key, context.browser, like_customer=decoy.like_customer
        )

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
            decoy = await self.decoys.for_login(context.organisation, email.lower())
            login = await self._login(context, context.organisation, email, decoy)
            matches = await self._matches(login, decoy, password, context.requester, locked=False)
            if login is None or login.row is None or not login.usable or not matches:
                raise WrongPassword(self.policy.max_failures) from None
            return login.row
        return row


_LIMITED = "limited"
"""The outcome in the log of an attempt that was refused because of its address, without a look at the password."""


def _log_attempt(context: LoginContext, outcome: str) -> None:
    """One line for each attempt, without e-mail and account. `address`: the visitor's, null where it is not known."""
    log.get().info(
        "login attempt",
        outcome=outcome,
        address=context.visitor_address,
        channel=context.channel,
        organisation=context.organisation,
        client=context.client,
    )
