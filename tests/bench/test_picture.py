"""The picture of the results: XML, one bar for each line, nothing outside of it."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest
from bench.results import Line, Results, Run

from bench import picture

SVG = "{http://www.w3.org/2000/svg}"
RUN = Run("2026-06-01 10:00", "2 cores.")
LINES = [
    Line("GET /accounts <fast> & more", 0.25, 0.5),
    Line("reached", 0.75, 0.5),
    Line("far above", 500, 40),
    Line("at most, reached", 50, 100, most=True),
    Line("at most, far above", 900, 100, most=True),
    Line("a name that does not fit on one line because it goes on and on until nobody reads it any more", 1, 1),
]


@pytest.fixture(scope="module")
def svg() -> ET.Element:
    return ET.fromstring(picture.drawn(Results().merged(RUN, [("reads", line) for line in LINES])))


def bars(svg: ET.Element) -> list[ET.Element]:
    return [element for element in svg.iter() if "bar" in element.get("class", "").split()]


def test_there_is_one_bar_for_each_line(svg: ET.Element) -> None:
    kinds = ["missed", "reached", "reached", "reached", "missed", "reached"]
    assert [bar.get("class") for bar in bars(svg)] == [f"bar {kind}" for kind in kinds]


def test_a_bar_is_as_long_as_what_was_measured_beside_its_goal(svg: ET.Element) -> None:
    half, one_and_a_half, *_ = (float(bar.get("width", "0")) for bar in bars(svg))
    assert one_and_a_half == 3 * half


def test_a_bar_that_is_cut_ends_in_a_point(svg: ET.Element) -> None:
    assert [bar.tag.removeprefix(SVG) for bar in bars(svg)] == ["rect", "rect", "polygon", "rect", "polygon", "rect"]


def test_names_are_whole_and_values_stand_beside_them(svg: ET.Element) -> None:
    text = " ".join(element.text or "" for element in svg.iter(f"{SVG}text"))
    for line in LINES:
        assert line.name in text and f"{line.ratio:.2f} {line.bound}" in text


def test_nothing_is_outside_of_the_picture(svg: ET.Element) -> None:
    width, height = float(svg.get("width", "0")), float(svg.get("height", "0"))
    assert svg.get("viewBox") == f"0 0 {width:g} {height:g}" and width == 800
    for element in svg.iter(f"{SVG}rect"):
        right = float(element.get("x", "0")) + float(element.get("width", "0"))
        bottom = float(element.get("y", "0")) + float(element.get("height", "0"))
        assert right <= width and bottom <= height
    for element in svg.iter(f"{SVG}text"):
        assert float(element.get("y", "0")) <= height


def test_it_has_colours_for_a_dark_theme(svg: ET.Element) -> None:
    assert "@media (prefers-color-scheme: dark)" in (svg.findtext(f"{SVG}style") or "")
