"""Whether an organisation's template can be used: what it may hold, and what is wrong with it, by line.

- Of Jinja2 it may use values, `if`, a few filters, and the layout with its blocks. Without loops and calls, rendering
  takes time in proportion to the length of the template.
- It may use the variables of its purpose and no others.
- The HTML may load nothing from elsewhere, run nothing and ask for nothing, and every value must stand where it is
  escaped: what a reader is called must never make an attribute or an element.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from html.parser import HTMLParser
from typing import NamedTuple

from jinja2 import TemplateError, TemplateSyntaxError, nodes

from stamkund.delivery.mail.message import LOGO_SOURCE
from stamkund.delivery.mail.templates import COMMON, LAYOUT, NAMES, SUBJECT, built_in, environment, variables
from stamkund.rules.mail import LANGUAGES, MailPurpose

MAX_CHARACTERS = 32 * 1024
MAX_VALUES = 200
"""How often a template may use a value: each may be long."""

FILTERS = ("capitalize", "default", "e", "escape", "lower", "title", "trim", "upper", "urlencode")
_NODES = (
    nodes.Template,
    nodes.Output,
    nodes.TemplateData,
    nodes.Name,
    nodes.Const,
    nodes.If,
    nodes.CondExpr,
    nodes.Compare,
    nodes.Operand,
    nodes.Not,
    nodes.And,
    nodes.Or,
    nodes.Concat,
    nodes.Filter,
    nodes.Test,
    nodes.Extends,
    nodes.Block,
    nodes.Keyword,
)
_TESTS = ("defined",)
_FORBIDDEN_ELEMENTS = frozenset(
    (
        *("applet", "audio", "base", "button", "embed", "form", "frame", "frameset", "iframe", "input", "link", "math"),
        *("object", "script", "select", "source", "svg", "template", "textarea", "track", "video"),
    )
)
_LOADING_ATTRIBUTES = frozenset(
    (
        *("action", "background", "cite", "data", "formaction", "longdesc", "manifest", "ping", "poster", "src"),
        "srcset",
    )
)
_LOADING_CSS = re.compile(r"url\s*\(|@import|expression\s*\(|image-set\s*\(|\\", re.IGNORECASE)
_LINKS = re.compile(r"(https?://|mailto:|tel:|#)", re.IGNORECASE)
_HOSTILE = "x' y=\" z=1 ><b data-stamkund=1>& url(z)"
_SAMPLE_URL = "https://example.com/sample?code=1"


class TemplateMistake(NamedTuple):
    """What is wrong in a template. `line`: from 1; 0 where it is about the whole."""

    name: str
    line: int
    reason: str


def mistakes(sources: Mapping[str, str], own: Mapping[str, str]) -> list[TemplateMistake]:
    """What is wrong with templates that are to be imported beside the organisation's others, `own`."""
    wrong = [mistake for name, source in sources.items() for mistake in _in_source(name, source)]
    if wrong:
        return wrong
    everything = {**built_in(), **own, **sources}
    return [mistake for name in _rendered_with(sources) for mistake in _in_result(name, everything)]


def _rendered_with(sources: Mapping[str, str]) -> list[str]:
    """The templates that change what is rendered when these are imported: all HTML, where one is the layout."""
    if LAYOUT not in sources:
        return list(sources)
    return [name for name in NAMES if name != LAYOUT and (name in sources or name.endswith(".html"))]


def _in_source(name: str, source: str) -> Iterator[TemplateMistake]:
    """What can be seen without rendering it."""
    if name not in NAMES:
        purposes = ", ".join(MailPurpose)
        languages = ", ".join(LANGUAGES)
        reason = (
            f"there is no such template: it is {LAYOUT}, or PURPOSE.LANGUAGE.txt or .html ({purposes}; {languages})"
        )
        yield TemplateMistake(name, 0, reason)
        return
    if len(source) > MAX_CHARACTERS:
        yield TemplateMistake(name, 0, f"it has {len(source)} characters; it may have {MAX_CHARACTERS}")
        return
    if name.endswith(".txt") and not source.partition("\n")[0].removeprefix(SUBJECT).strip():
        yield TemplateMistake(name, 1, f"the first line must be `{SUBJECT}` and the subject")
    if name.endswith(".txt") and not source.startswith(SUBJECT):
        yield TemplateMistake(name, 1, f"the first line must begin with `{SUBJECT}`")
    try:
        tree = environment({}).parse(source)
    except TemplateSyntaxError as error:
        yield TemplateMistake(name, error.lineno, f"it is no template: {error.message}")
        return
    if sum(1 for _ in tree.find_all(nodes.Name)) > MAX_VALUES:
        yield TemplateMistake(name, 0, f"it uses values more than {MAX_VALUES} times")
    allowed = variables(name)
    for node in _all_nodes(tree):
        reason = _reason_against(node, allowed, name)
        if reason:
            yield TemplateMistake(name, node.lineno, reason)


