"""Parameters of a call, from a query string or a JSON body. Nothing that was not declared is let through."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, NoReturn, TypeVar, cast

from stamkund import problems
from stamkund.problems import Problem, Refused
from stamkund.rules.values import Context, Invalid, ValueType
from stamkund.wire.escapes import MAX_PARAMETERS, unescaped_field

T = TypeVar("T")


class StructuredType(ABC, Generic[T]):
    """The type of a parameter whose value is an object or an array of a JSON body. See `structures.py`.

    A path names a value within the body: `address.zip_code`, `tags.2`.
    """

    json_type: ClassVar[str]
    example: Any

    @abstractmethod
    def parse(self, sent: Any, path: str, context: Context) -> T:
        """The value that was sent at `path`. Raises Refused for the first that is wrong."""

    def unknown(self, sent: Any, path: str) -> Iterator[str]:
        """The paths of members that no declaration names, in the order sent. What is wrong otherwise is left alone."""
        return iter(())


@dataclass(frozen=True)
class Parameter(Generic[T]):
    """One documented parameter. `note` is for the reference; parameters are checked in the order of the document.

    - `required_unless`: another parameter of the same set, without which this one is required.
    - `unset`: whether `__UNSET__` empties it, or is refused; None where that is a text like any other.
    - `collects`: where the value is false, wrong values of parameters that are not required are collected, and what is
      right is used (`ParsedParameters.errors`).
    """

    name: str
    type: ValueType[T] | StructuredType[T]
    note: str
    required: bool = False
    required_unless: str | None = None
    unset: bool | None = None
    collects: bool = False

    def is_missing(self, sent: Mapping[str, Any]) -> bool:
        """Whether it is required and was not sent."""
        if self.required_unless is not None:
            return self.name not in sent and self.required_unless not in sent
        return self.required and self.name not in sent


UNSET = "__UNSET__"
"""Sent as a value to empty a parameter, and its parsed value then."""


class ParsedParameters:
    """The parameters of a request, parsed, by their declarations.

    `errors`: why some that were sent are missing here; None where the first of those would have refused the request.
    """

    __slots__ = ("_values", "errors")

    def __init__(self, values: Mapping[str, Any], errors: list[Problem] | None = None) -> None:
        self._values = values
        self.errors = errors

    def __len__(self) -> int:
        return len(self._values)

    def __getitem__(self, parameter: Parameter[T]) -> T:
        """The value of a required parameter."""
        return cast(T, self._values[parameter.name])

    def get(self, parameter: Parameter[T]) -> T | None:
        """The value of a parameter; None where it is absent, or emptied."""
        value = self._values.get(parameter.name)
        return None if value is UNSET else cast("T | None", value)

    def __contains__(self, parameter: Parameter[Any]) -> bool:
        return parameter.name in self._values

    def names(self) -> Iterable[str]:
        return self._values.keys()


NO_PARAMETERS = ParsedParameters({})


class Unreadable:
    """A value that could not be read as text at all; the sentence says why."""

    def __init__(self, sentence: str) -> None:
        self.sentence = sentence


_NOT_UTF8 = Unreadable("Parameter must be percent-encoded UTF-8")
_NOT_A_STRING = Unreadable("Parameter must be a string")
_REPEATED = Unreadable("Parameter must be given once")
_TOO_MANY = Unreadable(f"There must be at most {MAX_PARAMETERS} parameters")
_MORE = "…"
"""The name of what comes after as many parameters as may be; it is none that a call has."""


def parse_query(raw: bytes) -> dict[str, Any]:
    """A query string as names and texts, in the order sent. What can't be read becomes a value that is refused.

    So does all that comes after the first `MAX_PARAMETERS`.
    """
    values: dict[str, Any] = {}
    if not raw:
        return values
    if b"&" not in raw:
        raw_name, _, raw_value = raw.partition(b"=")
        values[_name(raw_name)] = _text(raw_value)
        return values
    for place, part in enumerate(raw.split(b"&", MAX_PARAMETERS)):
        if place == MAX_PARAMETERS:
            values[_MORE] = _TOO_MANY
            break
        if not part:
            continue
        raw_name, _, raw_value = part.partition(b"=")
        name = _name(raw_name)
        values[name] = _REPEATED if name in values else _text(raw_value)
    return values


def _text(raw: bytes) -> Any:
    if b"%" not in raw and b"+" not in raw:
        try:
            return raw.decode()
        except UnicodeDecodeError:
            return _NOT_UTF8
    try:
        return unescaped_field(raw).decode()
    except UnicodeDecodeError:
        return _NOT_UTF8


def _name(raw: bytes) -> str:
    if b"%" not in raw and b"+" not in raw:
        return raw.decode(errors="replace")
    return unescaped_field(raw).decode(errors="replace")


def parse_json_object(body: bytes) -> dict[str, Any]:
    """A JSON object as names and values. Raises Refused for anything else.

    A byte order mark before it is skipped, as RFC 8259 (8.1) lets a parser do: some clients write one.
    """
    try:
        text = body.removeprefix(_BYTE_ORDER_MARK).decode().strip(_JSON_BLANKS)
        value, end = _read_json(text, 0)
    except (ValueError, RecursionError, StopIteration):  # StopIteration: nothing at all that is JSON
        raise Refused(problems.INVALID_JSON) from None
    if end != len(text) or not isinstance(value, dict):
        raise Refused(problems.INVALID_JSON)
    if "".join(value).isascii():
        return value
    return {_printable(name): v for name, v in value.items()}


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) != len(pairs):
        raise ValueError("duplicate key")
    return values


def _no_constant(_: str) -> NoReturn:
    raise ValueError("NaN and Infinity are not JSON")


_JSON_BLANKS = " \t\n\r"
_BYTE_ORDER_MARK = "\ufeff".encode()
# The standard library's own scanner; `decode` around it looks for blanks with two regular expressions.
_scanner: Any = json.JSONDecoder(object_pairs_hook=_without_duplicates, parse_constant=_no_constant)
_read_json = _scanner.scan_once


def _printable(name: str) -> str:
    """Half a surrogate pair can't be encoded again in an error message."""
    return name.encode(errors="replace").decode()


