"""A file as numbered lines of UTF-8: any newlines, any of the usual encodings, and in bounded memory."""

from __future__ import annotations

import codecs
import re
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from stamkund.importing import encodings
from stamkund.importing.encodings import UTF8
from stamkund.importing.report import CannotRun, RowProblem
from stamkund.importing.steps import File

MAX_LINE_BYTES = 1 << 20
_TOO_LONG = "the line is longer than 1 MiB"
_BLOCK_BYTES = 1 << 18
_BOM = "\ufeff".encode()
_END_OF_FILE = b"\x1a"
"""The character by which DOS ended text files, and some programs still do."""
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


@contextmanager
def readable(path: Path) -> Iterator[File]:
    """A file that can be read several times: of what can be read only once, a pipe, a temporary copy."""
    if can_be_read_again(path):
        yield File(str(path), str(path))
        return
    with tempfile.NamedTemporaryFile() as copy:
        try:
            with path.open("rb") as pipe:
                shutil.copyfileobj(pipe, copy)
            copy.flush()
        except OSError as error:
            raise _cannot_read(error, str(path)) from None
        yield File(str(path), copy.name)


def can_be_read_again(path: Path) -> bool:
    """Whether the path is no pipe; a file or a folder, or something that can't be read at all."""
    try:
        mode = path.stat().st_mode
    except OSError:
        return True
    return stat.S_ISREG(mode) or stat.S_ISDIR(mode)


class Source:
    """An open file, to be used as a context manager. `bytes_read` counts up to its size.

    `encoding`: the name of one, or None to find out.
    """

    def __init__(self, file: File, encoding: str | None = None) -> None:
        """Opens the file and reads its first block. Raises CannotRun."""
        self.name = file.name
        self.bytes_read = 0
        self._file_struct = file
        self._path = Path(file.path)
        self._named = encoding
        self._encoding = UTF8
        self._others: str | None = encoding
        self._decoder: codecs.IncrementalDecoder | None = None
        try:
            self._file: BinaryIO = self._path.open("rb")
        except OSError as error:
            raise _cannot_read(error, self.name) from None
        try:
            self._first_block = self._start(encoding)
        except BaseException:
            self._file.close()
            raise

    def _start(self, encoding: str | None) -> bytes:
        """Reads the first block, and finds out how to decode it."""
        start = self._read()
        is_marked = start.startswith(_BOM)  # which no other encoding writes: a file of ours, among those of others
        self._encoding = encodings.marked(start) if encoding is None or is_marked else encodings.named(encoding)
        if self._encoding != UTF8:
            self._decoder = codecs.getincrementaldecoder(self._encoding)()
            self._check_all()
        return self._decoded(start).removeprefix(_BOM)

    def __enter__(self) -> Source:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def again(self) -> Source:
        """The same file, to be read once more from its beginning."""
        return Source(self._file_struct, self._named)

    @property
    def is_json_lines(self) -> bool:
        """Decided by the suffix, otherwise by the first character that is not blank."""
        suffix = Path(self.name).suffix.lower()
        if suffix in (*_JSON_SUFFIXES, ".csv"):
            return suffix != ".csv"
        return self.begins_with(b"{")

    def begins_with(self, character: bytes) -> bool:
        """Whether this is the first character that is not blank; to be asked before lines are read."""
        first = _FIRST_CHARACTER.search(self._first_block)
        return first is not None and first[0] == character

    def lines(self) -> Iterator[Line]:
        """The lines in order; can be iterated once."""
        for block in self.whole_lines():
            if isinstance(block, RowProblem):
                yield block
                continue
            pieces = block.split(b"\n")
            if not pieces[-1]:
                pieces.pop()
            for piece in pieces:
                yield RowProblem(None, _TOO_LONG) if len(piece) > MAX_LINE_BYTES else piece

    def whole_lines(self) -> Iterator[Line]:
        """Blocks of whole lines, each but the last with its newline; a line that is too long is a block by itself."""
        rest, too_long = b"", False
        for block in self._blocks():
            start = 0
            if too_long:
                start = block.find(b"\n") + 1
                if not start:
                    continue
                too_long = False
            end = block.rfind(b"\n") + 1
            if end > start:
                yield rest + block[start:end]
                rest = block[end:]
            else:
                rest += block[start:]
            if len(rest) > MAX_LINE_BYTES:
                yield RowProblem(None, _TOO_LONG)
                rest, too_long = b"", True
        if rest := rest.rstrip(_END_OF_FILE):
            yield rest

    def in_utf8(self, line: bytes) -> bytes | None:
        """A line that is not UTF-8 in UTF-8; None where the file is UTF-8 and only this line is broken.

        Raises CannotRun where it can't be known what the file is.
        """
        if self._others is None:
            with self.again() as whole:
                self._others = encodings.of_other_bytes(
                    (block for block in whole.whole_lines() if isinstance(block, bytes)), self.name
                )
        if encodings.named(self._others) == UTF8:
            return None
        try:
            return line.decode(self._others).encode()
        except UnicodeError:
            return None

    def check_encoding(self, block: bytes) -> None:
        """Finds out the file's encoding where lines are not UTF-8. Raises CannotRun where it can't be known."""
        if self._others is None and not _is_utf8(block):
            self.in_utf8(block)

    def _blocks(self) -> Iterator[bytes]:
        """Blocks in which every newline is `\\n`."""
        block, self._first_block = self._first_block, b""
        carry = b""
        while block or self._more:
            block, carry = carry + block, b""
            if block.endswith(b"\r"):  # the second half of this newline may be the first byte of the next block
                block, carry = block[:-1], b"\r"
            if b"\r" in block:
                block = block.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
            yield block
            block = self._decoded(self._read())
        if carry:
            yield b"\n"

    def _read(self) -> bytes:
        try:
            block = self._file.read(_BLOCK_BYTES)
        except OSError as error:
            raise _cannot_read(error, self.name) from None
        self.bytes_read += len(block)
        self._more = bool(block)
        return block

    def _decoded(self, block: bytes) -> bytes:
        if self._decoder is None:
            return block
        return self._decoder.decode(block, final=not block).encode()

    def _check_all(self) -> None:
        """Decodes the whole file once, so that none of it is imported where a part is not in its encoding."""
        decoder = codecs.getincrementaldecoder(self._encoding)()
        place = 0
        try:
            with self._path.open("rb") as file:
                while block := file.read(_BLOCK_BYTES):
                    decoder.decode(block)
                    place += len(block)
                decoder.decode(b"", final=True)
        except UnicodeError:
            raise CannotRun(
                f"The file {self.name} is not {self._encoding}, as it seemed, after byte {place}. Name its encoding "
                "with --encoding, or save it as UTF-8."
            ) from None
        except OSError as error:
            raise _cannot_read(error, self.name) from None


def _is_utf8(block: bytes) -> bool:
    if block.isascii():
        return True
    try:
        block.decode()
    except UnicodeDecodeError:
        return False
    return True


def _cannot_read(error: OSError, name: str) -> CannotRun:
    return CannotRun(f"The file {name} cannot be read: {error.strerror or type(error).__name__}.")
