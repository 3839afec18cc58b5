"""The options that `client create` and `client change` share, and the checks of their values."""

from __future__ import annotations

import difflib
import re
import sys
from collections.abc import Callable
from typing import Annotated

import typer

from stamkund.cli.common import fail
from stamkund.rules import scopes
from stamkund.rules.client_rules import broken_rules
from stamkund.rules.ids import parse_id
from stamkund.rules.key_schedule import ALGORITHMS
from stamkund.rules.organisation import GRANTS, Client
from stamkund.rules.urls import is_origin, is_return_address
from stamkund.settings import Settings

MIN_SECRET_LENGTH, MAX_SECRET_LENGTH = 16, 512
"""Limits for a secret that a client has from another service; those that are made here have 48 characters."""
# Clients put secrets into forms without encoding them, so characters with a meaning there are not allowed.
_FORM_SAFE = re.compile(rf"[!-$'-*,-~]{{1,{MAX_SECRET_LENGTH}}}", re.ASCII)

SCOPES_HELP = "A scope that it may request. Repeat for more."
ORIGINS = Annotated[
    list[str] | None,
    typer.Option(
        "--origin",
        help="A web origin whose scripts may call with its tokens (CORS), https://HOST[:PORT]. Repeat for more.",
    ),
]
REDIRECT_URIS = Annotated[
    list[str] | None, typer.Option("--redirect-uri", help="Where logins may return to. Repeat for more.")
]
LOGOUT_URIS = Annotated[
    list[str] | None, typer.Option("--logout-uri", help="Where logouts may return to. Repeat for more.")
]
ROTATION = Annotated[
    bool | None,
    typer.Option(
        "--rotate-refresh-tokens/--no-rotate-refresh-tokens",
        help="Each use of a refresh token replaces it. Without either, so it is for a public client and for no other.",
    ),
]
VISITOR_ADDRESS = Annotated[
    str | None,
    typer.Option(
        metavar="yes|no",
        help="Whether the address that an SSO2 client sends (`ipa`) is its visitors' own; no where it is a proxy's.",
    ),
]

ISSUER_IN_REDIRECTS = Annotated[
    bool | None,
    typer.Option(
        "--issuer-in-redirects/--no-issuer-in-redirects",
        help="Whether it gets `iss` with a code or an error (RFC 9207); no for mod_auth_openidc, which misreads it.",
    ),
]


def checked_yes_or_no(option: str, value: str | None) -> bool | None:
    if value not in (None, "yes", "no"):
        fail(f"{option} must be yes or no")
    return None if value is None else value == "yes"


GRANT_OPTION = Annotated[
    list[str] | None,
    typer.Option("--grant", help=f"A grant by which it may get tokens: {', '.join(GRANTS)}. Repeat for more."),
]

ID_TOKEN_ALGORITHM = Annotated[
    str | None,
    typer.Option(
        "--id-token-signed-response-alg",
        metavar="RS256|ES256",
        help="What its ID tokens are signed with. RS256 unless it is named.",
    ),
]


def checked_id_token_algorithm(value: str | None) -> str | None:
    if value is not None and value not in ALGORITHMS:
        fail(f"--id-token-signed-response-alg must be one of: {', '.join(ALGORITHMS)}")
    return value


def checked_scopes(values: list[str]) -> list[str]:
    for scope in values:
        if scope not in scopes.ALL:
            similar = difflib.get_close_matches(scope, scopes.ALL, 1)
            fail(f"there is no scope {scope}" + (f"; did you mean {similar[0]}?" if similar else ""))
    return list(dict.fromkeys(values))


def checked_grants(values: list[str]) -> list[str]:
    """The grants in the order of `GRANTS`; a single empty value is none at all."""
    chosen = [value for value in values if value]
    for grant in chosen:
        if grant not in GRANTS:
            fail(f"there is no grant {grant}: choose from {', '.join(GRANTS)}")
    return [grant for grant in GRANTS if grant in chosen]


def checked_origins(values: list[str] | None) -> list[str]:
    message = "the origin {} must be https://HOST or https://HOST:PORT, in lower case, without path and default port"
    return _checked(values, is_origin, message)


def checked_redirect_uris(values: list[str] | None) -> list[str]:
    return _checked(values, is_return_address, _must_be_absolute("redirect"))


def checked_logout_uris(values: list[str] | None) -> list[str]:
    return _checked(values, is_return_address, _must_be_absolute("logout"))


def _must_be_absolute(kind: str) -> str:
    return f"the {kind} URI {{}} must be absolute, without a fragment, and lead to a web page or an app"


def _checked(values: list[str] | None, is_valid: Callable[[str], bool], message: str) -> list[str]:
    """The values without duplicates. An empty value is dropped, so that an option with it alone empties a list."""
    unique = list(dict.fromkeys(value for value in values or [] if value))
    for value in unique:
        if not is_valid(value):
            fail(message.format(value))
    return unique


def check_rules(client: Client, settings: Settings, before: Client | None = None) -> None:
    """Raises ValueError for a rule that the client breaks, and that it did not break before."""
    plain_http = settings.issuer.startswith("http:")
    already = [] if before is None else broken_rules(before, plain_http=plain_http)
    for rule in broken_rules(client, plain_http=plain_http):
        if rule not in already:
            raise ValueError(rule)


def existing_id(text: str) -> str:
    """The id that a client has in another service."""
    id_ = parse_id(text)
    if id_ is None:
        fail(f"{text} is no client id (24 hex digits)")
    return id_


def read_existing_secret(public: bool) -> str:
    """The secret that a client has in another service, from standard input: others can see a command line."""
    if public:
        fail("a public client has no secret: leave out --secret-stdin")
    secret = sys.stdin.readline().strip()
    if not _FORM_SAFE.fullmatch(secret):
        fail(f"a secret has up to {MAX_SECRET_LENGTH} printable ASCII characters, none of them a blank, %, + or &")
    if len(secret) < MIN_SECRET_LENGTH:
        fail(f"a secret of less than {MIN_SECRET_LENGTH} characters can be guessed: replace it with a longer one first")
    return secret
