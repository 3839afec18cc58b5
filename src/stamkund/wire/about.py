"""What the reference says about a call beside what dispatch needs to know: titles, examples, fields of forms."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from stamkund.wire.response import JSON, Header


@dataclass(frozen=True)
class Example:
    """An example: the query or body of a request, and the name of the file with the JSON of its response.

    The file is `examples/<response>.json` in the folder of the handler.
    """

    query: str = ""
    body: str = ""
    response: str = ""


@dataclass(frozen=True)
class FormField:
    """A field of a form, or of a query that the handler reads itself."""

    name: str
    note: str
    required: bool = False
    example: str = ""


@dataclass(frozen=True)
class FormVariant:
    """One way to fill in a form, such as one grant of the token endpoint; `title` is the grant, else empty."""

    title: str
    note: str
    fields: tuple[FormField, ...]


@dataclass(frozen=True)
class CustomError:
    """An error whose body is not the API's: OAuth has its own."""

    status: int
    body: msgspec.Struct
    headers: tuple[Header, ...] = ()


@dataclass(frozen=True)
class OtherResponse:
    """A response that is neither the success of the declaration nor a refusal: a redirect, or a page shown again."""

    status: int
    note: str


@dataclass(frozen=True, kw_only=True)
class About:
    """What the reference needs to know about a call.

    - `source`: the document that the behaviour comes from.
    - `response`, `media`: the struct that is returned, None for what is no JSON, and its media type, or `NO_BODY`.
    - `forms`, `query_fields`: what the handler reads itself, where no parameters are declared.
    - `other_responses`: those that the handler makes itself; with another status than the success, or the refusals.
    """

    title: str
    group: str
    source: str
    response: type | None = None
    media: str = JSON
    example: Example = Example()
    forms: tuple[FormVariant, ...] = ()
    query_fields: tuple[FormField, ...] = ()
    custom_errors: tuple[CustomError, ...] = ()
    other_responses: tuple[OtherResponse, ...] = ()
