"""The reference in Markdown (`docs/api.md`), and the table of settings, both made from what is declared."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from stamkund import settings
from stamkund.reference.conventions import CONVENTIONS
from stamkund.reference.described import Described, Table, by_group
from stamkund.wire.endpoint import Endpoint

MADE = "<!-- Made by `stamkund docs` from the declarations in src/stamkund/endpoints: change it there. -->"


def api(endpoints: Sequence[Endpoint]) -> str:
    """`docs/api.md`."""
    return "\n\n".join(_document(by_group(endpoints))) + "\n"


def _document(groups: dict[str, list[Described]]) -> Iterator[str]:
    yield "# API reference"
    yield MADE
    yield (
        "Every call that Stamkund answers. A running server shows the same at `/docs`, and as OpenAPI 3.1 at "
        "`/openapi.json`. What is not answered yet is in [coverage.md](coverage.md)."
    )
    yield "\n".join(f"- {group}: {', '.join(_link(call) for call in calls)}" for group, calls in groups.items())
    for title, paragraphs in CONVENTIONS:
        yield f"## {title}"
        yield from paragraphs
    for group, calls in groups.items():
        yield f"## Calls: {group}"
        for call in calls:
            yield from _call(call)


def _link(call: Described) -> str:
    return f"[{call.title}](#{call.anchor})"


def _call(call: Described) -> Iterator[str]:
    yield f"### {call.title}"
    yield _code("http", "\n".join(call.routes))
    yield from call.paragraphs
    yield "\n".join(f"- {name}: {value}" for name, value in call.access)
    for one in call.tables:
        yield from _parameters(one)
    yield _code("sh", call.curl)
    if call.answer:
        yield f"Answers {call.status}:"
        yield _code("json", call.answer)
    else:
        yield f"Answers {call.status}."
    yield "Errors:"
    yield table(
        ("Status", "Code", "Field", "Message"),
        ((str(f.status), code(f.code), code(f.field), code(f.message)) for f in call.failures),
    )


def _parameters(one: Table) -> Iterator[str]:
    yield f"{one.title}{': ' + one.note if one.note else ':'}"
    yield table(
        ("Name", "Required", "Allowed values", "Size", "Description"),
        ((code(f.name), "yes" if f.required else "no", code(f.allowed), f.size, prose(f.note)) for f in one.fields),
    )


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table; cells are Markdown already."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def code(text: str) -> str:
    """Code in a cell of a table."""
    return f"`{prose(text)}`" if text else ""


def prose(text: str) -> str:
    """A sentence in a cell of a table; it may hold code in backticks."""
    return text.replace("|", r"\|")


def _code(language: str, text: str) -> str:
    return f"```{language}\n{text}\n```"


def settings_table() -> str:
    """Every setting with its default and its sentence."""
    rows = ((code(name), code(default), prose(sentence)) for name, default, sentence in settings.described())
    return table(("Variable", "Default", "Meaning"), rows)