def _all_nodes(tree: nodes.Node) -> Iterator[nodes.Node]:
    for child in tree.iter_child_nodes():
        yield child
        yield from _all_nodes(child)


def _reason_against(node: nodes.Node, allowed: tuple[str, ...], name: str) -> str:
    """Why a template may not hold this; empty where it may."""
    if not isinstance(node, _NODES):
        return f"templates of mails can't use this part of Jinja2 ({type(node).__name__})"
    if isinstance(node, nodes.Name) and node.name not in allowed:
        return f"there is no variable {node.name}; there are {', '.join(allowed)}"
    if isinstance(node, nodes.Filter) and node.name not in FILTERS:
        return f"there is no filter {node.name} here; there are {', '.join(FILTERS)}"
    if isinstance(node, nodes.Test) and node.name not in _TESTS:
        return f"there is no test {node.name} here; there is {', '.join(_TESTS)}"
    if isinstance(node, nodes.Extends):
        fits = isinstance(node.template, nodes.Const) and node.template.value == LAYOUT
        if not fits or name == LAYOUT or name.endswith(".txt"):
            return f"only the HTML of a mail may extend something, and only {LAYOUT}"
    return ""


# What comes out ---------------------------------------------------------------------------------------------


def _in_result(name: str, sources: Mapping[str, str]) -> Iterator[TemplateMistake]:
    """What can only be seen when it is rendered: once with plain values, once with what breaks out of bad places."""
    values = {variable: _sample(variable) for variable in variables(name)}
    hostile = {**values, **{variable: _HOSTILE for variable in values if variable not in COMMON[1:]}}
    template = environment(sources).get_template
    try:
        plain, attacked = template(name).render(values), template(name).render(hostile)
        template(name).render({**values, "logo": "", **({"first_name": ""} if "first_name" in values else {})})
    except TemplateError as error:
        yield TemplateMistake(name, getattr(error, "lineno", 0) or 0, f"it can't be rendered: {error.message}")
        return
    if name.endswith(".html"):
        seen, other = _Elements(plain), _Elements(attacked)
        for reason in dict.fromkeys((*seen.reasons, *seen.style_reasons, *other.style_reasons)):
            yield TemplateMistake(name, 0, reason)
        if seen.shape != other.shape:
            reason = "a value stands where it is not escaped: put attributes that hold one between quotes"
            yield TemplateMistake(name, 0, reason)


def _sample(variable: str) -> str:
    samples = {
        "logo": LOGO_SOURCE,
        "url": _SAMPLE_URL,
        "colour": "#1d4ed8",
        "on_colour": "#ffffff",
        "background": "#f3f4f6",
        "on_background": "#000000",
        "language": LANGUAGES[0],
    }
    return samples.get(variable, variable)


class _Elements(HTMLParser):
    """The elements of some HTML with the names of their attributes, and why some of them may not be in a mail."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.shape: list[tuple[str, ...]] = []
        self.reasons: list[str] = []
        self.style_reasons: list[str] = []
        self._in_style = False
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.shape.append((tag, *(name for name, _ in attrs)))
        self._in_style = tag == "style"
        if tag in _FORBIDDEN_ELEMENTS:
            self.reasons.append(f"a mail may not have the element {tag}")
        for name, value in attrs:
            self._check(tag, name, value or "")

    def _check(self, tag: str, name: str, value: str) -> None:
        if name.startswith("on") or name == "srcdoc":
            self.reasons.append(f"a mail may not have the attribute {name}")
        elif name in _LOADING_ATTRIBUTES and value != LOGO_SOURCE:
            self.reasons.append(f"a mail may load nothing: {tag} may have the attribute {name} only for the logo")
        elif name == "href" and _LINKS.match(value) is None:
            self.reasons.append("a link must begin with https:, http:, mailto: or tel:, or be {{ url }}")
        elif name == "style":
            self._check_style(value)
        elif tag == "meta" and name == "http-equiv":
            self.reasons.append("a mail may not have meta http-equiv")

    def handle_endtag(self, tag: str) -> None:
        self._in_style = False

    def handle_data(self, data: str) -> None:
        if self._in_style:
            self._check_style(data)

    def _check_style(self, css: str) -> None:
        if _LOADING_CSS.search(css):
            self.style_reasons.append(
                "a mail may load nothing: no url(…), @import or backslash, and no text of others, "
                "may stand in its style"
            )
