"""How much the audit has within an hour: wrong secrets of clients, refusals, and what succeeds."""

from __future__ import annotations

from pathlib import Path

import pytest

from stamkund.identity.audit_budget import AuditBudget, AuditLimits
from stamkund.identity.audit_queue import AuditQueue
from stamkund.rules.events import AuditEntry, AuditEvent
from stamkund.rules.organisation import Client
from stamkund.store import Unavailable
from tests.endpoints.sso2.conftest import site_of
from tests.support.rows import rows
from tests.support.service import NOW, Publisher, RunningService, publisher_of_two
from tests.support.waiting import until

TOKEN = "/api/authorization/access_token"
EMAIL, PASSWORD = "ove.ovesson@example.com", "Df7Vdd8!!vnM"
NO_NUMBER = {"social_security_number": None}
CLIENT = Client("585a4768edce2c5e6f000001", "herald", "Test", NOW, [], [])


def budget(**limits: int) -> tuple[AuditBudget, AuditQueue]:
    queue = AuditQueue()
    return AuditBudget(AuditLimits(**limits), lambda data: data.hex(), queue, shared=False), queue


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
    counted, queue = budget()
    for _ in range(100_000):
        counted.count_wrong_secret(CLIENT, NOW)
    assert [entry.detail for entry in queue._waiting] == [f"{10**n} in this hour" for n in range(6)]
    counted.count_wrong_secret(CLIENT, NOW + 3600)
    assert queue._waiting[-1].detail == "1 in this hour"


def test_the_audit_has_so_many_refusals_an_hour_of_one_source_and_of_all() -> None:
    counted, queue = budget(refusals=5)

    def audited(client: str, now: int = NOW, organisation: str = "herald") -> bool:
        return counted.admit(AuditEntry(organisation, now, AuditEvent.LOGIN_REFUSED, client))

    assert [audited("a") for _ in range(8)] == [True] * 5 + [False] * 3
    assert sum(audited(str(n)) for n in range(100)) == 45
    assert not audited("late") and audited("late", NOW + 3600)
    assert audited("a", organisation="gazette"), "each organisation for itself"
    assert [entry.event for entry in queue._waiting] == [AuditEvent.LIMIT_REACHED] * 2


def test_what_succeeds_is_counted_by_account_or_else_by_client() -> None:
    counted, queue = budget(successes=5)

    def audited(account: str | None, event: AuditEvent = AuditEvent.LOGGED_IN, client: str = "c") -> bool:
        return counted.admit(AuditEntry("herald", NOW, event, client, account))

    several = (AuditEvent.LOGGED_IN, AuditEvent.LOGGED_OUT, AuditEvent.TOKEN_ISSUED, AuditEvent.TOKEN_REVOKED)
    assert [audited("a", event) for event in several * 2] == [True] * 5 + [False] * 3
    assert sum(audited(f"b{n}") for n in range(1_000)) == 1_000, "readers are many"
    assert sum(audited(None, AuditEvent.TOKEN_ISSUED) for _ in range(100)) == 50
    assert audited(None, AuditEvent.TOKEN_ISSUED, "d")
    notes = [(entry.client, entry.account, entry.detail) for entry in queue._waiting]
    assert notes == [("c", "a", "successes in the audit"), ("c", None, "successes in the audit")]


async def test_a_reader_who_logs_in_again_and_again_fills_no_audit(fresh_url: str, tmp_path: Path) -> None:
    """By one channel or another, and out again; another reader's entries are all there."""
    async with RunningService(fresh_url, tmp_path / "stamkund.key", audit_successes_per_hour=6) as service:
        publisher = await service.publisher()
        busy, other = await publisher.activated(EMAIL), await publisher.activated("b@example.com", "2", **NO_NUMBER)
        site = await site_of(publisher)
        for _ in range(3):  # four entries each: login, session, tokens, logout
            service.clock.now += 1
            sid = (await site.connector.create_session())["sid"]
            claims = await site.connector.authenticate(sid, EMAIL, PASSWORD)
            assert claims["sts"] == "loggedin"
            response = await site.connector.exchange(claims["at"])
            assert response.status_code == 200, response.text
            assert (await site.connector.log_out(sid))["sts"] == "terminated"
        tokens = [(await publisher.grant("password", username=EMAIL, password=PASSWORD)).json() for _ in range(3)]
        for one in tokens:
            form = {"client_id": publisher.client.id, "client_secret": publisher.secret, "token": one["refresh_token"]}
            assert (await service.http.post("/oauth2/revoke", data=form)).status_code == 200
        assert (await publisher.grant("password", username="b@example.com", password=PASSWORD)).status_code == 200

        async def entries(account: str) -> list[str]:
            query = f"SELECT event FROM audit WHERE account = '{account}' AND event <> 'account_activated' ORDER BY row"
            return [event for (event,) in await rows(fresh_url, query)]

        cycle = ["login_succeeded", "logged_in", "token_issued", "logged_out"]

        async def is_written() -> bool:
            return sorted(await entries(busy)) == sorted([*cycle, *cycle[:2], "limit_reached"])

        await until(is_written)
        assert await entries(other) == ["login_succeeded", "token_issued"]
        await site.connector.http.aclose()


async def test_a_revoked_token_is_in_the_audit_with_its_account(publisher: Publisher) -> None:
    account = await publisher.activated(EMAIL)
    login = (await publisher.grant("password", username=EMAIL, password=PASSWORD)).json()
    form = {"client_id": publisher.client.id, "client_secret": publisher.secret, "token": login["refresh_token"]}
    await publisher.service.http.post("/oauth2/revoke", data=form)
    query = f"SELECT account, detail FROM audit WHERE event = 'token_revoked' AND organisation = '{publisher.id}'"
    assert await rows(publisher.service.settings.database_url, query) == [(account, "refresh")]


@pytest.mark.both_engines
async def test_processes_share_what_the_audit_has(
    fresh_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = {"audit_refusals_per_hour": 4, "audit_successes_per_hour": 1}
    async with publisher_of_two(fresh_url, tmp_path / "a.key", monkeypatch, **chosen) as (publisher, other):
        for _ in range(20):
            await publisher.grant("refresh_token", refresh_token="x")
            await publisher.grant("none")
        shared = "SELECT count(*) FROM call_counts WHERE count >= 20"
        await until(lambda: _gives(fresh_url, shared, 2 + 1))  # and the calls of the client
        for more in range(5):
            await other.grant("refresh_token", refresh_token="x")
            await other.grant("none")
            if not more:  # one each goes through: from then on it has the other process's counts too
                await until(lambda: _gives(fresh_url, "SELECT count(*) FROM call_counts WHERE count >= 21", 2 + 1))
        counts = {
            event: await rows(fresh_url, f"SELECT count(*) FROM audit WHERE event = '{event}'")
            for event in ("token_refused", "token_issued")
        }
        assert [(4,)] <= counts["token_refused"] < [(8,)] and [(10,)] <= counts["token_issued"] < [(15,)]


async def _gives(url: str, query: str, expected: int) -> bool:
    return await rows(url, query) == [(expected,)]


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
