"""The generated documentation and the documentation page: up to date, complete, and in need of nothing else."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest
from typer.testing import CliRunner

from stamkund import settings
from stamkund.cli import app
from stamkund.endpoints import declared_endpoints
from stamkund.reference import page as pages
from stamkund.reference.coverage import by_route, coverage, route_of
from stamkund.reference.descriptions import anchor, describe
from stamkund.reference.documented_calls import DOCUMENTED
from stamkund.reference.markdown import api, code, table
from stamkund.reference.page import CONTENT_SECURITY_POLICY, page
from tests.reference.serving import get

DOCS = Path(__file__).parents[2] / "docs"
PAGE = page(declared_endpoints())
OURS = ("our own", "RFC", "OpenID Connect")
"""What a source begins with where Payway's documentation does not name the call."""


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["docs", *arguments])
    return result.exit_code, result.output


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for path in DOCS.glob("*.md"):
        (tmp_path / path.name).write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
    return tmp_path


# The command ---------------------------------------------------------------------------------------------


def test_generated_documentation_is_up_to_date() -> None:
    assert run("--check", "--folder", str(DOCS)) == (0, "the generated documentation is up to date\n")


def test_check_names_the_files_that_differ_and_writes_nothing(folder: Path) -> None:
    (folder / "api.md").write_text("old")
    (folder / "coverage.md").unlink()
    status, output = run("--check", "--folder", str(folder))
    assert status == 1
    assert "api.md" in output and "coverage.md" in output and "operating.md" not in output
    assert (folder / "api.md").read_text() == "old"


def test_docs_writes_what_differs_and_is_content_afterwards(folder: Path) -> None:
    (folder / "api.md").write_text("old")
    assert run("--folder", str(folder)) == (0, f"wrote {folder / 'api.md'}\n")
    assert run("--check", "--folder", str(folder))[0] == 0


def test_what_people_wrote_around_the_settings_stays(folder: Path) -> None:
    path = folder / "operating.md"
    path.write_text("# Mine\n\n<!-- settings:begin -->\nOUTDATED\n<!-- settings:end -->\n\nBelow.\n")
    run("--folder", str(folder))
    text = path.read_text()
    assert text.startswith("# Mine\n") and text.endswith("\n\nBelow.\n") and "OUTDATED" not in text


@pytest.mark.parametrize("text", ["# No markers\n", "<!-- settings:begin -->\n", "<!-- settings:end -->\n"])
def test_without_both_markers_it_cannot_run(folder: Path, text: str) -> None:
    (folder / "operating.md").write_text(text)
    status, output = run("--folder", str(folder))
    assert status == 2
    assert "settings:begin" in output


def test_without_the_folder_it_cannot_run(tmp_path: Path) -> None:
    status, output = run("--folder", str(tmp_path / "docs"))
    assert status == 2
    assert "there is no folder" in output


def test_settings_table_has_every_setting() -> None:
    text = (DOCS / "operating.md").read_text()
    for name, default, sentence in settings.descriptions():
        assert sentence
        assert f"| `{name}` | `{default}` |" in text


# The reference -------------------------------------------------------------------------------------------


def test_titles_are_unique_so_that_links_find_them() -> None:
    anchors = [anchor(endpoint.about.title) for endpoint in declared_endpoints()]
    assert len(anchors) == len(set(anchors))


def test_reference_has_every_call_with_its_parameters_and_refusals() -> None:
    sections = {part.partition("\n")[0]: part for part in api(declared_endpoints()).split("\n### ")}
    for endpoint in declared_endpoints():
        section, call = sections[endpoint.about.title], describe(endpoint)
        assert all(route in section for route in call.routes)
        assert all(f"| `{field.name}` |" in section for one in call.tables for field in one.fields)
        assert all(f"`{failure.message}`" in section for failure in call.errors)
        assert call.response in section and call.curl in section


def test_table_cells_keep_their_bars() -> None:
    assert table(("A", "B"), [(code("a|b"), "")]) == "| A | B |\n| --- | --- |\n| `a\\|b` |  |"


# Coverage ------------------------------------------------------------------------------------------------


def test_every_documented_call_is_listed_once() -> None:
    routes = [route_of(call) for call in DOCUMENTED]
    assert len(routes) == len(set(routes))


def test_every_declared_call_is_one_that_is_documented() -> None:
    documented = {route_of(call) for call in DOCUMENTED}
    for endpoint in declared_endpoints():
        if not endpoint.about.source.startswith(OURS):
            routes = set(by_route([endpoint]))
            assert routes & documented, f"{routes} must be in documented_calls.py, or its source be {OURS}"


def test_payways_paths_are_never_our_own() -> None:
    for endpoint in declared_endpoints():
        if any(path.startswith("/external/") for path in endpoint.paths):
            message = f"{endpoint.paths} are Payway's: name the document that describes the call as its source"
            assert not endpoint.about.source.startswith(OURS), message


