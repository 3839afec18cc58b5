"""Words that docs/glossary.md has retired stay out: as names in Python, and in what people read.

Read are the source with its pages, tests, benchmarks, examples, scripts and the documentation. Not read are this file,
the glossary, the changelog and the decisions, which quote old words. A word gets on these lists when a reader stumbled
over it. What to say instead is in the glossary's last table.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "stamkund"
PACKAGES = sorted(path.name for path in SOURCE.iterdir() if path.is_dir() and (path / "__init__.py").exists())
TOP_LEVEL = "modules beside the packages"
OUTSIDE = ["bench", "docs/examples", "requirements", "tests"]
GENERATED = {"docs/api.md", "docs/coverage.md"}
QUOTING = {"docs/glossary.md", "CHANGELOG.md"}

# Participles say what happened to a thing and not what it is: `response`, `account`, `stored_hash` do. A longer name
# such as `last_known_address` may contain one.
RETIRED_NAMES = {
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
RETIRED_PARTS = {
    "answer",
    "answered",
    "answers",
    "door",
    "doors",
    "judge",
    "judged",
    "judges",
    "nobody",
    "story",
    "stories",
    "stranger",
    "unanswered",
    "upkeep",
}
# As they are written, with large or small letters. Several classes had one of these names, and none said what kind of
# reader, form or site it is; `refused` was a flag, a table and a response (the exception is `Refused`).
RETIRED_AS_WRITTEN = {"Asking", "Form", "Reader", "Site", "Taken", "refused"}
# Retired outside the source: names of helpers that send a request, of a response, and of a function that asserts.
RETIRED_NAMES_OUTSIDE = {"ask", "asks", "tell"}

# Retired in comments, docstrings, messages and Markdown. Blanks stand for line breaks too. Functions return, and what
# answers is a server, which responds; the key "answer" is one of the data that released versions wrote.
RETIRED_PHRASES = (
    "(?:is|are) over(?! the| an?)",
    "about any more",
    '(?<!")answer(?:s|ed|ing)?',
    "as far as it is to be had",
    "by and by",
    "knocks? (?:at|on)",
    "may be about",
    "no longer holds?",
    "nobody's",
    "of old",
    "stor(?:y|ies)",
    "strangers?",
    "told",
    "upkeep",
    "what works once",
    "without more ado",
)


def _compiled(phrases: Iterable[str]) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{'|'.join(phrases)})\b".replace(" ", r"(?:\s|\#)+"), re.IGNORECASE)


_PHRASES = _compiled(RETIRED_PHRASES)
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")

Finding = tuple[int, str]


def is_ours(path: Path) -> bool:
    return "node_modules" not in path.parts and path != Path(__file__)


def python_files(folder: str) -> list[Path]:
    if folder == TOP_LEVEL:
        return sorted(SOURCE.glob("*.py"))
    return sorted(filter(is_ours, (ROOT if folder in OUTSIDE else SOURCE).joinpath(folder).rglob("*.py")))


def markdown_files() -> list[Path]:
    folders = [ROOT.glob("*.md"), (ROOT / "docs").glob("*.md"), *((ROOT / f).rglob("*.md") for f in OUTSIDE)]
    paths = {path for folder in folders for path in folder if is_ours(path)}
    return sorted(paths - {ROOT / name for name in QUOTING})


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


def is_retired(name: str, outside: bool = False) -> bool:
    """Ignoring case and underscores: `_KNOWN` and `Asked` are retired too, and `StoryTeller` because of a part."""
    parts = [part.lower() for part in _WORD.findall(name)]
    names = RETIRED_NAMES | RETIRED_NAMES_OUTSIDE if outside else RETIRED_NAMES
    return "_".join(parts) in names or name.strip("_") in RETIRED_AS_WRITTEN or not RETIRED_PARTS.isdisjoint(parts)


def retired_names(path: Path, outside: bool = False) -> Iterator[Finding]:
    if is_retired(path.stem, outside):
        yield 1, f"module {path.stem}"
    for line, name in defined_names(ast.parse(path.read_text(encoding="utf-8"))):
        if is_retired(name, outside):
            yield line, f"name {name}"


def retired_phrases(path: Path) -> Iterator[Finding]:
    text = path.read_text(encoding="utf-8")
    for match in _PHRASES.finditer(text):
        yield text.count("\n", 0, match.start()) + 1, f"phrase {' '.join(match[0].split())!r}"


@pytest.mark.parametrize("folder", [*PACKAGES, TOP_LEVEL, *OUTSIDE])
def test_no_name_is_retired(folder: str) -> None:
    files = python_files(folder)
    assert files
    findings = [line for path in files for line in reported(path, retired_names(path, folder in OUTSIDE))]
    assert not findings, "\n" + "\n".join(findings)


@pytest.mark.parametrize("folder", [*PACKAGES, TOP_LEVEL, *OUTSIDE])
def test_no_retired_word_is_read_in_code_or_on_a_page(folder: str) -> None:
    files = [*python_files(folder), *sorted((SOURCE / folder).rglob("*.html"))]
    assert files
    findings = [line for path in files for line in reported(path, retired_phrases(path))]
    assert not findings, "\n" + "\n".join(findings)


def test_no_retired_word_is_read_in_the_documentation() -> None:
    names = {str(path.relative_to(ROOT)) for path in markdown_files()}
    assert names >= {"README.md", "docs/operating.md", "bench/README.md", "tests/README.md", *GENERATED}
    findings: list[str] = []
    for name in sorted(names):
        findings += reported(ROOT / name, retired_phrases(ROOT / name))
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
        "class _Form: unanswered = stored['answer'] if 'answer' else stored[\"answer\"]\n"
        "class PageForm: site = form = reader = 1\n"
        "refused = tell = 1  # its time is over, over the limit\n"
    )
    names = {
        (1, "elsewhere"),
        (2, "ask_stranger"),
        (2, "asked"),
        (2, "told"),
        (3, "Known"),
        (4, "wanted"),
        (6, "found"),
        (6, "_shown"),
        (8, "_Form"),
        (8, "unanswered"),
        (10, "refused"),
    }
    assert {(line, text.removeprefix("name ")) for line, text in retired_names(module)} == names
    outside = {(line, text.removeprefix("name ")) for line, text in retired_names(module, outside=True)}
    assert outside - names == {(10, "tell")}
    assert [line for line, _ in retired_phrases(module)] == [2, 2, 2, 4, 7, 7, 8, 8, 10]
