"""Verbs about one-time credentials: authorization codes and tickets. Only their digests are stored.

Spending one and storing what it gives is one transaction behind a row lock, so of any number of attempts at the same
moment one succeeds. A code that comes again has been stolen or is replayed: what it gave is revoked (RFC 6749, 4.1.2).
One whose session was ended, or has another reader by now, is refused. The session stays locked until what the
credential gives is stored, so that ending it at the same moment finds the tokens.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from stamkund.rules.session import LOGGED_IN
from stamkund.rules.timestamps import DAY
from stamkund.store.verb import Verbs, writes
from stamkund.store.verbs.tokens import Issue, NewToken, add_tokens, revoke_family
from stamkund.store.work import Execute, Sql, Work, delete_batch, first, for_share, for_update

CODE = "code"
TICKET = "ticket"
REMEMBERED_SECONDS = DAY
"""How long one that was spent is recognised. One that was not is removed when it has expired."""

_ADD = Sql(
    "INSERT INTO one_time_credentials "
    "(organisation, digest, kind, client, account, scopes, created, expires, family, detail, session) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"
)
_LOCK = for_update(
    "SELECT account, scopes, created, expires, family, spent, detail, kind, client, session FROM one_time_credentials "
    "WHERE organisation = $1 AND digest = $2"
)
_SESSION = for_share("SELECT status, account, authenticated FROM sessions WHERE organisation = $1 AND sid = $2")
_SPEND = Sql("UPDATE one_time_credentials SET spent = $3, expires = $4 WHERE organisation = $1 AND digest = $2")
_REMOVE = delete_batch("one_time_credentials", "organisation, digest", "expires <= $1", "expires")


@dataclass(frozen=True)
class OneTimeCredential:
    """A code or ticket. `account`: a row. `detail`: JSON, what a code must be redeemed with.

    `session`: the sid of the session that it was made in.
    """

    organisation: str
    digest: bytes
    kind: str
    client: str
    account: int
    scopes: str
    created: int
    expires: int
    family: str
    detail: str
    session: str | None = None


class OneTimeCredentialVerbs(Verbs):
    @writes
    def add(self, credential: OneTimeCredential) -> Work[None]:
        yield Execute(
            _ADD,
            (
                credential.organisation,
                credential.digest,
                credential.kind,
                credential.client,
                credential.account,
                credential.scopes,
                credential.created,
                credential.expires,
                credential.family,
                credential.detail,
                credential.session,
            ),
        )

    @writes
    def exchange(
        self,
        digest: bytes,
        kind: str,
        check: Callable[[OneTimeCredential], None],
        make: Callable[[OneTimeCredential], list[NewToken]],
        issue: Issue,
    ) -> Work[tuple[OneTimeCredential, str] | None]:
        """Spends a client's code or ticket for the tokens that `make` makes of it; returns it with the account's id.

        None: there is no such credential, or it was spent before. Raises NotActive, and what `check` and `make` raise:
        then nothing changes.
        """
        spent = yield from spend(issue.organisation, digest, kind, issue.client, issue.at, check)
        if spent is None:
            return None
        credential, _ = spent
        account_id = yield from add_tokens(make(credential), issue)
        assert account_id is not None
        return credential, account_id

    @writes
    def remove_expired(self, now: int, at_most: int = 500) -> Work[int]:
        """Removes at most `at_most` that expired and are not recognised any more; returns how many."""
        return len((yield Execute(_REMOVE, (now, at_most))))


def spend(
    organisation: str,
    digest: bytes,
    kind: str,
    client: str,
    now: int,
    check: Callable[[OneTimeCredential], None] | None = None,
) -> Work[tuple[OneTimeCredential, int | None] | None]:
    """Spends a valid credential of this client; returns it and when its session's reader gave a password.

    None: there is none. If it was spent before, its tokens are revoked. Where `check` raises, it is not spent.
    """
    row = first((yield Execute(_LOCK, (organisation, digest))))
    if row is None or row["kind"] != kind or row["client"] != client:
        return None
    credential = OneTimeCredential(
        organisation=organisation,
        digest=digest,
        kind=kind,
        client=client,
        account=row["account"],
        scopes=row["scopes"],
        created=row["created"],
        expires=row["expires"],
        family=row["family"],
        detail=row["detail"],
        session=row["session"],
    )
    if row["spent"] is not None:
        yield from revoke_family(organisation, credential.family)
        return None
    if credential.expires <= now:
        return None
    session = None
    if credential.session is not None:
        session = first((yield Execute(_SESSION, (organisation, credential.session))))
        if session is not None and (session["status"] != LOGGED_IN or session["account"] != credential.account):
            return None
    if check is not None:
        check(credential)
    yield Execute(_SPEND, (organisation, digest, now, now + REMEMBERED_SECONDS))
    return credential, None if session is None else session["authenticated"]
