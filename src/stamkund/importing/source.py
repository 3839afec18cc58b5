"""A file as numbered lines: any newlines, a byte order mark or none, and bounded memory whatever the file holds."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from stamkund.importing.report import Bad, CannotRun

LONGEST_LINE = 1 << 20
TOO_LONG = "the line is longer than 1 MiB"
_BLOCK = 1 << 18
_BOM = b"\xef\xbb\xbf"
_JSON_SUFFIXES = (".jsonl", ".ndjson", ".json")
_FIRST_CHARACTER = re.compile(rb"\S")

Line = bytes | Bad
"""A line without its newline, or why there is none."""


def total_bytes(path: Path, subscriptions: Path | None) -> int:
    """How much there is to read; what `progress` is told counts up to it. Raises CannotRun."""
    try:
        return sum(file.stat().st_size for file in (path, subscriptions) if file is not None)
    except OSError as error:
        raise _cannot_read(error, str(error.filename)) from None


class Source:
    """An open file. Use it as a context manager; `done` counts the bytes read so far."""

    def __init__(self, path: Path) -> None:
        """Opens the file and reads its beginning. Raises CannotRun."""
        self.path = path
        self.name = str(path)
        self.done = 0
        try:
            self._file: BinaryIO = path.open("rb")
        except OSError as error:
            raise _cannot_read(error, self.name) from None
        self._first = self._read().removeprefix(_BOM)

    def __enter__(self) -> Source:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    @property
    def is_json_lines(self) -> bool:
        """By the suffix, else by the first character that is not blank."""
        suffix = self.path.suffix.lower()
        if suffix in (*_JSON_SUFFIXES, ".csv"):
            return suffix != ".csv"
        first = _FIRST_CHARACTER.search(self._first)
        return first is not None and first[0] == b"{"

    def lines(self) -> Iterator[Line]:
        """The lines in their order; may be asked for once."""
        rest, too_long = b"", False
        for block in self._blocks():
            pieces = block.split(b"\n")
            pieces[0] = rest + pieces[0]
            rest = pieces.pop()
            for piece in pieces:
                yield Bad(None, TOO_LONG) if too_long or len(piece) > LONGEST_LINE else piece
                too_long = False
            if too_long or len(rest) > LONGEST_LINE:
                rest, too_long = b"", True
        if too_long:
            yield Bad(None, TOO_LONG)
        elif rest:
            yield rest

    def _blocks(self) -> Iterator[bytes]:
        """Blocks in which every newline is `\\n`."""
        block, self._first = self._first, b""
        held = b""
        while block:
            block, held = held + block, b""
            if block.endswith(b"\r"):  # the second half of this newline may be the first byte of the next block
                block, held = block[:-1], b"\r"
            if b"\r" in block:
                block = block.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
            yield block
            block = self._read()

    def _read(self) -> bytes:
        try:
            block = self._file.read(_BLOCK)
        except OSError as error:
            raise _cannot_read(error, self.name) from None
        self.done += len(block)
        return block


def _cannot_read(error: OSError, name: str) -> CannotRun:
    return CannotRun(f"The file {name} cannot be read: {error.strerror or type(error).__name__}.")
