"""Reads a catalogue from a file: one JSON document, checked completely, with all its mistakes reported together.

What a catalogue holds is in `rules.catalogue`, the file format in `docs/catalogue.md`. A file with any mistake is
refused: half a catalogue would take products away from readers.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import msgspec

from stamkund.importing.catalogue_fields import CODE, LISTS, CatalogueField, CatalogueList, json_type_name
from stamkund.importing.checks import reason_of
from stamkund.importing.report import CannotRun
from stamkund.rules.catalogue import Catalogue
from stamkund.rules.values import Invalid

MAX_BYTES = 64 << 20
_PLAIN_KEY = re.compile(r"[A-Za-z_]{1,40}")


@dataclass(frozen=True, slots=True)
class Mistake:
    """Where a file is wrong (`packages[3].title`; empty for the file as a whole), and why."""

    place: str
    reason: str


class WrongCatalogue(Exception):
    """The file holds no valid catalogue; `mistakes` says where and why, in the order of the document."""

    def __init__(self, mistakes: list[Mistake]) -> None:
        super().__init__(f"{len(mistakes)} mistakes")
        self.mistakes = mistakes


def read_catalogue(path: Path) -> Catalogue:
    """The catalogue in a file. Raises WrongCatalogue, CannotRun."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise CannotRun(f"The file {path} is larger than 64 MiB.")
        content = path.read_bytes()
    except OSError as error:
        raise CannotRun(f"The file {path} cannot be read: {error.strerror or type(error).__name__}.") from None
    checker = _Checker(_parse(content))
    lists = checker.lists()
    if checker.mistakes:
        raise WrongCatalogue(checker.mistakes)
    return msgspec.convert(lists, Catalogue)


class _JsonObject(dict[str, Any]):
    """A JSON object that remembers which of its keys occurred more than once."""

    repeated_keys: tuple[str, ...] = ()


def _json_object(pairs: list[tuple[str, Any]]) -> _JsonObject:
    value = _JsonObject(pairs)
    if len(value) != len(pairs):
        keys = [key for key, _ in pairs]
        value.repeated_keys = tuple(key for key in value if keys.count(key) > 1)
    return value


def _reject_constant(name: str) -> NoReturn:
    """Python's decoder accepts NaN and Infinity, which JSON does not have."""
    raise ValueError(f"{name} is not JSON")


def _parse(content: bytes) -> Any:
    try:
        return json.loads(content.decode("utf-8-sig"), object_pairs_hook=_json_object, parse_constant=_reject_constant)
    except UnicodeDecodeError as error:
        raise WrongCatalogue([Mistake(f"byte {error.start}", "is not UTF-8")]) from None
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise WrongCatalogue([Mistake(place, f"is not valid JSON: {error.msg}")]) from None
    except (ValueError, RecursionError):
        raise WrongCatalogue([Mistake("", "is not valid JSON")]) from None


class _Checker:
    """Checks a document in one pass, after collecting its codes so that entries may refer to later ones."""

    def __init__(self, document: Any) -> None:
        self.mistakes: list[Mistake] = []
        self._document = document
        self._codes = {each.name: set(_codes(document, each.name)) for each in LISTS}
        self._owners: dict[tuple[str, str], str] = {}

    def lists(self) -> dict[str, list[dict[str, Any]]]:
        """The entries of each list; usable only where `mistakes` stays empty."""
        if not isinstance(self._document, _JsonObject):
            self._add("", f"must be an object, not {json_type_name(self._document)}")
            return {}
        self._check_keys("", self._document, [each.name for each in LISTS])
        return {each.name: self._entries(each) for each in LISTS}

    def _add(self, place: str, reason: str) -> None:
        self.mistakes.append(Mistake(place, reason))

    def _check_keys(self, place: str, value: _JsonObject, allowed: list[str]) -> None:
        for key in value:
            if key not in allowed:
                printable = key if _PLAIN_KEY.fullmatch(key) else json.dumps(key[:40])
                self._add(_join(place, printable), f"is an unknown key; allowed are {', '.join(allowed)}")
        for key in value.repeated_keys:
            if key in allowed:
                self._add(_join(place, key), "occurs twice")

    def _entries(self, each: CatalogueList) -> list[dict[str, Any]]:
        entries = self._document.get(each.name)
        if entries is None:
            return []
        if not isinstance(entries, list):
            self._add(each.name, f"must be a list, not {json_type_name(entries)}")
            return []
        return [self._entry(f"{each.name}[{index}]", entry, each) for index, entry in enumerate(entries)]

    def _entry(self, place: str, entry: Any, parent: CatalogueList) -> dict[str, Any]:
        if not isinstance(entry, _JsonObject):
            self._add(place, f"must be an object, not {json_type_name(entry)}")
            return {}
        self._check_keys(place, entry, [field.name for field in parent.fields])
        values: dict[str, Any] = {}
        for field in parent.fields:
            if (value := entry.get(field.name)) is not None:
                values[field.name] = self._value(f"{place}.{field.name}", value, field)
            elif field.required:
                self._add(f"{place}.{field.name}", "must be given")
        self._register_code(place, entry.get(CODE), parent)
        return values

    def _value(self, place: str, value: Any, field: CatalogueField) -> Any:
        """The items of a list are checked one by one, each with a place of its own."""
        if not field.is_list:
            return self._single_value(place, value, field)
        if not isinstance(value, list):
            self._add(place, f"must be a list, not {json_type_name(value)}")
            return []
        if not value:
            self._add(place, "must not be empty")
        checked = [self._single_value(f"{place}[{index}]", item, field) for index, item in enumerate(value)]
        for index, item in enumerate(value):
            if item in value[:index]:
                self._add(f"{place}[{index}]", "occurs twice")
        return checked

    def _single_value(self, place: str, value: Any, field: CatalogueField) -> Any:
        try:
            checked = field.check(value)
        except Invalid as error:
            self._add(place, reason_of(error))
            return None
        if field.refers_to and not any(checked in self._codes[name] for name in field.refers_to):
            self._add(place, f"is no code in {' or '.join(field.refers_to)}")
        return checked

    def _register_code(self, place: str, code: Any, parent: CatalogueList) -> None:
        """A code is unique in its namespace; a user product names packages and campaigns alike."""
        if not isinstance(code, str):
            return
        owner = self._owners.setdefault((parent.namespace, code), place)
        if owner != place:
            self._add(f"{place}.code", f"is already the code of {owner}")


def _codes(document: Any, name: str) -> Iterator[str]:
    """The codes in one list of the document, whatever else is wrong with it."""
    entries = document.get(name) if isinstance(document, _JsonObject) else None
    for entry in entries if isinstance(entries, list) else ():
        if isinstance(entry, _JsonObject) and isinstance(entry.get(CODE), str):
            yield entry[CODE]


def _join(place: str, name: str) -> str:
    return f"{place}.{name}" if place else name
