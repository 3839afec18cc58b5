"""The token endpoint: who gets a token, what it allows, and how everybody else is refused."""

from __future__ import annotations

import base64
import importlib
import json
import pkgutil
import re
import types
from pathlib import Path
from typing import Any

import argon2
import bcrypt
import httpx
import msgspec
import passlib.hash
import pytest

import stamkund
from stamkund.rules import identifiers
from stamkund.rules.customer import account_of
from stamkund.rules.ids import new_id
from stamkund.rules.organisation import Secret
from stamkund.store import Store
from tests.support.counting import COMBINING, NormalisingRecorder
from tests.support.rows import set_status
from tests.support.service import SCOPES, Publisher, RunningService

TOKEN = "/api/authorization/access_token"
ME = "/external/api/v1/me"
EMAIL = "ove.ovesson@example.com"
PASSWORD = "Df7Vdd8!!vnM"
DAY = 86_400
SAFE = re.compile(r"[A-Za-z0-9._~-]{40,}")
WRONG_PASSWORD = ("invalid_grant", "Username/password do not match")


def error_of(response: httpx.Response, status: int = 400) -> tuple[str, str]:
    """An error as RFC 6749 section 5.2 has it: its code and description."""
    assert response.status_code == status, response.text
    body = response.json()
    assert list(body) == ["error", "error_description"]
    assert re.fullmatch(r"[\x20\x21\x23-\x5b\x5d-\x7e]+", body["error_description"])
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["content-type"] == "application/json"
    assert response.headers["x-request-id"]
    return body["error"], body["error_description"]


def issued(response: httpx.Response) -> dict[str, Any]:
    assert response.status_code == 200, response.text
    body: dict[str, Any] = response.json()
    expected = ["access_token", "token_type", "expires_in", "scope", "refresh_token"]
    assert list(body) in (expected[:4], expected)
    assert (body["token_type"], body["expires_in"]) == ("Bearer", 3600)
    assert response.headers["cache-control"] == "no-store"
    assert SAFE.fullmatch(body["access_token"]) and SAFE.fullmatch(body.get("refresh_token", body["access_token"]))
    return body


async def post(service: RunningService, form: str | bytes, **headers: str) -> httpx.Response:
    sent = {"content-type": "application/x-www-form-urlencoded", **headers}
    return await service.http.post(TOKEN, content=form, headers=sent)


def credentials(publisher: Publisher) -> str:
    return f"client_id={publisher.client.id}&client_secret={publisher.secret}"


def basic(client_id: str, secret: str) -> str:
    return "Basic " + base64.b64encode(f"{client_id}:{secret}".encode()).decode()


async def may_call(service: RunningService, token: str) -> bool:
    response = await service.http.get("/external/api/v1/accounts?alias=x", headers={"authorization": f"Bearer {token}"})
    assert response.status_code in (401, 404)
    return response.status_code == 404


# The client ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("grant", ["none", "client_credentials"])
async def test_a_client_gets_a_token_without_identity(publisher: Publisher, grant: str) -> None:
    body = issued(await publisher.grant(grant))
    assert body["scope"] == " ".join(SCOPES) and "refresh_token" not in body
    assert await may_call(publisher.service, body["access_token"])
    me = await publisher.service.http.get(ME, headers={"authorization": f"Bearer {body['access_token']}"})
    assert me.json()["code"] == "identity_required"


async def test_secrets_can_be_pasted_anywhere(publisher: Publisher) -> None:
    assert SAFE.fullmatch(publisher.secret)


async def test_a_client_may_come_with_http_basic(publisher: Publisher) -> None:
    for scheme in ("Basic", "basic", "BASIC"):
        header = scheme + basic(publisher.client.id, publisher.secret)[5:]
        issued(await post(publisher.service, "grant_type=none", authorization=header))
    encoded = "".join(f"%{ord(character):02X}" for character in publisher.secret)  # RFC 6749, 2.3.1
    for who, what in ((publisher.client.id.upper(), publisher.secret), (publisher.client.id, encoded)):
        issued(await post(publisher.service, "grant_type=none", authorization=basic(who, what)))


