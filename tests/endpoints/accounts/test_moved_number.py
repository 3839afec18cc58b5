"""A sealed number that was moved into another account, past the product, is not in any response."""

from __future__ import annotations

import json

import pytest

from tests.support.rows import executed, rows
from tests.support.service import Publisher

pytestmark = pytest.mark.both_engines


async def test_no_response_has_a_moved_number(publisher: Publisher) -> None:
    """Neither by the look-up of the account nor to its reader; the other account is as it was."""
    kalle = await publisher.activated("kalle@example.com", "1", social_security_number="800610-8230")
    ove = await publisher.activated("ove@example.com", "2", social_security_number="620817-9256")
    reader = await publisher.reader_token("ove@example.com")
    url = publisher.service.settings.database_url
    documents = [text for (text,) in await rows(url, f"SELECT document FROM accounts WHERE id IN ('{kalle}', '{ove}')")]
    sealed = {json.loads(text)["id"]: json.loads(text)["social_security_number"] for text in documents}
    moved = f"replace(document, '{sealed[ove]}', '{sealed[kalle]}')"
    await executed(url, f"UPDATE accounts SET document = {moved} WHERE id = '{ove}'")
    responses = [await publisher.get("/external/api/v1/accounts", email="ove@example.com")]
    headers = {"authorization": f"Bearer {reader}"}
    responses.append(await publisher.service.http.get("/external/api/v1/me", headers=headers))
    for response in responses:
        assert response.status_code == 500
        assert "800610" not in response.text and "620817" not in response.text
    unchanged = await publisher.get("/external/api/v1/accounts", social_security_number="800610-8230")
    assert unchanged.json()["item"]["id"] == kalle
