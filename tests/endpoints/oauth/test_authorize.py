"""The browser flow: who is sent where with a code, what a code gives, and the attacks that RFC 9700 lists on it."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, parse_qsl, quote, urlencode, urlsplit

import httpx
import msgspec
import pytest

from stamkund.endpoints.oauth.authorization_request import MAX_NONCE_LENGTH
from stamkund.identity.sessions import Sessions, cookie_name
from stamkund.rules import identifiers
from stamkund.rules.organisation import Client
from tests.support.rows import rows, set_status
from tests.support.service import SCOPES, Publisher, RunningService

AUTH = "/oauth2/auth"
ME = "/external/api/v1/me"
EMAIL = "ove.ovesson@example.com"
BACK = "https://site.example.com/landing"
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
PKCE: dict[str, Any] = {"code_challenge": CHALLENGE, "code_challenge_method": "S256"}


@dataclass
class LoggedInBrowser:
    """A client with a redirect URI, and the browser of a reader who is logged in."""

    publisher: Publisher
    client: Client
    secret: str
    cookie: str

    @property
    def service(self) -> RunningService:
        return self.publisher.service

    async def authorize(self, *, cookie: bool = True, **parameters: Any) -> httpx.Response:
        sent = {"client_id": self.client.id, "redirect_uri": BACK, "response_type": "code", "state": "s 1&é"}
        query = {name: value for name, value in {**sent, **parameters}.items() if value is not None}
        return await self.raw(urlencode(query), cookie=cookie)

    async def raw(self, query: str, *, cookie: bool = True) -> httpx.Response:
        headers = {"cookie": self.cookie} if cookie else {}
        return await self.service.http.get(f"{AUTH}?{query}", headers=headers)

    async def code(self, **parameters: Any) -> str:
        return returned(await self.authorize(**parameters))["code"]

    async def exchanges(self, code: str, **fields: Any) -> httpx.Response:
        sent = {"client": self.client, "secret": self.secret, "redirect_uri": BACK, **fields}
        return await self.publisher.grant("authorization_code", code=code, **sent)

    async def may_read(self, token: str) -> int:
        return (await self.service.http.get(ME, headers={"authorization": f"Bearer {token}"})).status_code


async def browser_of(publisher: Publisher, email: str = EMAIL) -> str:
    """The cookie of a browser in which a reader is logged in."""
    service, now = publisher.service, publisher.service.clock()
    sessions = Sessions(service.store, service.settings)
    login = await service.store.logins.find(publisher.id, identifiers.email(email))
    assert login is not None and login.row is not None
    session, cookie = await sessions.begin(publisher.id, now)
    expires = sessions.lifetime.expiry(now, now)
    await service.store.sessions.log_in(publisher.id, session.sid, login.row, now, expires, "test")
    return f"{cookie_name(publisher.id)}={cookie}"


@pytest.fixture
async def site(publisher: Publisher) -> LoggedInBrowser:
    await publisher.activated(EMAIL)
    client, secret = await publisher.new_client(*SCOPES, redirect_uris=[BACK])
    return LoggedInBrowser(publisher, client, secret, await browser_of(publisher))


async def public_site(publisher: Publisher, *redirect_uris: str) -> LoggedInBrowser:
    client, _ = await publisher.new_client(*SCOPES, redirect_uris=list(redirect_uris or (BACK,)), public=True)
    return LoggedInBrowser(publisher, client, "", await browser_of(publisher))


def returned(response: httpx.Response, back: str = BACK) -> dict[str, str]:
    """What a redirect to the client says; it must be to the client, and name the issuer (RFC 9207)."""
    assert response.status_code == 302, response.text
    location = response.headers["location"]
    assert location.startswith(f"{back}?"), location
    assert response.headers["cache-control"] == "no-store"
    parameters_back = dict(parse_qsl(urlsplit(location).query, keep_blank_values=True))
    assert parameters_back.pop("iss") == str(response.url)[: -len(response.url.raw_path)].rstrip("/")
    return parameters_back


def error_page(response: httpx.Response, status: int = 400) -> str:
    """An error page for the reader, and no redirect."""
    assert response.status_code == status and "location" not in response.headers
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    return response.text


def to_login(response: httpx.Response) -> dict[str, str]:
    assert response.status_code == 302
    location = urlsplit(response.headers["location"])
    assert (location.scheme, location.netloc, location.path) == ("", "", "/login")
    return dict(parse_qsl(location.query))


def assert_refused(response: httpx.Response, error: str = "invalid_grant", status: int = 400) -> None:
    assert (response.status_code, response.json()["error"]) == (status, error), response.text


# There and back --------------------------------------------------------------------------------------------


async def test_a_reader_who_is_logged_in_comes_back_with_a_code_for_a_token(site: LoggedInBrowser) -> None:
    parameters_back = returned(await site.authorize(oid=site.publisher.id, accountOrigin="KE", unknown="ignored"))
    assert parameters_back["state"] == "s 1&é" and list(parameters_back) == ["code", "state"]
    response = (await site.exchanges(parameters_back["code"])).json()
    assert list(response) == ["access_token", "token_type", "expires_in", "scope"], (
        "no refresh token without the setting"
    )
    assert response["scope"] == " ".join(SCOPES)
    assert await site.may_read(response["access_token"]) == 200


async def test_with_pkce_and_http_basic_as_libraries_do_it(site: LoggedInBrowser) -> None:
    code = await site.code(**PKCE, scope="/external/me/w")
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": BACK, "code_verifier": VERIFIER}
    response = await site.service.http.post(
        "/api/authorization/access_token", data=form, auth=(site.client.id, site.secret)
    )
    assert response.status_code == 200 and response.json()["scope"] == "/external/me/w"


async def test_offline_access_gives_a_refresh_token(site: LoggedInBrowser) -> None:
    store = site.service.store
    await store.clients.change(site.client.id, lambda c: msgspec.structs.replace(c, offline_access=True))
    first = (await site.exchanges(await site.code())).json()
    for _ in range(2):
        again = await site.publisher.grant(
            "refresh_token", site.client, site.secret, refresh_token=first["refresh_token"]
        )
        assert again.status_code == 200 and "refresh_token" not in again.json()
        assert await site.may_read(again.json()["access_token"]) == 200


async def test_a_browser_without_login_goes_to_the_login_page_and_back(site: LoggedInBrowser) -> None:
    for response in (
        await site.authorize(cookie=False, login_hint=EMAIL),
        await site.authorize(cookie=False, ui_locales="sv"),
    ):
        query = to_login(response)
        assert query.get("login_hint") == EMAIL or query.get("ui_locales") == "sv"
        there = urlsplit(query["continue"])
        assert (there.scheme, there.netloc, there.path) == ("", "", AUTH)
        assert "code" in returned(await site.raw(there.query))


async def test_a_session_of_another_organisation_is_none(site: LoggedInBrowser, service: RunningService) -> None:
    neighbour = await service.publisher()
    await neighbour.activated(EMAIL)
    foreign = (await browser_of(neighbour)).split("=")[1]
    site.cookie = f"{cookie_name(site.publisher.id)}={foreign}"
    to_login(await site.authorize())


async def test_a_session_that_was_ended_is_none(site: LoggedInBrowser) -> None:
    query = f"SELECT sid FROM sessions WHERE organisation = '{site.publisher.id}'"
    ((sid,),) = await rows(site.service.settings.database_url, query)
    await site.service.store.sessions.terminate(site.publisher.id, sid, site.service.clock(), "test")
    to_login(await site.authorize())


async def test_a_session_ends_when_it_was_not_seen_for_thirty_days(site: LoggedInBrowser) -> None:
    start, day = site.service.clock(), 86_400
    with site.service.clock.at(start + 30 * day - 1):
        returned(await site.authorize())
    with site.service.clock.at(start + 60 * day):
        to_login(await site.authorize())


@pytest.mark.both_engines
async def test_prompt_and_max_age(site: LoggedInBrowser) -> None:
    start = site.service.clock()
    assert returned(await site.authorize(cookie=False, prompt="none"))["error"] == "login_required"
    assert "code" in returned(await site.authorize(prompt="none"))
    assert returned(await site.authorize(prompt="none login"))["error"] == "invalid_request"
    asked_again = to_login(await site.authorize(prompt="login"))
    assert asked_again["prompt"] == "login" and "prompt" not in asked_again["continue"]
    with site.service.clock.at(start + 100):
        assert "code" in returned(await site.authorize(max_age="100"))
        assert to_login(await site.authorize(max_age="99"))["prompt"] == "login"
        assert returned(await site.authorize(max_age="99", prompt="none"))["error"] == "login_required"
    for zero in ("0", "00"):
        asked_again = to_login(await site.authorize(max_age=zero))
        assert asked_again["prompt"] == "login" and "max_age=60" in asked_again["continue"], "or it asks for ever"
        assert returned(await site.authorize(max_age=zero, prompt="none"))["error"] == "login_required"
    for wrong in ("-1", "x", "1" * 10, "١"):
        assert returned(await site.authorize(max_age=wrong))["error"] == "invalid_request"


async def test_the_same_by_a_form(site: LoggedInBrowser) -> None:
    form = {"client_id": site.client.id, "redirect_uri": BACK, "response_type": "code", "state": "a&b"}
    response = await site.service.http.post(AUTH, data=form)
    assert response.status_code == 303
    there = urlsplit(response.headers["location"])
    assert (there.netloc, there.path) == ("", AUTH)
    assert returned(await site.raw(there.query))["state"] == "a&b"


@pytest.mark.parametrize(
    ("parameters", "error"),
    [
        ({"response_type": None}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": "code id_token"}, "unsupported_response_type"),
        ({"response_mode": "fragment"}, "invalid_request"),
        ({"request": "x.y.z"}, "request_not_supported"),
        ({"request_uri": "https://evil.example.com"}, "request_uri_not_supported"),
        ({"scope": "/external/title/r"}, "invalid_scope"),
        ({"scope": "openid"}, "invalid_scope"),
        ({"code_challenge": CHALLENGE}, "invalid_request"),
        ({"code_challenge": VERIFIER, "code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge": "short", "code_challenge_method": "S256"}, "invalid_request"),
        ({"code_challenge_method": "S256"}, "invalid_request"),
    ],
)
async def test_errors_go_back_to_the_client(site: LoggedInBrowser, parameters: dict[str, str], error: str) -> None:
    """With state and issuer, and whether somebody is logged in or not."""
    for cookie in (True, False):
        parameters_back = returned(await site.authorize(cookie=cookie, **parameters))
        assert (parameters_back["error"], parameters_back["state"]) == (error, "s 1&é") and parameters_back[
            "error_description"
        ]


@pytest.mark.both_engines
async def test_a_client_may_go_without_the_issuer(site: LoggedInBrowser) -> None:
    """mod_auth_openidc takes an error with `iss` for another issuer's request to log in."""
    flag = {"issuer_in_redirects": False}
    await site.service.store.clients.change(site.client.id, lambda c: msgspec.structs.replace(c, **flag))
    for scope, names in ((None, ["code", "state"]), ("x", ["error", "error_description", "state"])):
        location = (await site.authorize(scope=scope)).headers["location"]
        assert location.startswith(f"{BACK}?") and list(dict(parse_qsl(urlsplit(location).query))) == names
    document = (await site.service.http.get("/.well-known/openid-configuration")).json()
    assert document["authorization_response_iss_parameter_supported"] is True