def test_declared_calls_need_what_is_documented() -> None:
    implemented = by_route(declared_endpoints())
    for call in DOCUMENTED:
        endpoint = implemented.get(route_of(call))
        if endpoint is not None:
            assert (endpoint.scope or "", endpoint.identity) == (call.scope, call.identity), call.path


def test_what_is_out_is_not_declared() -> None:
    assert not [call for call in DOCUMENTED if call.excluded and route_of(call) in by_route(declared_endpoints())]


def test_coverage_links_lead_to_the_reference() -> None:
    headings = {anchor(line.lstrip("# ")) for line in api(declared_endpoints()).splitlines() if line.startswith("#")}
    links = re.findall(r"\(api\.md#([^)]*)\)", coverage(declared_endpoints()))
    assert len(links) >= 5
    assert set(links) <= headings


def test_coverage_lists_only_declared_calls_as_implemented() -> None:
    text = coverage(())
    assert "[implemented]" not in text and "**0 are implemented**" in text


# The page ------------------------------------------------------------------------------------------------


class ElementCollector(HTMLParser):
    """Collects what the tests compare: elements with their attributes, and the text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]

    def values(self, attribute: str) -> list[str]:
        return [value for _, attributes in self.elements if (value := attributes.get(attribute))]


READER = ElementCollector(PAGE)


async def test_the_page_is_public_and_has_a_strict_policy() -> None:
    response = await get("/docs")
    assert response.status_code == 200
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert response.headers["content-security-policy"] == CONTENT_SECURITY_POLICY
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.text == PAGE


def test_policy_allows_the_style_of_the_page_and_nothing_else() -> None:
    style = PAGE.partition("<style>")[2].partition("</style>")[0]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    directives = dict(part.strip().split(" ", 1) for part in CONTENT_SECURITY_POLICY.split(";"))
    assert directives == {
        "default-src": "'none'",
        "style-src": f"'sha256-{digest}'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    }


def test_page_needs_nothing_from_elsewhere() -> None:
    loaded = [*READER.values("src"), *READER.values("href"), *re.findall(r"url\(([^)]*)\)", PAGE)]
    assert loaded and all(one.startswith(("#", "/")) and not one.startswith("//") for one in loaded)
    assert "@import" not in PAGE
    assert {tag for tag, _ in READER.elements} & {"script", "link", "img", "iframe", "object", "form"} == set()
    assert not [name for _, attributes in READER.elements for name in attributes if name.startswith("on")]
    assert "style" not in {name for _, attributes in READER.elements for name in attributes}
    hosts = set(re.findall(r"https?://([^/\s\"'<&]+)", PAGE))
    assert hosts == {"stamkund.example.com", "herald.example.com"}, "hosts of examples"


def test_every_declared_parameter_is_on_the_page() -> None:
    for endpoint in declared_endpoints():
        article = PAGE.partition(f'<article aria-labelledby="{anchor(endpoint.about.title)}">')[2].partition(
            "</article>"
        )[0]
        names = [p.name for p in endpoint.parameter_set.parameters] + [
            f.name for one in endpoint.about.forms for f in one.fields
        ]
        assert article
        assert [name for name in names if f'<th scope="row"><code>{name}</code></th>' not in article] == []
        text = ElementCollector(article).text
        call = describe(endpoint)
        assert call.curl in text and call.response in text
        assert all(part in text for part in (*call.routes, endpoint.scope or ""))
        assert all(failure.code in text and failure.message in text for failure in call.errors)


def test_page_can_be_found_through_without_sight_or_mouse() -> None:
    assert READER.all("html") == [{"lang": "en"}]
    assert len(READER.all("main")) == len(READER.all("h1")) == len(READER.all("title")) == 1
    assert READER.all("header") and READER.all("footer") and READER.all("nav") == [{"aria-label": "Calls"}]
    assert READER.all("a")[0] == {"class": "skip", "href": "#main"}
    assert all(cell.get("scope") in {"col", "row"} for cell in READER.all("th"))
    levels = [int(tag[1]) for tag, _ in READER.elements if re.fullmatch("h[1-6]", tag)]
    assert all(after <= before + 1 for before, after in pairwise(levels))
    regions = [attributes for _, attributes in READER.elements if attributes.get("role") == "region"]
    assert regions and all(one.get("tabindex") == "0" and one.get("aria-labelledby") for one in regions)


def test_ids_are_unique_and_links_find_them() -> None:
    ids = READER.values("id")
    assert len(ids) == len(set(ids))
    links = [href[1:] for href in READER.values("href") if href.startswith("#")]
    assert set(links) | set(READER.values("aria-labelledby")) <= set(ids)


def test_page_escapes_what_it_shows() -> None:
    assert str(pages._prose("<b> `<i>`")) == "&lt;b&gt; <code>&lt;i&gt;</code>"
    assert "<token>" not in PAGE and "&lt;token&gt;" in PAGE
