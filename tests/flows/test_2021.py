"""The connector of 2021: a site's own form, the password grant, and one refresh token for ever after."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime

import pytest

from tests.support.connector import Connector2021
from tests.support.service import Publisher

EMAIL = "ove.ovesson@example.com"
PASSWORD = "Df7Vdd8!!vnM"
SCOPES = ("/external/account/r", "/external/account/w", "/external/me/w", "/external/me/r")
DAY = 86_400


@pytest.fixture
async def connector(publisher: Publisher) -> AsyncIterator[Connector2021]:
    client, secret = await publisher.new_client(*SCOPES)
    await publisher.activated(EMAIL)
    made = Connector2021(publisher.service.url, publisher.id, client.id, secret, publisher.service.clock)
    yield made
    await made.http.aclose()


async def test_a_reader_logs_in_and_stays(publisher: Publisher, connector: Connector2021) -> None:
    """The first refresh token is used again and again, for far longer than one alone would hold."""
    attempts = await connector.attempts(EMAIL)
    assert attempts == {"account_frozen": False, "remaining_authentication_attempts": 5, "frozen_until": None}
    response = await connector.log_in(EMAIL, PASSWORD)
    assert response.status_code == 200, response.text
    await connector.report(EMAIL, successful=True)
    tokens = response.json()
    me, products = await connector.reader(tokens["access_token"])
    assert (me["email"], products) == (EMAIL, ["package_code"])
    clock = publisher.service.clock
    for days in (1, 100, 250, 399):
        with clock.at(clock() + days * DAY):
            fresh = await connector.refresh(tokens["refresh_token"])
            assert fresh["expires_in"] == 3600
            me, _ = await connector.reader(fresh["access_token"])
            assert me["email"] == EMAIL


async def test_wrong_passwords_are_counted_once_and_freeze(publisher: Publisher, connector: Connector2021) -> None:
    """The site tries the password grant and reports the same attempt: five tries, not three."""
    for left in (4, 3, 2, 1):
        response = await connector.log_in(EMAIL, "wrong")
        assert response.status_code == 400
        assert "Username/password do not match" in response.json()["error_description"]
        await connector.report(EMAIL, successful=False)
        assert (await connector.attempts(EMAIL))["remaining_authentication_attempts"] == left
    await connector.log_in(EMAIL, "wrong")
    attempts = await connector.attempts(EMAIL)
    assert attempts["account_frozen"] and attempts["remaining_authentication_attempts"] == 0
    until = datetime.fromisoformat(attempts["frozen_until"]).timestamp()
    assert until == publisher.service.clock() + 900
    assert "frozen" in (await connector.log_in(EMAIL, PASSWORD)).json()["error_description"]