# Attacks: where a browser is sent ----------------------------------------------------------------------------

# The reader whom the client expects ------------------------------------------------------------------------


async def id_token_of(site: LoggedInBrowser, cookie: str) -> str:
    """The ID token of the reader in a browser."""
    openid, secret = await site.publisher.new_client("/openid", redirect_uris=[BACK])
    browser = LoggedInBrowser(site.publisher, openid, secret, cookie)
    token: str = (await browser.exchanges(await browser.code())).json()["id_token"]
    return token


@pytest.mark.both_engines
async def test_an_id_token_hint_of_another_reader_gives_no_code(site: LoggedInBrowser) -> None:
    await site.publisher.activated("second@example.com", "100002", social_security_number=None)
    mine = await id_token_of(site, site.cookie)
    other = await id_token_of(site, await browser_of(site.publisher, "second@example.com"))
    assert "code" in returned(await site.authorize(prompt="none", id_token_hint=mine))
    assert "code" in returned(await site.authorize(id_token_hint=mine))
    for wrong in (other, mine[:-4], "x", f"{mine.rpartition('.')[0]}."):
        parameters = returned(await site.authorize(prompt="none", id_token_hint=wrong))
        assert parameters["error"] == "login_required" and "code" not in parameters
    now = site.service.clock()
    with site.service.clock.at(now + 61):
        assert returned(await site.authorize(prompt="none", id_token_hint=other))["error"] == "login_required"
        page = to_login(await site.authorize(id_token_hint=other))
        assert page["prompt"] == "login" and "id_token_hint" in page["continue"]
        assert to_login(await site.authorize(id_token_hint="x"))["prompt"] == "login"
    # Whoever logged in just now is not asked in circles.
    assert returned(await site.authorize(id_token_hint=other))["error"] == "login_required"
    assert "code" in returned(await site.authorize(id_token_hint="x")), "one that nobody can read names nobody"


