"""`stamkund client …`: the applications that may call, their scopes and secrets."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated, Any

import msgspec
import typer

from stamkund.cli import client_options as options
from stamkund.cli.client_options import LOGOUT_URIS, ORIGINS, REDIRECT_URIS
from stamkund.cli.common import JSON, ORGANISATION, fail, known_organisation, show_json, with_installation, with_store
from stamkund.clock import system_clock
from stamkund.identity.client_secrets import ClientSecrets
from stamkund.rules.ids import is_id, new_id
from stamkund.rules.organisation import Client, Secret, new_secret
from stamkund.store import Store
from stamkund.store.open import Installation

app = typer.Typer(help="The applications that may call.", no_args_is_help=True)

CLIENT_ID = Annotated[str, typer.Argument(help="The client's id.")]
_DURATION = re.compile(r"(\d{1,6})([smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


_SHOWN = (
    "id",
    "name",
    "organisation",
    "scopes",
    "redirect_uris",
    "logout_uris",
    "origins",
    "public",
    "offline_access",
    "rotate_refresh_tokens",
    "sso2",
    "disabled",
    "created",
)
_FLAGS = ("disabled", "public", "offline_access", "rotate_refresh_tokens", "sso2")
_LISTS = {"redirect_uris": "redirect URI", "logout_uris": "logout URI", "origins": "origin"}


class ShownSecret(msgspec.Struct, omit_defaults=True):
    """What is printed once, when a client or a secret is made. A public client has no secret."""

    client_id: str
    client_secret: str | None = None


@app.command()
def create(
    organisation: ORGANISATION,
    name: Annotated[str, typer.Option(help="What people call it.")],
    scope: Annotated[list[str], typer.Option(help=options.SCOPES_HELP)],
    redirect_uri: REDIRECT_URIS = None,
    logout_uri: LOGOUT_URIS = None,
    origin: ORIGINS = None,
    public: Annotated[bool, typer.Option("--public", help="Can't keep a secret (an app): it logs in by PKCE.")] = False,
    offline_access: Annotated[bool, typer.Option("--offline-access", help="Gets refresh tokens.")] = False,
    rotate_refresh_tokens: Annotated[
        bool, typer.Option("--rotate-refresh-tokens", help="A new refresh token at each use.")
    ] = False,
    sso2: Annotated[bool, typer.Option("--sso2", help="May use single sign-on (SSO2).")] = False,
    brought_id: Annotated[str | None, typer.Option("--id", help="The id that it has already, elsewhere.")] = None,
    secret_stdin: Annotated[
        bool, typer.Option("--secret-stdin", help="Take the secret that it has already from standard input.")
    ] = False,
    json: JSON = False,
) -> None:
    """Make a client and print its id and secret, this once.

    A client that moves here from another service keeps its id (`--id`) and its secret (`--secret-stdin`), so that the
    site itself changes nothing but a host name.

    A public client (an app in a phone or a browser) has no secret: it can only log readers in at the login page, by
    authorization code with PKCE, and refresh what it got that way.
    """
    now = system_clock()
    made = Client(
        id=new_id(now) if brought_id is None else options.brought_id(brought_id),
        organisation=organisation,
        name=name,
        created=now,
        scopes=options.known_scopes(scope),
        secrets=[],
        redirect_uris=options.redirect_uris(redirect_uri),
        logout_uris=options.logout_uris(logout_uri),
        origins=options.origins(origin),
        public=public,
        offline_access=offline_access,
        rotate_refresh_tokens=rotate_refresh_tokens,
        sso2=sso2,
    )
    brought = options.brought_secret(public) if secret_stdin else None
    secret = None if public else brought or new_secret()

    async def work(installation: Installation) -> None:
        store = installation.store
        options.check_public(made)
        if await store.clients.get(made.id) is not None:
            fail(f"there is a client {made.id} already")
        await known_organisation(store, organisation)
        sealed = [] if secret is None else [Secret(ClientSecrets(installation.vault).seal(secret), now)]
        await store.clients.add(msgspec.structs.replace(made, secrets=sealed))

    with_installation(work)
    if brought is None:
        _show_secret(made.id, secret, json)
    else:
        _show_brought(made.id, json)


@app.command()
def change(
    client_id: CLIENT_ID,
    name: Annotated[str | None, typer.Option(help="What people call it.")] = None,
    scope: Annotated[list[str] | None, typer.Option(help=options.SCOPES_HELP)] = None,
    redirect_uri: REDIRECT_URIS = None,
    logout_uri: LOGOUT_URIS = None,
    origin: ORIGINS = None,
    offline_access: Annotated[bool | None, typer.Option(help="Gets refresh tokens.")] = None,
    rotate_refresh_tokens: Annotated[
        bool | None,
        typer.Option("--rotate-refresh-tokens/--no-rotate-refresh-tokens", help="A new refresh token at each use."),
    ] = None,
    sso2: Annotated[bool | None, typer.Option(help="May use single sign-on (SSO2).")] = None,
) -> None:
    """Change a client, as when a site moves. What is not named stays as it is.

    A list that is named is replaced as a whole; one empty value ('') empties it. A scope that is taken away is gone
    from tokens that are out as well.
    """
    asked: dict[str, Any] = {
        "name": name,
        "scopes": options.known_scopes(scope) if scope else None,
        "redirect_uris": options.redirect_uris(redirect_uri) if redirect_uri else None,
        "logout_uris": options.logout_uris(logout_uri) if logout_uri else None,
        "origins": options.origins(origin) if origin else None,
        "offline_access": offline_access,
        "rotate_refresh_tokens": rotate_refresh_tokens,
        "sso2": sso2,
    }
    wanted = {field: value for field, value in asked.items() if value is not None}
    if not wanted:
        fail("name what should change, such as --redirect-uri (see `stamkund client change --help`)")

    def changed(client: Client) -> Client:
        if client.public and rotate_refresh_tokens is False:
            raise ValueError("a public client's refresh tokens always rotate")
        after = msgspec.structs.replace(client, **wanted)
        options.check_public(after)
        return after

    _change(client_id, changed)
    print(f"{client_id.lower()} is changed")


@app.command("list")
def list_clients(organisation: ORGANISATION, json: JSON = False) -> None:
    """List the clients of an organisation."""

    async def work(store: Store) -> list[Client]:
        await known_organisation(store, organisation)
        return await store.clients.of_organisation(organisation)

    found = with_store(work)
    if json:
        show_json([_described(client) for client in found])
        return
    for client in found:
        _show_client(client)
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
    """Give a client a new secret and print it, this once. The old one holds for the overlap. A public one has none."""
    match = _DURATION.fullmatch(overlap)
    if match is None:
        fail("--overlap must be a number and s, m, h or d, such as 24h")
    now, secret = system_clock(), new_secret()
    until = now + int(match[1]) * _SECONDS[match[2]]

    def rotated(client: Client, sealed: str) -> Client:
        if client.public:
            raise ValueError(f"{client.id} is a public client, which has no secret")
        old = [_ending(s, until) for s in client.secrets if s.is_valid(now)]
        new = Secret(sealed, now)
        return msgspec.structs.replace(client, secrets=[new, *(s for s in old if s.is_valid(now))])

    async def work(installation: Installation) -> Client | None:
        sealed = ClientSecrets(installation.vault).seal(secret)
        return await installation.store.clients.change(client_id.lower(), lambda client: rotated(client, sealed))

    if with_installation(work) is None:
        fail(f"there is no client {client_id}")
    _show_secret(client_id.lower(), secret, json)


def _ending(secret: Secret, until: int) -> Secret:
    expires = until if secret.expires is None else min(until, secret.expires)
    return msgspec.structs.replace(secret, expires=expires)


def _change(client_id: str, change: Callable[[Client], Client]) -> None:
    if with_store(lambda store: store.clients.change(client_id.lower(), change)) is None:
        fail(f"there is no client {client_id}" if is_id(client_id) else f"{client_id} is no client id (24 hex digits)")


def _show_secret(client_id: str, secret: str | None, json: bool) -> None:
    if json:
        show_json(ShownSecret(client_id, secret))
    elif secret is None:
        print(f"client_id      {client_id}\n")
        print("It is public: it has no secret, and must prove with PKCE (S256) that a code is its own.")
    else:
        print(f"client_id      {client_id}\nclient_secret  {secret}\n")
        print("The secret is not shown again; make another one with `stamkund client rotate-secret`.")


def _show_brought(client_id: str, json: bool) -> None:
    if json:
        show_json(ShownSecret(client_id))
    else:
        print(f"client_id      {client_id}\n")
        print("It keeps the secret that it has.")


def _show_client(client: Client) -> None:
    flags = [flag for flag in _FLAGS if getattr(client, flag)]
    print(f"{client.id}  {client.name}  {' '.join(client.scopes)}  {' '.join(flags)}".rstrip())
    for field, word in _LISTS.items():
        for value in getattr(client, field):
            print(f"    {word} {value}")


def _described(client: Client) -> dict[str, object]:
    """A client without its secrets."""
    return {field: getattr(client, field) for field in _SHOWN}
