"""Percent-encoding, as forms and queries have it."""

from __future__ import annotations

from urllib.parse import unquote_to_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stamkund import problems
from stamkund.problems import Refused
from stamkund.rules.values import NO_CONTEXT
from stamkund.wire import escapes
from stamkund.wire.escapes import MAX_PARAMETERS, unescaped, unescaped_field
from stamkund.wire.form import parse_form
from stamkund.wire.parameters import ParameterSet, parse_query


@given(st.one_of(st.binary(), st.text(alphabet="%0aF+ ").map(str.encode)))
def test_it_is_read_as_the_standard_library_reads_it(raw: bytes) -> None:
    assert unescaped(raw) == unquote_to_bytes(raw)
    assert unescaped_field(raw) == unquote_to_bytes(raw.replace(b"+", b" "))


@pytest.mark.parametrize("piece", [b"%", b"%4", b"%zz", b"%%", b"\xff%"])
def test_what_is_no_escape_costs_nothing(piece: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """The standard library raises and catches an error for each."""
    monkeypatch.setattr(escapes, "_byte", lambda _: pytest.fail("was looked up"))
    assert unescaped(piece * 20_000) == piece * 20_000


@pytest.mark.parametrize("body", [b"&", b"a=%ff&", b"a&"])
def test_a_form_has_no_end_of_fields(body: bytes) -> None:
    assert parse_form(b"a=b&" * (MAX_PARAMETERS - 1)) == {"a": "b"}
    with pytest.raises(Refused) as raised:
        parse_form(body * MAX_PARAMETERS)
    assert raised.value.problem is problems.TOO_MANY_FIELDS


def test_a_query_has_no_end_of_parameters() -> None:
    several = b"&".join(b"p%d=x" % n for n in range(MAX_PARAMETERS))
    assert len(parse_query(several)) == MAX_PARAMETERS
    more = parse_query(several + b"&a=b" * 20_000)
    assert len(more) == MAX_PARAMETERS + 1 and "a" not in more
    with pytest.raises(Refused):
        ParameterSet(()).parse(more, NO_CONTEXT)


def test_bytes_that_are_no_utf8_are_latin_1_in_a_form() -> None:
    assert parse_form(b"a=bl%E5b%e4r&b=bl\xe5b\xe4r&c=bl%C3%A5b\xc3\xa4r") == dict.fromkeys("abc", "blåbär")