async def test_an_empty_parameter_counts_as_absent(site: LoggedInBrowser) -> None:
    empty: dict[str, Any] = dict.fromkeys(
        ("scope", "oid", "prompt", "max_age", "nonce", "id_token_hint", "redirect_uri"), ""
    )
    assert "code" in returned(await site.authorize(**empty))
    assert "state" not in returned(await site.authorize(state=""))


NOT_REGISTERED = [
    "https://evil.example.com/landing",
    "https://site.example.com/landing/",
    "https://site.example.com/landing2",
    "https://site.example.com/landin",
    "https://site.example.com/",
    "https://site.example.com",
    "https://site.example.com/landing?",
    "https://site.example.com/landing?x=1",
    "https://site.example.com/landing#x",
    "https://site.example.com/landing/../evil",
    "https://site.example.com/%6canding",
    "https://site.example.com:443/landing",
    "https://site.example.com:8443/landing",
    "http://site.example.com/landing",
    "HTTPS://site.example.com/landing",
    "https://SITE.example.com/landing",
    "https://site.example.com.evil.com/landing",
    "https://site.example.com@evil.com/landing",
    "https://evil.com\\@site.example.com/landing",
    "https://evil.com#https://site.example.com/landing",
    "//site.example.com/landing",
    "/landing",
    "javascript:alert(1)",
    "https://site.example.com/landing\r\nset-cookie: a=b",
    " https://site.example.com/landing",
]


