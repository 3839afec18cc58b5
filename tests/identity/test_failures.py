"""What failed within an hour: wrong secrets of clients, and how much of it the audit has."""

from __future__ import annotations

from pathlib import Path

import pytest

from stamkund.identity.audit_queue import AuditQueue
from stamkund.identity.failures import FailureLimits, Failures
from stamkund.rules.events import AuditEntry, AuditEvent
from stamkund.rules.organisation import Client
from stamkund.store import Unavailable
from tests.endpoints.sso2.conftest import site_of
from tests.support.rows import rows
from tests.support.service import NOW, Publisher, RunningService
from tests.support.waiting import until

TOKEN = "/api/authorization/access_token"
CLIENT = Client("585a4768edce2c5e6f000001", "herald", "Test", NOW, [], [])


def failures(**limits: int) -> tuple[Failures, AuditQueue]:
    queue = AuditQueue()
    return Failures(FailureLimits(**limits), lambda data: data.hex(), queue, shared=False), queue


async def wrong_secrets(publisher: Publisher) -> list[str]:
    query = f"SELECT detail FROM audit WHERE event = 'client_secret_refused' AND client = '{publisher.client.id}'"
    return [detail for (detail,) in await rows(publisher.service.settings.database_url, query)]


async def test_wrong_secrets_are_counted_in_the_audit_and_never_keep_the_right_one_out(publisher: Publisher) -> None:
    for _ in range(25):
        assert (await publisher.grant("none", secret="wrong")).status_code == 401
    assert (await publisher.grant("none")).status_code == 200
    expected = ["1 in this hour", "10 in this hour"]

    async def is_written() -> bool:
        return await wrong_secrets(publisher) == expected

    await until(is_written)


@pytest.mark.parametrize("path", ["/oauth2/introspect", "/oauth2/revoke"])
async def test_a_wrong_secret_is_counted_at_every_call_that_takes_one(publisher: Publisher, path: str) -> None:
    form = {"client_id": publisher.client.id, "client_secret": "wrong", "token": "x"}
    assert (await publisher.service.http.post(path, data=form)).status_code == 401
    await until(lambda: _is_written(publisher))


async def test_a_signature_with_a_wrong_secret_is_counted_too(publisher: Publisher) -> None:
    site = await site_of(publisher)
    publisher.client = site.client
    site.connector.secret = "wrong" * 10
    assert (await site.connector.send("sessionstatus", site.connector.token(10, sid="x"))).status_code == 401
    await until(lambda: _is_written(publisher))
    await site.connector.http.aclose()


async def _is_written(publisher: Publisher) -> bool:
    return await wrong_secrets(publisher) == ["1 in this hour"]


async def test_an_unknown_client_is_not_counted(publisher: Publisher) -> None:
    """There is nobody to count it for, and anybody could make up many."""
    form = {"client_id": "0" * 24, "client_secret": "wrong", "grant_type": "none"}
    assert (await publisher.service.http.post(TOKEN, data=form)).status_code == 401
    form["client_id"] = publisher.client.id
    assert (await publisher.service.http.post(TOKEN, data=form)).status_code == 401
    await until(lambda: _is_written(publisher))
    url = publisher.service.settings.database_url
    assert (
        await rows(url, "SELECT 1 FROM audit WHERE event = 'client_secret_refused' AND client = repeat('0', 24)") == []
    )


def test_a_hundred_thousand_wrong_secrets_make_six_entries_an_hour() -> None:
    counted, queue = failures()
    for _ in range(100_000):
        counted.wrong_secret(CLIENT, NOW)
    assert [entry.detail for entry in queue._waiting] == [f"{10**n} in this hour" for n in range(6)]
    counted.wrong_secret(CLIENT, NOW + 3600)
    assert queue._waiting[-1].detail == "1 in this hour"


def test_the_audit_has_so_many_refusals_an_hour_of_one_source_and_of_all() -> None:
    counted, queue = failures(audited=5)

    def audited(source: str, now: int = NOW) -> bool:
        return counted.is_audited("herald", source, "client", now)

    assert [audited("a") for _ in range(8)] == [True] * 5 + [False] * 3
    assert sum(audited(str(n)) for n in range(100)) == 45
    assert not audited("late") and audited("late", NOW + 3600)
    assert counted.is_audited("gazette", "a", "client", NOW), "each organisation for itself"
    assert [entry.event for entry in queue._waiting] == [AuditEvent.LIMIT_REACHED] * 2


async def test_refused_tokens_are_bounded_too(fresh_url: str, tmp_path: Path) -> None:
    """A public client's id is all that it takes to be refused a code."""
    async with RunningService(fresh_url, tmp_path / "stamkund.key", audit_refusals_per_hour=3) as service:
        publisher = await service.publisher()
        client, _ = await publisher.new_client("/external/me/w", public=True)
        form = {"client_id": client.id, "grant_type": "authorization_code", "code": "x"}
        for _ in range(6):
            assert (await service.http.post(TOKEN, data=form)).status_code == 400
        query = "SELECT count(*) FROM audit WHERE event = 'token_refused'"
        assert await rows(fresh_url, query) == [(3,)]


class LostStore:
    """A store whose audit is out of reach at first."""

    def __init__(self) -> None:
        self.audit = self
        self.written: list[AuditEntry] = []
        self.lost = True

    async def record(self, entries: list[AuditEntry]) -> None:
        if self.lost:
            raise Unavailable("gone")
        self.written += entries


async def test_entries_wait_for_a_database_that_is_out_of_reach_but_not_without_end() -> None:
    queue, store = AuditQueue(), LostStore()
    for n in range(1_500):
        queue.add(AuditEntry("herald", n, AuditEvent.LIMIT_REACHED))
    with pytest.raises(Unavailable):
        await queue.write(store)  # type: ignore[arg-type]
    store.lost = False
    await queue.write(store)  # type: ignore[arg-type]
    assert [entry.at for entry in store.written] == list(range(1_000))
    await queue.write(store)  # type: ignore[arg-type]
    assert len(store.written) == 1_000
