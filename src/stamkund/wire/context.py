"""What a story may use: the store, the password hasher, the settings and the clock, wired once in `app.py`."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

from stamkund.clock import Clock
from stamkund.limits import Limits, no_limits
from stamkund.logins import Logins
from stamkund.passwords import Passwords
from stamkund.sessions import Sessions
from stamkund.settings import Settings
from stamkund.signing import Signer
from stamkund.store import Store


@dataclass(frozen=True)
class Services:
    settings: Settings
    store: Store
    passwords: Passwords
    clock: Clock
    limits: Limits = field(default_factory=no_limits)

    @cached_property
    def sessions(self) -> Sessions:
        return Sessions(self.store, self.settings)

    @cached_property
    def logins(self) -> Logins:
        return Logins(self.store, self.passwords, self.settings)

    @cached_property
    def signer(self) -> Signer:
        return Signer(self.store, self.settings, self.clock)
