"""Attempts to log in, and when too many that fail freeze a login.

The documents say: five failed attempts in a row within one hour freeze the account ("Create authentication attempt"),
and the 25 latest attempts can be looked at. A freeze is a lock of the login alone: the account keeps its status, and
tokens that are out keep working.
"""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from stamkund.rules.account import Personal

MOST_KEPT = 25
"""How many attempts of a login are kept: those that the documented admin portal shows."""

PASSWORD_GRANT = "password_grant"  # noqa: S105
LOGIN_PAGE = "login_page"
SSO2 = "sso2"
REPORTED = "reported"
"""The doors: the token endpoint, the hosted login page, single sign-on, and a client that has a door of its own and
reports what happened at it."""

SUCCEEDED = "succeeded"
FAILED = "failed"
FROZEN = "frozen"
"""How an attempt ended; `frozen`: refused because the login was frozen, whatever the password."""


@dataclass(frozen=True)
class Policy:
    """`most` failures in a row within `within` seconds freeze a login for `lasting` seconds."""

    most: int = 5
    within: int = 3_600
    lasting: int = 86_400


@dataclass(frozen=True)
class Standing:
    """Where a login stands: moments of the failures since the last success, oldest first, and a freeze if there is one.

    A standing is as it was written; ask it with the moment that it is asked at.
    """

    failures: tuple[int, ...] = ()
    frozen_until: int | None = None

    def frozen(self, now: int) -> bool:
        return self.frozen_until is not None and now < self.frozen_until

    def remaining(self, policy: Policy, now: int) -> int:
        """How many more failures in a row it takes to freeze the login; 0 while it is frozen."""
        if self.frozen(now):
            return 0
        return max(1, policy.most - len(self._recent(policy, now)))

    def after(self, succeeded: bool, policy: Policy, now: int) -> Standing:
        """The standing after an attempt. While the login is frozen nothing counts, and a success lifts nothing."""
        if self.frozen(now):
            return self
        if succeeded:
            return UNTROUBLED
        failures = (*self._recent(policy, now), now)
        if len(failures) < policy.most:
            return Standing(failures)
        return Standing((), now + policy.lasting)

    def expires(self, policy: Policy) -> int:
        """The moment from which it is as good as none."""
        if self.frozen_until is not None:
            return self.frozen_until
        return self.failures[-1] + policy.within if self.failures else 0

    def _recent(self, policy: Policy, now: int) -> tuple[int, ...]:
        return tuple(at for at in self.failures if now - at < policy.within)


UNTROUBLED = Standing()


class Visit(Personal):
    """Somebody at a door: whose client let them try, from where and when. None: not known."""

    organisation: str
    door: str
    client: str
    address: str | None
    user_agent: str | None
    at: int


class Attempt(Personal):
    """One attempt, as it is kept and shown to an operator."""

    at: int
    outcome: str
    door: str
    client: str
    address: str | None
    user_agent: str | None


class Judged(msgspec.Struct, frozen=True):
    """What became of an attempt, and where the login stands now."""

    outcome: str
    standing: Standing
