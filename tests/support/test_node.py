"""Scripts for Node: what they are given, what they return, and how they fail."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from uuid import uuid4

import pytest

from tests.support.node import FOLDER, Node, NodeFailed, node

__all__ = ["node"]

ECHO = """import * as openid from "openid-client"; import { readFileSync } from "node:fs";
const input = JSON.parse(readFileSync(0, "utf8"));
console.log(JSON.stringify({ input, library: typeof openid.discovery }));"""


@pytest.fixture
def script() -> Iterator[Callable[[str], str]]:
    """Makes a script beside the others, where the npm packages are found; tests run in several processes at once."""
    file = FOLDER / f"for-one-test-{uuid4().hex}.mjs"

    def made(text: str) -> str:
        file.write_text(text)
        return file.name

    yield made
    file.unlink(missing_ok=True)


async def test_a_script_returns_json(node: Node, script: Callable[[str], str]) -> None:
    assert await node(script(ECHO), {"å": [1]}) == {"input": {"å": [1]}, "library": "function"}


async def test_a_script_that_fails_raises_its_error(node: Node, script: Callable[[str], str]) -> None:
    with pytest.raises(NodeFailed, match="no good"):
        await node(script('throw new Error("no good");'), {})
