"""Which key signs ID tokens, which ones are published, and when the next one is due.

A key is published for a while before it signs, because clients cache the key set; it stays published after it signed
last, because tokens it signed are still valid. Each algorithm has keys of its own. Everything follows from when each
key was made, so all processes come to the same result without asking each other.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import msgspec

from stamkund.rules.timestamps import DAY

RS256, ES256 = "RS256", "ES256"
ALGORITHMS = (RS256, ES256)
"""What ID tokens may be signed with."""


@dataclass(frozen=True)
class IdTokenKey:
    """A key pair: `public` as a JSON Web Key, `sealed` the private part of it, sealed. `id` is the key's `kid`."""

    id: str
    created: int
    public: str = field(repr=False)
    sealed: str = field(repr=False)

    @cached_property
    def jwk(self) -> dict[str, Any]:
        """The public part, decoded."""
        jwk: dict[str, Any] = msgspec.json.decode(self.public)
        return jwk

    @property
    def algorithm(self) -> str:
        """What it signs with: `RS256` or `ES256`."""
        return str(self.jwk["alg"])


@dataclass(frozen=True)
class KeySchedule:
    """How long keys serve, in seconds. Keys are always those of one algorithm, oldest first.

    - `period`: how old the newest key gets before the next one is made.
    - `retention`: how long a key stays published after it signed last.
    """

    period: int
    retention: int

    @property
    def lead_time(self) -> int:
        """How long a new key is published before it signs: a day, or less where keys change often."""
        return min(DAY, self.period // 10)

    def is_due(self, keys: list[IdTokenKey], now: int) -> bool:
        """Whether a new key is to be made."""
        return not keys or now >= keys[-1].created + self.period

    def signing_key(self, keys: list[IdTokenKey], now: int) -> IdTokenKey:
        """The newest key that has been published for long enough; the oldest, where none has."""
        return next((key for key in reversed(keys) if key.created + self.lead_time <= now), keys[0])

    def expired(self, keys: list[IdTokenKey], now: int) -> list[str]:
        """The ids of keys whose tokens have all expired."""
        pairs = itertools.pairwise(keys)
        return [key.id for key, next_key in pairs if next_key.created + self.lead_time + self.retention <= now]