@pytest.mark.parametrize("uri", NOT_REGISTERED)
async def test_only_a_registered_redirect_uri_is_gone_to(site: LoggedInBrowser, uri: str) -> None:
    """Mixed up, partial or otherwise clever: character for character, or not at all."""
    for cookie in (True, False):
        error_page(await site.authorize(redirect_uri=uri, cookie=cookie))


async def test_a_redirect_uri_may_be_left_out_only_where_there_is_one(site: LoggedInBrowser) -> None:
    code = returned(await site.authorize(redirect_uri=None))["code"]
    assert (await site.exchanges(code, redirect_uri="")).status_code == 200
    code = returned(await site.authorize(redirect_uri=None))["code"]
    assert (await site.exchanges(code, redirect_uri=BACK)).status_code == 200, "as libraries send it all the same"
    two = [BACK, "https://site.example.com/other"]
    await site.service.store.clients.change(site.client.id, lambda c: msgspec.structs.replace(c, redirect_uris=two))
    error_page(await site.authorize(redirect_uri=None))


@pytest.mark.parametrize("again", ["x", "", "the same"])
@pytest.mark.parametrize("name", ["client_id", "redirect_uri", "oid", "state", "response_type", "scope", "utm_source"])
@pytest.mark.both_engines
async def test_a_parameter_given_twice_is_an_error_for_the_client(site: LoggedInBrowser, name: str, again: str) -> None:
    """For the reader only where it is not certain where the client is."""
    sent = {"client_id": site.client.id, "redirect_uri": BACK, "response_type": "code", "scope": "openid"}
    sent |= {"oid": site.publisher.id, "state": "1", "utm_source": "mail"}
    pairs = [*sent.items(), (name, sent[name] if again == "the same" else again)]
    by_query = await site.raw(urlencode(pairs))
    by_form = await site.service.http.post(AUTH, content=urlencode(pairs).encode(), headers={"cookie": site.cookie})
    assert by_form.status_code == 303
    for response in (by_query, await site.service.http.get(by_form.headers["location"])):
        if name in ("client_id", "redirect_uri", "oid"):
            error_page(response)
            continue
        error = returned(response)
        assert error.pop("state", None) == (None if name == "state" else "1")
        assert error == {
            "error": "invalid_request",
            "error_description": f"The parameter {name} must be given once",
        }


