"""What a handler may use: store, vault, passwords, limits, settings and clock, wired once in `server/app.py`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

from stamkund.clock import Clock
from stamkund.identity.audit_budget import AuditBudget, no_audit_budget
from stamkund.identity.audit_queue import AuditQueue
from stamkund.identity.client_secrets import ClientSecrets
from stamkund.identity.failures import Failures, no_failures
from stamkund.identity.id_token_keys import IdTokenKeys
from stamkund.identity.logins import Logins
from stamkund.identity.passwords import Passwords
from stamkund.identity.sessions import Sessions
from stamkund.identity.trusted_browsers import TrustedBrowsers
from stamkund.settings import Settings
from stamkund.store import Store
from stamkund.vault import Vault
from stamkund.wire.limits import Limits, no_limits
from stamkund.wire.request import Request


@dataclass(frozen=True)
class Documentation:
    """The documentation of all calls, made at the first request: OpenAPI as JSON, and a page as HTML."""

    openapi: Callable[[], bytes]
    page: Callable[[], bytes]


AddressOf = Callable[[Request], str | None]
"""The IP address of the caller that made a request."""


def peer_address(request: Request) -> str | None:
    """The address of the other end of the connection: right where no proxy stands in between."""
    return None if request.peer is None else request.peer[0]


NO_DOCUMENTATION = Documentation(lambda: b"", lambda: b"")


@dataclass(frozen=True)
class Services:
    settings: Settings
    store: Store
    vault: Vault
    passwords: Passwords
    clock: Clock
    limits: Limits = field(default_factory=no_limits)
    failures: Failures = field(default_factory=no_failures)
    audit_budget: AuditBudget = field(default_factory=no_audit_budget)
    audit_queue: AuditQueue = field(default_factory=AuditQueue)
    documentation: Documentation = NO_DOCUMENTATION
    address_of: AddressOf = peer_address

    @cached_property
    def client_secrets(self) -> ClientSecrets:
        return ClientSecrets(self.vault)

    @cached_property
    def sessions(self) -> Sessions:
        return Sessions(self.store, self.settings)

    @cached_property
    def logins(self) -> Logins:
        return Logins(self.store, self.vault, self.passwords, self.settings, self.failures, self.audit_budget.admit)

    @cached_property
    def trusted_browsers(self) -> TrustedBrowsers:
        return TrustedBrowsers(self.vault, self.settings)

    @cached_property
    def id_token_keys(self) -> IdTokenKeys:
        return IdTokenKeys(self.store, self.vault, self.settings, self.clock)
