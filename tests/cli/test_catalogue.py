"""`stamkund import catalogue` and `stamkund catalogue`, from the documentation's example file and from wrong ones."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from typer.testing import Result

from tests.cli.conftest import Run
from tests.support.rows import rows

DOCS = Path(__file__).parents[2] / "docs"
EXAMPLE = DOCS / "examples" / "catalogue.json"
COUNTED = "2 titles, 3 products, 3 packages, 1 campaign"


def load(run: Run, file: Path, *more: str) -> Result:
    return run("import", "catalogue", file, "--organisation", "herald", *more)


def written(folder: Path, content: Any) -> Path:
    path = folder / "catalogue.json"
    path.write_text(json.dumps(content))
    return path


def test_the_example_loads_and_loading_it_again_changes_nothing(run: Run) -> None:
    first, again = load(run, EXAMPLE), load(run, EXAMPLE)
    assert (first.exit_code, first.output) == (0, f"{COUNTED}: loaded as version 1\n")
    assert (again.exit_code, again.output) == (0, f"{COUNTED}: nothing changed, this is version 1 already\n")


def test_what_is_printed(run: Run) -> None:
    assert run("catalogue").output == "herald has no catalogue yet: load one with `stamkund import catalogue`\n"
    assert json.loads(run("catalogue", "--json").output) == {}
    load(run, EXAMPLE)
    lines = run("catalogue").output.splitlines()
    assert lines[0].startswith("Catalogue of herald, version 1, loaded 2") and lines[0].endswith(f": {COUNTED}")
    assert lines[1] == "title     HERALD  The Herald"
    assert lines[6] == (
        "package   herald_digital  gives herald_web  (The Herald, digital; title HERALD; 5 days of grace; cancellable)"
    )
    assert lines[9].startswith("campaign  herald_three_months  of herald_digital  (The Herald, three months for")


def test_the_printed_json_can_be_imported_again(run: Run, tmp_path: Path) -> None:
    load(run, EXAMPLE)
    printed = json.loads(run("catalogue", "--organisation", "herald", "--json").output)
    assert printed == json.loads(EXAMPLE.read_text())
    assert "nothing changed" in load(run, written(tmp_path, printed)).output


def test_dry_run_changes_nothing(run: Run) -> None:
    assert load(run, EXAMPLE, "--dry-run").output == f"{COUNTED}: would be version 1\n"
    assert "no catalogue yet" in run("catalogue").output


async def test_with_a_mistake_nothing_is_loaded(run: Run, tmp_path: Path, fresh_url: str) -> None:
    wrong = written(tmp_path, {"titles": [{"code": "A"}], "packages": [{"code": "b", "products": ["c"]}]})
    for more in ((), ("--dry-run",)):
        result = load(run, wrong, *more)
        assert result.exit_code == 2
        assert result.stdout == ""
        assert result.stderr.splitlines() == [
            f"{wrong}: titles[0].name: must be given",
            f"{wrong}: packages[0].products[0]: is no code in products",
            "stamkund: nothing was loaded: 2 mistakes",
        ]
    assert await rows(fresh_url, "SELECT * FROM catalogues") == []


def test_reports_as_json(run: Run, tmp_path: Path) -> None:
    counts = {"titles": 2, "products": 3, "packages": 3, "campaigns": 1}
    for changed in (True, False):
        done = load(run, EXAMPLE, "--json")
        expected: dict[str, Any] = {"changed": changed, "version": 1, "counts": counts, "mistakes": []}
        assert (done.exit_code, json.loads(done.stdout)) == (0, expected)
    result = load(run, written(tmp_path, []), "--json")
    assert result.exit_code == 2
    mistake = {"place": "", "reason": "must be an object, not a list"}
    assert json.loads(result.stdout) == {"changed": False, "version": None, "counts": {}, "mistakes": [mistake]}


def test_an_organisation_that_is_not_there(run: Run) -> None:
    for command in (("import", "catalogue", EXAMPLE), ("catalogue",)):
        result = run(*command, "--organisation", "gazette")
        assert result.exit_code == 2
        assert "there is no organisation gazette (known: herald)" in result.stderr


def test_with_several_organisations_one_must_be_named(run: Run) -> None:
    run("init", "--organisation", "gazette")
    result = run("catalogue")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "name the --organisation (known: gazette, herald)" in result.stderr
    load(run, EXAMPLE)
    assert "no catalogue yet" in run("catalogue", "--organisation", "gazette").output


def test_the_documentation_describes_every_key() -> None:
    from stamkund.importing.catalogue_fields import LISTS

    text = (DOCS / "catalogue.md").read_text()
    for part in LISTS:
        assert f"| `{part.name}` |" in text
        assert all(f"`{field.name}`" in text for field in part.fields)
