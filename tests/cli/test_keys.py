"""`stamkund key rotate-signing`, and what `stamkund key reencrypt` does to the keys of ID tokens; servers run on."""

from __future__ import annotations

import asyncio
import base64
import json
from typing import Any

import pytest

from stamkund.identity.id_token_keys import CACHE_SECONDS
from stamkund.vault import ID_TOKEN_KEY, Place, Vault
from tests.support.installation import Caller, Ended, Installation
from tests.support.installation_fixtures import running
from tests.support.leaks import everything_stored, leaks
from tests.support.rows import rows

pytestmark = pytest.mark.both_engines

SEALED = "SELECT id, sealed FROM id_token_keys"


async def key(installation: Installation, *arguments: str) -> Ended:
    return await asyncio.to_thread(installation.do, "key", *arguments)


async def published_ids(caller: Caller) -> list[str]:
    """The ids of the keys that clients see."""
    response = await caller.server.http.get("/oauth2/jwks")
    assert response.status_code == 200
    return [one["kid"] for one in response.json()["keys"]]


async def private_keys(installation: Installation) -> dict[str, dict[str, Any]]:
    """The private keys by their ids, opened with the key file."""
    vault = Vault(installation.key_file)
    return {
        id_: json.loads(vault.open(sealed, Place(ID_TOKEN_KEY, "", id_)))
        for id_, sealed in await rows(installation.database_url, SEALED)
    }


async def test_an_operator_begins_with_a_new_key(installation: Installation) -> None:
    async with running(installation) as (_, caller):
        first = await published_ids(caller)
        output = (await key(installation, "rotate-signing")).output
        second = named(output)
        ids = " and ".join(second)
        assert output == f"keys {ids} are published, and sign ID tokens once clients have had time to fetch them\n"
        output = (await key(installation, "rotate-signing", "--revoke-old")).output
        third = named(output)
        assert output.startswith(f"keys {third[0]} and {third[1]} sign ID tokens")
        assert len({*first, *second, *third}) == 6
        async with asyncio.timeout(CACHE_SECONDS + 5):
            while set(await published_ids(caller)) != set(third):  # noqa: ASYNC110
                await asyncio.sleep(0.5)
    assert set(await private_keys(installation)) == set(third)


def named(output: str) -> list[str]:
    """The two keys that a command prints: one for each algorithm."""
    words = output.split()
    return [words[1], words[3]]


async def test_private_keys_are_nowhere_in_plain_and_are_sealed_anew(installation: Installation) -> None:
    async with running(installation, log_level="debug") as (server, caller):
        ids = await published_ids(caller)
        before = await private_keys(installation)
        stored = await everything_stored(installation)
        private_parts = [text for one in before.values() for text in written(one)]
        public_parts = [one["n" if one["kty"] == "RSA" else "x"] for one in before.values()]
        assert len(private_parts) == 4 * 7
        assert leaks(stored, private_parts) == []
        assert leaks(stored, public_parts) != [], "the look itself finds what is there"
        assert leaks((await caller.server.http.get("/oauth2/jwks")).text, private_parts) == []
        await key(installation, "add")
        await key(installation, "reencrypt")
        await key(installation, "remove", "1")
        assert await private_keys(installation) == before
        assert [sealed.partition(".")[0] for _, sealed in await rows(installation.database_url, SEALED)] == ["2"] * 2
        await server.stop()
    assert leaks(server.log, [*private_parts, *public_parts]) == []
    async with running(installation) as (_, caller):
        assert await published_ids(caller) == ids


def written(private: dict[str, Any]) -> list[str]:
    """The private parts in every way that would give them away."""
    texts = []
    for name in ("d", "p", "q", "dp", "dq", "qi") if private["kty"] == "RSA" else ("d",):
        raw = base64.urlsafe_b64decode(private[name] + "=" * (-len(private[name]) % 4))
        texts += [private[name], raw.hex(), base64.b64encode(raw).decode().rstrip("="), raw.decode("latin-1")]
    return texts
