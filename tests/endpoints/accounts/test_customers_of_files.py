"""Customer numbers of more than ten characters, where the organisation has them; and e-mails of imported logins."""

from __future__ import annotations

from stamkund.rules import identifiers
from stamkund.rules.identifiers import Identifier
from tests.support.service import Publisher, RunningService

NUMBER = "SE-2024-000000017"
REFUSED = {
    "code": "invalid_parameter",
    "field": "customer_number",
    "message": "Parameter must be at most 10 characters",
}


async def test_look_ups_refuse_them(publisher: Publisher) -> None:
    await publisher.activated(number=NUMBER)
    for path in ("/external/api/v1/accounts", "/external/api/v1/accounts/candidate"):
        response = await publisher.get(path, customer_number=NUMBER)
        assert (response.status_code, response.json()) == (400, REFUSED)


async def test_look_ups_accept_them_where_the_organisation_has_them(service: RunningService) -> None:
    publisher = await service.publisher(long_customer_numbers=True)
    await publisher.customer(NUMBER)
    response = await publisher.get("/external/api/v1/accounts/candidate", customer_number=NUMBER)
    candidate = response.json()["item"]
    assert (response.status_code, candidate["customer_number"]) == (200, NUMBER)
    body = {
        "account_candidate_id": candidate["account_candidate_id"],
        "email": "ove@example.com",
        "password": "Df7Vdd8!!vnM",
        "customer_number": NUMBER,
    }
    assert (await publisher.post("/external/api/v1/account/activate_candidate", body)).status_code == 201
    response = await publisher.get("/external/api/v1/accounts", customer_number=NUMBER)
    assert response.json()["item"]["customer_number"] == NUMBER
    response = await publisher.get("/external/api/v1/accounts", customer_number="9" * 51)
    assert response.status_code == 400


async def test_the_email_of_an_imported_login_is_taken(publisher: Publisher) -> None:
    stored_hash = "$P$B12345678abcdefghijklmnopqrstuv"
    await publisher.customer(
        "830001", email="delad@example.com", password_hash=stored_hash, social_security_number=None
    )
    other = await publisher.customer("830002", social_security_number=None)
    body = {"account_candidate_id": other.id, "email": "Delad@example.com", "password": "Df7Vdd8!!vnM"}
    response = await publisher.post("/external/api/v1/account/activate_candidate", body)
    assert (response.status_code, response.json()) == (
        409,
        {"code": "already_exists", "field": "email", "message": "already exists"},
    )
    store = publisher.service.store
    own = await store.candidates.find(publisher.id, [Identifier(identifiers.CUSTOMER_NUMBER, "830001")])
    assert own is not None
    body["account_candidate_id"] = own.customer.id
    assert (await publisher.post("/external/api/v1/account/activate_candidate", body)).status_code == 201
