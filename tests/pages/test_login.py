from __future__ import annotations

from tests.support.browser import Browser
from tests.support.stage import Publisher

EMAIL, PASSWORD = "ove.ovesson@example.com", "Df7Vdd8!!vnM"


async def test_smoke(publisher: Publisher) -> None:
    await publisher.activated(EMAIL)
    async with Browser(publisher.stage) as browser:
        page = await browser.get("/login", oid=publisher.id)
        print(page.text)
        assert page.status == 200, page.text
        page = await browser.submit(email=EMAIL, password="wrong")
        assert page.status == 403, page.text
        print(page.alert)
        page = await browser.submit(email=EMAIL, password=PASSWORD)
        assert page.status == 200, page.text
        assert page.heading == "You are logged in"
        page = await browser.submit()
        assert page.heading == "You are logged out"
        page = await browser.get("/logout", oid=publisher.id)
        assert page.heading == "You are not logged in"
