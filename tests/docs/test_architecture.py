"""ARCHITECTURE.md names files and functions that exist, every package, and walks of six files at most."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "stamkund"
TEXT = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
MAX_FILES_IN_A_WALK = 6

WALKS = re.findall(r"^\*\*([^*]+)\*\* · (.+?)(?:\. |\n\n)", TEXT.replace(" →\n", " → "), flags=re.MULTILINE | re.DOTALL)


def files_in(text: str) -> list[str]:
    return re.findall(r"`([a-z0-9_/]+\.py)`", text)


def test_every_file_that_is_named_exists() -> None:
    paths = [path for path in files_in(TEXT) if "/" in path]
    assert paths and not [path for path in paths if not (SOURCE / path).exists()]


def names_defined(tree: ast.Module) -> set[str]:
    """Functions, classes, and variables where they are assigned: a name that is only used is defined elsewhere."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
    return names


def test_every_function_that_is_named_after_a_file_exists() -> None:
    pairs = re.findall(r"`([a-z0-9_/]+\.py)`\s+`([A-Za-z_.]+)`", TEXT)
    assert pairs
    for path, name in pairs:
        tree = ast.parse((SOURCE / path).read_text(encoding="utf-8"))
        assert name.rpartition(".")[2] in names_defined(tree), f"{path} has no {name}"


def test_every_package_and_module_of_the_top_is_on_the_map() -> None:
    packages = {f"{path.parent.name}/" for path in SOURCE.glob("*/__init__.py")}
    modules = {path.name for path in SOURCE.glob("*.py") if not path.name.startswith("__")}
    missing = [name for name in sorted(packages | modules) if f"`{name}`" not in TEXT]
    assert not missing


@pytest.mark.parametrize("package", ["identity", "wire", "server"])
def test_every_module_of_a_package_is_on_its_line(package: str) -> None:
    """Of the packages whose line names their modules."""
    [line] = [line for line in TEXT.splitlines() if line.startswith(f"| `{package}/` |")]
    modules = {path.name for path in (SOURCE / package).glob("*.py") if path.name != "__init__.py"}
    modules |= {f"{path.parent.name}/" for path in (SOURCE / package).glob("*/__init__.py")}
    assert modules and not [name for name in sorted(modules) if f"`{name}`" not in line]


def test_every_folder_of_endpoints_is_on_the_map() -> None:
    folders = {f"{path.parent.name}/" for path in (SOURCE / "endpoints").glob("*/__init__.py")}
    assert not [folder for folder in sorted(folders) if f"`{folder}`" not in TEXT]


def test_there_are_six_walks() -> None:
    assert len(WALKS) == 6


@pytest.mark.parametrize(("title", "walk"), WALKS, ids=[title for title, _ in WALKS])
def test_a_walk_takes_six_files_at_most(title: str, walk: str) -> None:
    files = files_in(walk)
    assert 2 < len(files) <= MAX_FILES_IN_A_WALK, title
    assert len(set(files)) == len(files)
