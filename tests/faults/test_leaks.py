"""What must not be found: personal data in the log; numbers, secrets and tokens in a copy of the database."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import shutil
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

from stamkund.clock import system_clock
from stamkund.rules.account import Address
from stamkund.rules.customer import Customer
from stamkund.vault import Vault
from tests.support.browser import Browser
from tests.support.connector import Connector
from tests.support.installation import (
    ACCOUNTS,
    ACTIVATE,
    CANDIDATE,
    HOST,
    ME,
    ORGANISATION,
    PASSWORD,
    TOKEN,
    Caller,
    Installation,
    ServerProcess,
)
from tests.support.installation_fixtures import running
from tests.support.leaks import everything_stored, leaks
from tests.support.rows import executed
from tests.support.service import customer

EMAIL = "petronella.ovesson@example.com"
NEW_EMAIL = "Petronella+Ny@example.com"
UNKNOWN_EMAIL = "frammande.person@example.com"
NUMBER = "620817-9256"
OTHER_NUMBER = "910820-5205"
WRONG_PASSWORD = "Fel-losenord-99"
BACK = "https://site.example.com/landing"
PERSONAL = [EMAIL, NEW_EMAIL, UNKNOWN_EMAIL, NUMBER, OTHER_NUMBER, "6208179256", "9108205205", "Petronella", "Ovesson"]
PERSONAL += ["0701234567", "Storgatan", "k-4711", "Petras-alias", "crm-77123", PASSWORD, WRONG_PASSWORD]


async def test_nothing_leaks(installation: Installation) -> None:
    async with running(installation, log_level="debug") as (server, caller):
        [candidate, other] = people()
        await installation.customers(candidate, other)
        tokens = await use_every_call(server, caller, candidate)
        tokens += await log_in_everywhere(installation, server)
        await provoke_internal_error(installation, caller)
        secrets = [caller.client.secret, *tokens]
        stored = await everything_stored(installation)
        assert leaks(stored, [*written(NUMBER), *written(OTHER_NUMBER), *secrets, PASSWORD, WRONG_PASSWORD]) == []
        assert leaks(stored, ["k-4711"]) != []  # the look itself finds what is there
        await server.stop()
    assert '"internal error"' in server.log and '"status":500' in server.log and '"status":201' in server.log
    assert leaks(server.log, [*PERSONAL, *secrets]) == []


async def test_a_copy_is_of_no_use_without_its_key_file(installation: Installation) -> None:
    await installation.customers(*people())
    installation.key_file.rename(installation.folder / "elsewhere.key")
    missing = installation.run("serve", "--port", "0")
    assert (missing.status, missing.output) == (2, "")
    assert f"the key file {installation.key_file} is missing" in missing.errors
    assert not installation.key_file.exists()

    Vault.create(installation.key_file, system_clock())
    wrong = installation.run("serve", "--port", "0")
    assert wrong.status == 2
    assert f"the key file {installation.key_file} is not the one that this database was written with" in wrong.errors
    assert "Traceback" not in missing.errors + wrong.errors

    shutil.move(installation.folder / "elsewhere.key", installation.key_file)
    assert installation.run("doctor").status == 0


def people() -> list[Customer]:
    fields: dict[str, Any] = {"email": EMAIL, "first_name": "Petronella", "last_name": "Ovesson"}
    fields["address"] = Address("Petronella", "Ovesson", "Storgatan", zip_code="43921")
    now = system_clock()
    return [
        customer("k-4711", now, social_security_number=NUMBER, **fields),
        customer("k-4712", now, social_security_number=OTHER_NUMBER, **fields),
    ]


async def use_every_call(server: ServerProcess, caller: Caller, candidate: Customer) -> list[str]:
    """Everything that callers do with people's data, rightly and wrongly; gives the tokens that were issued."""
    await wrong_look_ups(caller)
    await wrong_activations(server, caller, candidate)
    more = {"alias": "Petras-alias", "first_name": "Petronella", "social_security_number": NUMBER}
    activated = await caller.activate(candidate, NEW_EMAIL, **more)
    assert activated.status_code == 201, activated.text
    assert (await caller.activate(candidate, NEW_EMAIL)).status_code == 409
    await wrong_logins(server, caller)
    login = (await caller.login(NEW_EMAIL)).json()
    assert (await caller.get(ME, login["access_token"])).status_code == 200
    refreshed = (await caller.grant("refresh_token", refresh_token=login["refresh_token"])).json()
    for query in ({"email": NEW_EMAIL}, {"social_security_number": NUMBER}, {"alias": "Petras-alias"}):
        assert (await caller.get(ACCOUNTS, **query)).status_code == 200
    await broken_http(server)
    return [caller.token, login["access_token"], login["refresh_token"], refreshed["access_token"]]


