"""A file as numbered lines: any newlines, with or without a byte order mark, and in bounded memory."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from stamkund.importing.report import CannotRun, RowProblem
from stamkund.importing.steps import File

MAX_LINE_BYTES = 1 << 20
_TOO_LONG = "the line is longer than 1 MiB"
_BLOCK_BYTES = 1 << 18
_BOM = b"\xef\xbb\xbf"
_JSON_SUFFIXES = (".jsonl", ".ndjson", ".json")
_FIRST_CHARACTER = re.compile(rb"\S")

Line = bytes | RowProblem
"""A line without its newline, or why it can't be read."""


def total_bytes(path: Path, subscriptions: Path | None) -> int:
    """The size of the files together, up to which `progress` counts. Raises CannotRun."""
    try:
        return sum(file.stat().st_size for file in (path, subscriptions) if file is not None)
    except OSError as error:
        raise _cannot_read(error, str(error.filename)) from None


class Source:
    """An open file, to be used as a context manager. `bytes_read` counts up to its size."""

    def __init__(self, file: File) -> None:
        """Opens the file and reads its first block. Raises CannotRun."""
        self.name = file.name
        self.bytes_read = 0
        path = Path(file.path)
        try:
            self._file: BinaryIO = path.open("rb")
        except OSError as error:
            raise _cannot_read(error, self.name) from None
        self._first_block = self._read().removeprefix(_BOM)

    def __enter__(self) -> Source:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    @property
    def is_json_lines(self) -> bool:
        """Decided by the suffix, otherwise by the first character that is not blank."""
        suffix = Path(self.name).suffix.lower()
        if suffix in (*_JSON_SUFFIXES, ".csv"):
            return suffix != ".csv"
        first = _FIRST_CHARACTER.search(self._first_block)
        return first is not None and first[0] == b"{"

    def lines(self) -> Iterator[Line]:
        """The lines in order; can be iterated once."""
        rest, too_long = b"", False
        for block in self._blocks():
            pieces = block.split(b"\n")
            pieces[0] = rest + pieces[0]
            rest = pieces.pop()
            for piece in pieces:
                yield RowProblem(None, _TOO_LONG) if too_long or len(piece) > MAX_LINE_BYTES else piece
                too_long = False
            if too_long or len(rest) > MAX_LINE_BYTES:
                rest, too_long = b"", True
        if too_long:
            yield RowProblem(None, _TOO_LONG)
        elif rest:
            yield rest

    def _blocks(self) -> Iterator[bytes]:
        """Blocks in which every newline is `\\n`."""
        block, self._first_block = self._first_block, b""
        carry = b""
        while block:
            block, carry = carry + block, b""
            if block.endswith(b"\r"):  # the second half of this newline may be the first byte of the next block
                block, carry = block[:-1], b"\r"
            if b"\r" in block:
                block = block.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
            yield block
            block = self._read()

    def _read(self) -> bytes:
        try:
            block = self._file.read(_BLOCK_BYTES)
        except OSError as error:
            raise _cannot_read(error, self.name) from None
        self.bytes_read += len(block)
        return block


def _cannot_read(error: OSError, name: str) -> CannotRun:
    return CannotRun(f"The file {name} cannot be read: {error.strerror or type(error).__name__}.")
