"""Decoys: of which kind and cost the hash is that an unknown e-mail is verified against.

Which hash is verified decides how long a login takes, and unlike a time it can be compared exactly. How long logins
really take is measured by `python -m bench.login_times`.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import argon2
import bcrypt
import pytest

from stamkund.identity import imported_hashes, passwords
from stamkund.identity.decoys import Decoy, Decoys, Proportions, decoy_like, kind_of
from stamkund.rules import identifiers
from tests.support.hashes import BY_FORM, PASSWORD, VECTORS, Vector
from tests.support.rows import set_status
from tests.support.service import NOW, Publisher, replacement
from tests.support.service import customer as invented
from tests.support.statements import cost, listened_service

OURS = argon2.PasswordHasher(1, 8, 1).hash(PASSWORD)
# A form that each family of imported hashes has, and those that are written in an unusual way.
FORMS = [
    "bcrypt 2y",
    "WordPress 6.8",
    "Spring {argon2}",
    "Kratos argon2id",
    "libpass scrypt",
    "Drupal 7",
    "phpass",
    "sha512-crypt",
    "Django pbkdf2_sha256",
    "ASP.NET Identity 3, SHA-512",
    "LDAP {SSHA}",
    "Keycloak pbkdf2-sha256",
    "Kratos hmac",
]


def imported(form: str) -> str:
    return BY_FORM[form].text


def bcrypt_hash(rounds: int = 4, password: str = PASSWORD) -> str:
    return bcrypt.hashpw(password.encode(), bcrypt.gensalt(rounds)).decode()


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector.form)
def test_a_decoy_is_of_the_same_kind_and_matches_nothing(vector: Vector) -> None:
    """All that costs time is kept, so the verification does the same work."""
    decoy = decoy_like(vector.text)
    own, other = imported_hashes.parsed(vector.text), imported_hashes.parsed(decoy)
    assert own is not None and other is not None, "one that could not be verified would be refused at once"
    assert own.kind and (own.kind, own.cost) == (other.kind, other.cost)
    assert not imported_hashes.matches(decoy, [vector.password.encode()], imported_hashes.Secrets())


def test_what_costs_another_time_is_of_another_kind() -> None:
    """Of every form that says what it costs."""
    for form, one, other in (
        ("WordPress 6.8", "$04$", "$05$"),
        ("Django bcrypt_sha256", "$04$", "$05$"),
        ("libpass bcrypt-sha256", "r=4", "r=5"),
        ("Django argon2", "m=64", "m=65"),
        ("Django scrypt", "$16$", "$32$"),
        ("Werkzeug scrypt", ":1024:", ":2048:"),
        ("Spring {scrypt}", "$e0801$", "$d0801$"),
        ("Kratos scrypt", "16384", "32768"),
        ("Kratos firescrypt", "ln=14", "ln=13"),
        ("Werkzeug pbkdf2", ":10$", ":11$"),
        ("Kratos pbkdf2", "100000", "100001"),
        ("LDAP {PBKDF2}", "}10$", "}11$"),
        ("ASP.NET Identity 3, SHA-256", "AACcQA", "AAEcQA"),
        ("Keycloak pbkdf2", ":10,", ":11,"),
        ("Keycloak argon2", "7168", "7169"),
        ("Keycloak argon2", ":5,", ":6,"),
        ("phpass", "$P$9", "$P$A"),
        ("Drupal 7", "$S$C", "$S$D"),
        ("sha256-crypt", "rounds=1000", "rounds=1001"),
    ):
        text = imported(form)
        changed = text.replace(one, other, 1)
        assert kind_of(changed) not in ("", kind_of(text)), form


def test_the_cost_is_part_of_the_kind() -> None:
    hashes = [bcrypt_hash(4), bcrypt_hash(5), OURS, argon2.PasswordHasher(2, 8, 1).hash(PASSWORD)]
    assert len({kind_of(one) for one in hashes}) == 4
    assert kind_of(bcrypt_hash()) == kind_of(bcrypt_hash(password="another")) == "$2b$04"
    assert kind_of("md5:abc") == kind_of("") == ""


def test_places_are_shared_out_in_proportion() -> None:
    some, many = bcrypt_hash(4), bcrypt_hash(5)
    proportions = Proportions([(one, True) for one in [some] + [many] * 3 + ["unknown"]], OURS)
    kinds = Counter(kind_of(proportions.at(n / 1000).hash) for n in range(1000))
    assert kinds == {"$2b$04": 250, "$2b$05": 750}
    assert kind_of(proportions.at(1.0).hash) == "$2b$05"
    assert Proportions([], OURS).at(0.5) == Decoy(OURS)


def test_as_hashes_are_upgraded_a_decoy_changes_once_and_to_the_current_kind() -> None:
    """As a reader's hash does: one that changed back and forth would tell that there is no reader."""
    old = [bcrypt_hash(4), imported("Django pbkdf2_sha256")]
    steps = [
        Proportions([(OURS, False)] * upgraded + [(one, True) for one in old] * ((100 - upgraded) // 2), OURS)
        for upgraded in range(0, 101, 10)
    ]
    for place in range(100):
        current = [kind_of(step.at(place / 100).hash) == kind_of(OURS) for step in steps]
        assert current == sorted(current)


# Over HTTP ---------------------------------------------------------------------------------------------------


class VerifiedKinds:
    """Notes the kind of each hash that is verified, and in how many readings imported ones are."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.kinds: list[str] = []
        self.readings: list[int] = []
        matches, imported_matches = passwords._matches, imported_hashes.matches

        def noted(hasher: Any, stored_hash: str, *rest: Any, **options: Any) -> bool:
            self.kinds.append(kind_of(stored_hash))
            return matches(hasher, stored_hash, *rest, **options)

        def counted(stored_hash: str, readings: Any, secrets: Any) -> bool:
            self.readings.append(len(readings))
            return imported_matches(stored_hash, readings, secrets)

        monkeypatch.setattr(passwords, "_matches", noted)
        monkeypatch.setattr(imported_hashes, "matches", counted)

    def take(self) -> list[str]:
        kinds, self.kinds = self.kinds, []
        return kinds


@pytest.fixture
def verified(monkeypatch: pytest.MonkeyPatch) -> VerifiedKinds:
    return VerifiedKinds(monkeypatch)


async def import_readers(publisher: Publisher, *hashes: str) -> None:
    """A customer with an imported password for each hash: `reader0@example.com` and so on."""
    made = [
        replacement(
            invented(f"c{n}", NOW, email=f"reader{n}@example.com", social_security_number=None, password_hash=one)
        )
        for n, one in enumerate(hashes)
    ]
    outcome = await publisher.service.store.customers.put(publisher.id, made, NOW)
    assert not outcome.rejected


async def attempt(publisher: Publisher, email: str, times: int = 1, password: str = "wrong") -> None:
    for _ in range(times):
        response = await publisher.grant("password", username=email, password=password)
        assert response.status_code == 400


@pytest.mark.both_engines
@pytest.mark.parametrize("form", FORMS)
async def test_an_organisation_of_one_kind_has_decoys_of_that_kind(
    publisher: Publisher, verified: VerifiedKinds, form: str
) -> None:
    """Readers, unknown e-mails, inactive accounts and frozen logins: the same work for each."""
    hashes = [imported(form)] * 3
    await import_readers(publisher, *hashes)
    await attempt(publisher, "reader0@example.com")
    [kind] = verified.take()
    assert kind == kind_of(hashes[0])
    for n in range(20):
        await attempt(publisher, f"nobody{n}@example.com")
    await attempt(publisher, "reader1@example.com", 7)
    await attempt(publisher, "nobody@example.com", 7)
    await attempt(publisher, "elsewhere^reader1@example.com")
    assert set(verified.take()) == {kind}


@pytest.mark.parametrize(("password", "readings"), [("wrong", 1), ("f\u00e5r ej", 2), ("fa\u030ar ej", 3)])
async def test_a_password_is_tried_in_as_many_readings_for_an_unknown_email(
    publisher: Publisher, verified: VerifiedKinds, password: str, readings: int
) -> None:
    """Also where other systems' hashes have the form of ours, and for a login that is frozen."""
    await import_readers(publisher, *[argon2.PasswordHasher(1, 8, 1).hash(PASSWORD)] * 3)
    await attempt(publisher, "reader0@example.com", 7, password)
    for n in range(5):
        await attempt(publisher, f"nobody{n}@example.com", 1, password)
    assert verified.readings == [readings] * 12


@pytest.mark.parametrize(("form", "times"), [("LDAP {SSHA}", 1), ("phpass", 1), ("Keycloak argon2", 0)])
async def test_a_weak_hash_takes_no_less_time_than_one_of_ours(
    publisher: Publisher, verified: VerifiedKinds, monkeypatch: pytest.MonkeyPatch, form: str, times: int
) -> None:
    """A digest alone takes so little that the rest of a login would tell readers from unknown e-mails."""
    await import_readers(publisher, *[imported(form)] * 3)
    await attempt(publisher, "reader0@example.com")
    computed: list[str] = []
    hash_ = argon2.PasswordHasher.hash

    def counted(self: argon2.PasswordHasher, password: str | bytes, **options: Any) -> str:
        computed.append(str(password))
        return hash_(self, password, **options)

    monkeypatch.setattr(argon2.PasswordHasher, "hash", counted)
    for email in ("reader1@example.com", "nobody@example.com"):
        computed.clear()
        await attempt(publisher, email, 7)
        assert computed == ["wrong"] * 7 * times
    assert set(verified.take()) == {kind_of(imported(form))}


async def test_an_account_is_verified_in_one_reading_and_so_are_its_decoys(
    publisher: Publisher, verified: VerifiedKinds
) -> None:
    await publisher.activated("anna@example.com", "1")
    for email in ("anna@example.com", "nobody@example.com"):
        await attempt(publisher, email, 7, "fa\u030ar ej")
    assert len(verified.kinds) == 14 and verified.readings == []


async def test_an_inactive_account_is_verified_against_its_own_hash(
    publisher: Publisher, verified: VerifiedKinds
) -> None:
    await import_readers(publisher, *[imported("libpass scrypt")] * 10)
    await publisher.activated("inactive@example.com", "1")
    await attempt(publisher, "reader0@example.com")  # from now on there are decoys
    service = publisher.service
    login = await service.store.logins.find(publisher.id, identifiers.email("inactive@example.com"))
    assert login is not None and login.hash is not None
    await set_status(service.settings.database_url, publisher.id, "inactive", "inactive@example.com")
    verified.take()
    await attempt(publisher, "inactive@example.com")
    assert verified.take() == [kind_of(login.hash)]


@pytest.mark.both_engines
async def test_in_a_mixed_organisation_unknown_emails_are_distributed_like_readers(
    publisher: Publisher, verified: VerifiedKinds
) -> None:
    """The largest difference of the two distributions (Kolmogorov and Smirnov's), whatever the order of the times."""
    old, older = bcrypt_hash(5), imported("Django pbkdf2_sha256")
    hashes = [OURS] * 40 + [old] * 120 + [older] * 40
    await import_readers(publisher, *hashes)
    await attempt(publisher, "reader0@example.com")
    verified.take()
    for n in range(200):
        await attempt(publisher, f"nobody{n}@example.com")
    unknown, readers = Counter(verified.take()), Counter(kind_of(one) for one in hashes)
    assert set(unknown) == set(readers)
    difference = sum(abs(unknown[kind] - readers[kind]) for kind in readers) / 2 / 200
    assert difference <= 0.15


async def test_a_locked_login_is_verified_against_a_hash_of_its_own_kind(
    publisher: Publisher, verified: VerifiedKinds
) -> None:
    """Not of whatever kind its e-mail would have if it were unknown: a lockout would then change how long it takes."""
    rare = bcrypt_hash(5)
    await import_readers(publisher, *[rare] * 6, *[bcrypt_hash(4)] * 54)
    await attempt(publisher, "nobody@example.com")  # from now on there are decoys
    verified.take()
    for n in range(6):
        await attempt(publisher, f"reader{n}@example.com", 7)
    assert verified.take() == [kind_of(rare)] * 6 * 7


async def test_an_email_keeps_its_decoy(publisher: Publisher, verified: VerifiedKinds) -> None:
    await import_readers(publisher, *[OURS, bcrypt_hash(5)] * 5)
    kinds: list[list[str]] = []
    for _ in range(2):
        for n in range(20):
            await attempt(publisher, f"Nobody{n}@example.com" if kinds else f"nobody{n}@example.com")
        kinds.append(verified.take())
    assert kinds[0] == kinds[1] and len(set(kinds[0])) == 2


async def test_decoys_follow_the_readers_and_no_login_waits_for_that(publisher: Publisher) -> None:
    """The background job reads the proportions anew."""
    service = publisher.service
    hashing = passwords.Passwords(service.settings)
    decoys = Decoys(service.store, service.vault, hashing)

    async def kind() -> str:
        return kind_of((await decoys.for_login(publisher.id, "nobody@example.com")).hash)

    assert await kind() == kind_of(await hashing.dummy_hash()), "nobody has a password yet"
    await import_readers(publisher, *[bcrypt_hash(5)] * 3)
    assert await kind() != "$2b$05"
    await decoys.refresh()
    assert await kind() == "$2b$05"
    hashing.close()


async def test_a_sample_is_of_accounts_and_customers_alike(publisher: Publisher) -> None:
    """Up to the same e-mail of both, and only of those who can log in by a password."""
    await import_readers(publisher, *[bcrypt_hash(4)] * 6)
    await publisher.customer("none", email="reader00@example.com", social_security_number=None)
    for n in range(2):
        await publisher.activated(f"reader{n}x@example.com", f"a{n}", social_security_number=None)
    logins = publisher.service.store.logins

    async def sampled(size: int) -> Counter[str]:
        return Counter(kind_of(one)[:3] for one, _ in await logins.sample_hashes(publisher.id, size))

    assert await sampled(100) == {"$2b": 6, "$ar": 2}
    few = await sampled(2)
    assert 0 < few.total() <= 4 and few == await sampled(2), "the same logins each time"


@pytest.mark.both_engines
async def test_an_unknown_email_takes_as_many_statements_as_a_reader(
    fresh_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As an account where decoys stand for accounts, as a customer who never logged in where they stand for those.

    Seven attempts: the fifth locks the login, and the last two find it locked.
    """
    async with listened_service(fresh_url, tmp_path, monkeypatch) as (service, statements):
        accounts, customers = await service.publisher(), await service.publisher()
        for n in range(3):
            await accounts.activated(f"reader{n}@example.com", f"{n}", social_security_number=None)
        await set_status(fresh_url, accounts.id, "inactive", "reader2@example.com")
        # With number and social security number, as most customers have.
        await customers.customer("c0", email="reader0@example.com", password_hash=imported("libpass scrypt"))

        async def costs(publisher: Publisher, email: str) -> list[int]:
            return [await cost(service, statements, attempt(publisher, email)) for _ in range(7)]

        for publisher in (accounts, customers):
            await attempt(publisher, "somebody@example.com")  # from now on there are decoys
            reader = await costs(publisher, "reader0@example.com")
            assert reader[4] == reader[3] + 1, "that it froze"
            for email in ("nobody@example.com", "elsewhere^reader1@example.com"):
                assert await costs(publisher, email) == reader, email
        assert await costs(accounts, "reader2@example.com") == await costs(accounts, "reader1@example.com")
