"""Words that docs/glossary.md has retired stay out of the source: as names, and in what people read.

A word gets on these lists when a reader stumbled over it. What to say instead is in the glossary's last table.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "stamkund"
PACKAGES = sorted(path.name for path in SOURCE.iterdir() if path.is_dir() and (path / "__init__.py").exists())
TOP_LEVEL = "modules beside the packages"
BENCH = "bench"

# Participles say what happened to a thing and not what it is: `response`, `account`, `stored_hash` do. A longer name
# such as `last_known_address` may contain one.
RETIRED_NAMES = {
    "answers",
    "asked",
    "asking",
    "elsewhere",
    "found",
    "given",
    "kept",
    "known",
    "moment",
    "moments",
    "opened",
    "said",
    "shown",
    "standing",
    "told",
    "visit",
    "wanted",
}
# Retired wherever they occur in a name.
RETIRED_PARTS = {"door", "doors", "judge", "judged", "judges", "nobody", "story", "stories", "stranger", "upkeep"}

# Retired in comments, docstrings, messages and Markdown. Blanks stand for line breaks too.
RETIRED_PHRASES = (
    "about any more",
    "as far as it is to be had",
    "by and by",
    "knocks? (?:at|on)",
    "nobody's",
    "of old",
    "stor(?:y|ies)",
    "strangers?",
    "upkeep",
    "what works once",
    "without more ado",
)
_PHRASES = re.compile(rf"\b(?:{'|'.join(RETIRED_PHRASES)})\b".replace(" ", r"(?:\s|\#)+"), re.IGNORECASE)
_ANSWERS = re.compile(r"^Answers\b|\banswers (?:its?|the|whether|how|which|None|True|False)\b")
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")

Finding = tuple[int, str]


def python_files(package: str) -> list[Path]:
    if package == TOP_LEVEL:
        return sorted(SOURCE.glob("*.py"))
    return sorted((ROOT if package == BENCH else SOURCE).joinpath(package).rglob("*.py"))


def reported(path: Path, findings: Iterator[Finding]) -> list[str]:
    return [f"{path.relative_to(ROOT)}:{line}: {text}" for line, text in sorted(set(findings))]


def defined_names(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Every name that a module defines: variables, attributes, parameters, functions, classes and imports under it."""
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()) | ast.arg(arg=name):
                yield node.lineno, name
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield node.lineno, name
            case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
                yield node.lineno, name
            case ast.alias(asname=str(name)):
                yield node.lineno, name


def is_retired(name: str) -> bool:
    """Ignoring case and underscores: `_KNOWN` and `Asked` are retired too, and `StoryTeller` because of a part."""
    parts = [part.lower() for part in _WORD.findall(name)]
    return "_".join(parts) in RETIRED_NAMES or not RETIRED_PARTS.isdisjoint(parts)


def retired_names(path: Path) -> Iterator[Finding]:
    if is_retired(path.stem):
        yield 1, f"module {path.stem}"
    for line, name in defined_names(ast.parse(path.read_text(encoding="utf-8"))):
        if is_retired(name):
            yield line, f"name {name}"


def retired_phrases(path: Path) -> Iterator[Finding]:
    text = path.read_text(encoding="utf-8")
    for match in _PHRASES.finditer(text):
        yield text.count("\n", 0, match.start()) + 1, f"phrase {' '.join(match[0].split())!r}"


def answering_docstrings(path: Path) -> Iterator[Finding]:
    """Functions return; what answers is a server, and it responds."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.Expr(value=ast.Constant(value=str(text))) if answers := _ANSWERS.search(" ".join(text.split())):
                yield node.lineno, f"docstring {answers[0]!r}"


@pytest.mark.parametrize("package", [*PACKAGES, TOP_LEVEL])
def test_no_name_is_retired(package: str) -> None:
    files = python_files(package)
    assert files
    findings = [line for path in files for line in reported(path, retired_names(path))]
    assert not findings, "\n" + "\n".join(findings)


@pytest.mark.parametrize("package", [*PACKAGES, TOP_LEVEL, BENCH])
def test_no_retired_word_is_read(package: str) -> None:
    files = python_files(package)
    assert files
    findings = [line for path in files for line in reported(path, answering_docstrings(path))]
    for path in [*files, *sorted((SOURCE / package).rglob("*.html")), *sorted((ROOT / package).rglob("*.md"))]:
        findings += reported(path, retired_phrases(path))
    assert not findings, "\n" + "\n".join(findings)


def test_a_retired_word_is_noticed(tmp_path: Path) -> None:
    """The guard itself: each kind of finding, and words that only look like one."""
    module = tmp_path / "example.py"
    module.write_text(
        "import os as elsewhere\n"
        "def ask_stranger(asked, other=lambda told: told): '''Answers the row.'''\n"
        "class Known:\n"
        "    wanted: int = 1  # good without more\n"
        "    # ado\n"
        "for found, history in []: self._shown = history\n"
        "last_known_address = unknown_email = '''A story of old.'''\n"
    )
    names = {
        (1, "elsewhere"),
        (2, "ask_stranger"),
        (2, "asked"),
        (2, "told"),
        (3, "Known"),
        (4, "wanted"),
        (6, "found"),
    }
    assert {(line, text.removeprefix("name ")) for line, text in retired_names(module)} == names | {(6, "_shown")}
    assert [line for line, _ in retired_phrases(module)] == [4, 7, 7]
    assert [line for line, _ in answering_docstrings(module)] == [2]
