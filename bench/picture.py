"""The results as a picture (SVG): a bar for each line, scaled so that all goals stand in one column. Light and dark."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from xml.etree import ElementTree as ET

from bench.results import Entry, Line, Results

WIDTH = 800
_MARGIN = 16
_BARS_FROM, _GOAL_AT, _BARS_TO = 424, 544, 664
_VALUES_FROM = 676
_LETTERS = 62
"""How many letters of a name fit before the bars."""
_LINE_HEIGHT = 15
_GAP = 7
_LONGEST = (_BARS_TO - _BARS_FROM) / (_GOAL_AT - _BARS_FROM)
"""The longest bar, in goals; what is longer is cut and ends in a point."""

_STYLE = """
text { font: 12px system-ui, -apple-system, "Segoe UI", "DejaVu Sans", Arial, sans-serif; fill: #1f2328; }
.heading { font-weight: 600; font-size: 14px; }
.quiet { fill: #59636e; }
.page { fill: #ffffff; }
.track { fill: #eff2f5; }
.reached { fill: #0969da; }
.missed { fill: #d4700a; }
.goal { stroke: #1f2328; stroke-width: 2; }
@media (prefers-color-scheme: dark) {
  text { fill: #f0f6fc; }
  .quiet { fill: #9198a1; }
  .page { fill: #0d1117; }
  .track { fill: #21262d; }
  .reached { fill: #4493f8; }
  .missed { fill: #f0883e; }
  .goal { stroke: #f0f6fc; }
}
"""


def drawn(results: Results) -> str:
    """The picture as text."""
    svg = ET.Element("svg", {"xmlns": "http://www.w3.org/2000/svg", "width": str(WIDTH), "role": "img"})
    ET.SubElement(svg, "title").text = "What was measured, beside the goals"
    ET.SubElement(svg, "style").text = _STYLE
    page = ET.SubElement(svg, "rect", {"class": "page", "width": str(WIDTH)})
    bottom = _legend(svg)
    for heading, entries in results.groups().items():
        bottom = _group(svg, heading, entries, bottom)
    height = str(bottom + _MARGIN)
    page.set("height", height)
    svg.set("height", height)
    svg.set("viewBox", f"0 0 {WIDTH} {height}")
    ET.indent(svg)
    return f"{ET.tostring(svg, encoding='unicode')}\n"


def _legend(svg: ET.Element) -> int:
    """What the colours and the marks mean; returns where it ends."""
    y = _MARGIN + 10
    for x, kind, text in ((_MARGIN, "reached", "goal reached"), (_MARGIN + 130, "missed", "goal not reached")):
        _rectangle(svg, kind, x, y - 9, 24, 10)
        _text(svg, x + 32, y, text)
    _goal_mark(svg, _MARGIN + 286, y - 11)
    _text(svg, _MARGIN + 296, y, "the goal: with ≥ a longer bar is better, with ≤ a shorter one")
    return y


def _group(svg: ET.Element, heading: str, entries: Iterable[Entry], top: int) -> int:
    y = top + 36
    _text(svg, _MARGIN, y, heading, "heading")
    y += 8
    for entry in entries:
        y = _line(svg, entry.line, y)
    return y


def _line(svg: ET.Element, line: Line, top: int) -> int:
    """One line: its name, its bar, its value; returns where it ends."""
    group = ET.SubElement(svg, "g")
    ET.SubElement(group, "title").text = f"{line.name}: {line.note}" if line.note else line.name
    texts = textwrap.wrap(line.name, _LETTERS)
    height = _LINE_HEIGHT * len(texts)
    for number, text in enumerate(texts):
        _text(group, _MARGIN, top + _GAP + 11 + number * _LINE_HEIGHT, text)
    middle = top + _GAP + height // 2
    _rectangle(group, "track", _BARS_FROM, middle - 5, _BARS_TO - _BARS_FROM, 10)
    _bar(group, line, middle)
    _goal_mark(group, _GOAL_AT, middle - 8)
    _text(group, _VALUES_FROM, middle + 4, f"{line.ratio:.2f}")
    _text(group, _VALUES_FROM + 48, middle + 4, line.bound, "quiet")
    return top + _GAP + height


def _bar(group: ET.Element, line: Line, middle: int) -> None:
    goals = line.ratio / line.goal
    end = _BARS_FROM + min(goals, _LONGEST) * (_GOAL_AT - _BARS_FROM)
    kind = f"bar {'reached' if line.reached else 'missed'}"
    if goals <= _LONGEST:
        _rectangle(group, kind, _BARS_FROM, middle - 5, end - _BARS_FROM, 10)
        return
    points = [(_BARS_FROM, middle - 5), (end - 8, middle - 5), (end, middle), (end - 8, middle + 5)]
    points.append((_BARS_FROM, middle + 5))
    ET.SubElement(group, "polygon", {"class": kind, "points": " ".join(f"{x:g},{y:g}" for x, y in points)})


def _goal_mark(parent: ET.Element, x: int, top: int) -> None:
    place = {"x1": str(x), "x2": str(x), "y1": str(top), "y2": str(top + 16)}
    ET.SubElement(parent, "line", {"class": "goal", **place})


def _rectangle(parent: ET.Element, kind: str, x: float, y: float, width: float, height: float) -> None:
    place = {"x": f"{x:g}", "y": f"{y:g}", "width": f"{width:.1f}", "height": f"{height:g}"}
    ET.SubElement(parent, "rect", {"class": kind, **place})


def _text(parent: ET.Element, x: int, y: int, text: str, kind: str = "") -> None:
    element = ET.SubElement(parent, "text", {"x": str(x), "y": str(y), **({"class": kind} if kind else {})})
    element.text = text