@pytest.mark.parametrize(
    ("value", "reason"), [("x" * 8193, "must be at most 8192 characters"), ("%ff", "must be percent-encoded UTF-8")]
)
async def test_a_parameter_that_can_not_be_read_is_one_too(site: LoggedInBrowser, value: str, reason: str) -> None:
    query = f"client_id={site.client.id}&redirect_uri={quote(BACK)}&response_type=code&state=1"
    error = returned(await site.raw(f"{query}&nonce={value}"))
    assert (error["error"], error["error_description"]) == ("invalid_request", f"The parameter nonce {reason}")
    error_page(await site.raw(f"{query}&oid={value}"))


async def test_introspection_requires_client_authentication(site: LoggedInBrowser, service: RunningService) -> None:
    neighbour = await service.publisher()
    for wrong in ("", "x", "5" * 24, None, neighbour.client.id):
        error_page(await site.authorize(client_id=wrong))
    error_page(await site.authorize(oid=neighbour.id))
    await service.store.clients.change(site.client.id, lambda c: msgspec.structs.replace(c, disabled=True))
    error_page(await site.authorize())


async def test_a_state_can_not_break_out_of_the_address(site: LoggedInBrowser) -> None:
    for state in ("a\r\nset-cookie: b=c", "x&code=forged&iss=https://evil", "#x", "<script>", "\x00", "å" * 500):
        response = await site.authorize(state=state)
        assert returned(response)["state"] == state
        assert "set-cookie" not in response.headers
        assert re.fullmatch(r"[!-~]+", response.headers["location"])
        assert len(parse_qs(urlsplit(response.headers["location"]).query)["code"]) == 1
    error = returned(await site.raw(f"client_id={site.client.id}&response_type=code&state=%ff%fe"))
    assert error["error"] == "invalid_request" and "state" not in error


async def test_an_address_is_returned_to_as_it_is_registered(publisher: Publisher) -> None:
    """Whatever of it the app wrote unencoded: a header has ASCII alone."""
    await publisher.activated(EMAIL)
    app = await public_site(publisher, "http://127.0.0.1:8001/cb%C3%A9")
    response = await app.authorize(redirect_uri="http://127.0.0.1:9/cbé", **PKCE)
    assert response.headers["location"].startswith("http://127.0.0.1:9/cb%C3%A9?code=")


