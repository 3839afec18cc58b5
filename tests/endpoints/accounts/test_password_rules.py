"""An organisation's rules for passwords, where they hold for clients of the API."""

from __future__ import annotations

import msgspec
import pytest

from stamkund.rules.organisation import Organisation
from stamkund.rules.password_rules import PasswordRules
from tests.support.service import Publisher

ACTIVATE = "/external/api/v1/accounts/activate_candidate"


async def refusal(publisher: Publisher, password: str, **more: str) -> dict[str, str] | None:
    """The refusal of an activation with a password; None where the account was made."""
    made = await publisher.customer("100001")
    body = {"account_candidate_id": made.id, "email": "ove.ovesson@example.com", "password": password, **more}
    response = await publisher.post(ACTIVATE, body)
    if response.status_code == 201:
        return None
    assert response.status_code == 400
    problem: dict[str, str] = response.json()
    return problem


async def with_rules(publisher: Publisher, **rules: object) -> None:
    def changed(before: Organisation | None) -> Organisation:
        assert before is not None
        return msgspec.structs.replace(before, password_rules=PasswordRules(**rules))  # type: ignore[arg-type]

    await publisher.service.store.organisations.change(publisher.id, changed)


@pytest.mark.parametrize("password", ["123456", "Ovesson", "ove.ovesson@example.com"])
async def test_clients_keep_the_documented_rule(publisher: Publisher, password: str) -> None:
    assert await refusal(publisher, password) is None


@pytest.mark.parametrize(
    ("password", "more", "message"),
    [
        ("Df7Vdd8!!vn", {}, "Parameter must have at least 12 characters"),
        ("123456789012", {}, None),
        ("q1w2e3r4t5y6", {}, "Parameter must not be one of the most common passwords"),
        ("Ovesson12345", {}, "Parameter must not be made of the account's own data"),
        ("ove.ovesson@example.com", {}, "Parameter must not be made of the account's own data"),
        ("Kalleanka1234", {"alias": "Kalleanka"}, "Parameter must not be made of the account's own data"),
        ("Df7Vdd8!!vnM", {}, None),
    ],
)
async def test_an_organisation_may_hold_clients_to_its_rules(
    publisher: Publisher, password: str, more: dict[str, str], message: str | None
) -> None:
    await with_rules(publisher, min_length=12, for_api=True)
    problem = await refusal(publisher, password, **more)
    assert (problem and problem["message"]) == message
    assert problem is None or (problem["code"], problem["field"]) == ("invalid_parameter", "password")


async def test_readers_who_have_a_weak_password_go_on_logging_in(publisher: Publisher) -> None:
    assert await refusal(publisher, "123456") is None
    await with_rules(publisher, min_length=12, for_api=True)
    await publisher.reader_token("ove.ovesson@example.com", "123456")