async def test_every_failed_client_authentication_is_refused_alike(publisher: Publisher) -> None:
    """401 `invalid_client`; a challenge only for those who came with a header (RFC 6749, 5.2)."""
    client_id, secret, service = publisher.client.id, publisher.secret, publisher.service
    other, _ = await publisher.new_client("/external/account/r")
    disabled, disabled_secret = await publisher.new_client("/external/account/r", disabled=True)
    wrong = [
        (client_id, "wrong"),
        (client_id, ""),
        (client_id, secret[:-1]),
        (client_id, f"{secret} "),
        (client_id, secret.swapcase()),
        (other.id, secret),
        (new_id(0), secret),
        ("", ""),
        ("not an id", secret),
        ("\0", secret),
        (disabled.id, disabled_secret),
    ]
    bodies = set()
    for who, what in wrong:
        response = await service.http.post(TOKEN, data={"client_id": who, "client_secret": what, "grant_type": "none"})
        assert error_of(response, 401)[0] == "invalid_client" and "www-authenticate" not in response.headers
        bodies.add(response.text)
        response = await post(service, "grant_type=none", authorization=basic(who, what))
        assert error_of(response, 401)[0] == "invalid_client"
        assert response.headers["www-authenticate"] == 'Basic realm="stamkund"'
        bodies.add(response.text)
    for header in ("Basic", "Basic !", "Basic /w==", "Basic " + base64.b64encode(b"no colon").decode()):
        response = await post(service, "grant_type=none", authorization=header)
        error_of(response, 401)
        bodies.add(response.text)
    assert len(bodies) == 1


async def test_a_refused_client_leaves_nothing_in_memory() -> None:
    """An exception that is raised again and again keeps every traceback, and with it every request, for ever."""
    names = [m.name for m in pkgutil.walk_packages(stamkund.__path__, "stamkund.") if "__main__" not in m.name]
    modules: list[types.ModuleType] = [importlib.import_module(name) for name in names]
    exceptions = [f"{m.__name__}.{n}" for m in modules for n, v in vars(m).items() if isinstance(v, BaseException)]
    assert exceptions == []


async def test_a_disabled_client_is_let_in_again_when_enabled(publisher: Publisher) -> None:
    store = publisher.service.store
    await store.clients.change(publisher.client.id, lambda c: msgspec.structs.replace(c, disabled=True))
    assert (await publisher.grant("none")).status_code == 401
    await store.clients.change(publisher.client.id, lambda c: msgspec.structs.replace(c, disabled=False))
    assert (await publisher.grant("none")).status_code == 200


async def test_an_old_secret_is_valid_until_it_expires(publisher: Publisher) -> None:
    store, now = publisher.service.store, publisher.service.clock()
    old = Secret(publisher.service.client_secrets.seal(publisher.client, "o" * 40), now, now + DAY)
    await store.clients.change(publisher.client.id, lambda c: msgspec.structs.replace(c, secrets=[*c.secrets, old]))
    for timestamp, status in ((now, 200), (now + DAY - 1, 200), (now + DAY, 401)):
        with publisher.service.clock.at(timestamp):
            assert (await publisher.grant("none", secret="o" * 40)).status_code == status
            assert (await publisher.grant("none")).status_code == 200


# The form --------------------------------------------------------------------------------------------------


async def test_fields_that_are_missing(publisher: Publisher) -> None:
    form_start = credentials(publisher)
    for form, field in (
        ("", "grant_type"),
        ("&grant_type=", "grant_type"),
        ("&grant_type=password", "username"),
        ("&grant_type=password&username=", "username"),
        (f"&grant_type=password&username={EMAIL}", "password"),
        (f"&grant_type=password&username={EMAIL}&password=", "password"),
        ("&grant_type=refresh_token", "refresh_token"),
    ):
        response = error_of(await post(publisher.service, form_start + form))
        assert response == ("invalid_request", f"The field {field} is required")


