"""Verbs about mails that wait: they are claimed by one delivery each, and what became of them is recorded.

A claim has no end by the clock, which may jump. Whoever has one shows that it is alive (`keep_claim`); others look at
the claims from time to time and free one that has not changed for as long as they say (`delivery/mail/delivery.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from stamkund.rules.mail import DEAD, DROPPED, SENT, WAITING, Mail, retry_at
from stamkund.store.verb import Verbs, reads, writes
from stamkund.store.verbs import mail_queue
from stamkund.store.work import Execute, ExecuteMany, Row, Sql, Work, delete_oldest, for_update
from stamkund.vault import CannotOpen

_ANY_DUE = Sql(f"SELECT 1 FROM mails WHERE state = '{WAITING}' AND claim IS NULL AND due <= $1 LIMIT 1")


def _update_some(change: str, condition: str, order: str, limit: str, returning: str) -> Sql:
    """Changes at most `limit` mails that match a condition; those that are locked are left for later."""
    chosen = f"SELECT row FROM mails WHERE {condition} ORDER BY {order} LIMIT {limit}"
    return Sql(
        f"UPDATE mails SET {change} WHERE row IN ({chosen} FOR UPDATE SKIP LOCKED) RETURNING {returning}",
        sqlite=f"UPDATE mails SET {change} WHERE row IN ({chosen}) RETURNING {returning}",
    )


_COLUMNS = "row, id, organisation, purpose, account, language, at, expires, attempts, content"
_CLAIM = _update_some(
    "claim = $1, beat = 0",
    f"state = '{WAITING}' AND claim IS NULL AND due <= $2 AND expires > $2",
    "due, row",
    "$3",
    _COLUMNS,
)
_EXPIRE = _update_some(
    f"state = CASE state WHEN '{WAITING}' THEN '{DROPPED}' ELSE state END, finished = coalesce(finished, $1), "
    "content = NULL",
    "content IS NOT NULL AND claim IS NULL AND expires <= $1",
    "expires",
    "$2",
    "state",
)
_BRING_FORWARD = _update_some(
    "due = $1", f"state = '{WAITING}' AND claim IS NULL AND due > $2", "due DESC, row DESC", "$3", "row"
)
_KEEP = Sql("UPDATE mails SET beat = beat + 1 WHERE claim = $1")
_RELEASE = Sql("UPDATE mails SET claim = NULL WHERE row = $1 AND claim = $2")
_CLAIMS = Sql("SELECT row, claim, beat FROM mails WHERE claim IS NOT NULL ORDER BY claim, row LIMIT $1")
_FREE = Sql(
    "UPDATE mails SET claim = NULL, attempts = attempts + 1, reason = 'the worker died' "
    "WHERE row = $1 AND claim = $2 AND beat = $3"
)
_SENT = Sql(
    f"UPDATE mails SET state = '{SENT}', claim = NULL, attempts = attempts + 1, finished = $3, reason = NULL, "
    "content = NULL WHERE row = $1 AND claim = $2"
)
_DEAD = Sql(
    f"UPDATE mails SET state = '{DEAD}', claim = NULL, attempts = attempts + 1, finished = $3, reason = $4 "
    f"WHERE row = $1 AND claim = $2 AND state = '{WAITING}'"
)
_RETRY = Sql(
    "UPDATE mails SET claim = NULL, attempts = attempts + 1, due = $3, reason = $4 WHERE row = $1 AND claim = $2"
)
_COUNTS = Sql("SELECT state, count(*) AS number FROM mails GROUP BY state")
_COUNTS_OF = Sql("SELECT state, count(*) AS number FROM mails WHERE organisation = $1 GROUP BY state")
_LISTED_FIELDS = (
    *("id", "organisation", "purpose", "account", "language", "at", "expires", "state", "due", "attempts"),
    *("finished", "reason", "content"),
)
_LISTED = f"SELECT {', '.join(_LISTED_FIELDS)} FROM mails WHERE {{}} ORDER BY row DESC LIMIT {{}}"
_LIST = Sql(_LISTED.format("state = $1", "$2"))
_LIST_OF = Sql(_LISTED.format("state = $1 AND organisation = $3", "$2"))
_NEXT_CONTENTS = for_update(
    "SELECT row, id, organisation, content FROM mails WHERE row > $1 AND content IS NOT NULL ORDER BY row LIMIT $2"
)
_SET_CONTENT = Sql("UPDATE mails SET content = $2 WHERE row = $1")
_REMOVE = delete_oldest("mails")


@dataclass(frozen=True, slots=True)
class ClaimedMail:
    """A mail that this delivery works on. `content` is sealed; `attempts`: those before this one."""

    row: int
    id: str
    organisation: str
    purpose: str
    account: str | None
    language: str | None
    at: int
    expires: int
    attempts: int
    content: str


@dataclass(frozen=True, slots=True)
class Claim:
    """A mail that some delivery works on; `beat` grows for as long as that one is alive."""

    row: int
    claim: str
    beat: int


@dataclass(frozen=True, slots=True)
class QueuedMail:
    """A mail as operators see it. `address` is in the clear; None once the content is gone, or can't be opened."""

    id: str
    organisation: str
    purpose: str
    account: str | None
    language: str | None
    at: int
    expires: int
    state: str
    due: int
    attempts: int
    finished: int | None
    reason: str | None
    address: str | None


