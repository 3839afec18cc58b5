"""`stamkund client …`: the applications that may call the API, their scopes and secrets."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated, Any

import msgspec
import typer

from stamkund.cli import client_options as options
from stamkund.cli.client_options import (
    GRANT_OPTION,
    ID_TOKEN_ALGORITHM,
    ISSUER_IN_REDIRECTS,
    LOGOUT_URIS,
    ORIGINS,
    REDIRECT_URIS,
    ROTATION,
    VISITOR_ADDRESS,
)
from stamkund.cli.common import (
    JSON,
    ORGANISATION,
    fail,
    get_organisation,
    load_settings,
    with_installation,
    with_store,
)
from stamkund.cli.output import say, say_json
from stamkund.clock import system_clock
from stamkund.identity.client_secrets import ClientSecrets
from stamkund.rules.ids import is_id, new_id
from stamkund.rules.key_schedule import RS256
from stamkund.rules.organisation import GRANTS, GRANTS_FOR_PUBLIC_CLIENTS, Client, Secret, new_secret
from stamkund.store import Store
from stamkund.store.open import Installation

app = typer.Typer(help="The applications that may call the API.", no_args_is_help=True)

CLIENT_ID = Annotated[str, typer.Argument(help="The client's id.")]
_DURATION = re.compile(r"(\d{1,6})([smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}

_PRINTED_FIELDS = (
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
    "visitor_address",
    "issuer_in_redirects",
    "id_token_signed_response_alg",
    "disabled",
    "created",
)
_FLAGS = ("disabled", "public", "offline_access", "rotate_refresh_tokens", "require_pkce", "sso2")
_LISTS = {"redirect_uris": "redirect URI", "logout_uris": "logout URI", "origins": "origin"}


class ClientCredentials(msgspec.Struct, omit_defaults=True):
    """What `--json` prints once, when a client or a secret is made. A public client has no secret."""

    client_id: str
    client_secret: str | None = None


@app.command()
def create(
    organisation: ORGANISATION,
    name: Annotated[str, typer.Option(help="Its name, for people.")],
    scope: Annotated[list[str], typer.Option(help=options.SCOPES_HELP)],
    redirect_uri: REDIRECT_URIS = None,
    logout_uri: LOGOUT_URIS = None,
    origin: ORIGINS = None,
    grant: GRANT_OPTION = None,
    public: Annotated[
        bool, typer.Option("--public", help="It can't keep a secret (an app): it proves itself with PKCE.")
    ] = False,
    offline_access: Annotated[bool, typer.Option("--offline-access", help="It gets refresh tokens.")] = False,
    rotate_refresh_tokens: ROTATION = None,
    require_pkce: Annotated[
        bool, typer.Option("--require-pkce", help="It must prove with PKCE (S256) that a code is its own.")
    ] = False,
    sso2: Annotated[bool, typer.Option("--sso2", help="It may use single sign-on (SSO2).")] = False,
    visitor_address: VISITOR_ADDRESS = None,
    issuer_in_redirects: ISSUER_IN_REDIRECTS = None,
    id_token_signed_response_alg: ID_TOKEN_ALGORITHM = None,
    existing_id: Annotated[
        str | None, typer.Option("--id", help="The id that it already has in another service.")
    ] = None,
    secret_stdin: Annotated[
        bool, typer.Option("--secret-stdin", help="Read the secret that it already has from standard input.")
    ] = False,
    json: JSON = False,
) -> None:
    """Create a client and print its id and secret. The secret is printed only now.

    Without `--grant` it may get tokens by all grants of its kind: a public client by authorization_code and
    refresh_token, any other by all six.

    A client that moves here from another service keeps its id (`--id`) and its secret (`--secret-stdin`), so that the
    site itself changes nothing but a host name.

    A public client (an app in a phone or a browser) has no secret: it can only log readers in at the login page, by
    authorization code with PKCE, and refresh the tokens that it got that way. It may have only the scopes of its
    reader's own data and of what the publisher sells, because anybody can call in its name.
    """
    now = system_clock()
    client = Client(
        id=new_id(now) if existing_id is None else options.existing_id(existing_id),
        organisation=organisation,
        name=name,
        created=now,
        scopes=options.checked_scopes(scope),
        secrets=[],
        redirect_uris=options.checked_redirect_uris(redirect_uri),
        logout_uris=options.checked_logout_uris(logout_uri),
        origins=options.checked_origins(origin),
        public=public,
        offline_access=offline_access,
        rotate_refresh_tokens=rotate_refresh_tokens,
        grants=list(GRANTS_FOR_PUBLIC_CLIENTS if public else GRANTS)
        if grant is None
        else options.checked_grants(grant),
        require_pkce=require_pkce,
        sso2=sso2,
        visitor_address=options.checked_yes_or_no("--visitor-address", visitor_address) is not False,
        issuer_in_redirects=issuer_in_redirects is not False,
        id_token_signed_response_alg=options.checked_id_token_algorithm(id_token_signed_response_alg) or RS256,
    )
    settings = load_settings()
    existing_secret = options.read_existing_secret(public) if secret_stdin else None
    secret = None if public else existing_secret or new_secret()

    async def work(installation: Installation) -> None:
        store = installation.store
        options.check_rules(client, settings)
        if await store.clients.get(client.id) is not None:
            fail(f"there already is a client {client.id}: leave out --id, or change it with `stamkund client change`")
        await get_organisation(store, organisation)
        sealed = [] if secret is None else [Secret(ClientSecrets(installation.vault).seal(client, secret), now)]
        await store.clients.add(msgspec.structs.replace(client, secrets=sealed))

    with_installation(work)
    if existing_secret is None:
        _print_credentials(client.id, secret, json)
    else:
        _print_existing(client.id, json)


@app.command()
def change(
    client_id: CLIENT_ID,
    name: Annotated[str | None, typer.Option(help="Its name, for people.")] = None,
    scope: Annotated[list[str] | None, typer.Option(help=options.SCOPES_HELP)] = None,
    redirect_uri: REDIRECT_URIS = None,
    logout_uri: LOGOUT_URIS = None,
    origin: ORIGINS = None,
    grant: GRANT_OPTION = None,
    offline_access: Annotated[bool | None, typer.Option(help="It gets refresh tokens.")] = None,
    rotate_refresh_tokens: ROTATION = None,
    require_pkce: Annotated[
        bool | None, typer.Option(help="It must prove with PKCE (S256) that a code is its own.")
    ] = None,
    sso2: Annotated[bool | None, typer.Option(help="It may use single sign-on (SSO2).")] = None,
    visitor_address: VISITOR_ADDRESS = None,
    issuer_in_redirects: ISSUER_IN_REDIRECTS = None,
    id_token_signed_response_alg: ID_TOKEN_ALGORITHM = None,
) -> None:
    """Change a client, for example when a site moves. Only what the options name is changed.

    A list is replaced as a whole; a single empty value ('') empties it. Removing a scope removes it from tokens that
    were issued already.
    """
    changes: dict[str, Any] = {
        "name": name,
        "scopes": options.checked_scopes(scope) if scope else None,
        "redirect_uris": options.checked_redirect_uris(redirect_uri) if redirect_uri else None,
        "logout_uris": options.checked_logout_uris(logout_uri) if logout_uri else None,
        "origins": options.checked_origins(origin) if origin else None,
        "grants": options.checked_grants(grant) if grant else None,
        "require_pkce": require_pkce,
        "offline_access": offline_access,
        "rotate_refresh_tokens": rotate_refresh_tokens,
        "sso2": sso2,
        "issuer_in_redirects": issuer_in_redirects,
        "visitor_address": options.checked_yes_or_no("--visitor-address", visitor_address),
        "id_token_signed_response_alg": options.checked_id_token_algorithm(id_token_signed_response_alg),
    }
    changes = {field: value for field, value in changes.items() if value is not None}
    if not changes:
        fail("name what should change, such as --redirect-uri (see `stamkund client change --help`)")
    settings = load_settings()

    def changed(client: Client) -> Client:
        if client.public and require_pkce is False:
            raise ValueError("a public client must always prove with PKCE that a code is its own")
        after = msgspec.structs.replace(client, **changes)
        options.check_rules(after, settings, client)
        return after

    _change(client_id, changed)
    say(f"{client_id.lower()} is changed")


@app.command("list")
def list_clients(organisation: ORGANISATION, json: JSON = False) -> None:
    """List the clients of an organisation."""

    async def work(store: Store) -> list[Client]:
        await get_organisation(store, organisation)
        return await store.clients.of_organisation(organisation)

    clients = with_store(work)
    if json:
        say_json([_printed_fields(client) for client in clients])
        return
    for client in clients:
        _print_client(client)
    if not clients:
        say("no clients yet")


@app.command()
def disable(client_id: CLIENT_ID) -> None:
    """Disable a client: it and all its tokens are refused from now on."""
    _change(client_id, lambda client: msgspec.structs.replace(client, disabled=True))
    say(f"{client_id} is disabled")


@app.command()
def enable(client_id: CLIENT_ID) -> None:
    """Enable a disabled client again."""
    _change(client_id, lambda client: msgspec.structs.replace(client, disabled=False))
    say(f"{client_id} is enabled")


@app.command("rotate-secret")
def rotate_secret(
    client_id: CLIENT_ID,
    overlap: Annotated[str, typer.Option(help="How long the old secret stays valid: 24h, 30m, 7d, 0s.")] = "24h",
    json: JSON = False,
) -> None:
    """Make a new secret for a client and print it. The old one stays valid for the overlap."""
    match = _DURATION.fullmatch(overlap)
    if match is None:
        fail("--overlap must be a number and s, m, h or d, such as 24h")
    now, secret = system_clock(), new_secret()
    end = now + int(match[1]) * _SECONDS[match[2]]

    def rotated(client: Client, secrets: ClientSecrets) -> Client:
        if client.public:
            raise ValueError(f"{client.id} is a public client, which has no secret")
        old = [_valid_until(end, s) for s in client.secrets if s.is_valid(now)]
        new = Secret(secrets.seal(client, secret), now)
        return msgspec.structs.replace(client, secrets=[new, *(s for s in old if s.is_valid(now))])

    async def work(installation: Installation) -> Client | None:
        secrets = ClientSecrets(installation.vault)
        return await installation.store.clients.change(client_id.lower(), lambda client: rotated(client, secrets))

    if with_installation(work) is None:
        fail(_no_client(client_id))
    _print_credentials(client_id.lower(), secret, json)


def _valid_until(end: int, secret: Secret) -> Secret:
    expires = end if secret.expires is None else min(end, secret.expires)
    return msgspec.structs.replace(secret, expires=expires)


def _change(client_id: str, change: Callable[[Client], Client]) -> None:
    if with_store(lambda store: store.clients.change(client_id.lower(), change)) is None:
        fail(_no_client(client_id))


def _no_client(client_id: str) -> str:
    problem = f"there is no client {client_id}" if is_id(client_id) else f"{client_id} is no client id (24 hex digits)"
    return f"{problem}; see `stamkund client list`"


def _print_credentials(client_id: str, secret: str | None, json: bool) -> None:
    if json:
        say_json(ClientCredentials(client_id, secret))
    elif secret is None:
        say(f"client_id      {client_id}")
        say()
        say("It is public: it has no secret, and must prove with PKCE (S256) that a code is its own.")
    else:
        say(f"client_id      {client_id}")
        say(f"client_secret  {secret}")
        say()
        say("The secret is not shown again; replace it with `stamkund client rotate-secret`.")


def _print_existing(client_id: str, json: bool) -> None:
    if json:
        say_json(ClientCredentials(client_id))
    else:
        say(f"client_id      {client_id}")
        say()
        say("It keeps its secret.")


def _print_client(client: Client) -> None:
    fields = _printed_fields(client)
    flags = [flag for flag in _FLAGS if fields[flag]]
    flags += [] if client.visitor_address else ["no_visitor_address"]
    flags += [] if client.issuer_in_redirects else ["no_issuer_in_redirects"]
    if client.id_token_signed_response_alg != RS256:
        flags.append(client.id_token_signed_response_alg)
    say(f"{client.id}  {client.name}  {' '.join(client.scopes)}  {' '.join(flags)}".rstrip())
    for field, label in _LISTS.items():
        for value in getattr(client, field):
            say(f"    {label} {value}")
    if client.grants is not None and client.allowed_grants != client.possible_grants:
        say(f"    grants {' '.join(client.allowed_grants) or 'none'}")


def _printed_fields(client: Client) -> dict[str, object]:
    """A client without its secrets."""
    printed: dict[str, object] = {field: getattr(client, field) for field in _PRINTED_FIELDS}
    rotation = {"rotate_refresh_tokens": client.rotation}
    return {**printed, **rotation, "require_pkce": client.pkce_required, "grants": client.allowed_grants}
