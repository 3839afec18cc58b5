"""Results of the benchmark: merged by name, kept in a file, and shown alike in the table and the picture."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from bench.results import Cell, Entry, Line, Results, Run

from bench import picture, report, results

MONDAY = Run("2026-06-01 10:00", "2 cores.")
TUESDAY = Run("2026-06-02 10:00", "2 cores.")
OTHER_MACHINE = Run("2026-06-03 10:00", "64 cores.")
ACCOUNTS = Line("GET /accounts", 0.4, 0.5, "bare 1/s")
IMPORT = Line("import", 0.5, 0.45)
MEMORY = Line("memory", 67.0, 100, most=True)


def test_lines_stand_in_the_order_of_the_measurements() -> None:
    merged = Results().merged(MONDAY, [("imports", IMPORT), ("reads", ACCOUNTS)])
    assert [entry.line for entry in merged.entries] == [ACCOUNTS, IMPORT]


def test_a_line_that_is_measured_again_takes_the_place_of_the_earlier_one() -> None:
    me = replace(ACCOUNTS, name="GET /me")
    first = Results().merged(MONDAY, [("reads", ACCOUNTS), ("reads", me), ("imports", IMPORT)])
    again = replace(ACCOUNTS, ratio=0.6)
    merged = first.merged(TUESDAY, [("reads", again)])
    assert merged.entries == (Entry("reads", again, 1), Entry("reads", me, 0), Entry("imports", IMPORT, 0))
    assert merged.runs == (MONDAY, TUESDAY)


def test_a_run_that_no_line_is_left_of_goes() -> None:
    first = Results().merged(MONDAY, [("reads", ACCOUNTS)])
    assert first.merged(TUESDAY, [("reads", ACCOUNTS)]).runs == (TUESDAY,)


def test_the_parts_of_one_run_are_one_run() -> None:
    part = Results().merged(MONDAY, [("reads", ACCOUNTS)])
    whole = part.merged(MONDAY, [("reads", ACCOUNTS), ("imports", IMPORT)])
    assert whole.runs == (MONDAY,) and {entry.run for entry in whole.entries} == {0}


def test_results_come_back_from_their_file(tmp_path: Path) -> None:
    stored = Results().merged(MONDAY, [("reads", ACCOUNTS), ("start", MEMORY)]).merged(TUESDAY, [("imports", IMPORT)])
    results.write(stored, tmp_path / "results.json")
    read = results.read(tmp_path / "results.json")
    assert (tuple(read.runs), tuple(read.entries)) == (stored.runs, stored.entries)
    assert results.read(tmp_path / "none.json") == Results()


def test_the_table_is_the_same_before_and_after_the_file(tmp_path: Path) -> None:
    """And what is printed first: rounded twice, 0.894996 would be 0.90."""
    cell = Cell("sqlite", "GET /me", 10_000, 1, 0.894996, 1234.5678)
    merged = Results().merged(MONDAY, [("reads", replace(ACCOUNTS, ratio=0.894996))], [cell])
    results.write(merged, tmp_path / "results.json")
    read = results.read(tmp_path / "results.json")
    assert report.table(read) == report.table(merged) and report.growth_table(read) == report.growth_table(merged)
    assert picture.drawn(read) == picture.drawn(merged)
    assert "| 0.89 | ≥ 0.5 |" in report.table(read) and "| 0.89 |" in report.growth_table(read)


def test_the_table_says_which_run_a_line_is_from_and_on_what_it_was_made() -> None:
    merged = Results().merged(MONDAY, [("reads", ACCOUNTS)]).merged(TUESDAY, [("start", MEMORY)])
    text = report.table(merged.merged(OTHER_MACHINE, [("imports", IMPORT)]))
    assert "- Run 1, 2026-06-01 10:00 UTC: 2 cores.\n- Run 2, 2026-06-02 10:00 UTC: as run 1.\n" in text
    assert "- Run 3, 2026-06-03 10:00 UTC: 64 cores.\n" in text
    assert "| GET /accounts | 0.40 | ≥ 0.5 | **no** | 1 | bare 1/s |" in text
    assert "| import | 0.50 | ≥ 0.45 | yes | 3 |  |" in text
    assert "| memory | 67.00 | ≤ 100 | yes | 2 |  |" in text


def test_only_what_is_between_the_markers_changes() -> None:
    text = "before\n<!-- growth:begin -->\n{}<!-- growth:end -->\nafter\n"
    assert report.with_section(text.format("old\n"), "growth", "new\n") == text.format("new\n")


def test_the_published_table_and_picture_are_those_of_the_results_file() -> None:
    published = results.read()
    text = report.README.read_text(encoding="utf-8")
    assert published.entries and report.with_tables(text, published) == text
    assert picture.drawn(published) == report.PICTURE.read_text(encoding="utf-8")
