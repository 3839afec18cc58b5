"""`stamkund client …`: the applications that may call, their scopes and secrets."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable
from typing import Annotated
from urllib.parse import urlsplit

import msgspec
import typer

from stamkund.cli.common import JSON, ORGANISATION, fail, known_organisation, show_json, with_store
from stamkund.clock import system_clock
from stamkund.rules import scopes
from stamkund.rules.ids import is_id, new_id
from stamkund.rules.organisation import Client, Secret, new_secret
from stamkund.store import Store

app = typer.Typer(help="The applications that may call.", no_args_is_help=True)

CLIENT_ID = Annotated[str, typer.Argument(help="The client's id.")]
_DURATION = re.compile(r"(\d{1,6})([smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


class ShownSecret(msgspec.Struct):
    """What is printed once, when a client or a secret is made."""

    client_id: str
    client_secret: str


@app.command()
def create(
    organisation: ORGANISATION,
    name: Annotated[str, typer.Option(help="What people call it.")],
    scope: Annotated[list[str], typer.Option(help="A scope that it may ask for. Repeat for more.")],
    redirect_uri: Annotated[list[str] | None, typer.Option(help="Where logins may return to. Repeat for more.")] = None,
    offline_access: Annotated[bool, typer.Option("--offline-access", help="Gets refresh tokens.")] = False,
    sso2: Annotated[bool, typer.Option("--sso2", help="May use single sign-on (SSO2).")] = False,
    json: JSON = False,
) -> None:
    """Make a client and print its id and secret, this once."""
    for one in scope:
        _check_scope(one)
    for uri in redirect_uri or []:
        _check_redirect_uri(uri)
    now = system_clock()
    secret = new_secret()

    async def work(store: Store) -> Client:
        await known_organisation(store, organisation)
        client = Client(
            id=new_id(now),
            organisation=organisation,
            name=name,
            created=now,
            scopes=list(dict.fromkeys(scope)),
            secrets=[Secret(store.documents.seal_secret(secret), now)],
            redirect_uris=redirect_uri or [],
            offline_access=offline_access,
            sso2=sso2,
        )
        await store.add_client(client)
        return client

    _show_secret(with_store(work).id, secret, json)


@app.command("list")
def list_clients(organisation: ORGANISATION, json: JSON = False) -> None:
    """List the clients of an organisation."""

    async def work(store: Store) -> list[Client]:
        await known_organisation(store, organisation)
        return await store.clients(organisation)

    found = with_store(work)
    if json:
        show_json([_described(client) for client in found])
        return
    for client in found:
        flags = [f for f in ("disabled", "offline_access", "sso2") if getattr(client, f)]
        print(f"{client.id}  {client.name}  {' '.join(client.scopes)}  {' '.join(flags)}".rstrip())
    if not found:
        print("no clients yet")


@app.command()
def disable(client_id: CLIENT_ID) -> None:
    """Refuse a client and all its tokens from now on."""
    _change(client_id, lambda client: msgspec.structs.replace(client, disabled=True))
    print(f"{client_id} is disabled")


@app.command()
def enable(client_id: CLIENT_ID) -> None:
    """Let a disabled client in again."""
    _change(client_id, lambda client: msgspec.structs.replace(client, disabled=False))
    print(f"{client_id} is enabled")


@app.command("rotate-secret")
def rotate_secret(
    client_id: CLIENT_ID,
    overlap: Annotated[str, typer.Option(help="How long the old secret still holds: 24h, 30m, 7d, 0s.")] = "24h",
    json: JSON = False,
) -> None:
    """Give a client a new secret and print it, this once. The old one holds for the overlap."""
    match = _DURATION.fullmatch(overlap)
    if match is None:
        fail("--overlap must be a number and s, m, h or d, such as 24h")
    now, secret = system_clock(), new_secret()
    until = now + int(match[1]) * _SECONDS[match[2]]

    def change(client: Client, store: Store) -> Client:
        old = [_ending(s, until) for s in client.secrets if s.holds(now)]
        new = Secret(store.documents.seal_secret(secret), now)
        return msgspec.structs.replace(client, secrets=[new, *(s for s in old if s.holds(now))])

    async def work(store: Store) -> Client | None:
        return await store.change_client(client_id.lower(), lambda client: change(client, store))

    if with_store(work) is None:
        fail(f"there is no client {client_id}")
    _show_secret(client_id.lower(), secret, json)


def _ending(secret: Secret, until: int) -> Secret:
    expires = until if secret.expires is None else min(until, secret.expires)
    return msgspec.structs.replace(secret, expires=expires)


def _change(client_id: str, change: Callable[[Client], Client]) -> None:
    if with_store(lambda store: store.change_client(client_id.lower(), change)) is None:
        fail(f"there is no client {client_id}" if is_id(client_id) else f"{client_id} is no client id (24 hex digits)")


def _show_secret(client_id: str, secret: str, json: bool) -> None:
    if json:
        show_json(ShownSecret(client_id, secret))
    else:
        print(f"client_id      {client_id}\nclient_secret  {secret}\n")
        print("The secret is not shown again; make another one with `stamkund client rotate-secret`.")


def _described(client: Client) -> dict[str, object]:
    """A client without its secrets."""
    shown = ("id", "name", "organisation", "scopes", "redirect_uris", "offline_access", "sso2", "disabled", "created")
    return {name: getattr(client, name) for name in shown}


def _check_scope(scope: str) -> None:
    if scope not in scopes.KNOWN:
        close = difflib.get_close_matches(scope, scopes.KNOWN, 1)
        fail(f"there is no scope {scope}" + (f"; did you mean {close[0]}?" if close else ""))


def _check_redirect_uri(uri: str) -> None:
    parts = urlsplit(uri)
    if not parts.scheme or not (parts.netloc or "." in parts.scheme) or parts.fragment or uri.split() != [uri]:
        fail(f"the redirect URI {uri} must be absolute, without a fragment")
