"""Decoys: hashes that no password matches, for logins that have none to verify.

Hashes of other systems take longer or shorter than ours. If an unknown e-mail always cost one of ours, the time of a
response would tell the readers whose hash was imported. So it is verified against a decoy of a kind and cost that
logins of the organisation have, chosen by a keyed hash of the e-mail: the same each time, and over many e-mails in the
proportions of the readers. The database is asked as much as for such a login, too.

The proportions come from a sample of the organisation's hashes, read at the first login and then every ten minutes, and
never as part of a login again. The current kind stands first in the order of kinds. As readers' hashes are upgraded its
share grows, so an unknown e-mail changes from an imported kind to the current one at some time, as a reader's does, and
never back.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate

from stamkund.identity import imported_hashes
from stamkund.identity.passwords import Passwords
from stamkund.store import Store
from stamkund.vault import Vault

REFRESH_SECONDS = 600
SAMPLE_SIZE = 1_000
"""Logins of one organisation whose hashes are looked at."""


def kind_of(stored_hash: str) -> str:
    """Form and cost of a hash, which decide how long it takes to verify; empty for an unknown form."""
    imported = imported_hashes.parsed(stored_hash)
    return "" if imported is None else imported.kind


def decoy_like(stored_hash: str) -> str:
    """A hash of the same kind and cost that no password matches: the digest is another."""
    imported = imported_hashes.parsed(stored_hash)
    return stored_hash if imported is None else imported.decoy  # no password matches an unknown form


@dataclass(frozen=True)
class Decoy:
    """A hash that no password matches.

    `like_customer`: it stands for a customer's login, which takes more statements, and whose hash is an imported one.
    """

    hash: str
    like_customer: bool = False


class Proportions:
    """One decoy of each kind, and the share of each."""

    def __init__(self, logins: Iterable[tuple[str, bool]], current: str) -> None:
        """`logins`: hashes, and whether each is a customer's who has no account yet. `current`: a new hash of ours."""
        decoys: dict[tuple[str, bool], Decoy] = {}
        counts: dict[tuple[str, bool], int] = {}
        for stored_hash, customer in logins:
            if name := kind_of(stored_hash):
                kind = name, customer
                if kind not in decoys:
                    decoys[kind] = Decoy(decoy_like(stored_hash), customer)
                counts[kind] = counts.get(kind, 0) + 1
        present = kind_of(current), False
        if not counts:
            decoys, counts = {present: Decoy(current)}, {present: 1}
        kinds = sorted(counts, key=lambda kind: (kind != present, kind))
        self._decoys = [decoys[kind] for kind in kinds]
        self._bounds = list(accumulate(counts[kind] for kind in kinds))

    def at(self, place: float) -> Decoy:
        """The decoy at a place between 0 and 1."""
        return self._decoys[min(bisect_right(self._bounds, place * self._bounds[-1]), len(self._decoys) - 1)]


class Decoys:
    """The decoys of one process."""

    def __init__(self, store: Store, vault: Vault, passwords: Passwords) -> None:
        self._store = store
        self._vault = vault
        self._passwords = passwords
        self._proportions: dict[str, Proportions] = {}
        self._reading = asyncio.Lock()

    async def for_login(self, organisation: str, username: str) -> Decoy:
        """The decoy of a login, for the case that it has no hash of its own. Raises Unavailable, HashingQueueFull.

        `username`: always in the same form, because what it says decides which decoy it is.
        """
        if organisation not in self._proportions:
            async with self._reading:
                if organisation not in self._proportions:
                    await self._read(organisation)
        return self._proportions[organisation].at(self._place(organisation, username))

    async def refresh(self) -> None:
        """Reads the proportions anew of the organisations that had logins. Raises Unavailable, HashingQueueFull."""
        for organisation in list(self._proportions):
            await self._read(organisation)

    async def _read(self, organisation: str) -> None:
        logins = await self._store.logins.sample_hashes(organisation, SAMPLE_SIZE)
        current = await self._passwords.dummy_hash()
        # Parsing a thousand hashes takes tens of milliseconds.
        self._proportions[organisation] = await asyncio.to_thread(Proportions, logins, current)

    def _place(self, organisation: str, username: str) -> float:
        data = f"decoy\0{organisation}\0{username}".encode(errors="replace")
        return int(self._vault.pseudonym(data), 16) / (1 << 128)
