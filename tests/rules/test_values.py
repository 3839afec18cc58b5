"""Kinds of values for whatever text: each gives a value or one of its sentences. The edges are tried over HTTP."""

from __future__ import annotations

import subprocess
import sys
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stamkund.rules import values
from stamkund.rules.identifiers import external_id
from stamkund.rules.ids import is_id, new_id
from stamkund.rules.values import Context, Invalid, ValueType

CONTEXT = Context(date(2026, 1, 15))
KINDS: list[ValueType[object]] = [kind for kind in vars(values).values() if isinstance(kind, ValueType)]


def refusal(kind: ValueType[object], text: str) -> str | None:
    try:
        kind.parse(text, CONTEXT)
    except Invalid as error:
        return str(error)
    return None


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_kinds_example_is_one_of_it(kind: ValueType[object]) -> None:
    assert kind.example
    kind.parse(kind.example, Context(CONTEXT.today, checksum=True))


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
@settings(max_examples=50)
@given(text=st.text(st.characters(codec=None), max_size=80))
def test_any_text_is_a_value_or_refused_with_a_sentence(kind: ValueType[object], text: str) -> None:
    sentence = refusal(kind, text)
    if sentence is not None:
        assert sentence.startswith("Parameter must")
    else:
        assert kind.min_length <= len(text) <= (kind.long_length or kind.max_length or len(text))
        text.encode()


@pytest.mark.parametrize("kind", [k for k in KINDS if k.max_length], ids=lambda kind: kind.name)
def test_size_comes_before_everything_else(kind: ValueType[object]) -> None:
    assert kind.max_length is not None
    with pytest.raises(Invalid, match=f"at most {kind.max_length} characters"):
        kind.parse("\x00" * ((kind.long_length or kind.max_length) + 1), CONTEXT)
    if kind.min_length:
        with pytest.raises(Invalid, match=f"at least {kind.min_length} characters"):
            kind.parse("\x00" * (kind.min_length - 1), CONTEXT)


@given(
    name=st.from_regex(r"[\w+\-.]{1,20}", fullmatch=True),
    labels=st.lists(st.from_regex(r"[a-z0-9-]{1,9}", fullmatch=True), min_size=1, max_size=5),
)
def test_domains_as_the_field_has_them(name: str, labels: list[str]) -> None:
    """The documents' pattern refuses digits and hyphens after the first label; real addresses have them."""
    if name.isascii():
        assert values.EMAIL.parse(f"{name}@{'.'.join(labels)}.se", CONTEXT)


def test_a_checksum_is_only_required_where_the_organisation_requires_it() -> None:
    for text in ("620817-9257", "123499-0000"):
        assert values.PERSON_NUMBER.parse(text, CONTEXT).century is None
        with pytest.raises(Invalid, match="right check digit"):
            values.PERSON_NUMBER.parse(text, Context(CONTEXT.today, checksum=True))
        assert values.PERSON_NUMBER_KEY.parse(text, Context(CONTEXT.today, checksum=True)) == text


def test_permissions_are_each_once_in_the_order_sent() -> None:
    assert values.PERMISSIONS.parse(" B,a , b,,a", CONTEXT) == ["b", "a", ""]
    assert values.PERMISSIONS.parse("", CONTEXT) == []


@given(pairs=st.lists(st.tuples(st.text(), st.text()), min_size=2, max_size=2, unique=True))
def test_no_external_id_is_another(pairs: list[tuple[str, str]]) -> None:
    assert external_id(*pairs[0]) != external_id(*pairs[1])


def test_ids_are_unguessable_and_in_order_of_time() -> None:
    ids = [new_id(timestamp) for timestamp in (0, 1, 0x6968D6C0, 2**32 - 1)]
    assert ids == sorted(ids) and all(map(is_id, ids))
    assert len({new_id(7) for _ in range(1000)}) == 1000
    assert is_id(ids[2].upper()) and not is_id(ids[2] + "\n") and not is_id(ids[2][:-1])


def test_a_forked_process_makes_ids_of_its_own() -> None:
    """Random bytes that were read ahead are not used twice."""
    program = (
        "import os; from stamkund.rules.ids import new_id; new_id(0); child = os.fork(); "
        "os.write(1, new_id(0).encode() + b'\\n'); child and os.waitpid(child, 0)"
    )
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert len(set(done.stdout.split())) == 2