class MailVerbs(Verbs):
    @writes
    def add(self, mail: Mail, now: int) -> Work[str]:
        """Queues a mail that no other change belongs to; returns its id. Raises TooManyMails, ValueError."""
        return (yield from mail_queue.add(self._documents, mail, now))

    @reads
    def any_due(self, now: int) -> Work[bool]:
        """Whether there is a mail to be claimed."""
        return bool((yield Execute(_ANY_DUE, (now,))))

    @writes
    def claim(self, claim: str, now: int, at_most: int) -> Work[list[ClaimedMail]]:
        """Claims up to `at_most` mails that are due, oldest first, under a name that nobody else uses."""
        rows = yield Execute(_CLAIM, (claim, now, at_most))
        return sorted((ClaimedMail(*row) for row in rows), key=lambda mail: mail.row)

    @writes
    def keep_claim(self, claim: str) -> Work[None]:
        """A sign of life."""
        yield Execute(_KEEP, (claim,))

    @writes
    def release(self, rows: Sequence[int], claim: str) -> Work[None]:
        """Gives back what was claimed and not begun."""
        yield ExecuteMany(_RELEASE, [(row, claim) for row in rows])

    @reads
    def claims(self, at_most: int = 1000) -> Work[list[Claim]]:
        """What is being worked on."""
        return [Claim(*row) for row in (yield Execute(_CLAIMS, (at_most,)))]

    @writes
    def free(self, claims: Sequence[Claim]) -> Work[None]:
        """Ends claims that have not changed since they were read."""
        yield ExecuteMany(_FREE, [(claim.row, claim.claim, claim.beat) for claim in claims])

    @writes
    def record_sent(self, row: int, claim: str, now: int) -> Work[None]:
        yield Execute(_SENT, (row, claim, now))

    @writes
    def record_dead(self, row: int, claim: str, now: int, reason: str) -> Work[None]:
        """The server will never accept it."""
        yield Execute(_DEAD, (row, claim, now, reason))

    @writes
    def record_failed(self, row: int, claim: str, attempts: int, now: int, reason: str) -> Work[None]:
        """Attempt number `attempts` failed: it is tried again later."""
        yield Execute(_RETRY, (row, claim, retry_at(attempts, now), reason))

    @writes
    def expire(self, now: int, at_most: int = 500) -> Work[int]:
        """Drops what has waited for too long, and empties dead mails, at most `at_most`; returns how many."""
        return len((yield Execute(_EXPIRE, (now, at_most))))

    @writes
    def bring_forward(self, now: int, latest: int, at_most: int = 500) -> Work[int]:
        """Makes mails due that would wait beyond `latest`: the clock was wrong when that was worked out."""
        return len((yield Execute(_BRING_FORWARD, (now, latest, at_most))))

    @reads
    def counts(self, organisation: str | None = None) -> Work[dict[str, int]]:
        """How many mails there are in each state, of one organisation or of all."""
        rows = yield (Execute(_COUNTS) if organisation is None else Execute(_COUNTS_OF, (organisation,)))
        return {row["state"]: row["number"] for row in rows}

    @reads
    def latest(self, state: str, at_most: int, organisation: str | None = None) -> Work[list[QueuedMail]]:
        """The newest mails in a state, newest first."""
        if organisation is None:
            rows = yield Execute(_LIST, (state, at_most))
        else:
            rows = yield Execute(_LIST_OF, (state, at_most, organisation))
        return [self._queued(row) for row in rows]

    def _queued(self, row: Row) -> QueuedMail:
        fields = dict(zip(_LISTED_FIELDS, row, strict=True))
        content = fields.pop("content")
        return QueuedMail(**fields, address=self._address(row["organisation"], row["id"], content))

    def _address(self, organisation: str, mail_id: str, content: str | None) -> str | None:
        if content is None:
            return None
        try:
            return self._documents.mail(organisation, mail_id, content).address
        except (CannotOpen, msgspec.DecodeError):
            return None

    @writes
    def reseal(self, after: int, at_most: int) -> Work[int | None]:
        """Seals up to `at_most` mails after the row `after` anew; returns the last row, None at the end."""
        rows = yield Execute(_NEXT_CONTENTS, (after, at_most))
        sealed = [(row["row"], self._resealed(row["organisation"], row["id"], row["content"])) for row in rows]
        yield ExecuteMany(_SET_CONTENT, sealed)
        return rows[-1]["row"] if rows else None

    def _resealed(self, organisation: str, mail_id: str, sealed: str) -> str:
        return self._documents.sealed_mail(organisation, mail_id, self._documents.mail(organisation, mail_id, sealed))

    @writes
    def remove_older(self, than: int, at_most: int = 500) -> Work[int]:
        """Removes at most `at_most` mails from before `than`, whatever became of them; returns how many."""
        return len((yield Execute(_REMOVE, (than, at_most))))
