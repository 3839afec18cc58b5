"""`stamkund demo`: a throwaway installation with invented customers, and curl commands from import to login."""

from __future__ import annotations

import asyncio
import tempfile
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from stamkund.cli.common import check_port
from stamkund.cli.output import say, say_lines
from stamkund.clock import system_clock
from stamkund.identity.client_secrets import ClientSecrets
from stamkund.rules import scopes
from stamkund.rules.catalogue import Catalogue, Package, Product, Title
from stamkund.rules.ids import new_id
from stamkund.rules.mail import ENGLISH, Mail, TestMail
from stamkund.rules.organisation import Client, Organisation, Secret, new_secret
from stamkund.settings import Settings
from stamkund.store.open import Installation, open_installation

ORGANISATION = "demo"
_SCOPES = (
    scopes.ACCOUNT_READ,
    scopes.ACCOUNT_WRITE,
    scopes.ME_WRITE,
    scopes.TITLE_READ,
    scopes.OPENID,
    scopes.PROFILE,
    scopes.EMAIL,
)
_SITES = ("http://localhost:8001/landing", "http://localhost:8002/landing", "http://localhost:8003/callback")
"""Where the sites of docs/examples listen. Every client has all of them, beginning with its own landing page."""
_PASSWORD = "Df7Vdd8!!vnM"  # noqa: S105 - the password of the documents' examples

# Invented people; their numbers are the ones that Payway's own documents use as examples.
_CUSTOMERS = """\
{{"customer_number": "100001", "social_security_number": "620817-9256", "email": "ove@example.com", \
"first_name": "Ove", "last_name": "Ovesson", "mobile_phone_number": "0701234567", "zip_code": "43921", \
"address": {{"first_name": "Ove", "last_name": "Ovesson", "street": "Storgatan", "street_number": "12", \
"zip_code": "43921", "city": "Onsala", "country_code": "SE"}}, "subscriptions": [{{"package_code": "digital", \
"title_code": "DEMO", "subscription_number": "5001", "subscription_type": "recurring", "valid_from": "{start}", \
"valid_to": "{end}"}}]}}
{{"customer_number": "100002", "social_security_number": "910820-5205", "email": "kim@example.com", \
"first_name": "Kim", "last_name": "Exempel", "zip_code": "83130", "password_hash": "{hash}", \
"subscriptions": [{{"package_code": "paper", \
"title_code": "DEMO", "subscription_number": "5002", "valid_from": "{start}", "valid_to": "{end}"}}, \
{{"package_code": "digital", "title_code": "DEMO", "subscription_number": "5003", "valid_from": "2020-01-01", \
"valid_to": "2021-01-01"}}]}}
{{"customer_number": "100003", "company_name": "Exempelbolaget AB", "company_registration_number": "556468-3984", \
"email": "info@example.com", "zip_code": "11122", "subscriptions": []}}
"""

_INSTRUCTIONS = """\
Stamkund is running at {url} with invented customers. Stop it with Ctrl-C, which deletes it.
Documentation: {url}/docs
Login page: {url}/login, with kim@example.com and {password}
Mails that it would send: {url}/demo/mail

Two sites that share a login (docs/logging-in.md); start each in a terminal of its own:

CLIENT_ID={client} CLIENT_SECRET={secret} ORGANISATION={organisation} STAMKUND={url} \\
  python3 docs/examples/sso2_site.py
CLIENT_ID={other} CLIENT_SECRET={other_secret} ORGANISATION={organisation} STAMKUND={url} PORT=8002 \\
  python3 docs/examples/sso2_site.py

Paste these commands into another terminal, one after the other:

# 1. Get an access token for your system (client credentials)
TOKEN=$(curl -s {url}/api/authorization/access_token \\
  -d client_id={client} -d client_secret={secret} \\
  -d grant_type=none | sed 's/.*"access_token":"\\([^"]*\\)".*/\\1/')

# 2. Look up a customer of the subscription system (an account candidate)
curl -s '{url}/external/api/v1/accounts/candidate?social_security_number=620817-9256&zip_code=43921' \\
  -H "authorization: Bearer $TOKEN"

# 3. Activate the candidate: it becomes an account with e-mail and password
CANDIDATE=$(curl -s '{url}/external/api/v1/accounts/candidate?customer_number=100001' \\
  -H "authorization: Bearer $TOKEN" | sed 's/.*"account_candidate_id":"\\([^"]*\\)".*/\\1/')
curl -s {url}/external/api/v1/account/activate_candidate \\
  -H "authorization: Bearer $TOKEN" -H 'content-type: application/json' \\
  -d '{{"account_candidate_id": "'$CANDIDATE'", "email": "ove.ovesson@example.com", "password": "Df7Vdd8!!vnM"}}'

# 4. Look up the account
curl -s '{url}/external/api/v1/accounts?email=ove.ovesson%40example.com' -H "authorization: Bearer $TOKEN"

# 5. Log in as the reader, and get the current account
READER=$(curl -s {url}/api/authorization/access_token \\
  -d client_id={client} -d client_secret={secret} \\
  -d grant_type=password -d 'username={organisation}^ove.ovesson@example.com' -d 'password=Df7Vdd8!!vnM' \\
  | sed 's/.*"access_token":"\\([^"]*\\)".*/\\1/')
curl -s {url}/external/api/v1/me -H "authorization: Bearer $READER"

# 6. Get the products that the reader has access to, by the demo's catalogue
curl -s {url}/external/api/v1/me/active_products -H "authorization: Bearer $READER"
"""

