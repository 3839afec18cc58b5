"""Verbs about how often calls were made, for rate limits that several processes share."""

from __future__ import annotations

from collections.abc import Mapping

from stamkund.store.verb import Verbs, writes
from stamkund.store.work import Execute, Sql, Work, delete_batch

# One statement for all counts of a process. They go in as texts, key and count with a blank between, because that is
# one list on either engine; in one order, so that two processes never wait for each other.
_ADD = Sql(
    "INSERT INTO call_counts (ends, key, count) "
    "SELECT $1, split_part(item, ' ', 1), split_part(item, ' ', 2)::bigint FROM unnest($2::text[]) AS item ORDER BY 2 "
    "ON CONFLICT (ends, key) DO UPDATE SET count = call_counts.count + excluded.count RETURNING key, count",
    sqlite="INSERT INTO call_counts (ends, key, count) "
    "SELECT ?1, substr(value, 1, instr(value, ' ') - 1), CAST(substr(value, instr(value, ' ') + 1) AS integer) "
    "FROM json_each(?2) WHERE true "
    "ON CONFLICT (ends, key) DO UPDATE SET count = call_counts.count + excluded.count RETURNING key, count",
)
_REMOVE_EXPIRED = delete_batch("call_counts", "ends, key", "ends <= $1", "ends")


class CallCountVerbs(Verbs):
    @writes
    def add(self, ends: int, counts: Mapping[str, int]) -> Work[dict[str, int]]:
        """Adds counts of the minute that ends at `ends`; returns the totals of all processes for the same keys."""
        rows = yield Execute(_ADD, (ends, [f"{key} {count}" for key, count in counts.items()]))
        return {row["key"]: row["count"] for row in rows}

    @writes
    def remove_expired(self, now: int, at_most: int = 500) -> Work[int]:
        """Removes at most `at_most` counts of past minutes; returns how many."""
        return len((yield Execute(_REMOVE_EXPIRED, (now, at_most))))