async def test_grants_that_do_not_exist(publisher: Publisher) -> None:
    for grant, quoted in (("None", "None"), ("authorization", "authorization"), ('a"b\\å\n', "a?b???")):
        assert error_of(await publisher.grant(grant)) == (
            "unsupported_grant_type",
            f"The grant type {quoted} is not supported",
        )


async def test_a_client_is_checked_before_its_grant(publisher: Publisher) -> None:
    for form in ("", "grant_type=x", "grant_type=password", "grant_type=none&scope=/unknown"):
        assert error_of(await post(publisher.service, form), 401)[0] == "invalid_client"


FORMS = {
    # what is sent for the password, and what it means
    PASSWORD: PASSWORD,
    "Df7Vdd8%21%21vnM": PASSWORD,
    "a b/c^d@e:f?g#h": "a b/c^d@e:f?g#h",
    "one+two": "one two",
    "one%2Btwo%2bthree": "one+two+three",
    "100% sure": "100% sure",
    "100%25sure": "100%sure",
    "%zz%4%!!": "%zz%4%!!",
    "a=b=c==": "a=b=c==",
    "a%26b%3Dcd": "a&b=cd",
    '"quoted";': '"quoted";',
    "å%C3%A4ö123": "åäö123",
    "%00%0d%0a123": "\0\r\n123",
}


@pytest.mark.parametrize("sent", FORMS)
async def test_values_are_taken_as_they_come(publisher: Publisher, sent: str) -> None:
    """Only & and = separate, + and %xx decode; the rest is what it is."""
    await _account(publisher, password=FORMS[sent])
    form = f"&grant_type=password&username={publisher.id}^{EMAIL}&password={sent}"
    pasted = f"{credentials(publisher)}{form}&scope=/external/me/w /external/account/r"
    assert issued(await post(publisher.service, pasted))["scope"] == "/external/me/w /external/account/r"


async def _account(publisher: Publisher, password: str = PASSWORD, email: str = EMAIL) -> str:
    made = await publisher.customer(email, social_security_number=None)
    body = {"account_candidate_id": made.id, "email": email, "password": password}
    response = await publisher.post("/external/api/v1/account/activate_candidate", body)
    assert response.status_code == 201, response.text
    return str(response.json()["id"])


async def test_forms_of_every_kind_are_read(publisher: Publisher) -> None:
    """Any content type, a line break at the end, Latin-1, blanks around names."""
    await _account(publisher, "lösenord")
    form_start, service = credentials(publisher), publisher.service
    latin = f"{form_start}&grant_type=password&username={EMAIL}&password=".encode() + b"l\xf6senord"
    for form in (latin, latin.replace(b"\xf6", b"%F6"), latin.replace(b"\xf6", "ö".encode()), latin + b"\r\n"):
        issued(await post(service, form))
    for text in (
        f"&{form_start}&&grant_type=none&",
        f"{form_start}& grant_type=none",
    ):
        issued(await post(service, text))
    issued(await service.http.post(TOKEN, content=f"{form_start}&grant_type=none".encode()))
    issued(await post(service, f"{form_start}&grant_type=none", **{"content-type": "text/plain"}))
    issued(await service.http.post(f"{TOKEN}/", content=f"{form_start}&grant_type=none".encode()))


@pytest.mark.parametrize("name", ["grant_type", "client_id", "client_secret", "scope", "x"])
async def test_a_repeated_field_is_refused(publisher: Publisher, name: str) -> None:
    """Whether it has the same value, none, or is one that nobody knows."""
    form = f"{credentials(publisher)}&grant_type=none&scope=/external/account/r&x=1"
    value = dict(part.split("=") for part in form.split("&"))[name]
    for more in (f"{name}={value}", f"{name}=", f" {name}=other"):
        error, description = error_of(await post(publisher.service, f"{form}&{more}"))
        assert error == "invalid_request" and name in description
    for path in ("/oauth2/introspect", "/oauth2/revoke"):
        response = await publisher.service.http.post(path, content=f"{credentials(publisher)}&token=x&token=x".encode())
        assert (response.status_code, response.json()["error"]) == (400, "invalid_request")


