"""Query strings and JSON bodies as names and values."""

from __future__ import annotations

from typing import Any

import pytest

from stamkund import problems
from stamkund.problems import Refused
from stamkund.rules.values import NO_CONTEXT, TEXT
from stamkund.wire.parameters import Parameter, ParameterSet, parse_json_object, parse_query

NO_JSON_OBJECT = {
    "empty": b"",
    "blank": b"  ",
    "broken": b'{"email": ',
    "trailing": b"{} {}",
    "comma": b'{"email": "a@example.com",}',
    "single quotes": b"{'email': 'a@example.com'}",
    "array": b"[]",
    "array of objects": b"[{}]",
    "string": b'"text"',
    "number": b"1",
    "true": b"true",
    "null": b"null",
    "duplicate key": b'{"email": "a@example.com", "email": "a@example.com"}',
    "duplicate unknown key": b'{"x": 1, "x": 2}',
    "duplicate key, one null": b'{"email": null, "email": "a@example.com"}',
    "duplicate key, one escaped": b'{"email": "a@example.com", "\\u0065mail": "a@example.com"}',
    "duplicate key within": b'{"email": {"a": 1, "a": 2}}',
    "deep arrays": b"[" * 30_000,
    "deep objects": b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
    "deep arrays that end": b'{"a":' + b"[" * 30_000 + b"]" * 30_000 + b"}",
    "NaN": b'{"email": NaN}',
    "Infinity": b'{"email": -Infinity}',
    "two byte order marks": b'\xef\xbb\xbf\xef\xbb\xbf{"email": "a@example.com"}',
    "byte order mark alone": b"\xef\xbb\xbf",
    "byte order mark after a blank": b' \xef\xbb\xbf{"email": "a@example.com"}',
    "UTF-16": '{"email": "a@example.com"}'.encode("utf-16"),
    "invalid UTF-8": b'{"email": "\xff"}',
    "overlong UTF-8": b'{"email": "\xc0\xaf"}',
    "surrogate in UTF-8": b'{"email": "\xed\xa0\x80"}',
    "raw control character": b'{"email": "a\x00b"}',
    "bad escape": b'{"email": "\\x41"}',
    "comment": b'{/* */"email": "a@example.com"}',
    "number of 5000 digits": b'{"email": ' + b"1" * 5000 + b"}",
    "form": b"email=a%40example.com",
}

NAMES = ParameterSet([Parameter("a", TEXT, "A text."), Parameter("b", TEXT, "Another.")])


@pytest.mark.parametrize("what", NO_JSON_OBJECT)
def test_a_body_that_is_no_json_object(what: str) -> None:
    with pytest.raises(Refused) as caught:
        parse_json_object(NO_JSON_OBJECT[what])
    assert caught.value.problem == problems.INVALID_JSON


@pytest.mark.parametrize(
    ("body", "values"),
    [
        (b"{}", {}),
        (b' {"a": 1, "b": [true]}\n', {"a": 1, "b": [True]}),
        (b'{"a": null, "b": ""}', {"a": None, "b": ""}),
        (b'\xef\xbb\xbf {"a": 1}', {"a": 1}),
        (b'{"\\u00e5": "\xc3\xa5"}', {"å": "å"}),
        (b'{"\\ud800": 1}', {"?": 1}),
    ],
)
def test_a_json_object(body: bytes, values: dict[str, Any]) -> None:
    assert parse_json_object(body) == values


@pytest.mark.parametrize(
    ("sent", "values"),
    [
        (b"", {}),
        (b"a=1&b=2", {"a": "1", "b": "2"}),
        (b"a=1=2", {"a": "1=2"}),
        (b"&a=1&&", {"a": "1"}),
        (b"a", {"a": ""}),
        (b"a=b+c%20d%2b", {"a": "b c d+"}),
        (b"a=%C3%A5", {"a": "å"}),
        (b"a=\xc3\xa5", {"a": "å"}),
        (b"a=%", {"a": "%"}),
        (b"%61=1", {"a": "1"}),
    ],
)
def test_a_query_string(sent: bytes, values: dict[str, str]) -> None:
    assert parse_query(sent) == values
    parsed = NAMES.parse(parse_query(sent), NO_CONTEXT)
    assert {p.name: parsed.get(p) for p in NAMES.parameters} == {"a": None, "b": None, **values}


@pytest.mark.parametrize(
    ("sent", "sentence"),
    [
        (b"a=1&a=1", "Parameter must be given once"),
        (b"a=1&%61=2", "Parameter must be given once"),
        (b"a=%ff", "Parameter must be percent-encoded UTF-8"),
        (b"a=\xff", "Parameter must be percent-encoded UTF-8"),
        (b"a=%ed%a0%80", "Parameter must be percent-encoded UTF-8"),
    ],
)
def test_a_query_string_that_can_not_be_read(sent: bytes, sentence: str) -> None:
    with pytest.raises(Refused) as caught:
        NAMES.parse(parse_query(sent), NO_CONTEXT)
    assert caught.value.problem == problems.invalid("a", sentence)