async def log_in_everywhere(installation: Installation, server: ServerProcess) -> list[str]:
    """All channels, rightly and wrongly; gives what must not be found: secrets, cookies, codes, tickets, tokens."""
    options = ("--scope", "/external/me/w", "--scope", "/openid", "--redirect-uri", BACK, "--sso2", "--offline-access")
    made = installation.do("client", "create", "--organisation", ORGANISATION, "--name", "Site", "--json", *options)
    client, secret = made.json()["client_id"], made.json()["client_secret"]
    site = Connector(server.url, ORGANISATION, client, secret, system_clock)
    credentials = [secret]
    async with Browser(server.url) as browser:
        await browser.get("/login", login_hint=UNKNOWN_EMAIL)
        await browser.submit(email=UNKNOWN_EMAIL, password=WRONG_PASSWORD)
        await browser.submit(email=NEW_EMAIL, password=PASSWORD)
        authorization = f"/oauth2/auth?client_id={client}&response_type=code&scope=openid&state={NUMBER}&nonce=n-0S6"
        code = parse_qs(urlsplit((await browser.get(authorization)).location or "").query)["code"][0]
        form = {"client_id": client, "client_secret": secret, "grant_type": "authorization_code", "code": code}
        tokens = (await server.http.post(TOKEN, data=form)).json()
        bearer = {"authorization": f"Bearer {tokens['access_token']}"}
        assert (await server.http.get("/userinfo", headers=bearer)).status_code == 200
        identified = (await browser.get(site.identify("", f"https://site.example.com/?{EMAIL}"))).location or ""
        claims = site.read(parse_qs(urlsplit(identified).query)["t"][0])
        form = {"client_id": client, "client_secret": secret, "grant_type": "ticket", "ticket": claims["at"]}
        by_ticket = (await server.http.post(TOKEN, data=form)).json()
        await site.authenticate(claims["sid"], UNKNOWN_EMAIL, WRONG_PASSWORD)
        await browser.get("/login", continue_=f"https://{NUMBER}.example.com/?{EMAIL}")
        await browser.get(f"/oauth2/logout?id_token_hint={tokens['id_token']}&state={EMAIL}")
        credentials += [code, claims["at"], *browser.cookies.values(), by_ticket["access_token"]]
        credentials += [tokens[name] for name in ("access_token", "refresh_token", "id_token")]
    await site.http.aclose()
    return [one for one in credentials if one]


async def wrong_look_ups(caller: Caller) -> None:
    for path, query in (
        (CANDIDATE, {"social_security_number": NUMBER}),
        (CANDIDATE, {"social_security_number": NUMBER, "zip_code": "11111"}),
        (CANDIDATE, {"social_security_number": NUMBER.replace("-", "")}),
        (CANDIDATE, {"customer_number": "k-4711", NUMBER: EMAIL}),
        (ACCOUNTS, {"email": f"{EMAIL} "}),
        (ACCOUNTS, {"email": UNKNOWN_EMAIL, "social_security_number": NUMBER}),
        (ACCOUNTS, {"external_id_key": "crm-77123", "external_id_value": NUMBER}),
        (f"{ACCOUNTS}/{EMAIL}", {}),
        (f"/{NUMBER}", {"access_token": caller.token}),
    ):
        await caller.get(path, **query)
    await caller.get(ACCOUNTS, token=caller.client.secret, email=EMAIL)


async def wrong_activations(server: ServerProcess, caller: Caller, candidate: Customer) -> None:
    headers = {"authorization": f"Bearer {caller.token}"}
    whole = f'{{"email": "{EMAIL}", "password": "{PASSWORD}", "alias": "crm-77123"'
    for body in (whole, f"{whole}, ", f'{whole}, "{NUMBER}": 1}}', f'{whole}, "first_name": ["Petronella"]}}'):
        response = await server.http.post(
            ACTIVATE, content=body, headers=headers | {"content-type": "application/json"}
        )
        assert response.status_code == 400, response.text
    await server.http.post(ACTIVATE, content=whole, headers=headers | {"content-type": f"text/{EMAIL}"})
    await caller.activate(candidate, EMAIL, social_security_number=OTHER_NUMBER)
    await caller.activate(candidate, EMAIL, mobile_phone_number="0701234567 Ovesson")


async def wrong_logins(server: ServerProcess, caller: Caller) -> None:
    await caller.login(NEW_EMAIL, WRONG_PASSWORD)
    await caller.login(UNKNOWN_EMAIL, PASSWORD)
    await caller.grant("password", username=f"{NUMBER}^{EMAIL}", password=PASSWORD, scope=f"/{EMAIL}")
    await caller.grant(f"{EMAIL}", password=PASSWORD)
    await caller.grant("refresh_token", refresh_token=PASSWORD)
    await server.http.post(TOKEN, data={"client_id": EMAIL, "client_secret": PASSWORD})
    await server.http.post(TOKEN, data={"client_id": caller.client.id, "client_secret": WRONG_PASSWORD})
    await server.http.post(TOKEN, data={"grant_type": "none"}, auth=(caller.client.id, WRONG_PASSWORD))


async def broken_http(server: ServerProcess) -> None:
    """Requests that are no HTTP, with personal data in them."""
    for request in (f"GET /?email={EMAIL} \r\n\r\n", f"{NUMBER} Ovesson\r\n\r\n", f"GET / HTTP/1.1\r\n{EMAIL}\r\n\r\n"):
        reader, writer = await asyncio.open_connection(HOST, server.port)
        writer.write(request.encode())
        writer.write_eof()
        await reader.read()
        writer.close()


async def provoke_internal_error(installation: Installation, caller: Caller) -> None:
    """Damages the account in the database, as a bad restore may, so that reading it fails in the middle of its data."""
    damage = "UPDATE accounts SET document = substr(document, 1, length(document) - 20)"
    await executed(installation.database_url, damage)
    for query in ({"email": NEW_EMAIL}, {"social_security_number": NUMBER}):
        response = await caller.get(ACCOUNTS, **query)
        assert response.status_code == 500
        assert leaks(response.text, PERSONAL) == []
    assert (await caller.login(NEW_EMAIL)).status_code == 500


def written(number: str) -> Iterator[str]:
    """A social security number in every way that would give it away, plain hashes included: there are few numbers."""
    for text in (number, number.replace("-", "")):
        raw = text.encode()
        yield from (text, raw.hex(), base64.b64encode(raw).decode().rstrip("="))
        for name in ("md5", "sha1", "sha256", "sha512", "blake2b"):
            digest = hashlib.new(name, raw).digest()
            yield from (digest.hex(), digest[:16].hex(), digest.decode("latin-1"))
