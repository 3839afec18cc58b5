"""Login attempts, and when too many that fail lock a login.

The documents say: five failed attempts in a row within one hour freeze the account ("Create authentication attempt"),
and the 25 latest attempts can be looked at. A lockout (the API says *frozen*) concerns the login alone: the account
keeps its status, and tokens that were issued keep working. It is short at first and doubles when it happens again, so
that anybody can shut a reader out for minutes and nobody can guess on for days.
"""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from stamkund.rules.account import Personal
from stamkund.rules.addresses import public_address
from stamkund.rules.requester import ANYBODY, Requester
from stamkund.rules.timestamps import DAY

MAX_ATTEMPTS_STORED = 25
"""How many attempts of a login are stored: those that the documented admin portal shows."""

PASSWORD_GRANT = "password_grant"  # noqa: S105
LOGIN_PAGE = "login_page"
SSO2 = "sso2"
REPORTED = "reported"
"""The channels: the token endpoint, the hosted login page, single sign-on, and a client that checks passwords itself
and reports the result."""

SUCCEEDED = "succeeded"
FAILED = "failed"
FROZEN = "frozen"
"""The outcomes of an attempt; `frozen`: refused because the login was locked, whatever the password."""


REPORTED_AGAIN_SECONDS = 60
"""A client that makes an attempt by the password grant and reports it within this time has made one attempt."""


@dataclass(frozen=True)
class LockoutPolicy:
    """`max_failures` in a row within `window_seconds` lock a login, at first for `lockout_seconds`.

    Each further lockout within a day of the last one lasts twice as long, at most `max_lockout_seconds`.
    """

    max_failures: int = 5
    window_seconds: int = 3_600
    lockout_seconds: int = 900
    max_lockout_seconds: int = 86_400

    def lockout_after(self, times_locked: int) -> int:
        """How long the next lockout lasts after so many that followed each other, in seconds."""
        longest = max(self.lockout_seconds, self.max_lockout_seconds)
        return int(min(self.lockout_seconds << min(times_locked, _MAX_DOUBLINGS), longest))


_MAX_DOUBLINGS = 32


@dataclass(frozen=True)
class LockoutState:
    """The failed attempts of a login since its last success, and whether it is locked.

    `failures`: when they happened, oldest first. `locked_until`: the end of the last lockout, `times_locked`: how many
    lockouts followed each other until then. A state is as it was stored; ask it with the present time.
    """

    failures: tuple[int, ...] = ()
    locked_until: int | None = None
    times_locked: int = 0

    def locked(self, now: int) -> bool:
        return self.locked_until is not None and now < self.locked_until

    def remaining(self, policy: LockoutPolicy, now: int) -> int:
        """How many more failures in a row lock the login; 0 while it is locked."""
        if self.locked(now):
            return 0
        return max(1, policy.max_failures - len(self._recent(policy, now)))

    def after(self, succeeded: bool, policy: LockoutPolicy, now: int) -> LockoutState:
        """The state after an attempt. While the login is locked nothing counts, and a success lifts nothing.

        A success clears the failures. It does not make the next lockout short again: else somebody who guesses could
        go on at the first pace as long as the reader logs in now and then.
        """
        if self.locked(now):
            return self
        lockouts = (self.locked_until, self.times_locked) if self._remembered(now) else (None, 0)
        if succeeded:
            return LockoutState((), *lockouts)
        failures = (*self._recent(policy, now), now)
        if len(failures) < policy.max_failures:
            return LockoutState(failures, *lockouts)
        times_locked = lockouts[1]
        return LockoutState((), now + policy.lockout_after(times_locked), times_locked + 1)

    def expires(self, policy: LockoutPolicy) -> int:
        """From when on it counts as no failures and no lockout."""
        of_failures = self.failures[-1] + policy.window_seconds if self.failures else 0
        of_lockouts = 0 if self.locked_until is None else self.locked_until + DAY
        return max(of_failures, of_lockouts)

    def _recent(self, policy: LockoutPolicy, now: int) -> tuple[int, ...]:
        return tuple(at for at in self.failures if now - at < policy.window_seconds)

    def _remembered(self, now: int) -> bool:
        """Whether the last lockout still makes the next one longer."""
        return self.locked_until is not None and now < self.locked_until + DAY


NO_FAILURES = LockoutState()


class LoginContext(Personal):
    """The context of a login attempt: channel, client, IP address and user agent (None: not known), and when.

    `requester`: for whom its password is hashed.
    `from_visitor`: the address is what the reader's own device came from, as far as we know, and not a site's server.
    `browser`: the trusted browser that the reader uses, None for any other.
    """

    organisation: str
    channel: str
    client: str
    address: str | None
    user_agent: str | None
    at: int
    requester: Requester = ANYBODY
    from_visitor: bool = False
    browser: str | None = None

    @property
    def visitor_address(self) -> str | None:
        """The visitor's address in its usual form; None where it is not known, or private (a proxy of the site's)."""
        return public_address(self.address) if self.from_visitor else None


class Attempt(Personal):
    """One attempt, as it is stored and shown to an operator."""

    at: int
    outcome: str
    channel: str
    client: str
    address: str | None
    user_agent: str | None


class AttemptResult(msgspec.Struct, frozen=True):
    """The outcome of an attempt, and the state of the login after it."""

    outcome: str
    lockout: LockoutState
