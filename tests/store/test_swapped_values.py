"""Sealed values that somebody who can write to the database moved to another place: they are refused."""

from __future__ import annotations

import msgspec
import pytest

from stamkund.identity.client_secrets import ClientSecrets
from stamkund.identity.id_token_keys import IdTokenKeys
from stamkund.rules import identifiers
from stamkund.rules.identifiers import Identifier
from stamkund.rules.organisation import Client, Secret
from stamkund.rules.person_number import PersonNumber
from stamkund.settings import Settings
from stamkund.store.work import Execute, Sql, Work
from stamkund.vault import NUMBER, CannotOpen, Place
from tests.store.conftest import StoredOrganisation
from tests.support.service import NOW

KALLE, OVE = PersonNumber("800610-8230", "19"), PersonNumber("620817-9256", "19")


async def change(paper: StoredOrganisation, sql: str, *values: object) -> None:
    def work() -> Work[None]:
        yield Execute(Sql(sql), values)

    await paper.store.engine.write(work)


async def account_with(paper: StoredOrganisation, number: PersonNumber, customer: str, email: str) -> int:
    made = await paper.customer(customer, social_security_number=number)
    return (await paper.activate(made, email))[0]


async def sealed_number(paper: StoredOrganisation, row: int) -> str:
    (stored,) = await paper.rows("SELECT document FROM accounts WHERE row = $1", row)
    return str(msgspec.json.decode(stored["document"])["social_security_number"])


async def put_number(paper: StoredOrganisation, row: int, sealed: str) -> None:
    before = await sealed_number(paper, row)
    await change(paper, "UPDATE accounts SET document = replace(document, $2, $3) WHERE row = $1", row, before, sealed)


async def test_a_number_of_another_account_is_not_opened(paper: StoredOrganisation) -> None:
    kalle = await account_with(paper, KALLE, "1", "kalle@example.com")
    ove = await account_with(paper, OVE, "2", "ove@example.com")
    await put_number(paper, kalle, await sealed_number(paper, ove))
    with pytest.raises(CannotOpen):
        await paper.find("email", "kalle@example.com")
    account = await paper.find("email", "ove@example.com")
    assert account is not None and account.social_security_number == OVE


async def test_a_number_of_another_organisation_is_not_opened(
    paper: StoredOrganisation, neighbour: StoredOrganisation
) -> None:
    """Not even into an account of the same id."""
    row = await account_with(paper, KALLE, "1", "kalle@example.com")
    account = await paper.find("email", "kalle@example.com")
    assert account is not None
    await put_number(paper, row, paper.vault.seal(OVE.stored(), Place(NUMBER, neighbour.id, account.id)))
    with pytest.raises(CannotOpen):
        await paper.find("email", "kalle@example.com")


async def test_a_customers_number_and_password_are_not_opened_in_another_customer(paper: StoredOrganisation) -> None:
    for number, sealed in (("1", KALLE), ("2", OVE)):
        await paper.customer(
            number, social_security_number=sealed, email=f"{number}@a.example", password_hash=f"h{number}"
        )
    documents = {
        stored["row"]: msgspec.json.decode(stored["document"])
        for stored in await paper.rows("SELECT row, document FROM customers WHERE organisation = $1", paper.id)
    }
    (one, first), (_, second) = documents.items()
    login = await paper.store.logins.find(paper.id, identifiers.email("1@a.example"))
    assert login is not None and login.hash == "h1"
    for name in ("social_security_number", "password_hash"):
        swapped = msgspec.json.encode({**first, name: second[name]}).decode()
        await change(paper, "UPDATE customers SET document = $2 WHERE row = $1", one, swapped)
        with pytest.raises(CannotOpen):
            await paper.store.logins.find(paper.id, identifiers.email("1@a.example"))
        with pytest.raises(CannotOpen):
            await paper.candidate("1")


async def test_a_hash_of_a_password_is_not_opened_as_a_number(paper: StoredOrganisation) -> None:
    made = await paper.customer("1", social_security_number=KALLE, email="a@a.example", password_hash=OVE.stored())
    (stored,) = await paper.rows("SELECT document FROM customers WHERE organisation = $1", paper.id)
    document = msgspec.json.decode(stored["document"])
    swapped = msgspec.json.encode({**document, "social_security_number": document["password_hash"]}).decode()
    with pytest.raises(CannotOpen):
        paper.store.documents.customer(paper.id, swapped)
    assert paper.store.documents.customer(paper.id, stored["document"]).id == made.id


async def test_a_secret_of_another_client_is_not_opened(
    paper: StoredOrganisation, neighbour: StoredOrganisation
) -> None:
    secrets = ClientSecrets(paper.vault)
    own = Secret(secrets.seal(paper.client, "o" * 40), NOW)
    assert secrets.valid(with_secret(paper.client, own), NOW) == ["o" * 40]
    for other in (msgspec.structs.replace(paper.client, id="other"), neighbour.client):
        with pytest.raises(CannotOpen):
            secrets.valid(with_secret(other, own), NOW)
    moved = msgspec.structs.replace(paper.client, organisation=neighbour.id)
    with pytest.raises(CannotOpen):
        secrets.valid(with_secret(moved, own), NOW)


def with_secret(client: Client, secret: Secret) -> Client:
    return msgspec.structs.replace(client, secrets=[secret])


async def test_a_private_key_is_not_opened_as_another(paper: StoredOrganisation) -> None:
    """Else ID tokens would be signed with a key that was put in beside the public part of another."""
    keys = IdTokenKeys(paper.store, paper.vault, Settings(), lambda: NOW)
    await keys.rotate(revoke_old=True)
    old = [key.sealed for key in await paper.store.id_token_keys.all() if key.algorithm == "RS256"]
    await keys.rotate(revoke_old=True)
    await change(paper, "UPDATE id_token_keys SET sealed = $1", *old)
    for algorithm in ("RS256", "ES256"):
        with pytest.raises(CannotOpen):
            await keys.sign({"sub": "1"}, algorithm)
    await change(paper, "DELETE FROM id_token_keys")


async def test_the_hash_of_a_number_is_another_one_in_each_organisation(
    paper: StoredOrganisation, neighbour: StoredOrganisation
) -> None:
    """So a copy of the database does not tell who reads two newspapers."""
    for one in (paper, neighbour):
        await account_with(one, KALLE, "1", "kalle@example.com")
    stored = {
        one.id: [
            row["value"]
            for table in ("identifiers", "customer_identifiers")
            for row in await one.rows(
                f"SELECT value FROM {table} WHERE organisation = $1 AND kind = $2", one.id, "social_security_number"
            )
        ]
        for one in (paper, neighbour)
    }
    assert len(set(stored[paper.id])) == len(set(stored[neighbour.id])) == 1
    assert not set(stored[paper.id]) & set(stored[neighbour.id])
    for one in (paper, neighbour):
        sent = [Identifier(identifiers.PERSON_NUMBER, one.vault.number_lookup_hash(one.id, KALLE.ten))]
        assert await one.store.candidates.find(one.id, sent) is not None
