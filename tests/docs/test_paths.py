"""Files, folders and modules that the documentation names exist."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted(
    path
    for pattern in ("*.md", "docs/**/*.md", "bench/*.md", "tests/*.md", "tests/upgrades/*.md")
    for path in ROOT.glob(pattern)
    if path.name != "CHANGELOG.md"
)
_PATH = re.compile(r"(?<![\w/.])((?:src|tests|bench|docs|requirements)/[A-Za-z0-9_./-]+[A-Za-z0-9_])")
_MODULE = re.compile(r"python3? -m ((?:tests|bench|stamkund)[a-z0-9_.]*)")
_LINK = re.compile(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_what_a_document_names_exists(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    missing = [path for path in _PATH.findall(text) if "mNNNN" not in path and not _exists(path, document)]
    missing += [link for link in _LINK.findall(text) if not (document.parent / link).exists()]
    missing += [name for name in _MODULE.findall(text) if importlib.util.find_spec(name) is None]
    assert not missing


def _exists(path: str, document: Path) -> bool:
    """From the top, or from where the document is."""
    return (ROOT / path).exists() or (document.parent / path).exists()


def test_a_wrong_path_is_noticed() -> None:
    text = "`tests/no/such.py`, [link](no/such.md#part), `python -m tests.no_such`; src/stamkund/vault.py"
    assert [path for path in _PATH.findall(text) if not _exists(path, ROOT / "README.md")] == ["tests/no/such.py"]
    assert _LINK.findall(text) == ["no/such.md"] and _MODULE.findall(text) == ["tests.no_such"]