async def test_an_app_listens_on_any_port_of_its_own_machine(publisher: Publisher) -> None:
    """RFC 8252, 7.3; for public clients and loopback addresses alone."""
    await publisher.activated(EMAIL)
    app = await public_site(publisher, "http://127.0.0.1/back", "http://[::1]:1/back", "http://localhost/back", BACK)
    for uri in ("http://127.0.0.1:51004/back", "http://127.0.0.1/back", "http://[::1]:65535/back"):
        assert "code" in returned(await app.authorize(redirect_uri=uri, **PKCE), uri)
    for uri in (
        "http://localhost:51004/back",
        "http://127.0.0.1:51004/",
        "https://127.0.0.1:51004/back",
        "http://127.0.0.2:1/back",
        "http://a@127.0.0.1:1/back",
        "http://127.0.0.1:99999/back",
        "http://127.0.0.1:x/back",
        "http://127.0.0.1:1/back?x",
        "http://127.0.0.1:1\\@evil.com/back",
        "https://site.example.com:1/landing",
    ):
        error_page(await app.authorize(redirect_uri=uri, **PKCE))
    confidential, _ = await publisher.new_client(*SCOPES, redirect_uris=["http://127.0.0.1/back"])
    error_page(
        await LoggedInBrowser(publisher, confidential, "", app.cookie).authorize(redirect_uri="http://127.0.0.1:5/back")
    )


# Attacks: what a code gives ----------------------------------------------------------------------------------


async def test_a_code_that_comes_again_revokes_what_it_gave(site: LoggedInBrowser) -> None:
    await site.service.store.clients.change(site.client.id, lambda c: msgspec.structs.replace(c, offline_access=True))
    code = await site.code()
    first = (await site.exchanges(code)).json()
    assert await site.may_read(first["access_token"]) == 200
    assert_refused(await site.exchanges(code))
    assert await site.may_read(first["access_token"]) == 401
    again = await site.publisher.grant("refresh_token", site.client, site.secret, refresh_token=first["refresh_token"])
    assert_refused(again)


@pytest.mark.both_engines
async def test_parallel_use_of_one_code_succeeds_once(site: LoggedInBrowser) -> None:
    code = await site.code()
    responses = await asyncio.gather(*(site.exchanges(code) for _ in range(20)))
    assert sorted(response.status_code for response in responses) == [200] + [400] * 19
    (token,) = [response.json()["access_token"] for response in responses if response.status_code == 200]
    assert await site.may_read(token) == 401, "used twice: somebody has stolen it"


async def test_a_code_is_valid_for_a_minute(site: LoggedInBrowser) -> None:
    start, code = site.service.clock(), await site.code()
    with site.service.clock.at(start + 60):
        assert_refused(await site.exchanges(code))
    with site.service.clock.at(start + 59):
        assert (await site.exchanges(code)).status_code == 200


async def test_a_code_is_its_clients_alone(site: LoggedInBrowser, service: RunningService) -> None:
    """Another client, with a secret of its own or this one's, gets nothing; the code stays good for its own."""
    other, secret = await site.publisher.new_client(*SCOPES, redirect_uris=[BACK])
    neighbour = await service.publisher()
    code = await site.code()
    assert_refused(await site.exchanges(code, client=other, secret=secret))
    assert_refused(await site.exchanges(code, client=neighbour.client, secret=neighbour.secret))
    assert_refused(await site.exchanges(code, secret=secret), "invalid_client", 401)
    assert_refused(await site.exchanges(code, client=other, secret=site.secret), "invalid_client", 401)
    assert (await site.exchanges(code)).status_code == 200


async def test_a_code_is_given_out_for_the_same_redirect_uri_alone(site: LoggedInBrowser) -> None:
    code = await site.code()
    for wrong in ("", f"{BACK}/", "https://evil.example.com"):
        assert_refused(await site.exchanges(code, redirect_uri=wrong))
    assert (await site.exchanges(code)).status_code == 200


async def test_pkce_can_not_be_taken_away_nor_put_on(site: LoggedInBrowser) -> None:
    """The downgrade of RFC 9700, 4.8: a code with a challenge needs its verifier, one without must not have one."""
    code = await site.code(**PKCE)
    assert_refused(await site.exchanges(code))
    assert_refused(await site.exchanges(code, code_verifier="x" * 43))
    assert_refused(await site.exchanges(code, code_verifier=CHALLENGE))
    for malformed in ("x" * 42, "x" * 129, "å" * 43, f"{VERIFIER} "):
        assert_refused(await site.exchanges(code, code_verifier=malformed), "invalid_request")
    assert (await site.exchanges(code, code_verifier=VERIFIER)).status_code == 200
    assert_refused(await site.exchanges(await site.code(), code_verifier=VERIFIER))


