"""A call that queues a mail responds with 429 where the account got too many, and only if it declares that it may."""

from __future__ import annotations

from pathlib import Path

import pytest

from stamkund.rules.mail import Mail, PasswordReset
from stamkund.settings import Settings
from stamkund.wire.about import About
from stamkund.wire.call import Call
from stamkund.wire.endpoint import Endpoint, endpoint
from stamkund.wire.response import Response
from tests.support.in_process import application_of, client_of
from tests.support.service import TestClock


def mailing(path: str, *, declared: bool) -> Endpoint:
    @endpoint("POST", path, public=True, mails=declared, about=About(title="Mail", group="Tests", source="these tests"))
    async def send(call: Call) -> Response:
        values = PasswordReset("https://login.example.com", call.now + 60)
        mail = Mail("herald", path.strip("/").ljust(24, "0"), "ove@example.com", values)
        await call.services.store.mails.add(mail, call.now)
        return Response(204, b"")

    return send


@pytest.mark.parametrize(("declared", "over"), [(True, 429), (False, 500)])
async def test_over_the_limit_of_mails(tmp_path: Path, *, declared: bool, over: int) -> None:
    url, key_file = f"sqlite:///{tmp_path / 'mails.db'}", str(tmp_path / "a.key")
    settings = Settings(database_url=url, key_file=key_file, log_level="error")
    more = [mailing("/test/mail", declared=declared)]
    async with (
        application_of(settings, TestClock(), more) as application,
        client_of(application, "http://127.0.0.1") as http,
    ):
        responses = [await http.post("/test/mail") for _ in range(6)]
    assert [response.status_code for response in responses] == [204] * 5 + [over]
    if declared:
        assert responses[5].json()["code"] == "too_many_requests" and responses[5].headers["retry-after"] == "3600"
