"""What happens around a login's password while it is verified: who it is counted under, and what is written down."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from stamkund.identity.audit_budget import no_audit_budget
from stamkund.identity.failures import no_failures
from stamkund.identity.logins import LoginLocked, Logins
from stamkund.identity.passwords import Passwords
from stamkund.rules.lockout import PASSWORD_GRANT, SSO2, LoginContext
from stamkund.rules.requester import Requester
from stamkund.settings import Settings
from tests.support.rows import rows
from tests.support.service import NOW, Publisher

EMAIL, PASSWORD = "ove.ovesson@example.com", "Df7Vdd8!!vnM"


@contextmanager
def logins_of(publisher: Publisher, passes: int = 1) -> Iterator[tuple[Logins, Passwords]]:
    service = publisher.service
    passwords = Passwords(Settings(argon2_memory_kib=8, argon2_passes=passes))
    admit = no_audit_budget().admit
    try:
        yield Logins(service.store, service.vault, passwords, service.settings, no_failures(), admit), passwords
    finally:
        passwords.close()


@pytest.mark.both_engines
async def test_the_right_password_for_a_login_that_was_frozen_just_now_is_in_the_audit(
    publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Five wrong ones came while it was being verified."""
    account = await publisher.activated(EMAIL)
    context = LoginContext(publisher.id, PASSWORD_GRANT, publisher.client.id, None, None, NOW)
    with logins_of(publisher) as (logins, passwords):
        verify = passwords.verify

        async def slow_verify(*arguments: Any, **more: Any) -> bool:
            matches = await verify(*arguments, **more)
            for _ in range(5):
                await publisher.grant("password", username=EMAIL, password="wrong")
            return matches

        monkeypatch.setattr(passwords, "verify", slow_verify)
        with pytest.raises(LoginLocked):
            await logins.log_in(context, publisher.id, EMAIL, PASSWORD)
    query = f"SELECT detail FROM audit WHERE event = 'login_refused' AND account = '{account}' ORDER BY row"
    assert await rows(publisher.service.settings.database_url, query) == [("failed",)] * 5 + [("frozen",)]


@pytest.mark.parametrize("kind", ["outdated hash", "customer"])
async def test_all_hashes_of_a_login_are_counted_under_the_same(
    publisher: Publisher, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One is verified, and another is made: its e-mail and address have a quarter of the queue for both."""
    if kind == "customer":
        stored = await Passwords(publisher.service.settings).hash(PASSWORD)
        await publisher.customer(email=EMAIL, password_hash=stored)
    else:
        await publisher.activated(EMAIL)
    context = LoginContext(publisher.id, SSO2, publisher.client.id, "192.0.2.7", None, NOW, from_visitor=True)
    seen: list[tuple[str, ...]] = []
    with logins_of(publisher, passes=2) as (logins, passwords):
        run = passwords._queue.run

        async def recorded_run(work: Any, requester: Requester, *more: Any) -> Any:
            seen.append(requester.sources)
            return await run(work, requester, *more)

        monkeypatch.setattr(passwords._queue, "run", recorded_run)
        await logins.log_in(context, publisher.id, EMAIL, PASSWORD)
    assert seen[0] == (), "the decoys' hash, once in a process"
    assert seen[1:] == [(f"email {publisher.id} {EMAIL}", "address 192.0.2.7")] * 2
