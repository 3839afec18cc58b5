"""A browser as far as login pages need one: cookies, redirects, forms, and the rules that browsers hold pages to.

It reads HTML with a parser and sends what a browser sends (`Origin` along with forms, `Accept-Language`). It follows
redirects as long as they stay on the hosts that it knows; one that leads elsewhere is where a `Page` ends: `location`.
What Chromium refuses is an AssertionError here: a `__Host-` cookie without its conditions, and a form whose redirects
lead where `form-action` doesn't let them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

import httpx

from tests.support.connector import AGENT
from tests.support.service import RunningService

_MOST_REDIRECTS = 10
_VOID = {"input", "meta", "img", "link", "br", "hr"}


@dataclass
class Element:
    """One element: its attributes, and all text inside it."""

    tag: str
    attributes: dict[str, str]
    text: str = ""

    def __getitem__(self, name: str) -> str:
        return self.attributes[name]

    def get(self, name: str) -> str | None:
        return self.attributes.get(name)


@dataclass
class PageForm:
    """A form with the values that its fields have."""

    action: str
    method: str
    fields: dict[str, str]
    id: str


class _PageParser(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[Element] = []
        self.forms: list[PageForm] = []
        self._open: list[Element] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs})
        self.elements.append(element)
        if tag not in _VOID:
            self._open.append(element)
        if tag == "form":
            attributes = element.attributes
            self.forms.append(
                PageForm(attributes.get("action", ""), attributes.get("method", "get"), {}, attributes.get("id", ""))
            )
        elif tag == "input" and self.forms and "name" in element.attributes:
            self.forms[-1].fields[element["name"]] = element.get("value") or ""

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop().tag != tag:
            pass

    def handle_data(self, data: str) -> None:
        for element in self._open:
            element.text += data


@dataclass
class Page:
    """What a browser shows, or the redirect at which it left us (`location`)."""

    url: str
    response: httpx.Response
    history: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        is_html = self.response.headers.get("content-type", "").startswith("text/html")
        self._parsed = _PageParser(self.response.text if is_html else "")

    @property
    def status(self) -> int:
        return self.response.status_code

    @property
    def text(self) -> str:
        return self.response.text

    @property
    def headers(self) -> httpx.Headers:
        return self.response.headers

    @property
    def location(self) -> str | None:
        """Where the browser was sent to, off the hosts that it knows."""
        location: str | None = self.response.headers.get("location")
        return location

    @property
    def forms(self) -> list[PageForm]:
        return self._parsed.forms

    @property
    def heading(self) -> str:
        return self.one("h1").text.strip()

    @property
    def title(self) -> str:
        return self.one("title").text

    @property
    def language(self) -> str:
        return self.one("html")["lang"]

    @property
    def alert(self) -> list[str]:
        """The sentences of the page's alert, none where it has none."""
        alerts = [e for e in self._parsed.elements if e.get("role") == "alert"]
        assert len(alerts) <= 1
        return [line.strip() for line in alerts[0].text.splitlines() if line.strip()] if alerts else []

    @property
    def policy(self) -> dict[str, list[str]]:
        """Content-Security-Policy by directive."""
        parts = self.headers.get("content-security-policy", "").split(";")
        return {words[0]: words[1:] for part in parts if (words := part.split())}

    def all(self, tag: str | None = None) -> list[Element]:
        return [e for e in self._parsed.elements if tag is None or e.tag == tag]

    def one(self, tag: str) -> Element:
        (element,) = self.all(tag)
        return element

    def by_id(self, id: str) -> Element:
        (element,) = (e for e in self._parsed.elements if e.get("id") == id)
        return element


