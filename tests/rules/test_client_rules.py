"""What a client may be registered with."""

from __future__ import annotations

import pytest

from stamkund.rules import scopes
from stamkund.rules.client_rules import broken_rules, is_plain_http
from stamkund.rules.organisation import GRANTS, GRANTS_FOR_PUBLIC_CLIENTS, Client


def client(**fields: object) -> Client:
    values = {"id": "a" * 24, "organisation": "herald", "name": "Appen", "created": 0, "scopes": [], "secrets": []}
    return Client(**{**values, **fields})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "address",
    [
        "http://herald.example/back",
        "HTTP://herald.example/back",
        "http://127.0.0.1.example.com/back",
        "http://localhost.example.com/",
        "http://127.0.0.1@example.com/",
        "http://example.com:80/127.0.0.1",
        "http://128.0.0.1/",
        "http://[::2]/",
        "http://0.0.0.0/",
        "http://192.168.1.10/",
        "http:herald.example",
    ],
)
def test_plain_http_is_what_leads_off_the_machine(address: str) -> None:
    assert is_plain_http(address)


@pytest.mark.parametrize(
    "address",
    [
        *("https://herald.example/back", "https://127.0.0.1/", "se.herald.app:/back", "herald-app://back.example/"),
        *("http://127.0.0.1/back", "http://127.0.0.1:8003/back", "http://127.8.8.8/", "http://[::1]:8003/back"),
        *("http://localhost/back", "http://LOCALHOST:5173/", "http://localhost:5173"),
    ],
)
def test_https_apps_and_loopback_are_fine(address: str) -> None:
    assert not is_plain_http(address)


def test_a_public_client_may_have_nothing_that_is_about_any_reader() -> None:
    forbidden = [scope for scope in scopes.ALL if client(public=True, scopes=[scope]).forbidden_scopes]
    assert set(forbidden) >= {scopes.ACCOUNT_READ, scopes.ACCOUNT_WRITE, scopes.TOKEN_INFO, "/external/userproduct/w"}
    assert not [scope for scope in forbidden if scope.startswith(("/external/me/", "/openid"))]
    for scope in forbidden:
        assert broken_rules(client(public=True, scopes=["/openid", scope]), plain_http=True)
        assert not broken_rules(client(scopes=[scope]), plain_http=True)


def test_every_scope_of_a_public_client_is_a_documented_one() -> None:
    assert set(scopes.ALL) > scopes.FOR_PUBLIC_CLIENTS


def test_a_client_from_before_keeps_all_grants_of_its_kind() -> None:
    assert client().allowed_grants == GRANTS
    assert client(public=True).allowed_grants == GRANTS_FOR_PUBLIC_CLIENTS
    assert client(grants=[]).allowed_grants == ()
    assert client(public=True, grants=["password", "refresh_token"]).allowed_grants == ("refresh_token",)