async def test_an_empty_field_counts_as_absent(publisher: Publisher) -> None:
    form = f"{credentials(publisher)}&grant_type=none"
    assert issued(await post(publisher.service, f"{form}&scope="))["scope"] == " ".join(SCOPES)
    header = basic(publisher.client.id, publisher.secret)
    issued(await post(publisher.service, "grant_type=none&client_id=&client_secret=", authorization=header))
    assert error_of(await post(publisher.service, f"{credentials(publisher)}&grant_type="))[0] == "invalid_request"


async def test_a_client_authenticates_itself_in_one_way(publisher: Publisher) -> None:
    """A secret in the form together with HTTP Basic is refused, even the right one; the same id there is not."""
    client_id, secret, service = publisher.client.id, publisher.secret, publisher.service
    header = basic(client_id, secret)
    for more in (f"client_id={client_id}", f"client_id={client_id.upper()}"):
        issued(await post(service, f"grant_type=none&{more}", authorization=header))
    other, _ = await publisher.new_client("/external/account/r")
    for more in (f"client_secret={secret}", credentials(publisher), "client_secret=x", f"client_id={other.id}"):
        response = await post(service, f"grant_type=none&{more}", authorization=header)
        assert error_of(response)[0] == "invalid_request"


@pytest.mark.parametrize("path", [TOKEN, "/oauth2/introspect", "/oauth2/revoke"])
async def test_a_body_that_is_no_form_is_refused_naming_the_content_type(publisher: Publisher, path: str) -> None:
    form = {"client_id": publisher.client.id, "client_secret": publisher.secret, "grant_type": "none", "token": "x"}
    as_json = json.dumps(form).encode()
    bodies: list[tuple[bytes, str | None]] = [
        (as_json, "application/json"),
        (as_json, "application/x-www-form-urlencoded"),
        (as_json, None),
        (b'"x"', "application/json"),
        (b"", "application/json"),
        (
            b'--x\r\nContent-Disposition: form-data; name="token"\r\n\r\nx\r\n--x--',
            "multipart/form-data; boundary=x",
        ),
        (b"<grant_type>none</grant_type>", "text/xml"),
        (b"hello", "text/plain"),
    ]
    for body, content_type in bodies:
        headers = {} if content_type is None else {"content-type": content_type}
        response = await publisher.service.http.post(path, content=body, headers=headers)
        assert (response.status_code, response.json()["error"]) == (400, "invalid_request"), (body, content_type)
        assert "application/x-www-form-urlencoded" in response.json()["error_description"]


async def test_scopes_of_openid_connect_that_a_client_lacks_are_left_out(publisher: Publisher) -> None:
    """Libraries always request them. Nothing is given instead."""
    standard = ("profile", "email", "address", "phone", "offline_access")
    for scope in (*standard, *(f"/openid/{name}" for name in standard)):
        assert (
            issued(await publisher.grant("none", scope=f"/external/account/r {scope}"))["scope"]
            == "/external/account/r"
        )
        assert issued(await publisher.grant("none", scope=scope))["scope"] == ""
    for scope in ("openid", "/openid", "/external/title/r", "Profile", "/openid/x"):
        error, description = error_of(await publisher.grant("none", scope=f"profile {scope}"))
        assert error == "invalid_scope" and scope.removeprefix("/") in description
    await _account(publisher)
    token = await _refresh_token(publisher, scope="/external/me/w")
    refreshed = issued(await publisher.grant("refresh_token", refresh_token=token, scope="/external/me/w email phone"))
    assert refreshed["scope"] == "/external/me/w"


