"""ID tokens, as a client that has nothing but the published keys checks them, while keys come and go."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from stamkund.identity.id_token_keys import CACHE_SECONDS
from stamkund.identity.passwords import Passwords
from stamkund.rules import scopes
from stamkund.rules.organisation import Client
from stamkund.server import jobs
from stamkund.wire.services import Services
from tests.endpoints.oauth.conftest import OAuthSite, site_of
from tests.support.service import RunningService

DAY = 86_400


@pytest.fixture
async def own(fresh_url: str, tmp_path: Path) -> AsyncIterator[OAuthSite]:
    """A client of an installation of its own, because keys are the installation's."""
    async with RunningService(
        fresh_url, tmp_path / "stamkund.key", signing_key_days=10, cleaning_seconds=3600
    ) as service:
        yield await site_of(await service.publisher())


async def keys_of(site: OAuthSite) -> KeySet:
    response = await site.service.http.get("/oauth2/jwks")
    assert response.status_code == 200 and response.headers["cache-control"] == "public, max-age=300"
    for key in response.json()["keys"]:
        parts = {"RSA": ["alg", "e", "kid", "kty", "n", "use"], "EC": ["alg", "crv", "kid", "kty", "use", "x", "y"]}
        assert sorted(key) == parts[key["kty"]], "nothing private"
    return KeySet.import_key_set(response.json())


def kids(keys: KeySet) -> list[str]:
    """Those of the keys that a client uses unless it asked for ES256."""
    return [str(key.kid) for key in keys.keys if key.key_type == "RSA"]


async def checked(site: OAuthSite, token: str, algorithm: str = "RS256") -> jwt.Token:
    return jwt.decode(token, await keys_of(site), algorithms=[algorithm])


async def test_claims_of_an_id_token(site: OAuthSite) -> None:
    now = site.service.clock()
    body = await site.exchanged(nonce="n-0S6_WzA2Mj", authenticated=now - 100)
    token = await checked(site, body["id_token"])
    half = hashlib.sha256(body["access_token"].encode()).digest()[:16]
    assert token.claims == {
        "iss": site.service.settings.issuer,
        "sub": site.reader,
        "aud": site.client.id,
        "exp": now + 3600,
        "iat": now,
        "auth_time": now - 100,
        "nonce": "n-0S6_WzA2Mj",
        "at_hash": base64.urlsafe_b64encode(half).decode().rstrip("="),
    }
    assert list(body) == ["access_token", "token_type", "expires_in", "scope", "refresh_token", "id_token"]


async def test_what_was_not_requested_is_left_out(site: OAuthSite) -> None:
    token = await checked(site, (await site.exchanged())["id_token"])
    assert {"nonce", "auth_time"} & set(token.claims) == set()
    assert "id_token" not in await site.exchanged(scopes.PROFILE), "without the scope openid"
    assert "id_token" not in await site.logged_in()


async def test_a_client_may_have_its_id_tokens_signed_with_es256(site: OAuthSite) -> None:
    """It takes effect at once, and for this client alone."""

    def changed(client: Client) -> Client:
        return msgspec.structs.replace(client, id_token_signed_response_alg="ES256")

    before = (await site.exchanged())["id_token"]
    await site.service.store.clients.change(site.client.id, changed)
    after = await checked(site, (await site.exchanged())["id_token"], "ES256")
    assert after.header["alg"] == "ES256" and after.claims["sub"] == site.reader
    assert (await checked(site, before)).claims["aud"] == after.claims["aud"]


async def test_keys_follow_each_other_while_id_tokens_are_valid(own: OAuthSite) -> None:
    """The clock goes as a client sees it: each step beyond what processes remember of the keys."""
    clock = own.service.clock
    first = (await own.exchanged())["id_token"]
    (oldest,) = kids(await keys_of(own))
    clock.now += 10 * DAY
    assert (await checked(own, (await own.exchanged())["id_token"])).header["kid"] == oldest
    assert len(kids(await keys_of(own))) == 2, "the next one is shown before it signs"
    clock.now += DAY
    second = await checked(own, (await own.exchanged())["id_token"])
    assert second.header["kid"] != oldest
    assert (await checked(own, first)).header["kid"] == oldest, "what the older one signed can be checked"
    clock.now += 30 * DAY + 3600
    assert await removed(own) == 2  # one of each algorithm
    clock.now += CACHE_SECONDS
    assert oldest not in kids(await keys_of(own))


async def removed(site: OAuthSite) -> int:
    """How many keys a round of cleaning removes."""
    service = site.service
    passwords = Passwords(service.settings, 1)
    services = Services(service.settings, service.store, service.vault, passwords, service.clock)
    before = len(await service.store.id_token_keys.all())
    await jobs.remove_other_expired_rows(services)
    passwords.close()
    return before - len(await service.store.id_token_keys.all())