async def test_a_token_or_a_ticket_is_no_code(site: LoggedInBrowser) -> None:
    code = await site.code()
    assert_refused(await site.publisher.grant("ticket", site.client, site.secret, ticket=code))
    assert_refused(await site.publisher.grant("refresh_token", site.client, site.secret, refresh_token=code))
    token = (await site.exchanges(code)).json()["access_token"]
    for wrong in (token, "x", "x" * 5000, "\x00", "å"):
        assert_refused(await site.exchanges(wrong))


async def test_an_account_that_is_no_longer_active_gets_nothing(site: LoggedInBrowser) -> None:
    code = await site.code()
    await set_status(site.service.settings.database_url, site.publisher.id, "archived")
    assert_refused(await site.exchanges(code))
    to_login(await site.authorize())


# Public clients ------------------------------------------------------------------------------------------------


async def test_a_public_client_needs_pkce_and_no_secret(publisher: Publisher) -> None:
    await publisher.activated(EMAIL)
    app = await public_site(publisher)
    assert returned(await app.authorize())["error"] == "invalid_request"
    code = await app.code(**PKCE)
    form = {"client_id": app.client.id, "grant_type": "authorization_code", "code": code, "redirect_uri": BACK}
    http = publisher.service.http
    assert_refused(await http.post("/api/authorization/access_token", data=form))
    with_secret = {**form, "code_verifier": VERIFIER, "client_secret": "guess"}
    assert_refused(await http.post("/api/authorization/access_token", data=with_secret), "invalid_client", 401)
    response = await http.post("/api/authorization/access_token", data={**form, "code_verifier": VERIFIER})
    assert response.status_code == 200 and await app.may_read(response.json()["access_token"]) == 200


@pytest.mark.parametrize("grant", ["none", "client_credentials", "password", "ticket"])
async def test_a_public_client_gets_nothing_by_its_name_alone(publisher: Publisher, grant: str) -> None:
    client, _ = await publisher.new_client(*SCOPES, public=True)
    form = {"client_id": client.id, "grant_type": grant, "username": EMAIL, "password": "x", "ticket": "x"}
    response = await publisher.service.http.post("/api/authorization/access_token", data=form)
    assert_refused(response, "unauthorized_client")


@pytest.mark.parametrize("path", [AUTH, "/oauth2/logout"])
async def test_a_form_does_not_become_an_endless_address(site: LoggedInBrowser, path: str) -> None:
    """What browsers and proxies would not take."""
    for length, status in ((4_000, 303), (6_000, 400)):
        sent = {"client_id": site.client.id, "state": "å" * length, "response_type": "code"}
        response = await site.service.http.post(path, data=sent)
        assert response.status_code == status
        assert len(response.headers.get("location", "")) < 30_000


async def test_a_nonce_is_bounded(site: LoggedInBrowser) -> None:
    """It is stored with the code."""
    assert "code" in returned(await site.authorize(nonce="n" * MAX_NONCE_LENGTH))
    error = returned(await site.authorize(nonce="n" * (MAX_NONCE_LENGTH + 1)))
    assert (error["error"], error["error_description"]) == (
        "invalid_request",
        f"The nonce must be at most {MAX_NONCE_LENGTH} characters",
    )


async def test_a_scope_that_is_repeated_is_stored_once(site: LoggedInBrowser) -> None:
    assert "code" in returned(await site.authorize(scope=f"{SCOPES[0]} " * 400))
    stored = f"SELECT detail FROM one_time_credentials WHERE client = '{site.client.id}'"
    [(detail,)] = await rows(site.service.settings.database_url, stored)
    assert len(detail) < 1_000
