"""Memory stays flat, however many rows there are: only the present batch is in memory."""

from __future__ import annotations

import json
import tracemalloc
from pathlib import Path

import pytest

from tests.importing.conftest import Publisher

pytestmark = pytest.mark.both_engines


def write(folder: Path, count: int) -> tuple[Path, Path]:
    customers, lines = folder / f"{count}.jsonl", folder / f"{count}.csv"
    with customers.open("w") as file:
        for n in range(count):
            file.write(
                json.dumps({"customer_number": str(n), "first_name": f"Ove {n}", "identity_mapping": {"crm": str(n)}})
            )
            file.write("\n")
    with lines.open("w") as file:
        file.write("customer_number,package_code,valid_to\n")
        for n in range(2 * count):
            file.write(f"{(n * 7919) % count},package{n % 40},{2020 + n % 9}-01-01\n")
    return customers, lines


async def peak(publisher: Publisher, count: int, *, dry_run: bool) -> int:
    customers, lines = write(publisher.folder, count)
    tracemalloc.start()
    try:
        summary, bad = await publisher.read(customers, lines, dry_run=dry_run)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
        assert (summary.created, bad) == (count, [])


@pytest.mark.parametrize("dry_run", [True, False])
async def test_memory_is_flat(publisher: Publisher, *, dry_run: bool) -> None:
    small = await peak(publisher, 4_000, dry_run=dry_run)
    publisher.organisation.id += "-large"
    large = await peak(publisher, 12_000, dry_run=dry_run)
    assert large < 1.25 * small


async def test_a_file_without_newlines_is_no_memory(publisher: Publisher) -> None:
    path = publisher.folder / "rows.jsonl"
    with path.open("wb") as file:
        file.truncate(100 << 20)
    tracemalloc.start()
    try:
        _, bad = await publisher.read(path)
        assert tracemalloc.get_traced_memory()[1] < 8 << 20
    finally:
        tracemalloc.stop()
    assert [(b.line, b.reason) for b in bad] == [(1, "the line is longer than 1 MiB")]
