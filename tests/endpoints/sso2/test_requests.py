"""Whose requests are heard: every call refuses alike whatever is wrong with a token or its client."""

from __future__ import annotations

from typing import Any

import httpx
import msgspec
import pytest

from stamkund.rules.ids import new_id
from stamkund.rules.organisation import Secret, new_secret
from tests.endpoints.sso2.conftest import EMAIL, PASSWORD, SsoSite, site_of
from tests.support.calls import assert_refused
from tests.support.connector import AGENT, signed

POSTS = ("createsession", "sessionstatus", "authenticate", "authenticatewithticket", "logout")
every_call = pytest.mark.parametrize("call", [*POSTS, "identify"])


async def send(site: SsoSite, call: str, token: str) -> httpx.Response:
    if call == "identify":
        return await site.publisher.service.http.get(f"/identify?t={token}&r=https://herald.example/")
    return await site.connector.send(call, token)


def claims_of(site: SsoSite, **changes: Any) -> dict[str, Any]:
    now = site.publisher.service.clock()
    claims = {
        **{"cid": site.client.id, "iss": site.publisher.id, "aud": "pw-sso", "nbf": now, "exp": now + 10, "iat": now},
        **{"sid": "none", "ipa": "192.0.2.7", "uas": "x", "lks": "anon", "usr": EMAIL, "pwd": PASSWORD, "at": "none"},
        **changes,
    }
    return {name: value for name, value in claims.items() if value is not ...}


async def heard(site: SsoSite, call: str, token: str) -> bool:
    response = await send(site, call, token)
    if response.status_code in (200, 302):
        return True
    assert assert_refused(response, 401, "invalid_token")["message"] == (
        "The token t is not valid, or its client may not use single sign-on"
    )
    assert response.headers["www-authenticate"] == 'Bearer realm="stamkund", error="invalid_token"'
    return False


@every_call
async def test_a_right_request_is_heard_and_a_token_of_rubbish_is_not(site: SsoSite, call: str) -> None:
    assert await heard(site, call, signed(claims_of(site), site.connector.secret))
    for rubbish in ("x", "a.b.c", "..", "eyJhbGciOiAi0FMyNTYifQ.e30.x", "%00", "%C3%A5", "a" * 50_000):
        assert not await heard(site, call, rubbish)


@every_call
async def test_a_missing_token_is_a_required_parameter(site: SsoSite, call: str) -> None:
    service = site.publisher.service
    if call == "identify":
        for query in ("", "r=https://herald.example/", "T=x&r=https://herald.example/"):
            response = await service.http.get(f"/identify?{query}")
            assert assert_refused(response, 400, "invalid_parameter", "t")["message"] == "Parameter is required"
        response = await service.http.get("/identify?t=x&t=x&r=https://herald.example/")
        assert assert_refused(response, 400, "invalid_parameter", "t")["message"] == "Parameter must be given once"
        for query in ("t=x", "t=x&R=https://herald.example/", "r=https://herald.example/&t=x"):
            response = await service.http.get(f"/identify?{query}")
            assert assert_refused(response, 400, "invalid_parameter", "r")["message"] == "Parameter is required"
    else:
        response = await service.http.post(f"/{call}", json={})
        assert assert_refused(response, 400, "invalid_parameter", "t")["message"] == "Parameter is required"


@every_call
async def test_the_clock_may_be_two_minutes_off_and_no_second_more(site: SsoSite, call: str) -> None:
    now, secret = site.publisher.service.clock(), site.connector.secret
    longest = 86_400 if call == "createsession" else 600
    for changes, expected in (
        ({"nbf": now + 120, "exp": now + 130}, True),
        ({"nbf": now + 120.5, "exp": now + 130}, False),
        ({"nbf": now + 121, "exp": now + 131}, False),
        ({"nbf": now - 129, "exp": now - 119}, True),
        ({"nbf": now - 130, "exp": now - 120}, False),
        ({"nbf": now - 86_400, "exp": now - 3600}, False),
        ({"iat": now + 10_000}, True),
        ({"iat": ...}, True),
        ({"iat": "yesterday"}, False),
        ({"nbf": ...}, False),
        ({"exp": ...}, False),
        ({"exp": str(now + 10)}, False),
        ({"exp": now + longest + 120}, True),
        ({"exp": now + longest + 121}, False),
        ({"exp": 10**30}, False),
        ({"exp": 1e308}, False),
        ({"nbf": now - 86_400 - 120}, True),
        ({"nbf": now - 86_400 - 121}, False),
        ({"nbf": -1}, False),
        ({"nbf": -(10**30)}, False),
    ):
        assert await heard(site, call, signed(claims_of(site, **changes), secret)) == expected, changes


@every_call
async def test_a_request_is_for_us_and_from_the_clients_organisation(
    site: SsoSite, foreign: SsoSite, call: str
) -> None:
    secret = site.connector.secret
    for changes, expected in (
        ({"aud": ["pw-sso"]}, True),
        ({"aud": ["else", "pw-sso"]}, True),
        ({"aud": "else"}, False),
        ({"aud": "PW-SSO"}, False),
        ({"aud": ["else"]}, False),
        ({"aud": []}, False),
        ({"aud": ...}, False),
        ({"iss": foreign.publisher.id}, False),
        ({"iss": site.publisher.id.upper()}, False),
        ({"iss": site.client.id}, False),
        ({"iss": ""}, False),
        ({"iss": ...}, False),
        ({"cid": site.client.id.upper()}, True),
        ({"cid": f"{site.client.id} "}, False),
        ({"cid": new_id(0)}, False),
        ({"cid": "\x00" * 24}, False),
        ({"cid": ""}, False),
        ({"cid": ...}, False),
    ):
        assert await heard(site, call, signed(claims_of(site, **changes), secret)) == expected, changes


