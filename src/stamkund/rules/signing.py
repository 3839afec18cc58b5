"""Which key signs, which ones are shown, and when the next one is due: decisions about the keys of ID tokens.

A key is shown for a while before it signs, because clients keep the list of keys for some time; it is shown on after it
signed last, because what it signed is still about. Everything follows from when each key was made, so all processes
come to the same answer without asking each other.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

DAY = 86_400


@dataclass(frozen=True)
class SigningKey:
    """A key pair: `public` as a JSON Web Key, `sealed` the private part of it, sealed. `id` is the key's `kid`."""

    id: str
    created: int
    public: str = field(repr=False)
    sealed: str = field(repr=False)


@dataclass(frozen=True)
class Rota:
    """How long keys serve, in seconds. Keys are always given oldest first.

    - `period`: how old the newest key gets before the next one is made.
    - `kept`: how long a key is shown after it signed last.
    """

    period: int
    kept: int

    @property
    def ahead(self) -> int:
        """How long a new key is shown before it signs: a day, or less where keys change often."""
        return min(DAY, self.period // 10)

    def due(self, keys: list[SigningKey], now: int) -> bool:
        """Whether a new key is to be made."""
        return not keys or now >= keys[-1].created + self.period

    def signs(self, keys: list[SigningKey], now: int) -> SigningKey:
        """The newest key that has been shown for long enough; the oldest, where none has."""
        return next((key for key in reversed(keys) if key.created + self.ahead <= now), keys[0])

    def over(self, keys: list[SigningKey], now: int) -> list[str]:
        """The ids of keys of which nothing that they signed is about any more."""
        followed = itertools.pairwise(keys)
        return [key.id for key, next_key in followed if next_key.created + self.ahead + self.kept <= now]
