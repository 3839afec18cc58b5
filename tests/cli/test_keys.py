"""`stamkund key rotate-signing`, and what `stamkund key reencrypt` does to the keys of ID tokens; servers run on."""

from __future__ import annotations

import asyncio
import base64
import json
from typing import Any

import pytest

from stamkund.identity.id_token_keys import CACHE_SECONDS
from stamkund.vault import ID_TOKEN_KEY, Vault
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
        id_: json.loads(vault.open(sealed, ID_TOKEN_KEY))
        for id_, sealed in await rows(installation.database_url, SEALED)
    }


async def test_an_operator_begins_with_a_new_key(installation: Installation) -> None:
    async with running(installation) as (_, caller):
        (first,) = await published_ids(caller)
        output = (await key(installation, "rotate-signing")).output
        second = output.split()[1]
        assert output == f"key {second} is published, and signs ID tokens once clients have had time to fetch it\n"
        output = (await key(installation, "rotate-signing", "--revoke-old")).output
        third = output.split()[1]
        assert output.startswith(f"key {third} signs ID tokens") and len({first, second, third}) == 3
        async with asyncio.timeout(CACHE_SECONDS + 5):
            while await published_ids(caller) != [third]:  # noqa: ASYNC110
                await asyncio.sleep(0.5)
    assert list(await private_keys(installation)) == [third]


async def test_private_keys_are_nowhere_in_plain_and_are_sealed_anew(installation: Installation) -> None:
    async with running(installation, log_level="debug") as (server, caller):
        (id_,) = await published_ids(caller)
        private = (await private_keys(installation))[id_]
        stored = await everything_stored(installation)
        assert leaks(stored, written(private)) == []
        assert leaks(stored, [private["n"]]) != [], "the look itself finds what is there"
        assert leaks((await caller.server.http.get("/oauth2/jwks")).text, written(private)) == []
        await key(installation, "add")
        await key(installation, "reencrypt")
        await key(installation, "remove", "1")
        assert (await private_keys(installation))[id_] == private
        assert [sealed.partition(".")[0] for _, sealed in await rows(installation.database_url, SEALED)] == ["2"]
        await server.stop()
    assert leaks(server.log, [*written(private), private["n"]]) == []
    async with running(installation) as (_, caller):
        assert await published_ids(caller) == [id_]


def written(private: dict[str, Any]) -> list[str]:
    """The private parts in every way that would give them away."""
    texts = []
    for name in ("d", "p", "q", "dp", "dq", "qi"):
        raw = base64.urlsafe_b64decode(private[name] + "=" * (-len(private[name]) % 4))
        texts += [private[name], raw.hex(), base64.b64encode(raw).decode().rstrip("="), raw.decode("latin-1")]
    return texts
