"""Login attempts, and when too many that fail lock a login.

The documents say: five failed attempts in a row within one hour freeze the account ("Create authentication attempt"),
and the 25 latest attempts can be looked at. A lockout (the API says *frozen*) concerns the login alone: the account
keeps its status, and tokens that were issued keep working.
"""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from stamkund.rules.account import Personal
from stamkund.rules.requester import ANYBODY, Requester

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


@dataclass(frozen=True)
class LockoutPolicy:
    """`max_failures` in a row within `window_seconds` lock a login for `lockout_seconds`."""

    max_failures: int = 5
    window_seconds: int = 3_600
    lockout_seconds: int = 86_400


@dataclass(frozen=True)
class LockoutState:
    """The failed attempts of a login since its last success, and whether it is locked.

    `failures`: when they happened, oldest first. A state is as it was stored; ask it with the present time.
    """

    failures: tuple[int, ...] = ()
    locked_until: int | None = None

    def locked(self, now: int) -> bool:
        return self.locked_until is not None and now < self.locked_until

    def remaining(self, policy: LockoutPolicy, now: int) -> int:
        """How many more failures in a row lock the login; 0 while it is locked."""
        if self.locked(now):
            return 0
        return max(1, policy.max_failures - len(self._recent(policy, now)))

    def after(self, succeeded: bool, policy: LockoutPolicy, now: int) -> LockoutState:
        """The state after an attempt. While the login is locked nothing counts, and a success lifts nothing."""
        if self.locked(now):
            return self
        if succeeded:
            return NO_FAILURES
        failures = (*self._recent(policy, now), now)
        if len(failures) < policy.max_failures:
            return LockoutState(failures)
        return LockoutState((), now + policy.lockout_seconds)

    def expires(self, policy: LockoutPolicy) -> int:
        """From when on it counts as no failures."""
        if self.locked_until is not None:
            return self.locked_until
        return self.failures[-1] + policy.window_seconds if self.failures else 0

    def _recent(self, policy: LockoutPolicy, now: int) -> tuple[int, ...]:
        return tuple(at for at in self.failures if now - at < policy.window_seconds)


NO_FAILURES = LockoutState()


class LoginContext(Personal):
    """The context of a login attempt: channel, client, IP address and user agent (None: not known), and when.

    `requester`: for whom its password is hashed.
    """

    organisation: str
    channel: str
    client: str
    address: str | None
    user_agent: str | None
    at: int
    requester: Requester = ANYBODY


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
