"""Parameters of a call, from a query string or a JSON body. Nothing that was not declared is let through."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, NoReturn, TypeVar, cast

from stamkund import problems
from stamkund.problems import Refused
from stamkund.rules.values import Context, Invalid, ValueType
from stamkund.wire.escapes import MAX_PARAMETERS, unescaped_field

T = TypeVar("T")


@dataclass(frozen=True)
class Parameter(Generic[T]):
    """One documented parameter. `note` is for the reference; parameters are checked in the order of the document."""

    name: str
    type: ValueType[T]
    note: str
    required: bool = False


class ParsedParameters:
    """The parameters of a request, parsed, by their declarations."""

    __slots__ = ("_values",)

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values

    def __len__(self) -> int:
        return len(self._values)

    def __getitem__(self, parameter: Parameter[T]) -> T:
        """The value of a required parameter."""
        return cast(T, self._values[parameter.name])

    def get(self, parameter: Parameter[T]) -> T | None:
        return cast("T | None", self._values.get(parameter.name))

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
    """The parameters that a call declares, in the order of its document."""

    def __init__(self, parameters: Sequence[Parameter[Any]], *, json: bool = False) -> None:
        """`json`: the values come in a JSON body, where a boolean is a boolean and not a text."""
        self.parameters = tuple(parameters)
        self._parse_value: Callable[[Parameter[Any], Any, Context], Any] = _json_value if json else _query_value
        self._names = frozenset(p.name for p in parameters)
        self._by_name = {p.name: p for p in parameters}
        self._any_required = any(p.required for p in parameters)

    def parse(self, sent: Mapping[str, Any], context: Context) -> ParsedParameters:
        """The parsed values of what was sent; None counts as absent. Raises Refused for the first that is wrong."""
        if not self._names.issuperset(sent):
            raise Refused(problems.unknown_parameters(name for name in sent if name not in self._names))
        if None in sent.values():
            sent = {name: value for name, value in sent.items() if value is not None}
        if len(sent) == 1 and not self._any_required:
            ((name, value),) = sent.items()
            return ParsedParameters({name: self._parse_value(self._by_name[name], value, context)})
        values: dict[str, Any] = {}
        for parameter in self.parameters:
            if parameter.name in sent:
                values[parameter.name] = self._parse_value(parameter, sent[parameter.name], context)
            elif parameter.required:
                raise Refused(problems.required(parameter.name))
        return ParsedParameters(values)


def _json_value(parameter: Parameter[Any], sent: Any, context: Context) -> Any:
    if parameter.type.json_type != "boolean":
        return _value(parameter, parameter.type.parse, sent, context)
    if not isinstance(sent, bool):
        raise Refused(problems.invalid(parameter.name, "Parameter must be a boolean"))
    return _value(parameter, parameter.type.parse, "true" if sent else "false", context)


def _query_value(parameter: Parameter[Any], sent: Any, context: Context) -> Any:
    return _value(parameter, parameter.type.parse_in_query, sent, context)


def _value(parameter: Parameter[Any], parse: Callable[[str, Context], Any], sent: Any, context: Context) -> Any:
    if not isinstance(sent, str):
        sentence = sent.sentence if isinstance(sent, Unreadable) else _NOT_A_STRING.sentence
        raise Refused(problems.invalid(parameter.name, sentence))
    try:
        return parse(sent, context)
    except Invalid as error:
        raise Refused(problems.invalid(parameter.name, str(error))) from None
