"""The keys of ID tokens: two processes at once have the same ones, new ones follow in time, old ones go."""

from __future__ import annotations

import asyncio
import base64
import hmac
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey

from stamkund.identity.id_token_keys import CACHE_SECONDS, IdTokenKeys
from stamkund.settings import Settings
from stamkund.store.open import Installation
from stamkund.vault import ID_TOKEN_KEY
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

    async def kids(self, process: int = 0) -> list[str]:
        return [key["kid"] for key in (await self.keys[process].key_set())["keys"]]

    async def signing(self, process: int = 0) -> str:
        return kid(await self.keys[process].sign(CLAIMS))


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
    assert await two.keys[0].remove_expired(two.clock.now, 500) == 1
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
    (key,) = (await two.keys[1].key_set())["keys"]
    assert sorted(key) == ["alg", "e", "kid", "kty", "n", "use"]
    assert (key["alg"], key["use"], key["kty"]) == ("RS256", "sig", "RSA")
    decoded = jwt.decode(token, RSAKey.import_key(key), algorithms=["RS256"])
    assert decoded.header == {"alg": "RS256", "kid": key["kid"], "typ": "JWT"}
    assert decoded.claims["exp"] == NOW - 1
    assert RSAKey.import_key(key).raw_value.key_size == 2048
    assert await two.keys[1].verify(token) == {**CLAIMS, "exp": NOW - 1}, "it may have expired"


async def test_nothing_else_is_taken_for_ours(two: Two) -> None:
    keys = two.keys[0]
    token = await keys.sign(CLAIMS)
    (public,) = (await keys.key_set())["keys"]
    head, claims, signature = token.split(".")
    foreign_key = RSAKey.generate_key(2048)
    header = {"alg": "RS256", "kid": public["kid"]}
    pem = RSAKey.import_key(public).as_pem(private=False)
    confused = f"{text(json.dumps({'alg': 'HS256', 'kid': public['kid']}).encode())}.{claims}"
    confused += f".{text(hmac.digest(pem, confused.encode(), 'sha256'))}"
    none = "eyJhbGciOiJub25lIn0"
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
        jwt.encode({"alg": "PS256", "kid": public["kid"]}, CLAIMS, foreign_key, algorithms=["PS256"]),
    ):
        assert await keys.verify(wrong) is None, wrong[:40]


async def test_a_key_made_by_hand_is_published_before_it_signs(two: Two) -> None:
    first = await two.signing()
    assert len(await two.kids(1)) == 1
    two.clock.now += 1
    second = await two.keys[0].rotate(revoke_old=False)
    assert await two.kids(0) == [first, second] and await two.signing() == first
    two.clock.now += DAY
    assert [await two.signing(n) for n in (0, 1)] == [second, second]


async def test_after_a_leak_the_new_key_is_the_only_one_at_once(two: Two) -> None:
    token = await two.keys[0].sign(CLAIMS)
    assert await two.keys[1].verify(token) == CLAIMS
    second = await two.keys[0].rotate(revoke_old=True)
    assert await two.kids(0) == [second] == [await two.signing(0)]
    two.clock.now += CACHE_SECONDS
    assert await two.kids(1) == [second] == [await two.signing(1)]
    assert [await s.verify(token) for s in two.keys] == [None, None]


async def test_private_parts_are_sealed_and_sealed_anew_with_a_new_key(two: Two) -> None:
    token = await two.keys[0].sign(CLAIMS)
    store, vault = two.installations[0].store, two.installations[0].vault
    (before,) = await store.id_token_keys.all()
    private = json.loads(vault.open(before.sealed, ID_TOKEN_KEY))
    assert not any(value in before.sealed + before.public for name, value in private.items() if name in "dpq")
    new = vault.add_key(NOW)
    await store.encryption.reencrypt()
    (after,) = await store.id_token_keys.all()
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
