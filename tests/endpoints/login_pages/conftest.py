"""Fixtures for tests of pages."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.endpoints.login_pages.reader import Herald, herald_of
from tests.support.browser import Browser
from tests.support.service import Publisher


@pytest.fixture
async def herald(publisher: Publisher) -> Herald:
    return await herald_of(publisher)


@pytest.fixture
async def browser(herald: Herald) -> AsyncIterator[Browser]:
    async with herald.browser() as browser:
        yield browser


@pytest.fixture
async def other(herald: Herald) -> AsyncIterator[Browser]:
    """A second browser, such as an attacker's."""
    async with herald.browser() as browser:
        yield browser
