"""Passwords before they are hashed: how long they may be, and what is done with them where."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from stamkund.identity import imported_hashes
from stamkund.identity.imported_hashes import Secrets
from stamkund.identity.passwords import Passwords
from stamkund.settings import Settings
from tests.support.counting import COMBINING, NormalisingRecorder

LONGEST = "å" * 1024


@pytest.fixture
async def passwords() -> AsyncIterator[Passwords]:
    passwords = Passwords(Settings(argon2_memory_kib=8, argon2_passes=1))
    yield passwords
    passwords.close()


async def test_nothing_is_done_with_a_password_that_is_too_long(
    passwords: Passwords, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder = NormalisingRecorder(monkeypatch)
    stored = await passwords.hash(LONGEST)
    for password in (COMBINING, LONGEST + "å", "x" * 1_000_000):
        assert not await passwords.verify(password, stored)
        with pytest.raises(ValueError, match="too long"):
            await passwords.hash(password)
    recorder.assert_bounded()


async def test_a_password_that_is_too_long_does_not_match_the_empty_one(passwords: Passwords) -> None:
    assert not await passwords.verify("x" * 1025, await passwords.hash(""))


async def test_no_password_is_normalised_on_the_event_loop(
    passwords: Passwords, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder = NormalisingRecorder(monkeypatch)
    stored = await passwords.hash(LONGEST)
    assert await passwords.verify(LONGEST, stored)
    assert not await passwords.verify(LONGEST, None)
    recorder.assert_bounded()


@pytest.mark.parametrize("empty", ["{MD5}1B2M2Y8AsgTpgAmY7PhCfg==", "md5$$d41d8cd98f00b204e9800998ecf8427e"])
async def test_no_password_is_none(empty: str) -> None:
    """Old systems have hashed the empty text for those who had no password."""
    passwords = Passwords(Settings(argon2_memory_kib=8, argon2_passes=1))
    assert imported_hashes.matches(empty, [b""], Secrets())
    assert not await passwords.verify("", empty, imported=True)
    passwords.close()
