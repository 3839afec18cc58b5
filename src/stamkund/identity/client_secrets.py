"""The secrets of clients, opened."""

from __future__ import annotations

from functools import lru_cache

from stamkund.rules.organisation import Client
from stamkund.vault import CLIENT_SECRET, Vault


class ClientSecrets:
    """Opens and seals secrets. Open ones are cached: every call that is signed, or comes with a secret, needs one."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self._open = lru_cache(maxsize=1024)(lambda sealed: vault.open(sealed, CLIENT_SECRET))

    def valid(self, client: Client, now: int) -> list[str]:
        """The client's secrets that are valid at `now`. Raises CannotOpen."""
        return [self._open(secret.sealed) for secret in client.secrets if secret.is_valid(now)]

    def seal(self, secret: str) -> str:
        """A secret as a client's document holds it."""
        return self._vault.seal(secret, CLIENT_SECRET)
