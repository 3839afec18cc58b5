"""The documents that clients configure themselves by: what they name is there, and holds."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import pytest

from stamkund.endpoints import declared_endpoints
from stamkund.endpoints.oauth.grants import GRANTS
from stamkund.rules import scopes
from tests.support.service import Publisher, RunningService

NAMES = ("/.well-known/openid-configuration", "/.well-known/oauth-authorization-server")


async def test_both_names_give_the_same_document(service: RunningService) -> None:
    first, second = [await service.http.get(name) for name in NAMES]
    assert first.status_code == 200 and first.text == second.text
    assert first.headers["cache-control"] == "public, max-age=300"
    assert first.json()["issuer"] == service.settings.issuer


async def test_every_address_in_the_metadata_exists(service: RunningService) -> None:
    document = (await service.http.get(NAMES[0])).json()
    named = {urlsplit(v).path for n, v in document.items() if n.endswith(("_endpoint", "_uri", "_documentation"))}
    assert len(named) == 8
    assert named <= {path for endpoint in declared_endpoints() for path in endpoint.paths}


async def test_what_the_metadata_lists_is_supported(service: RunningService, publisher: Publisher) -> None:
    document = (await service.http.get(NAMES[0])).json()
    assert document["grant_types_supported"] == list(GRANTS)
    assert {"authorization_code", "refresh_token", "client_credentials", "password", "ticket", "none"} == set(GRANTS)
    for grant in document["grant_types_supported"]:
        assert (await publisher.grant(grant)).json().get("error") != "unsupported_grant_type"
    assert document["scopes_supported"] == ["openid", "profile", "email", "offline_access", *scopes.ALL]
    assert document["response_types_supported"] == ["code"]
    assert document["response_modes_supported"] == ["query"]
    assert document["subject_types_supported"] == ["public"]
    assert document["id_token_signing_alg_values_supported"] == ["RS256", "ES256"]
    assert document["code_challenge_methods_supported"] == ["S256"]
    assert document["token_endpoint_auth_methods_supported"] == ["client_secret_basic", "client_secret_post", "none"]
    assert document["introspection_endpoint_auth_methods_supported"] == ["client_secret_basic", "client_secret_post"]
    assert document["authorization_response_iss_parameter_supported"] is True
    assert document["ui_locales_supported"] == ["sv", "en"]


@pytest.mark.parametrize("sso_url", ["", "https://sso.herald.example"])
async def test_browsers_may_have_a_host_of_their_own(tmp_path: Path, sso_url: str) -> None:
    url = f"sqlite:///{tmp_path / 'a.db'}"
    public = "https://login.herald.example"
    async with RunningService(url, tmp_path / "a.key", public_url=public, sso_url=sso_url) as service:
        document = (await service.http.get(NAMES[0])).json()
    pages = sso_url or public
    assert document["issuer"] == public
    assert document["authorization_endpoint"] == f"{pages}/oauth2/auth"
    assert document["end_session_endpoint"] == f"{pages}/oauth2/logout"
    assert document["token_endpoint"] == f"{public}/api/authorization/access_token"
    assert document["userinfo_endpoint"] == f"{public}/userinfo"
    assert document["jwks_uri"] == f"{public}/oauth2/jwks"
