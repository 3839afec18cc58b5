"""Part of verbs: addresses that a client sends for visitors, and whether one is many visitors' (a proxy's).

A site behind a proxy may send the proxy's address for all of its visitors. Compared with their browsers' own it would
make each of them look like somebody else. So an address that a client sent for several sessions whose browsers have
other addresses is no longer compared. Stored as keyed hashes, for a month.
"""

from __future__ import annotations

from dataclasses import dataclass

from stamkund.rules.timestamps import DAY
from stamkund.store.verb import Verbs, reads, writes
from stamkund.store.work import Execute, Sql, Work, delete_batch

SHARED_SESSIONS = 5
"""For how many sessions with other addresses a client may send one address before it counts as a proxy's."""
REMEMBERED_SECONDS = 30 * DAY
MAX_STORED = 10_000
"""Addresses of a client that are remembered: with so many, its addresses are not its visitors'."""

_OF_ADDRESS = Sql(
    "SELECT sid FROM visitor_addresses WHERE organisation = $1 AND client = $2 AND address = $3 AND expires > $4"
)
_ADD = Sql(
    "INSERT INTO visitor_addresses (organisation, client, address, sid, expires) "
    "SELECT $1, $2, $3, $4, CAST($5 AS bigint) "
    "WHERE (SELECT count(*) FROM (SELECT 1 FROM visitor_addresses WHERE organisation = $1 AND client = $2 LIMIT $6) v) "
    "< $6 ON CONFLICT (organisation, client, address, sid) DO UPDATE SET expires = excluded.expires"
)
_KEEP = Sql(
    "UPDATE visitor_addresses SET expires = $4 WHERE organisation = $1 AND client = $2 AND address = $3 "
    "AND expires > $6 AND expires < $5"
)
_COUNTS = Sql(
    "SELECT client, count(*) AS sessions FROM visitor_addresses WHERE organisation = $1 AND expires > $2 "
    "GROUP BY client, address"
)
_REMOVE_EXPIRED = delete_batch("visitor_addresses", "organisation, client, address, sid", "expires <= $1", "expires")


@dataclass(frozen=True, slots=True)
class SentAddress:
    """An address (its keyed hash) that a client sent for the session `sid`, whose browser has another one."""

    organisation: str
    client: str
    address: str
    sid: str


def is_shared(sent: SentAddress, now: int) -> Work[bool]:
    """Whether an address is one that the client sends for many sessions; remembers that it was sent for this one."""
    key, expires = (sent.organisation, sent.client, sent.address), now + REMEMBERED_SECONDS
    sids = {row["sid"] for row in (yield Execute(_OF_ADDRESS, (*key, now)))}
    if len(sids) >= SHARED_SESSIONS:
        yield Execute(_KEEP, (*key, expires, expires - DAY, now))
        return True
    if sent.sid not in sids:
        yield Execute(_ADD, (*key, sent.sid, expires, MAX_STORED))
    return False


class VisitorAddressVerbs(Verbs):
    @reads
    def other_addresses(self, organisation: str, now: int) -> Work[dict[str, list[int]]]:
        """For each client, of how many sessions it sent each address that is not their browser's."""
        counts: dict[str, list[int]] = {}
        for row in (yield Execute(_COUNTS, (organisation, now))):
            counts.setdefault(row["client"], []).append(row["sessions"])
        return counts

    @writes
    def remove_expired(self, now: int, at_most: int = 500) -> Work[int]:
        """Removes at most `at_most` rows that have expired; returns how many."""
        return len((yield Execute(_REMOVE_EXPIRED, (now, at_most))))
