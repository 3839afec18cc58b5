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
from passlib.context import CryptContext

from stamkund.identity import imported_hashes, passwords
from stamkund.identity.decoys import Decoy, Decoys, Proportions, decoy_like, kind_of
from stamkund.rules import identifiers
from tests.support.rows import set_status
from tests.support.service import NOW, Publisher, replacement
from tests.support.service import customer as invented
from tests.support.statements import cost, listened_service

PASSWORD = "Df7Vdd8!!vnM"
OURS = argon2.PasswordHasher(1, 8, 1).hash(PASSWORD)
QUICK: dict[str, Any] = {
    "argon2": {"argon2__time_cost": 1, "argon2__memory_cost": 8, "argon2__parallelism": 1},
    "bcrypt": {"bcrypt__rounds": 4},
    "bcrypt_sha256": {"bcrypt_sha256__rounds": 4},
    "django_bcrypt_sha256": {"django_bcrypt_sha256__rounds": 4},
    "scrypt": {"scrypt__rounds": 4},
    "phpass": {"phpass__rounds": 7},
    **{scheme: {f"{scheme}__rounds": 3} for scheme in imported_hashes._SCHEMES if "pbkdf2" in scheme},
}


def imported(scheme: str) -> str:
    return str(CryptContext(schemes=[scheme], **QUICK[scheme]).hash(PASSWORD))


def bcrypt_hash(rounds: int = 4, password: str = PASSWORD) -> str:
    return bcrypt.hashpw(password.encode(), bcrypt.gensalt(rounds)).decode()


@pytest.mark.parametrize("scheme", sorted(imported_hashes._SCHEMES))
def test_a_decoy_is_of_the_same_kind_and_matches_nothing(scheme: str) -> None:
    """Its salt and all else that costs time are kept, so the verification does the same work."""
    stored_hash = imported(scheme)
    decoy = decoy_like(stored_hash)
    hasher = argon2.PasswordHasher(1, 8, 1)
    assert kind_of(stored_hash) and kind_of(decoy) == kind_of(stored_hash)
    assert imported_hashes.parsed(decoy), "one that could not be verified would be refused at once"
    assert passwords._matches(hasher, stored_hash, PASSWORD)
    assert not passwords._matches(hasher, decoy, PASSWORD)


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
    old = [bcrypt_hash(4), imported("pbkdf2_sha256")]
    steps = [
        Proportions([(OURS, False)] * upgraded + [(one, True) for one in old] * ((100 - upgraded) // 2), OURS)
        for upgraded in range(0, 101, 10)
    ]
    for place in range(100):
        current = [kind_of(step.at(place / 100).hash) == kind_of(OURS) for step in steps]
        assert current == sorted(current)


# Over HTTP ---------------------------------------------------------------------------------------------------


class VerifiedKinds:
    """Notes the kind of each hash that is verified."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.kinds: list[str] = []
        matches = passwords._matches

        def noted(hasher: Any, stored_hash: str, password: str) -> bool:
            self.kinds.append(kind_of(stored_hash))
            return matches(hasher, stored_hash, password)

        monkeypatch.setattr(passwords, "_matches", noted)

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


async def attempt(publisher: Publisher, email: str, times: int = 1) -> None:
    for _ in range(times):
        response = await publisher.grant("password", username=email, password="wrong")
        assert response.status_code == 400


@pytest.mark.both_engines
@pytest.mark.parametrize("scheme", ["bcrypt", "scrypt", "phpass", "pbkdf2_sha256", "argon2"])
async def test_an_organisation_of_one_kind_has_decoys_of_that_kind(
    publisher: Publisher, verified: VerifiedKinds, scheme: str
) -> None:
    """Readers, unknown e-mails, inactive accounts and frozen logins: the same work for each."""
    hashes = [imported(scheme) for _ in range(3)]
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


async def test_an_inactive_account_is_verified_against_its_own_hash(
    publisher: Publisher, verified: VerifiedKinds
) -> None:
    await import_readers(publisher, *[imported("scrypt")] * 10)
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
    old, older = bcrypt_hash(5), imported("pbkdf2_sha256")
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
        await customers.customer("c0", email="reader0@example.com", password_hash=imported("scrypt"))

        async def costs(publisher: Publisher, email: str) -> list[int]:
            return [await cost(service, statements, attempt(publisher, email)) for _ in range(7)]

        for publisher in (accounts, customers):
            await attempt(publisher, "somebody@example.com")  # from now on there are decoys
            reader = await costs(publisher, "reader0@example.com")
            assert reader[4] == reader[3] + 1, "that it froze"
            for email in ("nobody@example.com", "elsewhere^reader1@example.com"):
                assert await costs(publisher, email) == reader, email
        assert await costs(accounts, "reader2@example.com") == await costs(accounts, "reader1@example.com")
