"""Fixtures for tests of pages."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.endpoints.login_pages.reader import House, house
from tests.support.browser import Browser
from tests.support.service import Publisher


@pytest.fixture
async def home(publisher: Publisher) -> House:
    return await house(publisher)


@pytest.fixture
async def browser(home: House) -> AsyncIterator[Browser]:
    async with home.browser() as opened:
        yield opened


@pytest.fixture
async def other(home: House) -> AsyncIterator[Browser]:
    """A second browser, such as an attacker's."""
    async with home.browser() as opened:
        yield opened
