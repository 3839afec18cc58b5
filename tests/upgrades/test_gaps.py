"""Steps of two versions that were made beside each other: a database that has the later one still gets the earlier."""

from __future__ import annotations

import pytest

from stamkund.store import migrations
from stamkund.store import open as opening
from stamkund.store.migrations import Migration
from stamkund.store.work import Sql

ONE, TWO, THREE, FOUR = (
    Migration(number, f"step {number}", (Sql(f"CREATE TABLE step_{number} (a bigint)"),)) for number in range(1, 5)
)


async def test_a_step_that_was_left_out_is_made_up_for(fresh_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = opening.engine_for(fresh_url)
    await engine.open()
    try:

        async def migrated(*steps: Migration) -> tuple[list[str], int]:
            monkeypatch.setattr(migrations, "MIGRATIONS", steps)
            return await opening.migrate(engine, 0), await engine.read(migrations.schema_version)

        assert await migrated(ONE, THREE) == (["0001 step 1", "0003 step 3"], 3)
        monkeypatch.setattr(migrations, "MIGRATIONS", (ONE, TWO, THREE))
        assert await engine.read(migrations.schema_version) == 1, "so a server asks for `stamkund migrate`"
        assert await migrated(ONE, TWO, THREE) == (["0002 step 2"], 3)
        assert await migrated(ONE, TWO, THREE) == ([], 3)
        assert await migrated(ONE, TWO, THREE, FOUR) == (["0004 step 4"], 4)
        assert await migrated(ONE, TWO, THREE) == ([], 4), "newer than what this program knows"
    finally:
        await engine.close()


@pytest.mark.parametrize("numbers", [(1, 2, 2), (1, 3), (2, 3)])
def test_two_with_one_number_or_a_gap_are_refused(numbers: tuple[int, ...]) -> None:
    """Two branches may each add a file with the next number: one of them would never be applied."""
    with pytest.raises(ImportError, match="each number once"):
        migrations.in_order(Migration(number, f"of branch {i}", ()) for i, number in enumerate(numbers))
