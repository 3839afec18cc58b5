"""Sessions on every engine: each verb alone, in races, and from two processes."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from stamkund.rules.session import ANONYMOUS, LOGGED_IN, TERMINATED, Lifetime, Session
from stamkund.store import TICKET, NotActive, OneTimeCredential
from tests.store.conftest import DAY, StoredOrganisation
from tests.support.service import NOW

END = NOW + 30 * DAY
LIFETIME = Lifetime(30 * DAY, 365 * DAY)


def made(paper: StoredOrganisation, sid: str, **fields: Any) -> Session:
    values = {"status": ANONYMOUS, "account": None, "client": None, "authenticated": None, "expires": END, **fields}
    return Session(sid=f"{paper.id}-{sid}", organisation=paper.id, created=NOW, seen=NOW, **values)


def cookie(paper: StoredOrganisation, text: str = "cookie") -> bytes:
    return f"{paper.id} {text}".encode()


async def added(paper: StoredOrganisation, sid: str = "s", **fields: Any) -> Session:
    new = made(paper, sid, **fields)
    await paper.store.sessions.add(new, None if new.client else cookie(paper, sid))
    return new


async def session_of(paper: StoredOrganisation, sid: str) -> Session | None:
    lookup = await paper.store.sessions.of_client(paper.client.id, sid)
    assert lookup is not None and (lookup.client.id, lookup.organisation.id) == (paper.client.id, paper.id)
    return lookup.session


async def reader(paper: StoredOrganisation, number: str = "1", email: str = "a@example.com") -> int:
    row, _ = await paper.activate(await paper.customer(number), email)
    return row


async def ticket(paper: StoredOrganisation, account: int, name: str = "t", **fields: Any) -> bytes:
    hash_ = f"{paper.id} {name}".encode()
    values = {"client": paper.client.id, "expires": NOW + 60, "detail": "{}", **fields}
    await paper.store.one_time_credentials.add(
        OneTimeCredential(paper.id, hash_, TICKET, account=account, scopes="", created=NOW, family="f", **values)
    )
    return hash_


async def events(paper: StoredOrganisation) -> list[str]:
    rows = await paper.rows("SELECT event FROM audit WHERE organisation = $1 ORDER BY at, event", paper.id)
    return [row["event"] for row in rows if row["event"] in ("logged_in", "logged_out")]


# Found -------------------------------------------------------------------------------------------------------


async def test_a_session_is_found_by_sid_and_by_cookie(paper: StoredOrganisation) -> None:
    new = await added(paper, client=None)
    assert await session_of(paper, new.sid) == new
    assert await paper.store.sessions.by_cookie(paper.id, cookie(paper, "s"), NOW) == new
    app = await added(paper, "app", client=paper.client.id)
    assert await session_of(paper, app.sid) == app


async def test_what_there_is_not_is_not_found(paper: StoredOrganisation, neighbour: StoredOrganisation) -> None:
    new = await added(paper)
    assert await session_of(paper, "unknown") is None and await session_of(paper, "") is None
    assert await session_of(neighbour, new.sid) is None
    assert await paper.store.sessions.of_client("unknown", new.sid) is None
    assert await paper.store.sessions.by_cookie(paper.id, b"unknown", NOW) is None
    assert await neighbour.store.sessions.by_cookie(neighbour.id, cookie(paper, "s"), NOW) is None


async def test_an_expired_session_is_none_to_every_verb(paper: StoredOrganisation) -> None:
    new, row, sessions = await added(paper), await reader(paper), paper.store.sessions
    assert await sessions.by_cookie(paper.id, cookie(paper, "s"), END) is None
    assert await sessions.log_in(paper.id, new.sid, row, END, END + 1, paper.client.id) is None
    spent = await ticket(paper, row, expires=END + 60)
    assert await sessions.log_in_with_ticket(paper.id, new.sid, spent, paper.client.id, END, LIFETIME) is None
    assert await sessions.terminate(paper.id, new.sid, END, paper.client.id) is None
    session = await session_of(paper, new.sid)
    assert session == new, "the look-up leaves it to the caller to check when it expires"
    assert await events(paper) == []


async def test_two_sessions_never_have_one_cookie_or_sid(paper: StoredOrganisation) -> None:
    await added(paper)
    for sid, value in (("s", b"else"), ("other", cookie(paper, "s"))):
        with pytest.raises(Exception, match=r"(?i)unique"):
            await paper.store.sessions.add(made(paper, sid), value)
    assert await session_of(paper, made(paper, "other").sid) is None


# Logged in ---------------------------------------------------------------------------------------------------


async def test_a_reader_is_let_in(paper: StoredOrganisation) -> None:
    new, row = await added(paper), await reader(paper)
    changed = await paper.store.sessions.log_in(paper.id, new.sid, row, NOW + 5, END + 5, paper.client.id)
    assert changed is not None and (changed.status, changed.logged_in_account, changed.authenticated) == (
        LOGGED_IN,
        row,
        NOW + 5,
    )
    assert (changed.seen, changed.expires) == (NOW + 5, END + 5)
    assert await session_of(paper, new.sid) == changed
    assert await paper.store.sessions.by_cookie(paper.id, cookie(paper, "s"), NOW) == changed
    assert await events(paper) == ["logged_in"]


async def test_a_login_may_change_the_cookie(paper: StoredOrganisation) -> None:
    new, row, sessions = await added(paper), await reader(paper), paper.store.sessions
    changed = await sessions.log_in(paper.id, new.sid, row, NOW, END, paper.client.id, cookie(paper, "new"))
    assert await sessions.by_cookie(paper.id, cookie(paper, "s"), NOW) is None
    assert await sessions.by_cookie(paper.id, cookie(paper, "new"), NOW) == changed


async def test_a_login_does_not_reach_another_organisations_session(
    paper: StoredOrganisation, neighbour: StoredOrganisation
) -> None:
    new, row = await added(paper), await reader(neighbour)
    sessions = neighbour.store.sessions
    assert await sessions.log_in(neighbour.id, new.sid, row, NOW, END, neighbour.client.id) is None
    spent = await ticket(neighbour, row)
    assert await sessions.log_in_with_ticket(neighbour.id, new.sid, spent, neighbour.client.id, NOW, LIFETIME) is None
    assert await sessions.terminate(neighbour.id, new.sid, NOW, neighbour.client.id) is None
    assert await session_of(paper, new.sid) == new


async def test_an_account_that_is_not_active_is_not_let_in(paper: StoredOrganisation) -> None:
    new, row, sessions = await added(paper), await reader(paper), paper.store.sessions
    await paper.deactivate(row)
    held = await ticket(paper, row)
    for login in (
        lambda: sessions.log_in(paper.id, new.sid, row, NOW, END, paper.client.id),
        lambda: sessions.log_in_with_ticket(paper.id, new.sid, held, paper.client.id, NOW, LIFETIME),
        lambda: sessions.log_in(paper.id, new.sid, 10**9, NOW, END, paper.client.id),
    ):
        with pytest.raises(NotActive):
            await login()
    assert await session_of(paper, new.sid) == new and await events(paper) == []


async def test_a_ticket_lets_in_once(paper: StoredOrganisation) -> None:
    row, sessions = await reader(paper), paper.store.sessions
    one, two = await added(paper, "1"), await added(paper, "2")
    held = await ticket(paper, row)
    done = await sessions.log_in_with_ticket(paper.id, one.sid, held, paper.client.id, NOW, LIFETIME)
    assert done is not None and done[0] is not None and done[1] is not None
    assert (done[0].status, done[0].logged_in_account, done[1].account) == (LOGGED_IN, row, row)
    again = await sessions.log_in_with_ticket(paper.id, two.sid, held, paper.client.id, NOW, LIFETIME)
    assert again == (two, None)
    assert await session_of(paper, two.sid) == two


async def test_a_ticket_must_be_the_clients_and_valid(paper: StoredOrganisation) -> None:
    row, sessions, new = await reader(paper), paper.store.sessions, await added(paper)
    held, late = await ticket(paper, row, "1", client="another"), await ticket(paper, row, "2")
    for hash_, now in ((held, NOW), (late, NOW + 60), (b"unknown", NOW)):
        done = await sessions.log_in_with_ticket(paper.id, new.sid, hash_, paper.client.id, now, LIFETIME)
        assert done == (new, None)
    done = await sessions.log_in_with_ticket(paper.id, new.sid, late, paper.client.id, NOW + 59, LIFETIME)
    assert done is not None and done[1] is not None


async def test_a_ticket_is_not_spent_on_a_session_that_is_not_there(paper: StoredOrganisation) -> None:
    row, sessions, new = await reader(paper), paper.store.sessions, await added(paper, "mine")
    held, others = await ticket(paper, row), await added(paper, "app", client="another")
    for sid in ("unknown", others.sid):
        assert await sessions.log_in_with_ticket(paper.id, sid, held, paper.client.id, NOW, LIFETIME) is None
    done = await sessions.log_in_with_ticket(paper.id, new.sid, held, paper.client.id, NOW, LIFETIME)
    assert done is not None and done[1] is not None


async def test_of_many_uses_of_a_ticket_in_two_processes_one_lets_in(paper: StoredOrganisation) -> None:
    row = await reader(paper)
    held = await ticket(paper, row)
    new = [await added(paper, str(number)) for number in range(10)]
    done = await asyncio.gather(
        *(
            store.sessions.log_in_with_ticket(paper.id, session.sid, held, paper.client.id, NOW, LIFETIME)
            for session in new
            for store in (paper.store, paper.other)
        )
    )
    assert sum(one is not None and one[1] is not None for one in done) == 1
    sessions = [await session_of(paper, session.sid) for session in new]
    assert sum(one is not None and one.status == LOGGED_IN for one in sessions) == 1


# Ended -------------------------------------------------------------------------------------------------------


async def test_a_session_is_ended_once_and_for_all(paper: StoredOrganisation) -> None:
    new, row, sessions = await added(paper), await reader(paper), paper.store.sessions
    before = await sessions.log_in(paper.id, new.sid, row, NOW, END, paper.client.id)
    assert await sessions.terminate(paper.id, new.sid, NOW, paper.client.id) == before
    session = await session_of(paper, new.sid)
    assert session is not None and (session.status, session.logged_in_account, session.expires) == (
        TERMINATED,
        None,
        END,
    )
    assert await sessions.by_cookie(paper.id, cookie(paper, "s"), NOW) is None
    again = await sessions.terminate(paper.id, new.sid, NOW, paper.client.id)
    assert again is not None and again.status == TERMINATED
    assert await sessions.log_in(paper.id, new.sid, row, NOW, END, paper.client.id) is None
    held = await ticket(paper, row)
    assert await sessions.log_in_with_ticket(paper.id, new.sid, held, paper.client.id, NOW, LIFETIME) is None
    assert await events(paper) == ["logged_in", "logged_out"]


async def test_ending_a_session_without_reader_is_not_recorded(paper: StoredOrganisation) -> None:
    """Anybody can make and end any number of them."""
    new = await added(paper)
    assert await paper.store.sessions.terminate(paper.id, new.sid, NOW, paper.client.id) is not None
    session = await session_of(paper, new.sid)
    assert session is not None and session.status == TERMINATED
    assert await events(paper) == []


async def test_the_session_of_an_account_that_is_no_longer_active_can_be_ended(paper: StoredOrganisation) -> None:
    new, row, sessions = await added(paper), await reader(paper), paper.store.sessions
    await sessions.log_in(paper.id, new.sid, row, NOW, END, paper.client.id)
    await paper.deactivate(row)
    assert await sessions.terminate(paper.id, new.sid, NOW, paper.client.id) is not None


async def test_logging_in_and_out_at_once_ends_in_either_and_nothing_between(paper: StoredOrganisation) -> None:
    row = await reader(paper)
    for number in range(10):
        new = await added(paper, str(number))
        await asyncio.gather(
            paper.store.sessions.log_in(paper.id, new.sid, row, NOW, END, paper.client.id),
            paper.other.sessions.terminate(paper.id, new.sid, NOW, paper.client.id),
        )
        session = await session_of(paper, new.sid)
        assert session is not None and session.status == TERMINATED, "the logout wins, whichever came first"


# Seen and removed --------------------------------------------------------------------------------------------


async def test_a_session_that_was_seen_lives_on_and_never_shorter(paper: StoredOrganisation) -> None:
    one, two = await added(paper, "1"), await added(paper, "2")
    await paper.store.sessions.extend(
        [
            (paper.id, one.sid, NOW + DAY, END + DAY),
            (paper.id, "unknown", NOW, END),
            (paper.id, two.sid, NOW - 1, END - 1),
        ]
    )
    session = await session_of(paper, one.sid)
    assert session is not None and (session.seen, session.expires) == (NOW + DAY, END + DAY)
    assert await session_of(paper, two.sid) == two
    await paper.store.sessions.extend([])


async def test_expired_sessions_are_removed_in_batches(paper: StoredOrganisation) -> None:
    for number in range(5):
        await added(paper, str(number), expires=NOW - 10)
    remaining = await added(paper, "kept", expires=NOW + 1)
    removed = 0
    while gone := await paper.store.sessions.remove_expired(NOW, 2):
        assert gone <= 2
        removed += gone
    assert removed >= 5 and await paper.count("sessions") == 1
    assert await session_of(paper, remaining.sid) == remaining
    assert await paper.store.sessions.remove_expired(NOW + 1) >= 1
    assert await paper.count("sessions") == 0


async def test_a_session_prints_as_nothing(paper: StoredOrganisation) -> None:
    assert "secret" not in repr(made(paper, "secret"))
