"""Signing ID tokens, and the public keys that anybody can check them with.

RS256 with 2048 bits is what every OpenID Connect library takes without being told. Keys are made where they are first
needed, followed by new ones in time (`rules/signing.py`) and kept sealed. What the database holds is remembered for a
few seconds, so a key that was revoked by hand is dropped by every process soon.
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
from stamkund.rules.signing import DAY, Rota, SigningKey
from stamkund.settings import Settings
from stamkund.store import Store
from stamkund.vault import SIGNING

ALGORITHM = "RS256"
BITS = 2048
STALE_SECONDS = 10
"""How long a process goes on with the keys that it knows before it looks for others."""


@dataclass(frozen=True)
class _Known:
    """The keys as the database had them at `read`."""

    read: int
    keys: list[SigningKey]
    public: dict[str, dict[str, Any]] = field(default_factory=dict)

    @classmethod
    def of(cls, read: int, keys: list[SigningKey]) -> _Known:
        return cls(read, keys, {key.id: msgspec.json.decode(key.public) for key in keys})


class Signer:
    """Signs and checks with the keys of one installation."""

    def __init__(self, store: Store, settings: Settings, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._issuer = settings.issuer
        # What was signed holds as long as an access token; at a logout an ID token is a hint for as long as its session
        # may live, although it is over.
        kept = settings.access_token_seconds + settings.session_days * DAY
        self._rota = Rota(settings.signing_key_days * DAY, kept)
        self._known: _Known | None = None
        self._private: dict[str, RSAKey] = {}
        self._reading = asyncio.Lock()

    async def sign(self, claims: dict[str, Any]) -> str:
        """`claims` as a JSON Web Token. Raises Unavailable."""
        known = await self._current()
        key = self._rota.signs(known.keys, self._clock())
        private = self._private.get(key.id)
        if private is None:
            private = self._private[key.id] = await asyncio.to_thread(self._opened, key)
        return jwt.encode({"alg": ALGORITHM, "kid": key.id, "typ": "JWT"}, claims, private)

    async def verified(self, token: str) -> dict[str, Any] | None:
        """The claims of a token that we signed, None for any other. That it is over is no matter: it may be a hint.

        Raises Unavailable.
        """
        known = await self._current()

        def key_of(found: GuestProtocol) -> RSAKey:
            public = known.public.get(found.headers()["kid"])
            if public is None:
                raise InvalidKeyIdError
            return RSAKey.import_key(public)

        try:
            claims = jwt.decode(token, key_of, algorithms=[ALGORITHM]).claims
        except Exception:  # anybody sends this: whatever is wrong with it, it is no token of ours
            return None
        return claims if claims.get("iss") == self._issuer else None

    async def jwks(self) -> dict[str, list[dict[str, Any]]]:
        """The public keys, as a JSON Web Key Set. Raises Unavailable."""
        return {"keys": list((await self._current()).public.values())}

    async def rotate(self, *, revoke_old: bool) -> str:
        """Makes a new key at once and answers its id. It signs when it was shown for long enough, as others do.

        With `revoke_old` (after a leak) it is the only one and signs at once: what others signed no longer holds.
        """
        new = await asyncio.to_thread(self._new, self._clock())
        await self._store.rotate_signing_keys(new, revoke_old=revoke_old)
        self._known = None
        return new.id

    async def remove_old(self, now: int, most: int) -> int:
        """Removes at most `most` keys of which nothing is about any more; answers how many. Raises Unavailable."""
        over = self._rota.over(await self._store.signing_keys(), now)[:most]
        if over:
            await self._store.remove_signing_keys(over)
        return len(over)

    async def _current(self) -> _Known:
        if not self._fresh():
            async with self._reading:
                if not self._fresh():
                    self._known = await self._read(self._clock())
                    self._private = {id_: key for id_, key in self._private.items() if id_ in self._known.public}
        assert self._known is not None
        return self._known

    def _fresh(self) -> bool:
        return self._known is not None and 0 <= self._clock() - self._known.read < STALE_SECONDS

    async def _read(self, now: int) -> _Known:
        keys = await self._store.signing_keys()
        if self._rota.due(keys, now):
            new = await asyncio.to_thread(self._new, now)
            keys = await self._store.add_signing_key(new, keys[-1].id if keys else None)
        return _Known.of(now, keys)

    def _new(self, now: int) -> SigningKey:
        """Takes about a tenth of a second: not for the event loop."""
        key = RSAKey.generate_key(BITS)
        id_ = key.thumbprint()
        public = {"kid": id_, "use": "sig", "alg": ALGORITHM, **key.as_dict(private=False)}
        sealed = self._store.documents.vault.seal(_json(dict(key.as_dict(private=True))), SIGNING)
        return SigningKey(id_, now, _json(public), sealed)

    def _opened(self, key: SigningKey) -> RSAKey:
        return RSAKey.import_key(msgspec.json.decode(self._store.documents.vault.open(key.sealed, SIGNING)))


def _json(value: dict[str, Any]) -> str:
    return msgspec.json.encode(value).decode()
