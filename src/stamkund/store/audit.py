"""Verbs about the audit, which other verbs write as they go: who did what to whom and when, in ids alone."""

from __future__ import annotations

from stamkund.store.work import Ask, Sql, Work

_REMOVE = Sql(
    "DELETE FROM audit WHERE row IN (SELECT row FROM audit WHERE at < $1 ORDER BY at LIMIT $2 "
    "FOR UPDATE SKIP LOCKED) RETURNING 1",
    sqlite="DELETE FROM audit WHERE row IN (SELECT row FROM audit WHERE at < ?1 ORDER BY at LIMIT ?2) RETURNING 1",
)


def remove_before(moment: int, most: int) -> Work[int]:
    """Removes at most `most` lines from before a moment; answers how many."""
    return len((yield Ask(_REMOVE, (moment, most))))
