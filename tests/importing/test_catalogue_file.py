"""A catalogue file: what it may hold, and that every mistake in it is reported with its place and reason."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from stamkund.importing import CannotRun, WrongCatalogue, read_catalogue
from stamkund.rules.catalogue import Campaign, Catalogue, Package, Product, Title

TITLE = {"code": "HERALD", "name": "The Herald"}
PRODUCT = {"code": "web", "name": "The web"}
PACKAGE = {"code": "digital", "products": ["web"]}
CAMPAIGN = {"code": "summer", "package": "digital"}


def document(**parts: Any) -> dict[str, Any]:
    """A right document but for the parts that are named."""
    return {"titles": [TITLE], "products": [PRODUCT], "packages": [PACKAGE], "campaigns": [CAMPAIGN], **parts}


def read(folder: Path, content: Any) -> Catalogue:
    file = folder / "catalogue.json"
    file.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return read_catalogue(file)


def mistakes(folder: Path, content: Any) -> list[tuple[str, str]]:
    with pytest.raises(WrongCatalogue) as caught:
        read(folder, content)
    return [(mistake.place, mistake.reason) for mistake in caught.value.mistakes]


def test_a_whole_catalogue(tmp_path: Path) -> None:
    title = {**TITLE, "image_url": "https://a.example.com/å.png", "url": "http://a.example.com", "rgb": "#00AAbb"}
    package = {
        **PACKAGE,
        "name": "Digital",
        "title": "HERALD",
        "integration_code": "H 1",
        "grace_days": 5,
        "cancellable": True,
    }
    campaign = {**CAMPAIGN, "name": "Sommar", "transforms_to": "digital"}
    assert read(tmp_path, document(titles=[title], packages=[package], campaigns=[campaign])) == Catalogue(
        [Title("HERALD", "The Herald", "https://a.example.com/å.png", None, "http://a.example.com", "#00AAbb")],
        [Product("web", "The web")],
        [Package("digital", ["web"], "Digital", "HERALD", "H 1", 5, True)],
        [Campaign("summer", "digital", "Sommar", "digital")],
    )


def test_what_is_left_out_or_null_is_not_there(tmp_path: Path) -> None:
    assert read(tmp_path, {}) == Catalogue()
    parts = {"titles": None, "products": [PRODUCT], "packages": [{**PACKAGE, "title": None, "grace_days": None}]}
    assert read(tmp_path, parts) == Catalogue([], [Product("web", "The web")], [Package("digital", ["web"])])


def test_a_byte_order_mark_is_passed_over(tmp_path: Path) -> None:
    assert read(tmp_path, b"\xef\xbb\xbf{}") == Catalogue()


def test_a_product_and_a_package_may_have_the_same_code(tmp_path: Path) -> None:
    read(tmp_path, {"products": [PRODUCT], "packages": [{"code": "web", "products": ["web"]}]})


def test_campaigns_may_go_on_as_each_other(tmp_path: Path) -> None:
    first = {"code": "first", "package": "digital", "transforms_to": "second"}
    second = {"code": "second", "package": "digital", "transforms_to": "first"}
    assert len(read(tmp_path, document(campaigns=[first, second])).campaigns) == 2


@pytest.mark.parametrize(
    ("content", "place", "reason"),
    [
        (b"", "line 1, column 1", "is not valid JSON: Expecting value"),
        (b'{"titles": [}', "line 1, column 13", "is not valid JSON: Expecting value"),
        (b'{\n "titles": }', "line 2, column 12", "is not valid JSON: Expecting value"),
        (b'{"titles": NaN}', "", "is not valid JSON"),
        (b"[" * 200_000, "", "is not valid JSON"),
        (b'{"titles": "\xff"}', "byte 12", "is not UTF-8"),
        (b"[]", "", "must be an object, not a list"),
        (b"null", "", "must be an object, not null"),
        (b'"text"', "", "must be an object, not text"),
        (b'{"titles": [], "titles": []}', "titles", "occurs twice"),
        (b'{"package": []}', "package", "is an unknown key; allowed are titles, products, packages, campaigns"),
        (b'{"a\\nb": []}', '"a\\nb"', "is an unknown key; allowed are titles, products, packages, campaigns"),
    ],
)
def test_what_is_no_document(tmp_path: Path, content: bytes, place: str, reason: str) -> None:
    [mistake] = mistakes(tmp_path, content)
    assert mistake == (place, reason)


@pytest.mark.parametrize(
    ("parts", "place", "reason"),
    [
        ({"titles": {}}, "titles", "must be a list, not an object"),
        ({"titles": [1]}, "titles[0]", "must be an object, not a number"),
        ({"titles": [{"name": "A"}]}, "titles[0].code", "must be given"),
        ({"titles": [{"code": "A"}]}, "titles[0].name", "must be given"),
        ({"titles": [{"code": 1, "name": "A"}]}, "titles[0].code", "must be text, not a number"),
        ({"titles": [{"code": "x" * 16, "name": "A"}]}, "titles[0].code", "must be at most 15 characters"),
        ({"titles": [{"code": "å", "name": "A"}]}, "titles[0].code", "must match format (/^[a-zA-Z-_0-9]+$/)"),
        ({"titles": [{**TITLE, "name": ""}]}, "titles[0].name", "must be at least 1 characters"),
        ({"titles": [{**TITLE, "name": "A\nB"}]}, "titles[0].name", "must not contain control characters"),
        ({"titles": [TITLE, TITLE]}, "titles[1].code", "is already the code of titles[0]"),
        ({"titles": [{**TITLE, "rgb": "red"}]}, "titles[0].rgb", "must be a colour such as #00aabb"),
        ({"titles": [{**TITLE, "rgb": "#00aab"}]}, "titles[0].rgb", "must be a colour such as #00aabb"),
        *(
            ({"titles": [{**TITLE, "url": url}]}, "titles[0].url", "must be an address that begins with")
            for url in ("herald.example.com", "javascript:alert(1)", "https://", "https://[", "https://a b")
        ),
        ({"products": [{**PRODUCT, "colour": 1}]}, "products[0].colour", "is an unknown key; allowed are code, name"),
        ({"products": [PRODUCT, PRODUCT]}, "products[1].code", "is already the code of products[0]"),
        ({"packages": [PACKAGE, {"code": "x"}]}, "packages[1].products", "must be given"),
        ({"packages": [{**PACKAGE, "products": "web"}]}, "packages[0].products", "must be a list, not text"),
        ({"packages": [{**PACKAGE, "products": []}]}, "packages[0].products", "must not be empty"),
        ({"packages": [{**PACKAGE, "products": [True]}]}, "packages[0].products[0]", "must be text, not true or false"),
        ({"packages": [{**PACKAGE, "products": ["web", "web"]}]}, "packages[0].products[1]", "occurs twice"),
        (
            {"packages": [{**PACKAGE, "products": ["Web"]}]},
            "packages[0].products[0]",
            "is no code in produ",
        ),
        ({"packages": [{**PACKAGE, "title": "X"}]}, "packages[0].title", "is no code in titles"),
        *(
            ({"packages": [{**PACKAGE, "grace_days": days}]}, "packages[0].grace_days", "must be a whole number from 0")
            for days in (-1, 367, 1.5, "5", True)
        ),
        (
            {"packages": [{**PACKAGE, "cancellable": "true"}]},
            "packages[0].cancellable",
            "must be true or false, not text",
        ),
        (
            {"packages": [{**PACKAGE, "integration_code": "x" * 51}]},
            "packages[0].integration_code",
            "must be at most 50 characters",
        ),
        ({"campaigns": [{"code": "summer"}]}, "campaigns[0].package", "must be given"),
        ({"campaigns": [{**CAMPAIGN, "package": "web"}]}, "campaigns[0].package", "is no code in packages"),
        (
            {"campaigns": [{**CAMPAIGN, "transforms_to": "winter"}]},
            "campaigns[0].transforms_to",
            "is no code in packages or campaigns",
        ),
        ({"campaigns": [{**CAMPAIGN, "code": "digital"}]}, "campaigns[0].code", "is already the code of packages[0]"),
    ],
)
def test_one_mistake(tmp_path: Path, parts: dict[str, Any], place: str, reason: str) -> None:
    [mistake] = mistakes(tmp_path, document(**parts))
    assert mistake[0] == place
    assert mistake[1].startswith(reason)


def test_a_key_of_an_entry_given_twice(tmp_path: Path) -> None:
    content = b'{"products": [{"code": "a", "code": "b", "name": "A"}]}'
    assert mistakes(tmp_path, content) == [("products[0].code", "occurs twice")]


def test_every_mistake_is_reported_in_the_order_of_the_document(tmp_path: Path) -> None:
    reported = mistakes(
        tmp_path,
        {
            "titles": [TITLE, {"code": "HERALD", "rgb": 1}, 7],
            "products": [PRODUCT],
            "packages": [{"code": "digital", "products": ["web", "paper", 5], "title": "X", "grace_days": -1}],
            "campaigns": [{"code": "digital", "package": "digital"}],
            "extra": 1,
        },
    )
    assert [place for place, _ in reported] == [
        "extra",
        "titles[1].name",
        "titles[1].rgb",
        "titles[1].code",
        "titles[2]",
        "packages[0].products[1]",
        "packages[0].products[2]",
        "packages[0].title",
        "packages[0].grace_days",
        "campaigns[0].code",
    ]


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    for path in (tmp_path / "missing.json", tmp_path):
        with pytest.raises(CannotRun, match="cannot be read"):
            read_catalogue(path)


def test_a_file_that_is_too_large(tmp_path: Path) -> None:
    file = tmp_path / "large.json"
    with file.open("wb") as large:
        large.truncate((64 << 20) + 1)
    with pytest.raises(CannotRun, match="larger than 64 MiB"):
        read_catalogue(file)
