"""The options that `client create` and `client change` share, and what they may say."""

from __future__ import annotations

import difflib
import re
import sys
from collections.abc import Callable
from typing import Annotated

import typer

from stamkund.cli.common import fail
from stamkund.rules import scopes
from stamkund.rules.ids import is_id
from stamkund.rules.organisation import Client
from stamkund.rules.urls import is_origin, is_return_address

SHORTEST_SECRET, LONGEST_SECRET = 16, 512
"""Of a secret that a client brings along; those that are made here have 48 characters."""
# Clients in the field paste secrets into forms without encoding them, so none may have what forms read otherwise.
_PASTED = re.compile(rf"[!-$'-*,-~]{{1,{LONGEST_SECRET}}}", re.ASCII)

SCOPES_HELP = "A scope that it may ask for. Repeat for more."
ORIGINS = Annotated[
    list[str] | None,
    typer.Option(
        "--origin", help="A web origin whose scripts may call with its tokens (CORS), https://HOST[:PORT]. Repeat."
    ),
]
REDIRECT_URIS = Annotated[
    list[str] | None, typer.Option("--redirect-uri", help="Where logins may return to. Repeat for more.")
]
LOGOUT_URIS = Annotated[
    list[str] | None, typer.Option("--logout-uri", help="Where logouts may return to. Repeat for more.")
]


def known_scopes(given: list[str]) -> list[str]:
    for one in given:
        if one not in scopes.ALL:
            close = difflib.get_close_matches(one, scopes.ALL, 1)
            fail(f"there is no scope {one}" + (f"; did you mean {close[0]}?" if close else ""))
    return list(dict.fromkeys(given))


def origins(given: list[str] | None) -> list[str]:
    sentence = "the origin {} must be https://HOST or https://HOST:PORT, in lower case, without path and default port"
    return _checked(given, is_origin, sentence)


def redirect_uris(given: list[str] | None) -> list[str]:
    return _checked(given, is_return_address, _must_be_absolute("redirect"))


def logout_uris(given: list[str] | None) -> list[str]:
    return _checked(given, is_return_address, _must_be_absolute("logout"))


def _must_be_absolute(kind: str) -> str:
    return f"the {kind} URI {{}} must be absolute, without a fragment, and lead to a web page or an app"


def _checked(given: list[str] | None, right: Callable[[str], bool], sentence: str) -> list[str]:
    """Each value once. A value that is empty stands for none, so that a list can be emptied."""
    kept = list(dict.fromkeys(one for one in given or [] if one))
    for one in kept:
        if not right(one):
            fail(sentence.format(one))
    return kept


def check_public(client: Client) -> None:
    """What a client that can't keep a secret can't have either. Raises ValueError."""
    if client.public and client.sso2:
        raise ValueError("a public client can't use SSO2, which is signed with a secret: leave --sso2 out")


def brought_id(text: str) -> str:
    """The id of a client that is known elsewhere."""
    if not is_id(text):
        fail(f"{text} is no client id (24 hex digits)")
    return text.lower()


def brought_secret(public: bool) -> str:
    """The secret of a client that is known elsewhere, from standard input: a command line is seen by others."""
    if public:
        fail("a public client has no secret")
    secret = sys.stdin.readline().strip()
    if not _PASTED.fullmatch(secret):
        fail(f"a secret has up to {LONGEST_SECRET} printable ASCII characters, none of them a blank, %, + or &")
    if len(secret) < SHORTEST_SECRET:
        fail(f"a secret of less than {SHORTEST_SECRET} characters can be guessed: change it where it is known first")
    return secret
