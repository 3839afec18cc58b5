"""Sessions on every engine: each verb alone, in races, and from two processes."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from stamkund.rules.session import ANONYMOUS, LOGGED_IN, TERMINATED, Session
from stamkund.store import TICKET, NotActive, OneTimeCredential
from stamkund.store.work import Execute, Sql, Work
from tests.store.conftest import DAY, House
from tests.support.service import NOW

END = NOW + 30 * DAY


def made(house: House, sid: str, **fields: Any) -> Session:
    values = {"status": ANONYMOUS, "account": None, "client": None, "authenticated": None, "expires": END, **fields}
    return Session(sid=f"{house.id}-{sid}", organisation=house.id, created=NOW, seen=NOW, **values)


def cookie(house: House, text: str = "cookie") -> bytes:
    return f"{house.id} {text}".encode()


async def added(house: House, sid: str = "s", **fields: Any) -> Session:
    new = made(house, sid, **fields)
    await house.store.sessions.add(new, None if new.client else cookie(house, sid))
    return new


async def session_of(house: House, sid: str) -> Session | None:
    found = await house.store.sessions.of_client(house.client.id, sid)
    assert found is not None and (found.client.id, found.organisation.id) == (house.client.id, house.id)
    return found.session


async def reader(house: House, number: str = "1", email: str = "a@example.com") -> int:
    row, _ = await house.activate(await house.customer(number), email)
    return row


async def inactive(house: House, row: int) -> None:
    def work() -> Work[None]:
        yield Execute(Sql("UPDATE accounts SET status = 'inactive' WHERE row = $1"), (row,))

    await house.store.engine.write(work)


async def ticket(house: House, account: int, name: str = "t", **fields: Any) -> bytes:
    hash_ = f"{house.id} {name}".encode()
    values = {"client": house.client.id, "expires": NOW + 60, **fields}
    await house.store.one_time_credentials.add(
        OneTimeCredential(house.id, hash_, TICKET, account=account, scopes="", created=NOW, family="f", **values)
    )
    return hash_


async def events(house: House) -> list[str]:
    rows = await house.rows("SELECT event FROM audit WHERE organisation = $1 ORDER BY at, event", house.id)
    return [row["event"] for row in rows if row["event"] in ("logged_in", "logged_out")]


# Found -------------------------------------------------------------------------------------------------------


async def test_a_session_is_found_by_sid_and_by_cookie(house: House) -> None:
    new = await added(house, client=None)
    assert await session_of(house, new.sid) == new
    assert await house.store.sessions.by_cookie(house.id, cookie(house, "s"), NOW) == new
    app = await added(house, "app", client=house.client.id)
    assert await session_of(house, app.sid) == app


async def test_what_there_is_not_is_not_found(house: House, neighbour: House) -> None:
    new = await added(house)
    assert await session_of(house, "unknown") is None and await session_of(house, "") is None
    assert await session_of(neighbour, new.sid) is None
    assert await house.store.sessions.of_client("unknown", new.sid) is None
    assert await house.store.sessions.by_cookie(house.id, b"unknown", NOW) is None
    assert await neighbour.store.sessions.by_cookie(neighbour.id, cookie(house, "s"), NOW) is None


async def test_a_session_that_is_over_is_none_to_every_verb(house: House) -> None:
    new, row, sessions = await added(house), await reader(house), house.store.sessions
    assert await sessions.by_cookie(house.id, cookie(house, "s"), END) is None
    assert await sessions.log_in(house.id, new.sid, row, END, END + 1, house.client.id) is None
    spent = await ticket(house, row, expires=END + 60)
    assert await sessions.log_in_with_ticket(house.id, new.sid, spent, house.client.id, END, END + 1) is None
    assert await sessions.terminate(house.id, new.sid, END, house.client.id) is None
    found = await session_of(house, new.sid)
    assert found == new, "the look-up leaves it to the caller to ask when it ends"
    assert await events(house) == []


async def test_two_sessions_never_have_one_cookie_or_sid(house: House) -> None:
    await added(house)
    for sid, value in (("s", b"else"), ("other", cookie(house, "s"))):
        with pytest.raises(Exception, match=r"(?i)unique"):
            await house.store.sessions.add(made(house, sid), value)
    assert await session_of(house, made(house, "other").sid) is None


# Logged in ---------------------------------------------------------------------------------------------------


async def test_a_reader_is_let_in(house: House) -> None:
    new, row = await added(house), await reader(house)
    changed = await house.store.sessions.log_in(house.id, new.sid, row, NOW + 5, END + 5, house.client.id)
    assert changed is not None and (changed.status, changed.logged_in_account, changed.authenticated) == (
        LOGGED_IN,
        row,
        NOW + 5,
    )
    assert (changed.seen, changed.expires) == (NOW + 5, END + 5)
    assert await session_of(house, new.sid) == changed
    assert await house.store.sessions.by_cookie(house.id, cookie(house, "s"), NOW) == changed
    assert await events(house) == ["logged_in"]


async def test_a_login_may_change_the_cookie(house: House) -> None:
    new, row, sessions = await added(house), await reader(house), house.store.sessions
    changed = await sessions.log_in(house.id, new.sid, row, NOW, END, house.client.id, cookie(house, "new"))
    assert await sessions.by_cookie(house.id, cookie(house, "s"), NOW) is None
    assert await sessions.by_cookie(house.id, cookie(house, "new"), NOW) == changed


async def test_nobody_is_let_in_to_another_organisations_session(house: House, neighbour: House) -> None:
    new, row = await added(house), await reader(neighbour)
    sessions = neighbour.store.sessions
    assert await sessions.log_in(neighbour.id, new.sid, row, NOW, END, neighbour.client.id) is None
    spent = await ticket(neighbour, row)
    assert await sessions.log_in_with_ticket(neighbour.id, new.sid, spent, neighbour.client.id, NOW, END) is None
    assert await sessions.terminate(neighbour.id, new.sid, NOW, neighbour.client.id) is None
    assert await session_of(house, new.sid) == new


async def test_an_account_that_is_not_active_is_not_let_in(house: House) -> None:
    new, row, sessions = await added(house), await reader(house), house.store.sessions
    await inactive(house, row)
    held = await ticket(house, row)
    for login in (
        lambda: sessions.log_in(house.id, new.sid, row, NOW, END, house.client.id),
        lambda: sessions.log_in_with_ticket(house.id, new.sid, held, house.client.id, NOW, END),
        lambda: sessions.log_in(house.id, new.sid, 10**9, NOW, END, house.client.id),
    ):
        with pytest.raises(NotActive):
            await login()
    assert await session_of(house, new.sid) == new and await events(house) == []


async def test_a_ticket_lets_in_once(house: House) -> None:
    row, sessions = await reader(house), house.store.sessions
    one, two = await added(house, "1"), await added(house, "2")
    held = await ticket(house, row)
    done = await sessions.log_in_with_ticket(house.id, one.sid, held, house.client.id, NOW, END)
    assert done is not None and done[1] is not None
    assert (done[0].status, done[0].logged_in_account, done[1].account) == (LOGGED_IN, row, row)
    again = await sessions.log_in_with_ticket(house.id, two.sid, held, house.client.id, NOW, END)
    assert again == (two, None)
    assert await session_of(house, two.sid) == two


async def test_a_ticket_must_be_the_clients_and_hold(house: House) -> None:
    row, sessions, new = await reader(house), house.store.sessions, await added(house)
    held, late = await ticket(house, row, "1", client="another"), await ticket(house, row, "2")
    for hash_, now in ((held, NOW), (late, NOW + 60), (b"unknown", NOW)):
        done = await sessions.log_in_with_ticket(house.id, new.sid, hash_, house.client.id, now, END)
        assert done == (new, None)
    done = await sessions.log_in_with_ticket(house.id, new.sid, late, house.client.id, NOW + 59, END)
    assert done is not None and done[1] is not None


async def test_a_ticket_is_not_spent_on_a_session_that_is_not_there(house: House) -> None:
    row, sessions, new = await reader(house), house.store.sessions, await added(house, "mine")
    held, others = await ticket(house, row), await added(house, "app", client="another")
    for sid in ("unknown", others.sid):
        assert await sessions.log_in_with_ticket(house.id, sid, held, house.client.id, NOW, END) is None
    done = await sessions.log_in_with_ticket(house.id, new.sid, held, house.client.id, NOW, END)
    assert done is not None and done[1] is not None


async def test_of_many_uses_of_a_ticket_in_two_processes_one_lets_in(house: House) -> None:
    row = await reader(house)
    held = await ticket(house, row)
    new = [await added(house, str(number)) for number in range(10)]
    done = await asyncio.gather(
        *(
            store.sessions.log_in_with_ticket(house.id, session.sid, held, house.client.id, NOW, END)
            for session in new
            for store in (house.store, house.other)
        )
    )
    assert sum(one is not None and one[1] is not None for one in done) == 1
    found = [await session_of(house, session.sid) for session in new]
    assert sum(one is not None and one.status == LOGGED_IN for one in found) == 1


# Ended -------------------------------------------------------------------------------------------------------


async def test_a_session_is_ended_once_and_for_all(house: House) -> None:
    new, row, sessions = await added(house), await reader(house), house.store.sessions
    before = await sessions.log_in(house.id, new.sid, row, NOW, END, house.client.id)
    assert await sessions.terminate(house.id, new.sid, NOW, house.client.id) == before
    found = await session_of(house, new.sid)
    assert found is not None and (found.status, found.logged_in_account, found.expires) == (TERMINATED, None, END)
    assert await sessions.by_cookie(house.id, cookie(house, "s"), NOW) is None
    again = await sessions.terminate(house.id, new.sid, NOW, house.client.id)
    assert again is not None and again.status == TERMINATED
    assert await sessions.log_in(house.id, new.sid, row, NOW, END, house.client.id) is None
    held = await ticket(house, row)
    assert await sessions.log_in_with_ticket(house.id, new.sid, held, house.client.id, NOW, END) is None
    assert await events(house) == ["logged_in", "logged_out"]


async def test_the_session_of_an_account_that_is_no_longer_active_can_be_ended(house: House) -> None:
    new, row, sessions = await added(house), await reader(house), house.store.sessions
    await sessions.log_in(house.id, new.sid, row, NOW, END, house.client.id)
    await inactive(house, row)
    assert await sessions.terminate(house.id, new.sid, NOW, house.client.id) is not None


async def test_logging_in_and_out_at_once_ends_in_either_and_nothing_between(house: House) -> None:
    row = await reader(house)
    for number in range(10):
        new = await added(house, str(number))
        await asyncio.gather(
            house.store.sessions.log_in(house.id, new.sid, row, NOW, END, house.client.id),
            house.other.sessions.terminate(house.id, new.sid, NOW, house.client.id),
        )
        found = await session_of(house, new.sid)
        assert found is not None and found.status == TERMINATED, "out was asked for, whichever came first"


# Seen and removed --------------------------------------------------------------------------------------------


async def test_a_session_that_was_seen_lives_on_and_never_shorter(house: House) -> None:
    one, two = await added(house, "1"), await added(house, "2")
    await house.store.sessions.extend(
        [
            (house.id, one.sid, NOW + DAY, END + DAY),
            (house.id, "unknown", NOW, END),
            (house.id, two.sid, NOW - 1, END - 1),
        ]
    )
    found = await session_of(house, one.sid)
    assert found is not None and (found.seen, found.expires) == (NOW + DAY, END + DAY)
    assert await session_of(house, two.sid) == two
    await house.store.sessions.extend([])


async def test_sessions_that_are_over_are_removed_in_batches(house: House) -> None:
    for number in range(5):
        await added(house, str(number), expires=NOW - 10)
    remaining = await added(house, "kept", expires=NOW + 1)
    removed = 0
    while gone := await house.store.sessions.remove_expired(NOW, 2):
        assert gone <= 2
        removed += gone
    assert removed >= 5 and await house.count("sessions") == 1
    assert await session_of(house, remaining.sid) == remaining
    assert await house.store.sessions.remove_expired(NOW + 1) >= 1
    assert await house.count("sessions") == 0


async def test_a_session_prints_as_nothing(house: House) -> None:
    assert "secret" not in repr(made(house, "secret"))
