"""Verbs about catalogues, and the cache of them: one for each organisation, replaced as a whole.

A catalogue may be large, and every call about active products needs it. A look-up therefore brings its fingerprint
only; the decoded catalogue is cached, and read again when the fingerprint changes (decision 9).
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import msgspec

from stamkund.rules.catalogue import EMPTY, Catalogue
from stamkund.rules.events import AuditEntry, AuditEvent
from stamkund.store.documents import Documents
from stamkund.store.engine import Engine
from stamkund.store.verb import Verbs, reads, writes
from stamkund.store.verbs import events
from stamkund.store.work import Execute, Sql, Work, first

_CURRENT = Sql("SELECT version, fingerprint, loaded, document FROM catalogues WHERE organisation = $1")
_VERSION = Sql("SELECT version, fingerprint FROM catalogues WHERE organisation = $1")
# One statement, so that of two imports at once neither loses its version; no row comes back where nothing changes.
_REPLACE = Sql(
    "INSERT INTO catalogues (organisation, version, fingerprint, loaded, document) VALUES ($1, 1, $2, $3, $4) "
    "ON CONFLICT (organisation) DO UPDATE SET version = catalogues.version + 1, fingerprint = excluded.fingerprint, "
    "loaded = excluded.loaded, document = excluded.document WHERE catalogues.fingerprint <> excluded.fingerprint "
    "RETURNING version"
)


@dataclass(frozen=True)
class LoadedCatalogue:
    """A stored catalogue: its version counts from 1, `loaded` is when that version was imported."""

    version: int
    fingerprint: str
    loaded: int
    catalogue: Catalogue


@dataclass(frozen=True)
class CatalogueVersion:
    """The version that a catalogue has, or would have, and whether it is a new one."""

    version: int
    changed: bool


class CatalogueVerbs(Verbs):
    def __init__(self, engine: Engine, documents: Documents) -> None:
        super().__init__(engine, documents)
        self._cache = CatalogueCache(self.current)

    async def cached(self, organisation: str, fingerprint: str | None) -> Catalogue:
        """The catalogue with a fingerprint that a look-up brought; read from the database only when it is new."""
        return await self._cache.get(organisation, fingerprint)

    @reads
    def current(self, organisation: str) -> Work[LoadedCatalogue | None]:
        """The organisation's catalogue with its version, None where it has none."""
        row = first((yield Execute(_CURRENT, (organisation,))))
        if row is None:
            return None
        catalogue = msgspec.json.decode(row["document"], type=Catalogue)
        return LoadedCatalogue(row["version"], row["fingerprint"], row["loaded"], catalogue)

    @writes
    def replace(
        self, organisation: str, catalogue: Catalogue, now: int, *, dry_run: bool = False
    ) -> Work[CatalogueVersion]:
        """Replaces the whole catalogue, unless it is the present one. The organisation must exist."""
        document = msgspec.json.encode(catalogue)
        fingerprint = hashlib.sha256(document).hexdigest()[:32]
        if not dry_run:
            replaced = first((yield Execute(_REPLACE, (organisation, fingerprint, now, document.decode()))))
            if replaced is not None:
                version: int = replaced["version"]
                entry = AuditEntry(organisation, now, AuditEvent.CATALOGUE_REPLACED, detail=f"version {version}")
                yield from events.record(entry)
                return CatalogueVersion(version, True)
        present = first((yield Execute(_VERSION, (organisation,))))
        if present is None:
            return CatalogueVersion(1, True)
        if present["fingerprint"] == fingerprint:
            return CatalogueVersion(present["version"], False)
        return CatalogueVersion(present["version"] + 1, True)


class CatalogueCache:
    """The newest catalogue that each organisation was seen to have, decoded."""

    def __init__(self, read: Callable[[str], Awaitable[LoadedCatalogue | None]]) -> None:
        self._read = read
        self._loaded: dict[str, LoadedCatalogue] = {}
        self._reading = asyncio.Lock()

    async def get(self, organisation: str, fingerprint: str | None) -> Catalogue:
        """The catalogue that has this fingerprint, or one that replaced it since; None: there is none."""
        if fingerprint is None:
            return EMPTY
        return self._cached(organisation, fingerprint) or await self._read_once(organisation, fingerprint)

    async def _read_once(self, organisation: str, fingerprint: str) -> Catalogue:
        """However many calls see a new catalogue at the same moment, one of them reads it."""
        async with self._reading:
            if (cached := self._cached(organisation, fingerprint)) is not None:
                return cached
            loaded = await self._read(organisation)
            if loaded is None:
                return EMPTY
            self._loaded[organisation] = loaded
            return loaded.catalogue

    def _cached(self, organisation: str, fingerprint: str) -> Catalogue | None:
        loaded = self._loaded.get(organisation)
        return loaded.catalogue if loaded is not None and loaded.fingerprint == fingerprint else None
