"""Signing ID tokens, and the public keys that anybody can check them with.

RS256 with 2048 bits is what every OpenID Connect library accepts without configuration. Keys are made where they are
first needed, followed by new ones in time (`rules/key_schedule.py`) and stored sealed. Every process caches them for a
few seconds, so it soon drops a key that was revoked by hand.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

import msgspec
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError
from joserfc.jwk import GuestProtocol, RSAKey

from stamkund.clock import Clock
from stamkund.rules.key_schedule import IdTokenKey, KeySchedule
from stamkund.rules.timestamps import DAY
from stamkund.settings import Settings
from stamkund.store import Store
from stamkund.vault import ID_TOKEN_KEY, Place, Vault

ALGORITHM = "RS256"
BITS = 2048
CACHE_SECONDS = 10
"""How long a process uses the keys that it has read before it looks for others."""


@dataclass(frozen=True)
class _CachedKeys:
    """The keys as the database had them at `read`."""

    read: int
    keys: list[IdTokenKey]
    public: dict[str, dict[str, Any]] = field(default_factory=dict)

    @classmethod
    def of(cls, read: int, keys: list[IdTokenKey]) -> _CachedKeys:
        return cls(read, keys, {key.id: msgspec.json.decode(key.public) for key in keys})


class IdTokenKeys:
    """Signs and checks ID tokens with the keys of one installation."""

    def __init__(self, store: Store, vault: Vault, settings: Settings, clock: Clock) -> None:
        self._store = store
        self._vault = vault
        self._clock = clock
        self._issuer = settings.issuer
        # An ID token is valid as long as an access token; at a logout it is accepted as a hint for as long as its
        # session may live, although it has expired.
        retention = settings.access_token_seconds + settings.session_days * DAY
        self._schedule = KeySchedule(settings.signing_key_days * DAY, retention)
        self._cached: _CachedKeys | None = None
        self._private: dict[str, RSAKey] = {}
        self._reading = asyncio.Lock()

    async def sign(self, claims: dict[str, Any]) -> str:
        """`claims` as a JSON Web Token. Raises Unavailable."""
        current = await self._current()
        key = self._schedule.signing_key(current.keys, self._clock())
        private = self._private.get(key.id)
        if private is None:
            private = self._private[key.id] = await asyncio.to_thread(self._open, key)
        return jwt.encode({"alg": ALGORITHM, "kid": key.id, "typ": "JWT"}, claims, private)

    async def verify(self, token: str) -> dict[str, Any] | None:
        """The claims of a token that we signed, None for any other. Expired ones are accepted: they may be hints.

        Raises Unavailable.
        """
        current = await self._current()

        def key_of(header: GuestProtocol) -> RSAKey:
            public = current.public.get(header.headers()["kid"])
            if public is None:
                raise InvalidKeyIdError
            return RSAKey.import_key(public)

        try:
            claims = jwt.decode(token, key_of, algorithms=[ALGORITHM]).claims
        except Exception:  # anybody sends this: whatever is wrong with it, it is no token of ours
            return None
        return claims if claims.get("iss") == self._issuer else None

    async def key_set(self) -> dict[str, list[dict[str, Any]]]:
        """The public keys, as a JSON Web Key Set. Raises Unavailable."""
        return {"keys": list((await self._current()).public.values())}

    async def rotate(self, *, revoke_old: bool) -> str:
        """Makes a new key at once and returns its id. It signs when it was published for long enough, as others do.

        With `revoke_old` (after a leak) it is the only one and signs at once: ID tokens signed by others are rejected.
        """
        key = await asyncio.to_thread(self._new_key, self._clock())
        await self._store.id_token_keys.rotate(key, revoke_old=revoke_old)
        self._cached = None
        return key.id

    async def remove_expired(self, now: int, at_most: int) -> int:
        """Removes at most `at_most` keys whose tokens have all expired; returns how many. Raises Unavailable."""
        expired = self._schedule.expired(await self._store.id_token_keys.all(), now)[:at_most]
        if expired:
            await self._store.id_token_keys.remove(expired)
        return len(expired)

    async def _current(self) -> _CachedKeys:
        if not self._is_fresh():
            async with self._reading:
                if not self._is_fresh():
                    self._cached = await self._read(self._clock())
                    self._private = {id_: key for id_, key in self._private.items() if id_ in self._cached.public}
        assert self._cached is not None
        return self._cached

    def _is_fresh(self) -> bool:
        return self._cached is not None and 0 <= self._clock() - self._cached.read < CACHE_SECONDS

    async def _read(self, now: int) -> _CachedKeys:
        keys = await self._store.id_token_keys.all()
        if self._schedule.is_due(keys, now):
            key = await asyncio.to_thread(self._new_key, now)
            keys = await self._store.id_token_keys.add_after(key, keys[-1].id if keys else None)
        return _CachedKeys.of(now, keys)

    def _new_key(self, now: int) -> IdTokenKey:
        """Takes about a tenth of a second: not for the event loop."""
        key = RSAKey.generate_key(BITS)
        id_ = key.thumbprint()
        public = {"kid": id_, "use": "sig", "alg": ALGORITHM, **key.as_dict(private=False)}
        sealed = self._vault.seal(_json(dict(key.as_dict(private=True))), Place(ID_TOKEN_KEY, "", id_))
        return IdTokenKey(id_, now, _json(public), sealed)

    def _open(self, key: IdTokenKey) -> RSAKey:
        return RSAKey.import_key(msgspec.json.decode(self._vault.open(key.sealed, Place(ID_TOKEN_KEY, "", key.id))))


def _json(value: dict[str, Any]) -> str:
    return msgspec.json.encode(value).decode()
