"""What follows from the settings for the headers of all responses, and what a logout says to the browser."""

from __future__ import annotations

from pathlib import Path

import pytest

from stamkund.server.process import PROTOCOL
from stamkund.settings import Settings
from stamkund.wire.security_headers import headers_of_all_responses
from tests.endpoints.login_pages.reader import EMAIL, PASSWORD, herald_of
from tests.support import raw
from tests.support.in_process import application_of, client_of
from tests.support.service import NOW, RunningService

HSTS = "strict-transport-security"


@pytest.mark.parametrize(
    ("settings", "value"),
    [
        ({"public_url": "https://login.example.com"}, b"max-age=31536000"),
        ({"public_url": "https://login.example.com", "hsts_seconds": 60}, b"max-age=60"),
        ({"public_url": "https://login.example.com", "hsts_seconds": 0}, None),
        ({"public_url": "http://login.example.com"}, None),
        ({}, None),
    ],
)
def test_browsers_come_by_https_alone_where_they_can(settings: dict[str, object], value: bytes | None) -> None:
    made = Settings(**settings)  # type: ignore[arg-type]
    assert dict(headers_of_all_responses(made)) == ({} if value is None else {HSTS.encode(): value})


async def test_every_response_says_so_and_the_documentation_may_be_missing(fresh_url: str, tmp_path: Path) -> None:
    """Refusals of the parser too, and through any server that speaks ASGI."""
    settings = {"public_url": "https://login.example.com", "documentation": False}
    async with RunningService(fresh_url, tmp_path / "stamkund.key", **settings) as service:
        for path, status in (("/health/live", 200), ("/nothing", 404), ("/docs", 404), ("/openapi.json", 404)):
            response = await service.http.get(path)
            assert (response.status_code, response.headers.get_list(HSTS)) == (status, ["max-age=31536000"])
        assert (await raw.send(service, b"garbage\r\n\r\n")).headers[HSTS] == "max-age=31536000"
        async with application_of(service.settings, lambda: NOW) as application:
            response = await client_of(application, "https://login.example.com").get("/health/live")
            assert response.headers.get_list(HSTS) == ["max-age=31536000"]
    assert PROTOCOL["server_header"] is False


async def test_the_documentation_is_there_unless_it_is_switched_off(service: RunningService) -> None:
    for path in ("/docs", "/openapi.json"):
        assert (await service.http.get(path)).status_code == 200


async def test_a_logout_clears_what_the_browser_keeps_but_not_its_cookies(service: RunningService) -> None:
    """The cookie of a trusted browser stays."""
    herald = await herald_of(await service.publisher())
    async with herald.browser() as browser:
        await herald.log_in(browser, EMAIL, PASSWORD)
        page = await browser.get("/logout", oid=herald.id)
        assert "clear-site-data" not in page.headers
        page = await browser.submit()
        assert page.headers["clear-site-data"] == '"cache", "storage"'
        page = await browser.get("/logout", oid=herald.id)
        assert "clear-site-data" not in page.headers, "nobody was logged in"