_CATALOGUE = Catalogue(
    titles=[Title("DEMO", "The Demo")],
    products=[Product("demo_web", "Everything on the web"), Product("demo_paper", "The printed paper")],
    packages=[
        Package("digital", ["demo_web"], "Digital", "DEMO", grace_days=5),
        Package("paper", ["demo_paper", "demo_web"], "Paper and digital", "DEMO", grace_days=5),
    ],
)


@dataclass(frozen=True)
class _Demo:
    settings: Settings
    clients: list[tuple[str, str]]

    @property
    def instructions(self) -> str:
        (client, secret), (other, other_secret) = self.clients
        return _INSTRUCTIONS.format(
            url=self.settings.issuer,
            client=client,
            secret=secret,
            other=other,
            other_secret=other_secret,
            organisation=ORGANISATION,
            password=_PASSWORD,
        )


def demo(port: Annotated[int, typer.Option(help="Port to listen on.", min=1, max=65535)] = 8000) -> None:
    """Start a throwaway installation with invented customers, and print curl commands to try it."""
    from stamkund.cli.demo_mail import MailCatcher
    from stamkund.server import process
    from stamkund.server.app import Application

    catcher = MailCatcher()

    def make(settings: Settings) -> Application:
        return Application(settings, mail_sender=catcher, more_endpoints=[catcher.page()])

    check_port(Settings().host, port)
    with tempfile.TemporaryDirectory(prefix="stamkund-demo-") as folder:
        throwaway = asyncio.run(_create(Path(folder), port))
        say_lines(throwaway.instructions)
        process.serve(throwaway.settings, make)


async def _create(folder: Path, port: int) -> _Demo:
    from stamkund.importing import import_customers

    settings = Settings(
        database_url=f"sqlite:///{folder / 'stamkund.db'}",
        key_file=str(folder / "stamkund.key"),
        port=port,
        public_url=f"http://localhost:{port}",
        log_level="warning",
    )
    installation = await open_installation(settings, system_clock)
    store = installation.store
    now = system_clock()
    try:
        organisation = await store.organisations.change(ORGANISATION, lambda _: Organisation(ORGANISATION, "Demo"))
        clients = [await _client(installation, name, site, now) for name, site in (("Demo", 0), ("Another site", 1))]
        await store.catalogues.replace(ORGANISATION, _CATALOGUE, now)
        customers = folder / "customers.jsonl"
        customers.write_text(_customers(now))
        await import_customers(
            store,
            organisation,
            customers,
            None,
            now=now,
            dry_run=False,
            report=lambda one: say(str(one)),
            progress=lambda _, __: None,
        )
        await store.mails.add(Mail(ORGANISATION, None, "you@example.com", TestMail(), ENGLISH), now)
    finally:
        await installation.close()
    return _Demo(settings, clients)


async def _client(installation: Installation, name: str, site: int, now: int) -> tuple[str, str]:
    """Creates a client with all scopes, whose landing page is that of `site`; returns its id and secret."""
    secret = new_secret()
    client = Client(
        new_id(now),
        ORGANISATION,
        name,
        now,
        list(_SCOPES),
        [],
        redirect_uris=[*_SITES[site:], *_SITES[:site]],
        offline_access=True,
        sso2=True,
    )
    sealed = Secret(ClientSecrets(installation.vault).seal(client, secret), now)
    await installation.store.clients.add(msgspec.structs.replace(client, secrets=[sealed]))
    return client.id, secret


def _customers(now: int) -> str:
    import argon2

    today = datetime.fromtimestamp(now).date()
    password_hash = argon2.PasswordHasher(2, 19_456, 1).hash(_PASSWORD)
    return _CUSTOMERS.format(start=today - timedelta(days=30), end=today + timedelta(days=335), hash=password_hash)
