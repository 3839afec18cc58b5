"""Declarations that can't work are refused when they are made, not at the first request."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from stamkund import problems
from stamkund.representations.accounts import AccountAddress, AccountRepresentation
from stamkund.rules.account import Account
from stamkund.rules.catalogue import Catalogue
from stamkund.wire.about import About
from stamkund.wire.call import Call
from stamkund.wire.dispatch import Dispatch
from stamkund.wire.endpoint import Endpoint, Loads, endpoint, token_account

ABOUT = About(title="A call", group="Tests", source="these tests")
MISSING = problems.ACCOUNT_NOT_FOUND


async def takes_nothing(call: Call) -> None: ...
async def takes_account(call: Call, account: Account) -> None: ...
async def takes_catalogue(call: Call, catalogue: Catalogue) -> None: ...


def test_a_handler_gets_what_its_declaration_loads() -> None:
    declared = endpoint("GET", "/call", about=ABOUT, loads=Loads(token_account, MISSING))(takes_account)
    assert isinstance(declared, Endpoint) and MISSING in declared.refusals


@pytest.mark.parametrize(
    ("handler", "declaration", "message"),
    [
        (takes_nothing, {"loads": Loads(token_account, MISSING)}, "its declaration loads"),
        (takes_account, {}, "its declaration loads"),
        (takes_account, {"loads": Loads(token_account)}, "needs the refusal for a missing one"),
        (takes_catalogue, {"loads": Loads(catalogue=True), "public": True}, "has no access token"),
        (takes_account, {"loads": Loads(token_account, MISSING), "body": "json"}, "chosen by the query"),
    ],
)
def test_a_declaration_that_cannot_work_is_refused(handler: Any, declaration: dict[str, Any], message: str) -> None:
    with pytest.raises(TypeError, match=message):
        endpoint("GET", "/call", about=ABOUT, **declaration)(handler)


def test_a_shape_shows_only_what_accounts_have() -> None:
    class Misspelt(msgspec.Struct):
        id: str
        emial: str

    with pytest.raises(TypeError, match="emial"):
        AccountRepresentation(Misspelt, AccountAddress, lambda product, zone, now: product)


def test_a_path_with_a_parameter_is_refused() -> None:
    """It would be declared and documented, and never be reached."""
    with pytest.raises(TypeError, match="paths have no parameters yet"):
        endpoint("GET", "/accounts/{id}", about=ABOUT)(takes_nothing)


def test_a_call_is_declared_once() -> None:
    """Else it would be chance which of the two, with its scope, handles a request."""
    declared = [endpoint("GET", "/call", about=ABOUT)(takes_nothing) for _ in range(2)]
    with pytest.raises(TypeError, match="GET /call is declared twice"):
        Dispatch(declared, services=None)  # type: ignore[arg-type]  # it is not needed before a request