@every_call
async def test_only_the_clients_own_secret_signs_for_it(
    site: SsoSite, sister: SsoSite, foreign: SsoSite, call: str
) -> None:
    wrong = [new_secret(), "", sister.connector.secret, foreign.connector.secret, site.client.secrets[0].sealed]
    for secret in wrong:
        assert not await heard(site, call, signed(claims_of(site), secret))
    # The other way round: another client's name under our own signature.
    for other in (sister, foreign):
        assert not await heard(site, call, signed(claims_of(site, cid=other.client.id), site.connector.secret))


@every_call
async def test_headers_of_attackers_are_refused_by_every_call(site: SsoSite, call: str) -> None:
    right = signed(claims_of(site), site.connector.secret)
    _, payload, signature = right.split(".")
    for header in ({"alg": "none"}, {"alg": "HS512"}, {"alg": "RS256"}, {"alg": "HS256", "crit": ["exp"]}):
        assert not await heard(site, call, signed(claims_of(site), site.connector.secret, header))
        forged = signed(claims_of(site), "", header).split(".")[0]
        for token in (f"{forged}.{payload}.", f"{forged}.{payload}", f"{forged}.{payload}.{signature}"):
            assert not await heard(site, call, token)


@every_call
@pytest.mark.parametrize("flags", [{"disabled": True}, {"sso2": False}, {"public": True, "secrets": []}], ids=str)
async def test_a_client_that_may_not_is_not_heard(site: SsoSite, call: str, flags: dict[str, Any]) -> None:
    token = signed(claims_of(site), site.connector.secret)
    assert await heard(site, call, token)
    await site.publisher.service.store.clients.change(
        site.client.id, lambda client: msgspec.structs.replace(client, **flags)
    )
    assert not await heard(site, call, token)
    assert not await heard(site, call, signed(claims_of(site), ""))


async def test_every_failed_login_shows_the_same_sentence(site: SsoSite, foreign: SsoSite) -> None:
    disabled = await site_of(site.publisher, disabled=True)
    secret, now = site.connector.secret, site.publisher.service.clock()
    wrong = [
        "x",
        signed(claims_of(site), "wrong"),
        signed(claims_of(site, exp=now - 600), secret),
        signed(claims_of(site, iss=foreign.publisher.id), secret),
        signed(claims_of(site, cid=new_id(0)), secret),
        signed(claims_of(disabled), disabled.connector.secret),
    ]
    assert len({(await send(site, "authenticate", token)).text for token in wrong}) == 1


async def test_every_valid_secret_of_a_client_signs_requests_and_responses(site: SsoSite) -> None:
    """During a rotation a site may still use the secret of before; the response is signed with the one it used."""
    service, now = site.publisher.service, site.publisher.service.clock()
    old, new = site.connector.secret, new_secret()

    def rotated(client: Any) -> Any:
        newer = Secret(service.client_secrets.seal(client, new), now)
        older = msgspec.structs.replace(client.secrets[0], expires=now + 100)
        return msgspec.structs.replace(client, secrets=[newer, older])

    await service.store.clients.change(site.client.id, rotated)
    for secret in (old, new):
        site.connector.secret = secret
        assert (await site.connector.create_session())["sts"] == "anon"  # which reads the response with that secret
    with service.clock.at(now + 100):
        assert not await heard(site, "createsession", signed(claims_of(site), old))
        assert await heard(site, "createsession", signed(claims_of(site), new))


@pytest.mark.parametrize("sid", ["", "x", "x" * 65, "\x00", "å", "' OR 1=1 --", "a b", None], ids=repr)
@pytest.mark.parametrize("call", POSTS[1:])
async def test_any_sid_is_just_not_found(site: SsoSite, call: str, sid: Any) -> None:
    claims = await site.connector.call(call, sid=sid, usr=EMAIL, pwd=PASSWORD, at="x")
    if call in ("sessionstatus", "logout"):
        assert (claims["sts"], claims["at"], claims["err"]) == ("terminated", "", "session_not_found")
    else:
        assert (claims["sts"], claims["at"], claims["err"]) == ("anon", "", "invalid_credentials")


@pytest.mark.parametrize(
    "strange", [None, "", "\x00\x1b[2J\n", "x" * 5000, "å😀" * 400, 1, [], {"a": []}], ids=lambda s: repr(s)[:20]
)
async def test_any_visitor_may_log_in(site: SsoSite, reader: str, strange: Any) -> None:
    """Address and user agent are written down as far as they make sense, and decide whose session it is."""
    for sid, ipa, uas in (
        ((await site.identified()).sid, strange, AGENT),
        ((await site.identified()).sid, strange, strange),
        ((await site.connector.create_session())["sid"], strange, strange),
    ):
        token = signed(claims_of(site, sid=sid, ipa=ipa, uas=uas, lks=strange), site.connector.secret)
        claims = site.connector.read((await site.connector.send("authenticate", token)).json()["t"])
        assert (claims["sts"], claims["err"]) == ("loggedin", None)
        assert await site.status(claims["sid"]) == ("loggedin", None)


@every_call
async def test_responses_are_never_cached_on_the_way(site: SsoSite, call: str) -> None:
    for token in (signed(claims_of(site), site.connector.secret), "x"):
        assert (await send(site, call, token)).headers["cache-control"] == "no-store"
