"""What a handler may use: store, vault, passwords, limits, settings and clock, wired once in `server/app.py`."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from stamkund.clock import Clock
from stamkund.identity.client_secrets import ClientSecrets
from stamkund.identity.id_token_keys import IdTokenKeys
from stamkund.identity.logins import Logins
from stamkund.identity.passwords import Passwords
from stamkund.identity.sessions import Sessions
from stamkund.settings import Settings
from stamkund.store import Store
from stamkund.vault import Vault
from stamkund.wire.limits import Limits, no_limits

if TYPE_CHECKING:
    from stamkund.wire.endpoint import Endpoint


@dataclass(frozen=True)
class Services:
    settings: Settings
    store: Store
    vault: Vault
    passwords: Passwords
    clock: Clock
    limits: Limits = field(default_factory=no_limits)
    endpoints: tuple[Endpoint, ...] = ()
    """Every declared call, for those that describe them all."""

    @cached_property
    def client_secrets(self) -> ClientSecrets:
        return ClientSecrets(self.vault)

    @cached_property
    def sessions(self) -> Sessions:
        return Sessions(self.store, self.settings)

    @cached_property
    def logins(self) -> Logins:
        return Logins(self.store, self.vault, self.passwords, self.settings)

    @cached_property
    def id_token_keys(self) -> IdTokenKeys:
        return IdTokenKeys(self.store, self.vault, self.settings, self.clock)
