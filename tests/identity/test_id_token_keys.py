"""The keys of ID tokens: two processes at once have the same ones, new ones follow in time, old ones go."""

from __future__ import annotations

import asyncio
import base64
import hmac
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from stamkund.identity import id_token_keys
from stamkund.identity.id_token_keys import CACHE_SECONDS, IdTokenKeys
from stamkund.rules.key_schedule import ALGORITHMS, IdTokenKey
from stamkund.settings import Settings
from stamkund.store import Store
from stamkund.store.open import Installation
from stamkund.vault import ID_TOKEN_KEY, Place
from tests.store.conftest import DAY
from tests.support.service import NOW, TestClock, open_new
from tests.support.statements import listened

pytestmark = pytest.mark.both_engines

SETTINGS = Settings(signing_key_days=90, access_token_seconds=3600, session_days=30)
RETENTION = 3600 + 30 * DAY
CLAIMS = {"iss": SETTINGS.issuer, "sub": "1"}


@dataclass
class Two:
    """Two processes of one installation, and the clock of both."""

    installations: tuple[Installation, Installation]
    keys: tuple[IdTokenKeys, IdTokenKeys]
    clock: TestClock
    key_file: Path

    async def kids(self, process: int = 0, algorithm: str = "RS256") -> list[str]:
        return [key["kid"] for key in (await self.keys[process].key_set())["keys"] if key["alg"] == algorithm]

    async def signing(self, process: int = 0, algorithm: str = "RS256") -> str:
        return kid(await self.keys[process].sign(CLAIMS, algorithm))


@pytest.fixture
async def two(fresh_url: str, tmp_path: Path) -> AsyncIterator[Two]:
    key_file = tmp_path / "a.key"
    first, second = await open_new(fresh_url, key_file), await open_new(fresh_url, key_file)
    clock = TestClock()
    yield Two((first, second), (keys_of(first, clock), keys_of(second, clock)), clock, key_file)
    await asyncio.gather(first.close(), second.close())


def keys_of(installation: Installation, clock: TestClock) -> IdTokenKeys:
    return IdTokenKeys(installation.store, installation.vault, SETTINGS, clock)


def kid(token: str) -> str:
    head = token.partition(".")[0]
    return str(json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))["kid"])


