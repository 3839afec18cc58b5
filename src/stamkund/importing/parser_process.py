"""The process beside an import: reads and checks the files, and writes the steps to its standard output.

It gets its job by its standard input, ends when nobody reads its steps any more, and leaves Ctrl-C to the import.
"""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress
from pathlib import Path

import msgspec

from stamkund.importing.messages import LENGTH_BYTES, End, Message, Start, encode, packed
from stamkund.importing.parser import parsed_steps
from stamkund.importing.report import CannotRun
from stamkund.store import Documents
from stamkund.vault import KeyFileError, Vault


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    output = os.dup(1)
    os.dup2(2, 1)  # whatever is printed by mistake is no message
    with suppress(BrokenPipeError):  # the import has ended
        _send(End(_sentence_after(sys.stdin.buffer.read(), output)), output)


def _sentence_after(start: bytes, output: int) -> str | None:
    """Sends all steps. The sentence says why the files could not be read to their end; None where they could.

    The message of an error that nobody foresaw may quote a row, so only its kind is reported.
    """
    try:
        _send_steps(msgspec.msgpack.decode(start, type=Start), output)
    except (CannotRun, KeyFileError) as error:
        return str(error)
    except BrokenPipeError:
        raise
    except Exception as error:
        return f"The process that reads the files failed: {type(error).__name__}. This is a fault of Stamkund's."
    return None


def _send_steps(start: Start, output: int) -> None:
    documents = Documents(Vault(Path(os.fsdecode(start.key_file))))
    for step in parsed_steps(start.job):
        _send(packed(step, start.job, documents), output)


def _send(message: Message, output: int) -> None:
    content = encode(message)
    for part in (len(content).to_bytes(LENGTH_BYTES, "big"), content):
        rest = memoryview(part)
        while rest:
            rest = rest[os.write(output, rest) :]


if __name__ == "__main__":
    main()
