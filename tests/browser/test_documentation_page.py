"""The documentation page in a real browser: it is whole, and needs nothing from elsewhere."""

from __future__ import annotations

from playwright.async_api import Browser

from tests.support.stage import Stage


async def test_the_page_shows_itself_and_asks_nobody_else(stage: Stage, chromium: Browser) -> None:
    context = await chromium.new_context()
    page = await context.new_page()
    asked: list[str] = []
    said: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    try:
        await page.goto(f"{stage.url}/docs")
        assert "Stamkund" in await page.inner_text("h1")
        assert await page.locator("h2").count() > 5
        assert (asked, said) == ([f"{stage.url}/docs"], [])
    finally:
        await context.close()