async def test_credentials_in_the_query_count_for_nothing(publisher: Publisher) -> None:
    response = await publisher.service.http.post(f"{TOKEN}?{credentials(publisher)}&grant_type=none")
    assert error_of(response, 401)[0] == "invalid_client"


async def test_a_form_that_is_too_large(publisher: Publisher) -> None:
    form_start = f"{credentials(publisher)}&grant_type=none&x="
    response = await post(publisher.service, form_start + "x" * (65_537 - len(form_start)))
    assert (response.status_code, response.json()["code"]) == (413, "payload_too_large")
    issued(await post(publisher.service, form_start + "x" * (65_536 - len(form_start))))


# Scopes ----------------------------------------------------------------------------------------------------


async def test_scopes_are_those_requested(publisher: Publisher) -> None:
    for scope, granted in (
        ("/external/me/w", "/external/me/w"),
        ("  /external/me/w   /external/account/r ", "/external/me/w /external/account/r"),
        ("/external/me/w /external/me/w", "/external/me/w"),
        (" ", " ".join(SCOPES)),
    ):
        assert issued(await publisher.grant("none", scope=scope))["scope"] == granted


async def test_a_scope_that_the_client_lacks_is_named(publisher: Publisher) -> None:
    await _account(publisher)
    for scope, named in (
        ("/external/product/r", "/external/product/r"),
        ("/external/account/r /external/product/r", "/external/product/r"),
        ("external/account/r", "external/account/r"),
        ("/EXTERNAL/account/r", "/EXTERNAL/account/r"),
        ('"<å>"\\', "?<?>??"),
    ):
        expected = ("invalid_scope", f"The client does not have the scope {named}")
        assert error_of(await publisher.grant("none", scope=scope)) == expected
        assert error_of(await publisher.grant("password", username=EMAIL, password=PASSWORD, scope=scope)) == expected


async def test_any_grant_may_request_any_scope_of_the_client(publisher: Publisher) -> None:
    """A token without identity is refused at the /me calls, not here."""
    assert issued(await publisher.grant("none", scope="/external/me/w"))["scope"] == "/external/me/w"


# Passwords -------------------------------------------------------------------------------------------------


async def test_a_reader_gets_a_token_with_identity(publisher: Publisher) -> None:
    account_id = await _account(publisher)
    for username in (f"{publisher.id}^{EMAIL}", EMAIL, EMAIL.upper(), f"{publisher.id}^{EMAIL.title()}"):
        body = issued(await publisher.grant("password", username=username, password=PASSWORD))
        assert body["scope"] == " ".join(SCOPES) and body["refresh_token"] != body["access_token"]
        me = await publisher.service.http.get(ME, headers={"authorization": f"Bearer {body['access_token']}"})
        assert me.json()["item"]["id"] == account_id


