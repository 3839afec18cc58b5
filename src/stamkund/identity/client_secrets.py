"""The secrets of clients, opened."""

from __future__ import annotations

from functools import lru_cache

from stamkund.rules.organisation import Client
from stamkund.vault import CLIENT_SECRET, Place, Vault


class ClientSecrets:
    """Opens and seals secrets. Open ones are cached: every call that is signed, or comes with a secret, needs one."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self._open = lru_cache(maxsize=1024)(vault.open)

    def valid(self, client: Client, now: int) -> list[str]:
        """The client's secrets that are valid at `now`. Raises CannotOpen."""
        place = place_of(client)
        return [self._open(secret.sealed, place) for secret in client.secrets if secret.is_valid(now)]

    def seal(self, client: Client, secret: str) -> str:
        """A secret as the client's document holds it."""
        return self._vault.seal(secret, place_of(client))


def place_of(client: Client) -> Place:
    """Where a client's secrets are sealed."""
    return Place(CLIENT_SECRET, client.organisation, client.id)
