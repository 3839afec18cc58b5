"""Verbs about login requests of SSO2: each works once, and one that comes again at once gets the first response."""

from __future__ import annotations

from dataclasses import dataclass

from stamkund.store.verb import Verbs, reads, writes
from stamkund.store.work import Execute, Sql, Work, delete_batch, first

_CLAIM = Sql(
    "INSERT INTO sso_logins (organisation, digest, at, expires) VALUES ($1, $2, $3, $4) "
    "ON CONFLICT (organisation, digest) DO NOTHING RETURNING 1"
)
_FIND = Sql("SELECT at, response FROM sso_logins WHERE organisation = $1 AND digest = $2")
_RESPOND = Sql("UPDATE sso_logins SET response = $3 WHERE organisation = $1 AND digest = $2")
_RELEASE = Sql("DELETE FROM sso_logins WHERE organisation = $1 AND digest = $2")
_REMOVE_EXPIRED = delete_batch("sso_logins", "organisation, digest", "expires <= $1", "expires")


@dataclass(frozen=True)
class EarlierLogin:
    """The same request from before: when it came first, and its response (sealed), None while there is none yet."""

    at: int
    response: str | None


class SsoLoginVerbs(Verbs):
    @writes
    def claim(self, organisation: str, digest: bytes, now: int, expires: int) -> Work[EarlierLogin | None]:
        """Claims a request, of which nobody may make use until `expires`; None where it is the first.

        `digest`: of the request as it was signed.
        """
        if (yield Execute(_CLAIM, (organisation, digest, now, expires))):
            return None
        return (yield from _find(organisation, digest))

    @reads
    def find(self, organisation: str, digest: bytes) -> Work[EarlierLogin | None]:
        """A request that was claimed; None for one that was not, or was released."""
        return (yield from _find(organisation, digest))

    @writes
    def respond(self, organisation: str, digest: bytes, response: str) -> Work[None]:
        """Stores the response (sealed) to a request that was claimed."""
        yield Execute(_RESPOND, (organisation, digest, response))

    @writes
    def release(self, organisation: str, digest: bytes) -> Work[None]:
        """Gives back a request that could not be handled."""
        yield Execute(_RELEASE, (organisation, digest))

    @writes
    def remove_expired(self, now: int, at_most: int = 500) -> Work[int]:
        """Removes at most `at_most` that have expired; returns how many."""
        return len((yield Execute(_REMOVE_EXPIRED, (now, at_most))))


def _find(organisation: str, digest: bytes) -> Work[EarlierLogin | None]:
    row = first((yield Execute(_FIND, (organisation, digest))))
    return None if row is None else EarlierLogin(row["at"], row["response"])
