"""Organisations and clients: made, changed, and held apart."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from stamkund.rules import identifiers
from stamkund.rules.account import ExternalId
from stamkund.rules.identifiers import Identifier
from stamkund.rules.ids import new_id
from stamkund.rules.organisation import Client, Organisation
from stamkund.rules.person_number import PersonNumber
from tests.store.conftest import StoredOrganisation
from tests.store.verbs.conftest import conflicting_kind
from tests.support.service import NOW

NUMBER = PersonNumber("800610-8230", "19")


async def test_organisations_are_made_and_changed(paper: StoredOrganisation) -> None:
    assert paper.id in [o.id for o in await paper.store.organisations.all()]
    assert await paper.store.organisations.get("unknown") is None

    def change(before: Organisation | None) -> Organisation:
        assert before is not None
        return msgspec.structs.replace(before, timezone="UTC")

    changed = await paper.store.organisations.change(paper.id, change)
    assert changed.timezone == "UTC"
    assert await paper.other.organisations.get(paper.id) == changed


async def test_simultaneous_changes_of_one_organisation_are_all_stored(paper: StoredOrganisation) -> None:
    def longer(before: Organisation | None) -> Organisation:
        assert before is not None
        return msgspec.structs.replace(before, name=before.name + "!")

    await asyncio.gather(*((paper.store, paper.other)[n % 2].organisations.change(paper.id, longer) for n in range(10)))
    remaining = await paper.store.organisations.get(paper.id)
    assert remaining is not None and remaining.name == paper.organisation.name + "!" * 10


async def test_clients_are_added_listed_and_changed(paper: StoredOrganisation, neighbour: StoredOrganisation) -> None:
    second = Client(new_id(NOW + 1), paper.id, "Second", NOW, ["/x"], [])
    await paper.store.clients.add(second)
    assert [c.id for c in await paper.other.clients.of_organisation(paper.id)] == [paper.client.id, second.id]
    assert await paper.store.clients.get(second.id) == (second, paper.organisation)
    assert await paper.store.clients.get("unknown") is None
    changed = await paper.store.clients.change(second.id, lambda c: msgspec.structs.replace(c, disabled=True))
    assert changed is not None and changed.disabled
    assert (await paper.other.clients.get(second.id)) == (changed, paper.organisation)
    assert await paper.store.clients.change("unknown", lambda c: c) is None
    with pytest.raises(Exception, match=r"(?i)unique"):
        await paper.store.clients.add(second)
    assert neighbour.client.id not in [c.id for c in await paper.store.clients.of_organisation(paper.id)]


async def test_a_disabled_client_is_seen_by_the_next_look_up(paper: StoredOrganisation) -> None:
    token = await paper.token()
    await paper.other.clients.change(paper.client.id, lambda c: msgspec.structs.replace(c, disabled=True))
    authenticated = await paper.store.tokens.authenticate(token, None)
    assert authenticated is not None and authenticated.client.disabled


async def test_ping(paper: StoredOrganisation) -> None:
    await paper.store.ping()


async def test_the_same_identifiers_in_two_organisations(
    paper: StoredOrganisation, neighbour: StoredOrganisation
) -> None:
    ids = {}
    for one in (paper, neighbour):
        made = await one.customer("1", identity_mapping=[ExternalId("crm", "1")])
        ids[one.id] = (await one.activate(made, alias="a", social_security_number=NUMBER))[1]
    for kind, value in (
        ("email", "a@example.com"),
        ("customer_number", "1"),
        ("alias", "a"),
        ("tulo_customer_number", "00001"),
        ("social_security_number", ""),
        identifiers.external_id("crm", "1"),
    ):
        for one in (paper, neighbour):
            by_number = kind == "social_security_number"
            account = await one.find(kind, one.vault.number_lookup_hash(one.id, NUMBER.ten) if by_number else value)
            assert account is not None and account.id == ids[one.id]
    assert await paper.find("id", ids[neighbour.id]) is None


async def test_another_organisations_customer_is_not_found(
    paper: StoredOrganisation, neighbour: StoredOrganisation
) -> None:
    theirs = await neighbour.customer("1", email="t@example.com", password_hash="brought")
    assert await paper.candidate("1") is None
    assert await paper.store.candidates.find(paper.id, [Identifier("id", theirs.id)]) is None
    assert await conflicting_kind(paper.activate(theirs)) == "candidate"
    assert await paper.store.logins.find(paper.id, identifiers.email("t@example.com")) is None
    await neighbour.activate(theirs)
    assert await paper.store.logins.find(paper.id, identifiers.email("a@example.com")) is None