class Browser:
    """One browser. `hosts`: further origins that it may follow redirects to; `transport`: how it finds them."""

    def __init__(
        self,
        service: RunningService | str,
        language: str = "en",
        hosts: Iterable[str] = (),
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.base = service if isinstance(service, str) else service.url
        self.language = language
        self.page: Page
        self.cookies: dict[tuple[str, str], str] = {}
        self._hosts = {_origin(self.base), *map(_origin, hosts)}
        self._http = httpx.AsyncClient(timeout=30, cookies=None, transport=transport)

    async def __aenter__(self) -> Browser:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    def cookie(self, name: str) -> str | None:
        """A cookie of the host that the browser began at."""
        return self.cookies.get((urlsplit(self.base).hostname or "", name))

    def set_cookie(self, name: str, value: str | None) -> None:
        """Puts a cookie in by hand, or takes one away."""
        key = urlsplit(self.base).hostname or "", name
        self.cookies.pop(key, None)
        if value is not None:
            self.cookies[key] = value

    async def get(self, url: str, headers: Mapping[str, str] | None = None, /, **query: str) -> Page:
        """Opens an address; `query` is added to it (`continue_` means `continue`)."""
        named = {name.removesuffix("_"): value for name, value in query.items()}
        target = f"{url}{'&' if '?' in url else '?'}{urlencode(named)}" if named else url
        return await self._go("GET", urljoin(self.base, target), None, dict(headers or {}), None)

    async def post(self, url: str, data: Mapping[str, str], headers: Mapping[str, str | None] | None = None) -> Page:
        """Sends a form to an address, as a page of ours would unless `headers` say otherwise (None: not sent)."""
        sent = {"origin": _origin(self.base), **(headers or {})}
        headers_sent = {name: value for name, value in sent.items() if value is not None}
        return await self._go("POST", urljoin(self.base, url), dict(data), headers_sent, None)

    async def submit(self, form: str = "", **fields: str) -> Page:
        """Sends the page's form, the one with the id `form` where there are several, with these fields filled in."""
        page = self.page
        (chosen,) = (f for f in page.forms if form in ("", f.id))
        unknown = set(fields) - set(chosen.fields)
        assert not unknown, f"the form has no fields {unknown}"
        target = urljoin(page.url, chosen.action)
        data = {**chosen.fields, **fields}
        if chosen.method == "get":
            return await self._go("GET", f"{target}?{urlencode(data)}", None, {}, page)
        return await self._go("POST", target, data, {"origin": _sent_origin(page)}, page)

    async def _go(
        self, method: str, url: str, data: dict[str, str] | None, headers: dict[str, str], form_of: Page | None
    ) -> Page:
        history: list[str] = []
        while True:
            if form_of is not None:
                _check_form_action(form_of, url)
            if history and _origin(url) not in self._hosts:
                return self.page
            response = await self._http.request(method, url, data=data, headers=self._headers(url, headers))
            self._take_cookies(url, response)
            self.page = Page(url, response, history)
            if response.status_code not in (301, 302, 303, 307, 308):
                return self.page
            history = [*history, url]
            assert len(history) <= _MOST_REDIRECTS, history
            url = urljoin(url, response.headers["location"])
            if response.status_code in (301, 302, 303):
                method, data, headers = "GET", None, {}

    def _headers(self, url: str, more: dict[str, str]) -> list[tuple[bytes, bytes]]:
        host = urlsplit(url).hostname
        cookie = "; ".join(f"{name}={value}" for (at, name), value in self.cookies.items() if at == host)
        sent = {"user-agent": AGENT, "accept-language": self.language, **({"cookie": cookie} if cookie else {}), **more}
        return [(name.encode(), value.encode("latin-1")) for name, value in sent.items()]

    def _take_cookies(self, url: str, response: httpx.Response) -> None:
        self._http.cookies.clear()  # httpx knows no `__Host-`, and would keep secure ones back on plain HTTP
        for header in response.headers.get_list("set-cookie"):
            pair, *rest = (part.strip() for part in header.split(";"))
            name, _, value = pair.partition("=")
            attributes = {key.lower(): text for key, _, text in (part.partition("=") for part in rest)}
            if name.startswith("__Host-"):
                assert "secure" in attributes and attributes.get("path") == "/" and "domain" not in attributes, header
            key = urlsplit(url).hostname or "", name
            self.cookies.pop(key, None)
            if attributes.get("max-age") != "0":
                self.cookies[key] = value


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _sent_origin(page: Page) -> str:
    """What browsers say about the page that a form is on: nothing but `null` where its policy is `no-referrer`."""
    return "null" if page.headers.get("referrer-policy") == "no-referrer" else _origin(page.url)


def _check_form_action(page: Page, url: str) -> None:
    allowed: list[Any] = page.policy.get("form-action", ["*"])
    here = urlsplit(url)
    origins = {_origin(page.url) if source == "'self'" else source for source in allowed}
    matching = {"*", _origin(url), f"{here.scheme}:", f"{here.scheme}://{here.hostname}:*"}
    assert origins & matching, f"form-action {allowed} does not allow {url}"
