"""Which customers have rows in several places of a file, found out before the first row is imported.

The rows of one customer add up, so all of them must be known before the first is stored. In a file that is sorted by
customer number they stand together, and the survey only sees that it is sorted. For any other file it writes a hash of
each number to a temporary database and has that look for those that occur again: in memory, the numbers of a large file
would be many.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import groupby

from stamkund.importing.spool import TemporaryDatabase, cannot_run, temporary_database

Numbers = list[bytes | None]
"""Customer numbers of neighbouring rows, in their order; None for a row of nobody knows whom."""

_SCHEMA = "CREATE TABLE runs (hash INTEGER)"
_ADD = "INSERT INTO runs VALUES (?)"
_SCATTERED = (
    "CREATE TABLE scattered (hash INTEGER PRIMARY KEY);"
    "INSERT INTO scattered SELECT hash FROM runs GROUP BY hash HAVING count(*) > 1;"
    "DROP TABLE runs;"
)
_IS_SCATTERED = "SELECT 1 FROM scattered WHERE hash = ?"
_BATCH = 10_000


class Survey:
    """What the numbers of a file say. `repeats`: a customer has several rows. `unknown`: rows of nobody knows whom."""

    def __init__(self, *, repeats: bool = False, unknown: int = 0, database: TemporaryDatabase | None = None) -> None:
        self.repeats = repeats
        self.unknown = unknown
        self._database = database

    def is_scattered(self, number: str) -> bool:
        """Whether the customer has rows in several places. May be wrong about one that has not."""
        if self._database is None:
            return False
        with cannot_run():
            return bool(self._database.execute(_IS_SCATTERED, (hash(number.encode()),)).fetchall())


@contextmanager
def surveyed(number_blocks: Callable[[], Iterable[Numbers]]) -> Iterator[Survey]:
    """The survey of a file, whose numbers may have to be read twice. Raises CannotRun."""
    order = _Order()
    if all(order.goes_on(numbers) for numbers in number_blocks()):
        yield Survey(repeats=order.repeats, unknown=order.unknown)
        return
    database = temporary_database(_SCHEMA)
    try:
        yield _indexed(number_blocks(), database)
    finally:
        database.close()


class _Order:
    """Whether numbers are sorted: as texts, or as whole numbers, which have no zeros before them."""

    def __init__(self) -> None:
        self.repeats = False
        self.unknown = 0
        self._as_texts = self._as_numbers = True
        self._last = b""

    def goes_on(self, numbers: Numbers) -> bool:
        """Whether they are sorted up to the last of these."""
        texts: list[bytes] = [number for number in numbers if number is not None]
        self.unknown += len(numbers) - len(texts)
        if not texts:
            return True
        if self._as_texts and not (self._last <= texts[0] and texts == sorted(texts)):
            self._as_texts = False
        if self._as_numbers and not self._are_numbers_in_order(texts):
            self._as_numbers = False
        self.repeats = self.repeats or texts[0] == self._last or len(set(texts)) < len(texts)
        self._last = texts[-1]
        return self._as_texts or self._as_numbers

    def _are_numbers_in_order(self, texts: list[bytes]) -> bool:
        keys = [(len(number), number) for number in texts]
        return (len(self._last), self._last) <= keys[0] and keys == sorted(keys)


def _indexed(blocks: Iterable[Numbers], database: TemporaryDatabase) -> Survey:
    survey = Survey(database=database)
    pending: list[tuple[int]] = []
    last: bytes | None = None
    with cannot_run():
        for numbers in blocks:
            for number, run in groupby(numbers):
                count = sum(1 for _ in run)
                if number is None:
                    survey.unknown += count
                    continue
                survey.repeats = survey.repeats or count > 1 or number == last
                if number != last:
                    pending.append((hash(number),))
                last = number
            if len(pending) >= _BATCH:
                _insert(database, pending)
        _insert(database, pending)
        database.executescript(_SCATTERED)
        ((scattered,),) = database.execute("SELECT count(*) FROM scattered").fetchall()
    survey.repeats = survey.repeats or scattered > 0
    return survey


def _insert(database: TemporaryDatabase, rows: list[tuple[int]]) -> None:
    database.execute("BEGIN")
    database.executemany(_ADD, rows)
    database.execute("COMMIT")
    rows.clear()
