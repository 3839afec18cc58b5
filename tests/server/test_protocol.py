"""What our connections lean on in uvicorn is as it was when it was read.

Our connection is a subclass of uvicorn's protocol: it overrides some methods and is called by others, and our requests
stand where uvicorn expects its own. None of that is a documented interface, so any release may change it. When a test
here fails, read what changed, see what it means for `server/protocol.py` and `server/supervisor.py`, run the tests
beside this one, and only then write the new fingerprint here and the new bounds into pyproject.toml.
"""

from __future__ import annotations

import ast
import hashlib
import inspect
import textwrap
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from tomllib import loads
from typing import Any

import pytest
from uvicorn import Config
from uvicorn.lifespan.on import LifespanOn
from uvicorn.protocols import utils
from uvicorn.protocols.http import httptools_impl
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import Server, ServerState
from uvicorn.supervisors import multiprocess
from uvicorn.supervisors.multiprocess import Multiprocess

from stamkund.server.exchange import Exchange
from stamkund.server.protocol import Connection
from tests.support.service import RunningService

ROOT = Path(__file__).parents[2]

Fingerprints = dict[Callable[..., Any], str]

# What of uvicorn was read, by what it is to us.
OVERRIDDEN: Fingerprints = {
    HttpToolsProtocol.__init__: "4f08999410347141",
    HttpToolsProtocol.connection_made: "6efb565ff3d36b91",
    HttpToolsProtocol.data_received: "010a7ae59a5d3b1a",
    HttpToolsProtocol.on_message_begin: "96d377fdc7c2baef",
    HttpToolsProtocol.on_headers_complete: "1ea8589acfad92d8",
    HttpToolsProtocol.on_header: "65d62c044f61fdbd",
    HttpToolsProtocol.on_message_complete: "1fbad42dc31fc01f",
    HttpToolsProtocol.on_body: "dba9c32aeba35b6a",
    HttpToolsProtocol.on_response_complete: "64e254f28e389e76",
    HttpToolsProtocol._unsupported_upgrade_warning: "55bbd2762b189d9a",
    HttpToolsProtocol._start_asgi_task: "9c08c2571ae9b038",
}
INHERITED: Fingerprints = {
    HttpToolsProtocol.connection_lost: "c91a4c9bf2e29c55",
    HttpToolsProtocol.eof_received: "5652627579a02369",
    HttpToolsProtocol.on_url: "37be44e962b04ca8",
    HttpToolsProtocol.pause_writing: "17a8fd215d96a13c",
    HttpToolsProtocol.resume_writing: "7844bbaa8cceb1ef",
    HttpToolsProtocol.send_400_response: "ae5a4a3782b646fd",
    HttpToolsProtocol.shutdown: "d7351fa33f00d430",
    HttpToolsProtocol.timeout_keep_alive_handler: "8b53bf5f2e202970",
    HttpToolsProtocol._unset_keepalive_if_required: "00a6a4e47214e68e",
    HttpToolsProtocol._should_upgrade: "8fcad1ab8e096739",
    HttpToolsProtocol._should_upgrade_to_ws: "d580849b4df878c3",
}
USED: Fingerprints = {
    RequestResponseCycle: "e67d470d435dcc1c",
    FlowControl: "126debcdaa894c83",
    ServerState: "f2260fbf10154746",
    Server.startup: "2aa1d70a244bfcf2",
    Server.on_tick: "60ea49b06ccf68c1",
    Server.shutdown: "9b33c50562992b1e",
    Server._wait_tasks_to_complete: "17209be1e991445d",
    Config.load: "92b7159dce105a9c",
    LifespanOn.__init__: "6acdad3ec7abe90b",
    httptools_impl._get_status_line: "d7012e110d2d2574",
    utils.get_remote_addr: "5cb127377672c133",
    Multiprocess: "ea4650ac0ee7c09c",
    multiprocess.Process: "c3105a4518e3195a",
}
REVIEWED = {**OVERRIDDEN, **INHERITED, **USED}


@pytest.mark.parametrize("name", sorted(what.__qualname__ for what in REVIEWED))
def test_uvicorn_is_as_it_was_read(name: str) -> None:
    [(what, reviewed)] = [(what, reviewed) for what, reviewed in REVIEWED.items() if what.__qualname__ == name]
    assert fingerprint(what) == reviewed, (
        f"{what.__module__}.{name} is not what server/protocol.py was written for: read it anew, in uvicorn "
        f"{version('uvicorn')}, as the docstring of this file says"
    )


def fingerprint(what: Callable[..., Any]) -> str:
    """Of its source."""
    return hashlib.sha256(inspect.getsource(what).encode()).hexdigest()[:16]


def test_what_we_override_is_what_was_read() -> None:
    """Whoever overrides another method reads it first, and notes it above."""
    inherited_names = {name for parent in HttpToolsProtocol.__mro__ for name in vars(parent)}
    ours = {name for name in vars(Connection) if callable(vars(Connection)[name]) and name in inherited_names}
    assert ours == {method.__name__ for method in OVERRIDDEN}


def test_nothing_else_of_uvicorns_protocol_is_left_unread() -> None:
    """Of its methods only that which a websocket needs: `ws` is `none`."""
    methods = {name for name, value in vars(HttpToolsProtocol).items() if inspect.isfunction(value)}
    read = {method.__name__ for method in (*OVERRIDDEN, *INHERITED)}
    assert methods - read == {"handle_websocket_upgrade", "_get_upgrade"}


def test_a_request_has_what_the_protocol_expects_of_a_cycle() -> None:
    """All that it reads or sets, but for the method that runs an ASGI application: `_start_asgi_task` is ours."""
    expected = set()
    for method in (*OVERRIDDEN, *INHERITED):
        for node in ast.walk(ast.parse(textwrap.dedent(inspect.getsource(method)))):
            if isinstance(node, ast.Attribute) and ast.unparse(node.value) in {"self.cycle", "cycle", "existing_cycle"}:
                expected.add(node.attr)
    assert expected - {"run_asgi"} == {
        "body",
        "disconnected",
        "keep_alive",
        "message_event",
        "more_body",
        "response_complete",
    }
    assert expected - {"run_asgi"} <= set(Exchange.__slots__)


def test_only_the_release_that_was_read_is_installed() -> None:
    dependencies = loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    major, minor, *_ = map(int, version("uvicorn").split("."))
    assert f"uvicorn>={major}.{minor},<{major}.{minor + 1}" in dependencies


async def test_the_service_is_served_by_our_connections(service: RunningService) -> None:
    """So what tests send to a `RunningService` as raw bytes goes through them."""
    assert (await service.http.get("/health/live")).status_code == 200
    connections = service.connections()
    assert connections and {type(connection) for connection in connections} == {Connection}
