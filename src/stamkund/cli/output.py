"""How every command prints: what is stored somewhere may hold anything, and must not steer the terminal that shows it.

A name, an address or a user agent may hold escape sequences, which move the cursor, rename the window or paste
commands; characters that turn the direction of text around; line separators, which make one line look like two. All of
them are printed as escapes here, and only here: the commands call nothing else that writes.
"""

from __future__ import annotations

import sys
from typing import Any

import msgspec


def say(line: str = "") -> None:
    """Prints one line to standard output."""
    print(one_line(line))


def say_lines(text: str) -> None:
    """Prints a text of ours that has several lines, at once."""
    for line in text.splitlines():
        say(line)
    sys.stdout.flush()


def complain(line: str) -> None:
    """Prints one line to standard error."""
    print(one_line(line), file=sys.stderr)


def say_json(value: Any) -> None:
    """Prints a value as JSON, which has an escape of its own for every character."""
    text = msgspec.json.format(msgspec.json.encode(value)).decode()
    print("".join(c if c == "\n" or c.isprintable() else _json_escape(c) for c in text))


def counted(number: int, one: str, several: str = "") -> str:
    """`1 customer`, `2 customers`. `several`: the plural, where it is not formed by an s."""
    return f"{number} {one if number == 1 else several or f'{one}s'}"


def one_line(text: str) -> str:
    """The text as one line: controls, directions, separators and what is no character become escapes (`\\x1b`)."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def _json_escape(character: str) -> str:
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{int.from_bytes(units[i : i + 2]):04x}" for i in range(0, len(units), 2))
