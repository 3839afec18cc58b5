"""Signing ID tokens, and the public keys that anybody can check them with.

RS256 is what every OpenID Connect library accepts without configuration; ES256 is a setting of the client. There are
keys for both from the start, so that a client can change at once. Keys are made where they are first needed, followed
by new ones in time (`rules/key_schedule.py`) and stored sealed. Every process caches them for a few seconds, so it soon
drops a key that was revoked by hand.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

import msgspec
from joserfc import jwt
from joserfc.jwk import ECKey, GuestProtocol, RSAKey

from stamkund.clock import Clock
from stamkund.rules.key_schedule import ALGORITHMS, RS256, IdTokenKey, KeySchedule
from stamkund.rules.timestamps import DAY
from stamkund.settings import Settings
from stamkund.store import Store
from stamkund.vault import ID_TOKEN_KEY, Place, Vault

BITS = 3072
"""Of an RSA key. A shorter one, which an earlier version made, is followed by a new one at once."""
CACHE_SECONDS = 10
"""How long a process uses the keys that it has read before it looks for others."""

PrivateKey = RSAKey | ECKey


@dataclass(frozen=True)
class _CachedKeys:
    """The keys as the database had them at `read`."""

    read: int
    keys: list[IdTokenKey]
    public: dict[str, dict[str, Any]] = field(default_factory=dict)

    def signing_with(self, algorithm: str) -> list[IdTokenKey]:
        return [key for key in self.keys if key.algorithm == algorithm]

    @classmethod
    def of(cls, read: int, keys: list[IdTokenKey]) -> _CachedKeys:
        return cls(read, keys, {key.id: key.jwk for key in keys})


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
        self._private: dict[str, PrivateKey] = {}
        self._reading = asyncio.Lock()

    async def sign(self, claims: dict[str, Any], algorithm: str = RS256) -> str:
        """`claims` as a JSON Web Token, signed with one of `ALGORITHMS`. Raises Unavailable."""
        current = await self._current()
        key = self._schedule.signing_key(current.signing_with(algorithm), self._clock())
        private = self._private.get(key.id)
        if private is None:
            private = self._private[key.id] = await asyncio.to_thread(self._open, key)
        return jwt.encode({"alg": algorithm, "kid": key.id, "typ": "JWT"}, claims, private)

    async def verify(self, token: str) -> dict[str, Any] | None:
        """The claims of a token that we signed, None for any other. Expired ones are accepted: they may be hints.

        Raises Unavailable.
        """
        current = await self._current()

        def key_of(token: GuestProtocol) -> PrivateKey:
            # The key brings its `alg`, and joserfc refuses any other: it is not the token's choice.
            return _imported(current.public[token.headers()["kid"]])

        try:
            claims = jwt.decode(token, key_of, algorithms=list(ALGORITHMS)).claims
        except Exception:  # anybody sends this: whatever is wrong with it, it is no token of ours
            return None
        return claims if claims.get("iss") == self._issuer else None

    async def key_set(self) -> dict[str, list[dict[str, Any]]]:
        """The public keys, as a JSON Web Key Set. Raises Unavailable."""
        return {"keys": list((await self._current()).public.values())}

    async def rotate(self, *, revoke_old: bool) -> list[str]:
        """Makes a new key for each algorithm and returns their ids. They sign when they were published for long enough.

        With `revoke_old` (after a leak) they are the only ones and sign at once: ID tokens signed by others are
        rejected.
        """
        keys = [await asyncio.to_thread(self._new_key, algorithm, self._clock()) for algorithm in ALGORITHMS]
        await self._store.id_token_keys.rotate(keys, revoke_old=revoke_old)
        self._cached = None
        return [key.id for key in keys]

    async def remove_expired(self, now: int, at_most: int) -> int:
        """Removes at most `at_most` keys whose tokens have all expired; returns how many. Raises Unavailable."""
        stored = _CachedKeys(now, await self._store.id_token_keys.all())
        expired = [id_ for one in ALGORITHMS for id_ in self._schedule.expired(stored.signing_with(one), now)][:at_most]
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
        for algorithm in ALGORITHMS:
            present = [key for key in keys if key.algorithm == algorithm]
            if self._schedule.is_due(present, now) or _is_short(present[-1]):
                key = await asyncio.to_thread(self._new_key, algorithm, now)
                keys = await self._store.id_token_keys.add_after(key, present[-1].id if present else None)
        return _CachedKeys.of(now, keys)

    def _new_key(self, algorithm: str, now: int) -> IdTokenKey:
        """Takes up to half a second: not for the event loop."""
        key: PrivateKey = RSAKey.generate_key(BITS) if algorithm == RS256 else ECKey.generate_key("P-256")
        id_ = key.thumbprint()
        public = {"kid": id_, "use": "sig", "alg": algorithm, **key.as_dict(private=False)}
        sealed = self._vault.seal(_json(dict(key.as_dict(private=True))), Place(ID_TOKEN_KEY, "", id_))
        return IdTokenKey(id_, now, _json(public), sealed)

    def _open(self, key: IdTokenKey) -> PrivateKey:
        return _imported(msgspec.json.decode(self._vault.open(key.sealed, Place(ID_TOKEN_KEY, "", key.id))))


def _imported(jwk: dict[str, Any]) -> PrivateKey:
    return RSAKey.import_key(jwk) if jwk["kty"] == "RSA" else ECKey.import_key(jwk)


def _is_short(key: IdTokenKey) -> bool:
    """Whether it is an RSA key of fewer bits than new ones have. Its modulus is in base64, six bits a character."""
    return key.algorithm == RS256 and len(key.jwk["n"]) * 6 < BITS


def _json(value: dict[str, Any]) -> str:
    return msgspec.json.encode(value).decode()
