"""Mails in a real browser: they fit a telephone, in light and dark, and load nothing."""

from __future__ import annotations

import base64
import itertools
from pathlib import Path

import pytest
from playwright.async_api import Browser

from stamkund.delivery.mail.message import LOGO_SOURCE
from stamkund.rules.branding import PLAIN, Branding, logo_of
from stamkund.rules.mail import MailPurpose
from tests.delivery.test_templates import mail, owner, values_of
from tests.support.window import window

LONG_URL = "https://login.example.com/reset-password?code=" + "0123456789abcdef" * 12
LOGO = logo_of(
    base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==")
)
BRANDINGS = {"plain": PLAIN, "branded": Branding(LOGO, "#8a1538", "#14213d")}


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_mails_fit_and_load_nothing(chromium: Browser, tmp_path: Path, theme: str) -> None:
    async with window(chromium, tmp_path, color_scheme=theme) as reader:
        for width, (name, branding) in itertools.product((390, 700), BRANDINGS.items()):
            await reader.page.set_viewport_size({"width": width, "height": 800})
            for purpose in MailPurpose:
                of = owner(branding=branding)
                html = mail(values_of(purpose, url=LONG_URL, new_email="k***@" + "x" * 50 + ".example.com"), "sv", of)
                await reader.page.set_content(html.part("html").replace(LOGO_SOURCE, LOGO.source))
                overflow = await reader.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
                assert overflow <= 0, (purpose, width)
                await reader.shot(f"{purpose}-{name}-{theme}-{width}")
        card = await reader.page.evaluate("getComputedStyle(document.querySelector('.card')).backgroundColor")
        assert (card == "rgb(255, 255, 255)") is (theme == "light")
        assert not [url for url in reader.requests if not url.startswith(("data:", "about:"))]