def by_algorithm(key_set: dict[str, list[dict[str, Any]]]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The one RSA key and the one elliptic one of a key set."""
    keys = {key["alg"]: key for key in key_set["keys"]}
    assert sorted(keys) == ["ES256", "RS256"] and len(key_set["keys"]) == 2
    return keys["RS256"], keys["ES256"]


async def key_for(store: Store, algorithm: str) -> IdTokenKey:
    (key,) = [key for key in await store.id_token_keys.all() if key.algorithm == algorithm]
    return key


def text(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).rstrip(b"=").decode()


async def test_two_processes_make_one_first_key(two: Two) -> None:
    signatures = [keys.sign(CLAIMS) for keys in two.keys for _ in range(5)]
    assert len({kid(token) for token in await asyncio.gather(*signatures)}) == 1
    assert await two.kids(0) == await two.kids(1) and len(await two.kids()) == 1


async def test_two_processes_make_one_next_key(two: Two) -> None:
    first = await two.signing()
    two.clock.now += 90 * DAY
    lists = await asyncio.gather(*(two.kids(n) for n in (0, 1, 0, 1)))
    assert all(kids == lists[0] for kids in lists)
    assert len(lists[0]) == 2 and lists[0][0] == first


async def test_a_key_is_published_for_a_day_before_it_signs_and_long_after(two: Two) -> None:
    first = await two.signing()
    two.clock.now += 90 * DAY - 1
    assert await two.kids() == [first]
    two.clock.now += CACHE_SECONDS
    assert await two.signing() == first
    second = (await two.kids())[1]
    two.clock.now += DAY - 1
    assert await two.signing(1) == first
    two.clock.now += 1
    last_of_first = await two.keys[0].sign(CLAIMS)
    assert [await two.signing(n) for n in (0, 1)] == [second, second] == [kid(last_of_first)] * 2
    two.clock.now += RETENTION - 1
    assert await two.keys[0].remove_expired(two.clock.now, 500) == 0
    assert await two.kids(1) == [first, second]
    two.clock.now += 1
    assert await two.keys[0].remove_expired(two.clock.now, 500) == 2  # one of each algorithm
    two.clock.now += CACHE_SECONDS
    assert await two.kids(0) == await two.kids(1) == [second]
    assert await two.signing() == second


async def test_signatures_of_an_older_key_are_valid_while_it_is_published(two: Two) -> None:
    token = await two.keys[0].sign(CLAIMS)
    two.clock.now += 90 * DAY
    assert await two.signing(1) == kid(token)
    two.clock.now += DAY
    assert await two.signing(1) != kid(token)
    assert await two.keys[1].verify(token) == CLAIMS
    two.clock.now += RETENTION
    await two.keys[0].remove_expired(two.clock.now, 500)
    assert await two.keys[1].verify(token) is None


async def test_published_keys_are_public_and_verify_signatures(two: Two) -> None:
    token = await two.keys[0].sign({**CLAIMS, "exp": NOW - 1})
    key, _ = by_algorithm(await two.keys[1].key_set())
    assert sorted(key) == ["alg", "e", "kid", "kty", "n", "use"]
    assert (key["alg"], key["use"], key["kty"]) == ("RS256", "sig", "RSA")
    decoded = jwt.decode(token, RSAKey.import_key(key), algorithms=["RS256"])
    assert decoded.header == {"alg": "RS256", "kid": key["kid"], "typ": "JWT"}
    assert decoded.claims["exp"] == NOW - 1
    assert RSAKey.import_key(key).raw_value.key_size == 3072
    assert await two.keys[1].verify(token) == {**CLAIMS, "exp": NOW - 1}, "it may have expired"


async def test_nothing_else_is_taken_for_ours(two: Two) -> None:
    keys = two.keys[0]
    token = await keys.sign(CLAIMS)
    public, elliptic = by_algorithm(await keys.key_set())
    head, claims, signature = token.split(".")
    foreign_key = RSAKey.generate_key(2048)
    header = {"alg": "RS256", "kid": public["kid"]}
    pem = RSAKey.import_key(public).as_pem(private=False)
    confused = f"{text(json.dumps({'alg': 'HS256', 'kid': public['kid']}).encode())}.{claims}"
    confused += f".{text(hmac.digest(pem, confused.encode(), 'sha256'))}"
    none = text(json.dumps({"alg": "none", "kid": public["kid"]}).encode())
    for wrong in (
        "",
        "a",
        "..",
        token[:-8],
        f"{token}.",
        f"{head}.{claims}.",
        f"{none}.{claims}.",
        f"{head}.{claims[:-2]}.{signature}",
        "é.é.é",
        "W1tb" * 20_000 + ".e30.AA",
        await keys.sign({**CLAIMS, "iss": "https://elsewhere.example"}),
        await keys.sign({"sub": "1"}),
        jwt.encode(header, CLAIMS, foreign_key),
        jwt.encode({"alg": "RS256"}, CLAIMS, foreign_key),
        jwt.encode({"alg": "RS256", "kid": "unknown"}, CLAIMS, foreign_key),
        confused,
        jwt.encode({"alg": "ES256", "kid": public["kid"]}, CLAIMS, ECKey.generate_key("P-256")),
        jwt.encode({"alg": "ES256", "kid": elliptic["kid"]}, CLAIMS, ECKey.generate_key("P-256")),
        jwt.encode({"alg": "RS256", "kid": elliptic["kid"]}, CLAIMS, foreign_key),
    ):
        assert await keys.verify(wrong) is None, wrong[:40]


OTHERS = ("PS256", "PS384", "PS512", "RS384", "RS512")
"""What an RSA key could sign with as well."""


@pytest.mark.parametrize("algorithm", OTHERS)
async def test_our_own_key_signs_with_its_own_algorithm_alone(
    two: Two, monkeypatch: pytest.MonkeyPatch, algorithm: str
) -> None:
    """Even if other keys of ours had that algorithm, and whatever the token says."""
    keys, private = two.keys[0], await private_rsa_key(two)
    tokens = {
        one: jwt.encode({"alg": one, "kid": private.kid}, CLAIMS, private, algorithms=[one])
        for one in ("RS256", algorithm)
    }
    for accepted in (ALGORITHMS, (*ALGORITHMS, *OTHERS)):
        monkeypatch.setattr(id_token_keys, "ALGORITHMS", accepted)
        assert await keys.verify(tokens["RS256"]) == CLAIMS
        assert await keys.verify(tokens[algorithm]) is None


async def test_a_key_of_an_algorithm_that_we_do_not_use_verifies_nothing(two: Two) -> None:
    """As another version may have stored one."""
    store, private = two.installations[0].store, await private_rsa_key(two)
    public = {**private.as_dict(private=False), "kid": "later", "alg": "PS256", "use": "sig"}
    await store.id_token_keys.rotate([IdTokenKey("later", NOW, json.dumps(public), "")], revoke_old=False)
    two.clock.now += CACHE_SECONDS
    token = jwt.encode({"alg": "PS256", "kid": "later"}, CLAIMS, private, algorithms=["PS256"])
    assert "later" in [key["kid"] for key in (await two.keys[0].key_set())["keys"]]
    assert await two.keys[0].verify(token) is None


async def private_rsa_key(two: Two) -> RSAKey:
    """The key that signs RS256, without what says which algorithm it is for."""
    kid_ = await two.signing()
    stored = await key_for(two.installations[0].store, "RS256")
    sealed = two.installations[0].vault.open(stored.sealed, Place(ID_TOKEN_KEY, "", stored.id))
    key = RSAKey.import_key({"kid": kid_, **json.loads(sealed)})
    assert "alg" not in key.as_dict()
    return key


async def test_a_key_made_by_hand_is_published_before_it_signs(two: Two) -> None:
    first = await two.signing()
    assert len(await two.kids(1)) == 1
    two.clock.now += 1
    second, _ = await two.keys[0].rotate(revoke_old=False)
    assert await two.kids(0) == [first, second] and await two.signing() == first
    two.clock.now += DAY
    assert [await two.signing(n) for n in (0, 1)] == [second, second]


async def test_after_a_leak_the_new_key_is_the_only_one_at_once(two: Two) -> None:
    token = await two.keys[0].sign(CLAIMS)
    assert await two.keys[1].verify(token) == CLAIMS
    second, _ = await two.keys[0].rotate(revoke_old=True)
    assert await two.kids(0) == [second] == [await two.signing(0)]
    two.clock.now += CACHE_SECONDS
    assert await two.kids(1) == [second] == [await two.signing(1)]
    assert [await s.verify(token) for s in two.keys] == [None, None]


async def test_private_parts_are_sealed_and_sealed_anew_with_a_new_key(two: Two) -> None:
    token = await two.keys[0].sign(CLAIMS)
    store, vault = two.installations[0].store, two.installations[0].vault
    before = await key_for(store, "RS256")
    private = json.loads(vault.open(before.sealed, Place(ID_TOKEN_KEY, "", before.id)))
    assert not any(value in before.sealed + before.public for name, value in private.items() if name in "dpq")
    new = vault.add_key(NOW)
    await store.encryption.reencrypt()
    after = await key_for(store, "RS256")
    assert after.sealed.startswith(f"{new}.") and after.public == before.public
    vault.drop_key("1")
    restarted = keys_of(two.installations[1], two.clock)
    assert kid(await restarted.sign(CLAIMS)) == kid(token)


async def test_keys_are_read_once_in_a_while(fresh_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    statements, clock = listened(monkeypatch), TestClock()
    installation = await open_new(fresh_url, tmp_path / "a.key")
    keys = keys_of(installation, clock)
    await keys.key_set()
    for reads in (0, 1, 1):
        await asyncio.sleep(0)
        statements.take()
        await asyncio.gather(*(keys.sign(CLAIMS) for _ in range(20)))
        await asyncio.sleep(0)
        assert len(statements.take()) == reads
        clock.now += CACHE_SECONDS
    await installation.close()


async def test_there_are_keys_of_both_algorithms_from_the_start(two: Two) -> None:
    """So a client can change from one to the other at once."""
    rsa, elliptic = by_algorithm(await two.keys[0].key_set())
    assert by_algorithm(await two.keys[1].key_set()) == (rsa, elliptic)
    assert sorted(elliptic) == ["alg", "crv", "kid", "kty", "use", "x", "y"]
    assert (elliptic["crv"], elliptic["kty"], elliptic["use"]) == ("P-256", "EC", "sig")
    token = await two.keys[0].sign(CLAIMS, "ES256")
    decoded = jwt.decode(token, ECKey.import_key(elliptic), algorithms=["ES256"])
    assert decoded.header == {"alg": "ES256", "kid": elliptic["kid"], "typ": "JWT"} and decoded.claims == CLAIMS
    assert await two.keys[1].verify(token) == CLAIMS


async def test_each_algorithm_has_its_own_schedule(two: Two) -> None:
    both = [await two.signing(0, algorithm) for algorithm in ("RS256", "ES256")]
    two.clock.now += 90 * DAY
    assert [await two.signing(1, algorithm) for algorithm in ("RS256", "ES256")] == both
    assert [len(await two.kids(0, algorithm)) for algorithm in ("RS256", "ES256")] == [2, 2]
    two.clock.now += DAY
    following = [await two.signing(1, algorithm) for algorithm in ("RS256", "ES256")]
    assert not set(both) & set(following)
    two.clock.now += RETENTION
    assert await two.keys[0].remove_expired(two.clock.now, 500) == 2
    two.clock.now += CACHE_SECONDS
    assert [await two.kids(1, algorithm) for algorithm in ("RS256", "ES256")] == [[one] for one in following]


async def test_a_shorter_key_of_before_is_followed_at_once_and_kept(two: Two, monkeypatch: pytest.MonkeyPatch) -> None:
    """An installation that had 2048 bits: the new key is published for a day before it signs, as any other."""
    monkeypatch.setattr(id_token_keys, "BITS", 2048)
    old = await two.signing(0)
    token = await two.keys[0].sign(CLAIMS)
    monkeypatch.setattr(id_token_keys, "BITS", 3072)
    two.clock.now += CACHE_SECONDS
    assert await two.signing(0) == await two.signing(1) == old
    assert await two.kids(0) == await two.kids(1)
    published = [key for key in (await two.keys[0].key_set())["keys"] if key["alg"] == "RS256"]
    assert [RSAKey.import_key(key).raw_value.key_size for key in published] == [2048, 3072]
    assert len(await two.kids(0, "ES256")) == 1
    two.clock.now += DAY
    assert await two.signing(1) == published[1]["kid"]
    assert await two.keys[1].verify(token) == CLAIMS
    two.clock.now += RETENTION - CACHE_SECONDS
    assert await two.keys[0].remove_expired(two.clock.now, 500) == 0