@pytest.mark.both_engines
async def test_every_failed_login_is_refused_alike(
    service: RunningService, publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No oracle for who is a customer: wrong password, unknown e-mail, another organisation, not active."""
    recorder = NormalisingRecorder(monkeypatch)
    other = await service.publisher()
    await _account(publisher)
    await _account(other, email="elsewhere@example.com")
    await _account(other)
    await _inactive(publisher, "inactive@example.com")
    await publisher.customer("7", email="customer@example.com", social_security_number=None)
    responses = [
        await publisher.grant("password", username=username, password=password)
        for username, password in (
            (EMAIL, "wrong"),
            (EMAIL, PASSWORD.lower()),
            (EMAIL, f"{PASSWORD} "),
            ("nobody@example.com", PASSWORD),
            ("no e-mail", PASSWORD),
            ("a\0b@example.com", PASSWORD),
            ("elsewhere@example.com", PASSWORD),
            (f"{other.id}^elsewhere@example.com", PASSWORD),
            (f"{other.id}^{EMAIL}", PASSWORD),
            (f"{publisher.id.upper()}^{EMAIL}", PASSWORD),
            (f"^{EMAIL}", PASSWORD),
            (f"{publisher.id}^", PASSWORD),
            (f"{publisher.id}^{publisher.id}^{EMAIL}", PASSWORD),
            (f"a{EMAIL}", PASSWORD),
            (EMAIL.replace("@", " @"), PASSWORD),
            (f"{EMAIL}\0", PASSWORD),
            (EMAIL.replace("@", "\u200b@"), PASSWORD),
            ("inactive@example.com", PASSWORD),
            ("customer@example.com", PASSWORD),
            (EMAIL, "x" * 20_000),
            (EMAIL, COMBINING[13_000:18_000]),
            ("x" * 20_000, PASSWORD),
            (f"{'x' * 20_000}^{EMAIL}", PASSWORD),
            (f"{publisher.id}^{EMAIL}{' ' * 20_000}", PASSWORD),
        )
    ]
    assert {error_of(r) for r in responses} == {WRONG_PASSWORD}
    assert len({r.text for r in responses}) == 1
    recorder.assert_bounded()


async def test_fields_that_are_too_long_are_refused_first(service: RunningService, publisher: Publisher) -> None:
    for name in ("client_id", "client_secret", "grant_type", "scope", "code"):
        form = {"client_id": publisher.client.id, "client_secret": publisher.secret, "grant_type": "none"}
        response = await post(service, "&".join(f"{n}={v}" for n, v in {**form, name: "x" * 8193}.items()))
        assert error_of(response) == ("invalid_request", f"The field {name} is too long")


async def _inactive(publisher: Publisher, email: str) -> None:
    """An account that an operator switched off."""
    await publisher.activated(email, "9", social_security_number=None)
    await set_status(publisher.service.settings.database_url, publisher.id, "inactive", email)


# Refresh tokens --------------------------------------------------------------------------------------------


async def _refresh_token(publisher: Publisher, **more: Any) -> str:
    return str(issued(await publisher.grant("password", username=EMAIL, password=PASSWORD, **more))["refresh_token"])


async def test_a_refresh_token_gives_access_again_and_again(publisher: Publisher) -> None:
    """Clients in the field keep the first one, so it stays; each use makes it hold for 180 days more, up to 400."""
    account_id = await _account(publisher)
    token = await _refresh_token(publisher)
    clock, now = publisher.service.clock, publisher.service.clock()
    for timestamp in (now, now, now + 179 * DAY, now + 358 * DAY, now + 400 * DAY - 1):
        with clock.at(timestamp):
            body = issued(await publisher.grant("refresh_token", refresh_token=token))
            assert "refresh_token" not in body and body["scope"] == " ".join(SCOPES)
            me = await publisher.service.http.get(ME, headers={"authorization": f"Bearer {body['access_token']}"})
            assert me.json()["item"]["id"] == account_id
    with clock.at(now + 400 * DAY):
        assert error_of(await publisher.grant("refresh_token", refresh_token=token))[0] == "invalid_grant"


async def test_a_refresh_token_gives_no_more_than_it_was_given(publisher: Publisher) -> None:
    await _account(publisher)
    token = await _refresh_token(publisher, scope="/external/me/w /external/account/r")
    for scope, granted in (("", "/external/me/w /external/account/r"), ("/external/account/r", "/external/account/r")):
        assert issued(await publisher.grant("refresh_token", refresh_token=token, scope=scope))["scope"] == granted
    wider = await publisher.grant("refresh_token", refresh_token=token, scope="/external/me/w /external/account/w")
    assert error_of(wider) == ("invalid_scope", "The refresh token does not have the scope /external/account/w")


async def test_a_scope_taken_from_the_client_is_not_refreshed(publisher: Publisher) -> None:
    await _account(publisher)
    token = await _refresh_token(publisher)
    left = ["/external/me/w"]
    await publisher.service.store.clients.change(publisher.client.id, lambda c: msgspec.structs.replace(c, scopes=left))
    assert issued(await publisher.grant("refresh_token", refresh_token=token))["scope"] == "/external/me/w"
    response = await publisher.grant("refresh_token", refresh_token=token, scope="/external/account/r")
    assert error_of(response)[0] == "invalid_scope"


async def test_invalid_refresh_tokens_are_all_refused_alike(service: RunningService, publisher: Publisher) -> None:
    await _account(publisher)
    token = await _refresh_token(publisher)
    neighbour, neighbours_secret = await publisher.new_client(*SCOPES)
    other = await service.publisher()
    access = await publisher.token()
    responses = [
        await publisher.grant("refresh_token", refresh_token="unknown"),
        await publisher.grant("refresh_token", refresh_token=access),
        await publisher.grant("refresh_token", refresh_token=token.swapcase()),
        await publisher.grant("refresh_token", refresh_token="å\0"),
        await publisher.grant("refresh_token", neighbour, neighbours_secret, refresh_token=token),
        await other.grant("refresh_token", refresh_token=token),
    ]
    assert {error_of(r)[0] for r in responses} == {"invalid_grant"} and len({r.text for r in responses}) == 1
    issued(await publisher.grant("refresh_token", refresh_token=token))


async def test_an_access_token_is_valid_for_an_hour(publisher: Publisher) -> None:
    token = await publisher.token()
    now = publisher.service.clock()
    for timestamp, holds in ((now + 3599, True), (now + 3600, False)):
        with publisher.service.clock.at(timestamp):
            assert await may_call(publisher.service, token) is holds


# Passwords that came from elsewhere ------------------------------------------------------------------------


def _bcrypt(password: str, prefix: str = "$2b$") -> str:
    return bcrypt.hashpw(password.encode()[:72], bcrypt.gensalt(4)).decode().replace("$2b$", prefix)


HASHES = {
    "bcrypt": _bcrypt(PASSWORD),
    "bcrypt of PHP": _bcrypt(PASSWORD, "$2y$"),
    "old bcrypt": _bcrypt(PASSWORD, "$2a$"),
    "bcrypt-sha256": passlib.hash.bcrypt_sha256.using(rounds=4).hash(PASSWORD),
    "scrypt": passlib.hash.scrypt.using(rounds=4).hash(PASSWORD),
    "PBKDF2-SHA1": passlib.hash.pbkdf2_sha1.using(rounds=10).hash(PASSWORD),
    "PBKDF2-SHA256": passlib.hash.pbkdf2_sha256.using(rounds=10).hash(PASSWORD),
    "PBKDF2-SHA512": passlib.hash.pbkdf2_sha512.using(rounds=10).hash(PASSWORD),
    "Django PBKDF2-SHA256": passlib.hash.django_pbkdf2_sha256.using(rounds=10).hash(PASSWORD),
    "Django PBKDF2-SHA1": passlib.hash.django_pbkdf2_sha1.using(rounds=10).hash(PASSWORD),
    "Django bcrypt-SHA256": passlib.hash.django_bcrypt_sha256.using(rounds=4).hash(PASSWORD),
    "WordPress": passlib.hash.phpass.using(rounds=7).hash(PASSWORD),
    "Argon2i": argon2.PasswordHasher(1, 8, 1, type=argon2.Type.I).hash(PASSWORD),
    "Argon2id, more memory": argon2.PasswordHasher(1, 16, 1).hash(PASSWORD),
    "Argon2id, more lanes": argon2.PasswordHasher(1, 16, 2).hash(PASSWORD),
    "Argon2id, more passes": argon2.PasswordHasher(3, 8, 1).hash(PASSWORD),
}
OURS = "$argon2id$v=19$m=8,t=1,p=1$"


async def _hash(store: Store, publisher: Publisher, email: str = EMAIL) -> str:
    login = await store.logins.find(publisher.id, identifiers.email(email))
    assert login is not None and login.hash is not None
    return login.hash


@pytest.mark.parametrize("kind", HASHES)
async def test_a_customer_with_a_password_from_elsewhere_gets_an_account_by_logging_in(
    publisher: Publisher, kind: str
) -> None:
    """Nothing but the right password makes the account; from then on its hash is ours."""
    made = await publisher.customer(email=EMAIL, password_hash=HASHES[kind])
    for wrong in (PASSWORD.lower(), "x" * 5000, "a\0b", "ö" * 50):  # one more would freeze the login
        assert error_of(await publisher.grant("password", username=EMAIL, password=wrong)) == WRONG_PASSWORD
    assert (await publisher.get("/external/api/v1/accounts/candidate", customer_number="100001")).status_code == 200
    for _ in range(2):
        token = issued(await publisher.grant("password", username=EMAIL.upper(), password=PASSWORD))["access_token"]
    me = (await publisher.service.http.get(ME, headers={"authorization": f"Bearer {token}"})).json()["item"]
    assert (me["email"], me["status"], me["customer_number"]) == (EMAIL, "active", "100001")
    assert [p["id"] for p in me["user_products"]] == [s.id for s in made.subscriptions]
    assert (await _hash(publisher.service.store, publisher)).startswith(OURS)
    assert (await publisher.get("/external/api/v1/accounts/candidate", customer_number="100001")).status_code == 409
    assert error_of(await publisher.grant("password", username=EMAIL, password="wrong")) == WRONG_PASSWORD


@pytest.mark.parametrize("kind", HASHES)
async def test_an_accounts_old_hash_is_replaced_at_the_next_login(publisher: Publisher, kind: str) -> None:
    made, store = await publisher.customer(), publisher.service.store
    await store.accounts.activate(
        publisher.id, made.id, lambda c: account_of(c, EMAIL, 0), HASHES[kind], publisher.client.id, 0
    )
    assert error_of(await publisher.grant("password", username=EMAIL, password="wrong")) == WRONG_PASSWORD
    assert await _hash(store, publisher) == HASHES[kind]
    issued(await publisher.grant("password", username=EMAIL, password=PASSWORD))
    upgraded = await _hash(store, publisher)
    assert upgraded.startswith(OURS)
    issued(await publisher.grant("password", username=EMAIL, password=PASSWORD))
    assert await _hash(store, publisher) == upgraded


@pytest.mark.parametrize("password", ["p" * 72, "p" * 80, "å" * 60, "p" * 71 + "ö"])
async def test_long_passwords_under_bcrypt_still_log_in(publisher: Publisher, password: str) -> None:
    """bcrypt looks at 72 bytes and its libraries used to cut what was longer, so those readers know no shorter one."""
    await publisher.customer(email=EMAIL, password_hash=_bcrypt(password))
    assert error_of(await publisher.grant("password", username=EMAIL, password=password[:30])) == WRONG_PASSWORD
    issued(await publisher.grant("password", username=EMAIL, password=password))
    issued(await publisher.grant("password", username=EMAIL, password=password))


@pytest.mark.parametrize("damaged", ["$2b$04$short", "$argon2id$x", "pbkdf2_sha256$x$y$z", "$unknown$", "md5:abc", "x"])
async def test_a_damaged_hash_matches_no_password(publisher: Publisher, damaged: str) -> None:
    await publisher.customer(email=EMAIL, password_hash=damaged)
    for password in (PASSWORD, damaged):
        assert error_of(await publisher.grant("password", username=EMAIL, password=password)) == WRONG_PASSWORD


async def test_hashes_follow_the_settings(service: RunningService, publisher: Publisher) -> None:
    """After the settings were raised, a login replaces the hash without anybody noticing."""
    await _account(publisher)
    settings = service.settings
    async with RunningService(
        settings.database_url, Path(settings.key_file), argon2_memory_kib=16, argon2_passes=2
    ) as raised:
        form = f"{credentials(publisher)}&grant_type=password&username={EMAIL}&password={PASSWORD}"
        issued(await post(raised, form))
        assert (await _hash(raised.store, publisher)).startswith("$argon2id$v=19$m=16,t=2,p=1$")
        issued(await post(raised, form))
