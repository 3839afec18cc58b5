"""Verbs about how often calls were made, for rate limits that several processes share."""

from __future__ import annotations

from collections.abc import Mapping

from stamkund.store.work import Ask, Sql, Work

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
_REMOVE_OVER = Sql(
    "DELETE FROM call_counts WHERE (ends, key) IN "
    "(SELECT ends, key FROM call_counts WHERE ends <= $1 ORDER BY ends LIMIT $2 FOR UPDATE SKIP LOCKED) RETURNING 1",
    sqlite="DELETE FROM call_counts WHERE (ends, key) IN "
    "(SELECT ends, key FROM call_counts WHERE ends <= ?1 ORDER BY ends LIMIT ?2) RETURNING 1",
)


def add(ends: int, counts: Mapping[str, int]) -> Work[dict[str, int]]:
    """Adds counts of the minute that ends at `ends`; answers the totals of all processes for the same keys."""
    rows = yield Ask(_ADD, (ends, [f"{key} {count}" for key, count in counts.items()]))
    return {row[0]: row[1] for row in rows}


def remove_over(now: int, most: int) -> Work[int]:
    """Removes at most `most` counts of minutes that are over; answers how many."""
    rows = yield Ask(_REMOVE_OVER, (now, most))
    return len(rows)