class ParameterSet:
    """The parameters that a call declares, in the order of its document, or the members of an object."""

    def __init__(self, parameters: Sequence[Parameter[Any]], *, json: bool = False) -> None:
        """`json`: the values come in a JSON body, where a boolean is a boolean and not a text."""
        self.parameters = tuple(parameters)
        self._parse_value: Callable[[Parameter[Any], Any, Context], Any] = _json_value if json else _query_value
        self._names = frozenset(p.name for p in parameters)
        self._by_name = {p.name: p for p in parameters}
        self._any_required = any(p.required or p.required_unless is not None for p in parameters)
        self._any_structured = any(isinstance(p.type, StructuredType) for p in parameters)
        self._collecting = next((p.name for p in parameters if p.collects), None)

    def parse(self, sent: Mapping[str, Any], context: Context) -> ParsedParameters:
        """The parsed values of what was sent; None counts as absent. Raises Refused for the first that is wrong."""
        if self._any_structured or not self._names.issuperset(sent):
            self._refuse_unknown(sent)
        if None in sent.values():
            sent = {name: value for name, value in sent.items() if value is not None}
        if len(sent) == 1 and not self._any_required:
            ((name, value),) = sent.items()
            return ParsedParameters({name: self._parse_value(self._by_name[name], value, context)})
        if self._collecting is not None and sent.get(self._collecting) is False:
            return self._collected(sent, context)
        values: dict[str, Any] = {}
        for parameter in self.parameters:
            if parameter.name in sent:
                values[parameter.name] = self._parse_value(parameter, sent[parameter.name], context)
            elif parameter.is_missing(sent):
                raise Refused(problems.required(parameter.name))
        return ParsedParameters(values)

    def parse_members(self, sent: Mapping[str, Any], prefix: str, context: Context) -> ParsedParameters:
        """The same for an object within a body whose unknown members were refused before; `prefix` is its path."""
        sent = {name: value for name, value in sent.items() if value is not None}
        values: dict[str, Any] = {}
        for parameter in self.parameters:
            if parameter.name in sent:
                values[parameter.name] = _json_value(parameter, sent[parameter.name], context, prefix)
            elif parameter.is_missing(sent):
                raise Refused(problems.required(f"{prefix}{parameter.name}"))
        return ParsedParameters(values)

    def unknown(self, sent: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
        """The paths of all that no declaration names, in the order sent."""
        for name, value in sent.items():
            parameter = self._by_name.get(name)
            if parameter is None:
                yield f"{prefix}{_printable(name)}"
            elif isinstance(parameter.type, StructuredType):
                yield from parameter.type.unknown(value, f"{prefix}{name}")

    def _refuse_unknown(self, sent: Mapping[str, Any]) -> None:
        if unknown := list(self.unknown(sent)):
            raise Refused(problems.unknown_parameters(unknown))

    def _collected(self, sent: Mapping[str, Any], context: Context) -> ParsedParameters:
        """What is right of what was sent. A required parameter must be right in any case."""
        values: dict[str, Any] = {}
        errors: list[Problem] = []
        for parameter in self.parameters:
            if parameter.name not in sent:
                if parameter.is_missing(sent):
                    raise Refused(problems.required(parameter.name))
                continue
            try:
                values[parameter.name] = self._parse_value(parameter, sent[parameter.name], context)
            except Refused as error:
                if parameter.required:
                    raise
                errors.append(error.problem)
        return ParsedParameters(values, errors)


def json_text(sent: Any, value_type: ValueType[T], path: str, context: Context) -> T:
    """The value of a string, or of a boolean where the type is one. Raises Refused."""
    if value_type.json_type == "boolean":
        if not isinstance(sent, bool):
            raise Refused(problems.invalid(path, "Parameter must be a boolean"))
        sent = "true" if sent else "false"
    return cast(T, _value(path, value_type.parse, sent, context))


def _json_value(parameter: Parameter[Any], sent: Any, context: Context, prefix: str = "") -> Any:
    path = f"{prefix}{parameter.name}"
    if sent == UNSET and parameter.unset is not None:
        if not parameter.unset:
            raise Refused(problems.unset_not_supported(path))
        return UNSET
    if isinstance(parameter.type, StructuredType):
        return parameter.type.parse(sent, path, context)
    return json_text(sent, parameter.type, path, context)


def _query_value(parameter: Parameter[Any], sent: Any, context: Context) -> Any:
    assert isinstance(parameter.type, ValueType), "a query has no objects and arrays"
    return _value(parameter.name, parameter.type.parse_in_query, sent, context)


def _value(path: str, parse: Callable[[str, Context], Any], sent: Any, context: Context) -> Any:
    if not isinstance(sent, str):
        sentence = sent.sentence if isinstance(sent, Unreadable) else _NOT_A_STRING.sentence
        raise Refused(problems.invalid(path, sentence))
    try:
        return parse(sent, context)
    except Invalid as error:
        raise Refused(problems.invalid(path, str(error))) from None
