"""Client authentication at introspection and revocation: the client first, then the token."""

from __future__ import annotations

import pytest

from tests.endpoints.oauth.conftest import OAuthSite, error


@pytest.mark.parametrize("path", ["/oauth2/introspect", "/oauth2/revoke"])
async def test_a_client_must_say_who_it_is_and_which_token(site: OAuthSite, path: str) -> None:
    token = (await site.exchanged())["access_token"]
    for more in (
        {"client_secret": "wrong"},
        {"client_secret": ""},
        {"client_id": "unknown"},
        {"client_id": "585a4768edce2c5e6f000001"},
        {"client_id": ""},
    ):
        assert error(await site.post(path, token, **more)) == (401, "invalid_client")
    assert error(await site.post(path, "")) == (400, "invalid_request")
    assert error(await site.post(path, None)) == (400, "invalid_request")
    assert error(await site.post(path, "", client_secret="wrong")) == (401, "invalid_client")
    assert await site.holds(token)
