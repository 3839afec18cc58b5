"""Verbs about catalogues, and the memory of them: one for each organisation, replaced as a whole.

A catalogue may be large, and every call about active products needs it. A look-up therefore brings its fingerprint
only; what that stands for is kept decoded, and read again when the fingerprint is another one (decision 9).
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import msgspec

from stamkund.rules.catalogue import EMPTY, Catalogue
from stamkund.store.work import Ask, Sql, Work, one

_CURRENT = Sql("SELECT version, fingerprint, loaded, document FROM catalogues WHERE organisation = $1")
_VERSION = Sql("SELECT version, fingerprint FROM catalogues WHERE organisation = $1")
# One statement, so that of two imports at once neither loses its version; no row comes back where nothing changes.
_REPLACE = Sql(
    "INSERT INTO catalogues (organisation, version, fingerprint, loaded, document) VALUES ($1, 1, $2, $3, $4) "
    "ON CONFLICT (organisation) DO UPDATE SET version = catalogues.version + 1, fingerprint = excluded.fingerprint, "
    "loaded = excluded.loaded, document = excluded.document WHERE catalogues.fingerprint <> excluded.fingerprint "
    "RETURNING version"
)
_AUDIT = Sql("INSERT INTO audit (organisation, at, event, detail) VALUES ($1, $2, 'catalogue_replaced', $3)")


@dataclass(frozen=True)
class Loaded:
    """A catalogue as it is kept: its version counts from 1, `loaded` is the moment when that version came in."""

    version: int
    fingerprint: str
    loaded: int
    catalogue: Catalogue


def current(organisation: str) -> Work[Loaded | None]:
    """The catalogue of an organisation, None where it has none."""
    row = one((yield Ask(_CURRENT, (organisation,))))
    if row is None:
        return None
    return Loaded(row[0], row[1], row[2], msgspec.json.decode(row[3], type=Catalogue))


@dataclass(frozen=True)
class CatalogueVersion:
    """The version that a catalogue has, or would have, and whether it is a new one."""

    version: int
    changed: bool


def put(organisation: str, catalogue: Catalogue, now: int, *, dry_run: bool = False) -> Work[CatalogueVersion]:
    """Replaces the whole catalogue, unless it is the one there is. The organisation must be there."""
    document = msgspec.json.encode(catalogue)
    fingerprint = hashlib.sha256(document).hexdigest()[:32]
    if not dry_run:
        replaced = one((yield Ask(_REPLACE, (organisation, fingerprint, now, document.decode()))))
        if replaced is not None:
            yield Ask(_AUDIT, (organisation, now, f"version {replaced[0]}"))
            return CatalogueVersion(replaced[0], True)
    known = one((yield Ask(_VERSION, (organisation,))))
    version, before = (0, None) if known is None else (known[0], known[1])
    return CatalogueVersion(version, False) if before == fingerprint else CatalogueVersion(version + 1, True)


class CatalogueMemory:
    """The newest catalogue that each organisation was seen to have, decoded."""

    def __init__(self, read: Callable[[str], Awaitable[Loaded | None]]) -> None:
        self._read = read
        self._known: dict[str, Loaded] = {}
        self._reading = asyncio.Lock()

    async def get(self, organisation: str, fingerprint: str | None) -> Catalogue:
        """The catalogue that has this fingerprint, or one that replaced it since; None: there is none."""
        if fingerprint is None:
            return EMPTY
        return self._remembered(organisation, fingerprint) or await self._read_once(organisation, fingerprint)

    async def _read_once(self, organisation: str, fingerprint: str) -> Catalogue:
        """However many calls see a new catalogue at the same moment, one of them reads it."""
        async with self._reading:
            if (known := self._remembered(organisation, fingerprint)) is not None:
                return known
            loaded = await self._read(organisation)
            if loaded is None:
                return EMPTY
            self._known[organisation] = loaded
            return loaded.catalogue

    def _remembered(self, organisation: str, fingerprint: str) -> Catalogue | None:
        known = self._known.get(organisation)
        return known.catalogue if known is not None and known.fingerprint == fingerprint else None
