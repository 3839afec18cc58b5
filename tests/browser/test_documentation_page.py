"""The documentation page in a real browser: it is whole, and needs nothing from elsewhere."""

from __future__ import annotations

from pathlib import Path

from playwright.async_api import Browser

from tests.support.service import RunningService
from tests.support.window import window


async def test_the_page_is_whole_and_requests_nothing_else(
    service: RunningService, chromium: Browser, tmp_path: Path
) -> None:
    async with window(chromium, tmp_path) as reader:
        await reader.page.goto(f"{service.url}/docs")
        assert "Stamkund" in await reader.page.inner_text("h1")
        assert await reader.page.locator("h2").count() > 5
        assert (reader.requests, reader.messages) == ([f"{service.url}/docs"], [])
