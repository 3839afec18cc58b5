"""Which sizes are measured, and the table of their rates."""

from __future__ import annotations

from bench.database import settings
from bench.growth import BASE, FIVE_MILLION, MILLION, SIZES
from bench.results import Cell, Results, Run

from bench import growth, report

RUN = Run("2026-06-01 10:00", "2 cores.")


def test_with_space_enough_all_sizes_are_measured() -> None:
    assert set(growth.affordable(SIZES, "postgres", 1 << 40)) == set(SIZES)


def test_the_largest_are_left_out_where_there_is_no_space_for_them() -> None:
    affordable = growth.affordable(SIZES, "sqlite", 20 << 30)
    assert BASE in affordable and MILLION in affordable and FIVE_MILLION not in affordable
    assert growth.affordable(SIZES, "sqlite", 1 << 30) == []


def test_the_table_has_a_row_for_each_size_and_the_base_first() -> None:
    cells = [
        Cell("sqlite", "GET /me", 10_000, 2, 1.0, 20_000.0),
        Cell("sqlite", "GET /me", 10_000, 1, 1.05, 21_000.0),
        Cell("postgres", "GET /me", 10_000, 2, 1.0, 15_000.0),
        Cell("sqlite", "GET /me", 5_000_000, 2, 0.9, 18_000.0),
    ]
    assert report.growth_table(Results().merged(RUN, [], cells)).splitlines() == [
        "| accounts | user products | GET /me, sqlite | GET /me, postgres |",
        "|---:|---:|---:|---:|",
        "| 10,000 | 2 | 1.00 (20,000/s) | 1.00 (15,000/s) |",
        "| 10,000 | 1 | 1.05 | – |",
        "| 5,000,000 | 2 | 0.90 | – |",
        "",
        "Run 1.",
    ]


def test_a_cell_that_is_measured_again_takes_the_place_of_the_earlier_one() -> None:
    later = Run("2026-06-02 10:00", "2 cores.")
    first = Results().merged(RUN, [], [Cell("sqlite", "GET /me", 10_000, n, 1.0, 1.0) for n in (1, 2)])
    merged = first.merged(later, [], [Cell("sqlite", "GET /me", 10_000, 2, 0.5, 1.0)])
    assert [(cell.user_products, cell.ratio, cell.run) for cell in merged.growth] == [(1, 1.0, 0), (2, 0.5, 1)]


def test_postgresql_has_a_quarter_of_the_memory() -> None:
    assert settings(24 << 30)["shared_buffers"] == f"{6 << 10}MB"
