"""Forms, read as leniently as clients in the field write them.

Clients paste values into the body without percent-encoding them, so only `&` and `=` separate; `+` and `%xx` decode as
forms do, and everything else is taken literally (`^`, `/`, `@`, blanks, a `%` that begins nothing).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from stamkund import problems
from stamkund.problems import Refused
from stamkund.wire.escapes import MAX_PARAMETERS, unescaped_field

FORM_TYPE = b"application/x-www-form-urlencoded"
_NO_FORM = ("{", "[", "<", "--")
"""How JSON, XML and multipart begin."""
_NAME = re.compile("[A-Za-z_]{1,64}")
MAX_FIELD_LENGTH = 8192
"""How long a field or parameter may be of which nothing else is said: longer than any address that browsers follow."""


class FormFields(dict[str, str]):
    """Names and values of a form; of a repeated name the first value. `repeated`: the names that came again."""

    def __init__(self) -> None:
        super().__init__()
        self.repeated: set[str] = set()

    def without_empty(self) -> FormFields:
        """The same without the fields that have no value."""
        if "" not in self.values():
            return self
        fields = FormFields()
        fields.update({name: value for name, value in self.items() if value})
        fields.repeated = self.repeated
        return fields


def parse_form(body: bytes) -> FormFields:
    """The fields of a form. Bytes that are not UTF-8 are read as Latin-1. Raises Refused for too many."""
    if body.count(b"&") >= MAX_PARAMETERS:
        raise Refused(problems.TOO_MANY_FIELDS)
    fields = FormFields()
    decoded = bytes.decode if b"%" not in body and b"+" not in body and body.isascii() else _decoded
    for part in body.strip(b"\r\n").split(b"&"):
        raw_name, _, value = part.partition(b"=")
        name = decoded(raw_name).strip()
        if name in fields:
            fields.repeated.add(name)
        elif raw_name:
            fields[name] = decoded(value)
    return fields


def is_form(content_type: bytes, fields: Mapping[str, str]) -> bool:
    """Whether a body was a form, whatever its content type says: some clients send another, or none."""
    for name in fields:
        if name.startswith(_NO_FORM):
            return False
    if content_type == FORM_TYPE:
        return True
    media_type = content_type.partition(b";")[0].strip().lower()
    return media_type in (b"", FORM_TYPE) or any(_NAME.fullmatch(name) and value for name, value in fields.items())


def _decoded(raw: bytes) -> str:
    value = unescaped_field(raw)
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")


def too_long(fields: Mapping[str, object], names: Iterable[str]) -> list[str]:
    """Those of the names whose fields are longer than any may be."""
    long = {name for name, value in fields.items() if isinstance(value, str) and len(value) > MAX_FIELD_LENGTH}
    return [name for name in names if name in long] if long else []
