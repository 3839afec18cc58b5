"""A catalogue out of a file: one JSON document, checked whole, with every mistake in it told at once.

What a catalogue holds is in `rules.catalogue`, what the file looks like in `docs/catalogue.md`. A file with a mistake
gives nothing: half a catalogue would take products from readers.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import msgspec

from stamkund.importing.catalogue_fields import CODES, PARTS, Field, Part, kind_of
from stamkund.importing.checks import sentence
from stamkund.importing.report import CannotRun
from stamkund.rules.catalogue import Catalogue
from stamkund.rules.values import Invalid

LARGEST = 64 << 20
_A_NAME = re.compile(r"[A-Za-z_]{1,40}")


@dataclass(frozen=True, slots=True)
class Mistake:
    """Where a file is wrong (`packages[3].title`; empty for the whole of it), and why."""

    place: str
    reason: str


class WrongCatalogue(Exception):
    """The file is no catalogue; `mistakes` says where and why, in the order of the document."""

    def __init__(self, mistakes: list[Mistake]) -> None:
        super().__init__(f"{len(mistakes)} mistakes")
        self.mistakes = mistakes


def read_catalogue(path: Path) -> Catalogue:
    """The catalogue that a file holds. Raises WrongCatalogue, CannotRun."""
    try:
        if path.stat().st_size > LARGEST:
            raise CannotRun(f"The file {path} is larger than 64 MiB.")
        content = path.read_bytes()
    except OSError as error:
        raise CannotRun(f"The file {path} cannot be read: {error.strerror or type(error).__name__}.") from None
    checker = _Checker(_parsed(content))
    parts = checker.parts()
    if checker.mistakes:
        raise WrongCatalogue(checker.mistakes)
    return msgspec.convert(parts, Catalogue)


class _Object(dict[str, Any]):
    """A JSON object that knows which of its keys it was given twice."""

    twice: tuple[str, ...] = ()


def _object(pairs: list[tuple[str, Any]]) -> _Object:
    found = _Object(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        found.twice = tuple(name for name in found if names.count(name) > 1)
    return found


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _parsed(content: bytes) -> Any:
    try:
        return json.loads(content.decode("utf-8-sig"), object_pairs_hook=_object, parse_constant=_no_constant)
    except UnicodeDecodeError as error:
        raise WrongCatalogue([Mistake(f"byte {error.start}", "is not UTF-8")]) from None
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise WrongCatalogue([Mistake(place, f"is not valid JSON: {error.msg}")]) from None
    except (ValueError, RecursionError):
        raise WrongCatalogue([Mistake("", "is not valid JSON")]) from None


class _Checker:
    """Goes through a document once, after having seen which codes it has."""

    def __init__(self, document: Any) -> None:
        self.mistakes: list[Mistake] = []
        self._document = document
        self._codes = {part.name: set(_codes(document, part.name)) for part in PARTS}
        self._owners: dict[tuple[str, str], str] = {}

    def parts(self) -> dict[str, list[dict[str, Any]]]:
        """The entries of each part; they mean something only where there was no mistake."""
        if not isinstance(self._document, _Object):
            self._wrong("", f"must be an object, not {kind_of(self._document)}")
            return {}
        self._check_keys("", self._document, [part.name for part in PARTS])
        return {part.name: self._part(part) for part in PARTS}

    def _wrong(self, place: str, reason: str) -> None:
        self.mistakes.append(Mistake(place, reason))

    def _check_keys(self, place: str, given: _Object, known: list[str]) -> None:
        for name in given:
            if name not in known:
                shown = name if _A_NAME.fullmatch(name) else json.dumps(name[:40])
                self._wrong(_below(place, shown), f"is no known key; known are {', '.join(known)}")
        for name in given.twice:
            if name in known:
                self._wrong(_below(place, name), "is given twice")

    def _part(self, part: Part) -> list[dict[str, Any]]:
        entries = self._document.get(part.name)
        if entries is None:
            return []
        if not isinstance(entries, list):
            self._wrong(part.name, f"must be a list, not {kind_of(entries)}")
            return []
        return [self._entry(f"{part.name}[{place}]", entry, part) for place, entry in enumerate(entries)]

    def _entry(self, place: str, entry: Any, part: Part) -> dict[str, Any]:
        if not isinstance(entry, _Object):
            self._wrong(place, f"must be an object, not {kind_of(entry)}")
            return {}
        self._check_keys(place, entry, [field.name for field in part.fields])
        values: dict[str, Any] = {}
        for field in part.fields:
            if (value := entry.get(field.name)) is not None:
                values[field.name] = self._value(f"{place}.{field.name}", value, field)
            elif field.required:
                self._wrong(f"{place}.{field.name}", "must be given")
        self._claim(place, entry.get("code"), part)
        return values

    def _value(self, place: str, value: Any, field: Field) -> Any:
        """A list is checked one by one, each at a place of its own."""
        if not field.many:
            return self._checked(place, value, field)
        if not isinstance(value, list):
            self._wrong(place, f"must be a list, not {kind_of(value)}")
            return []
        if not value:
            self._wrong(place, "must name at least one")
        checked = [self._checked(f"{place}[{number}]", one, field) for number, one in enumerate(value)]
        for number, one in enumerate(value):
            if one in value[:number]:
                self._wrong(f"{place}[{number}]", "is named twice")
        return checked

    def _checked(self, place: str, value: Any, field: Field) -> Any:
        try:
            checked = field.check(value)
        except Invalid as error:
            self._wrong(place, sentence(error))
            return None
        if field.refers_to and not any(checked in self._codes[name] for name in field.refers_to):
            self._wrong(place, f"is the code of nothing in {' or '.join(field.refers_to)}")
        return checked

    def _claim(self, place: str, code: Any, part: Part) -> None:
        """A code stands for one thing only; a user product names packages and campaigns alike."""
        if not isinstance(code, str):
            return
        owner = self._owners.setdefault((part.codes, code), place)
        if owner != place:
            self._wrong(f"{place}.code", f"is the code of {owner} already")


def _codes(document: Any, part: str) -> Iterator[str]:
    """The codes that a part has, whatever else is wrong with it."""
    entries = document.get(part) if isinstance(document, _Object) else None
    for entry in entries if isinstance(entries, list) else ():
        if isinstance(entry, _Object) and isinstance(entry.get(CODES), str):
            yield entry[CODES]


def _below(place: str, name: str) -> str:
    return f"{place}.{name}" if place else name
