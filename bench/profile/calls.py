"""What happens inside each call: the functions that it uses between its look-up and its bytes."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from bench.accounts import ORGANISATION
from bench.ours import Installation
from bench.profile.in_process import LookUp, ParsedRequest
from bench.site_calls import active_products_requests, introspection_requests, session_status_requests
from stamkund.endpoints.oauth.introspection import Introspection
from stamkund.endpoints.sso2 import jwt
from stamkund.endpoints.sso2.session_token import SessionToken, SessionTokenResponse
from stamkund.representations.accounts import ACCOUNT, ME
from stamkund.representations.active_products import ActiveProducts
from stamkund.rules.account import Account
from stamkund.rules.catalogue import Catalogue, active_products
from stamkund.rules.timestamps import Zone, zone
from stamkund.wire.form import parse_form
from stamkund.wire.response import Item
from stamkund.wire.services import Services


@dataclass(frozen=True)
class ProfiledCall:
    """A call with its requests as bytes.

    Its own work is `decode`, of what `input` finds in the row or the request, and `render`, of what `decode` returns.
    """

    name: str
    requests: list[bytes]
    decode: Callable[[Any], Any]
    render: Callable[[Any], Any]
    input: Callable[[ParsedRequest, LookUp], Any]


def profiled_calls(
    installation: Installation, services: Services, sids: Sequence[str], catalogue: Catalogue
) -> list[ProfiledCall]:
    now, local = services.clock(), zone("Europe/Stockholm")
    account = partial(services.store.documents.account, ORGANISATION)
    secret = installation.seeded.client_secret
    return [
        ProfiledCall(
            "GET /accounts",
            installation.account_requests(),
            account,
            lambda account: Item(ACCOUNT.of(account, local, now)),
            _document,
        ),
        ProfiledCall(
            "GET /me",
            installation.me_requests(),
            account,
            lambda account: Item(ME.of(account, local, now)),
            _document,
        ),
        ProfiledCall(
            "GET /me/active_products",
            active_products_requests(installation),
            account,
            lambda account: _active_products(account, catalogue, local, now),
            _document,
        ),
        ProfiledCall(
            "POST /sessionstatus",
            session_status_requests(installation, sids),
            lambda body: _verified(body, secret),
            lambda claims: _signed(claims, secret, now),
            _body,
        ),
        ProfiledCall(
            "POST /oauth2/introspect",
            introspection_requests(installation),
            parse_form,
            lambda form: _introspection(form, now),
            _body,
        ),
    ]


def _document(_: ParsedRequest, look_up: LookUp) -> Any:
    assert look_up.row is not None
    return look_up.row["document"]


def _body(request: ParsedRequest, _: LookUp) -> bytes:
    return request.body


def _active_products(account: Account, catalogue: Catalogue, local: Zone, now: int) -> Item:
    return Item(ActiveProducts(account.id, active_products(account.user_products, catalogue, local, now)))


def _verified(body: bytes, secret: str) -> jwt.RequestClaims:
    unverified = jwt.parse(json.loads(body)["t"])
    assert unverified.verifying_secret([secret]) == secret
    return unverified.claims


def _signed(claims: jwt.RequestClaims, secret: str, now: int) -> SessionTokenResponse:
    token = SessionToken(claims.sid or "", "loggedin", "", None, "pw-sso", claims.cid, now, now, now + 600)
    return SessionTokenResponse(jwt.sign(token, secret))


def _introspection(form: dict[str, str], now: int) -> Introspection:
    client = form["client_id"]
    return Introspection(True, "/external/me/w", client, "Bearer", now, now, client, "https://login.example.com")
