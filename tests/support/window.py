"""A reader's browser window: cookies of its own, and everything that the page requests or reports."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.async_api import Browser, BrowserContext, Page

SCREENSHOTS = "STAMKUND_TEST_SCREENSHOTS"
"""The environment variable that names the folder for screenshots."""


class Window:
    """A window. `requests`: the address of each. `messages`: the console, which names what a policy stopped too."""

    def __init__(self, context: BrowserContext, page: Page, folder: Path) -> None:
        self.context = context
        self.page = page
        self.requests: list[str] = []
        self.messages: list[str] = []
        self._folder = folder
        context.on("request", lambda request: self.requests.append(request.url))
        context.on("console", lambda message: self.messages.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: self.messages.append(f"error: {error}"))

    def origins(self) -> set[str]:
        """The origins of all requests. Addresses that hold their own content are none."""
        parts = (urlsplit(url) for url in self.requests)
        return {f"{part.scheme}://{part.netloc}" for part in parts if part.scheme not in ("data", "about")}

    async def shot(self, name: str) -> Path:
        """A picture of the whole page, for people."""
        file = self._folder / f"{name}.png"
        await self.page.screenshot(path=file, full_page=True)
        return file


@asynccontextmanager
async def window(browser: Browser, folder: Path, **options: Any) -> AsyncIterator[Window]:
    """Opens a new window. Pictures go to `folder`, or to the one that the variable names."""
    context = await browser.new_context(**options)
    context.set_default_timeout(15_000)
    try:
        yield Window(context, await context.new_page(), _picture_folder(folder))
    finally:
        await context.close()


def _picture_folder(folder: Path) -> Path:
    """Where pictures go."""
    chosen = Path(os.environ.get(SCREENSHOTS) or folder)
    chosen.mkdir(parents=True, exist_ok=True)
    return chosen
