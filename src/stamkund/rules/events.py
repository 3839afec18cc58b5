"""The closed vocabulary of what is recorded: events of the audit, and events that are published to other systems.

`store/verbs/events.py` writes them, in the transaction of the change itself. An event's name is used nowhere
as a bare string.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class AuditEvent(StrEnum):
    """What the audit can say. `detail` of an entry: in brackets."""

    ACCOUNT_CREATED = "account_created"
    """A client made an account."""
    ACCOUNT_CHANGED = "account_changed"
    """A client, or the reader, changed an account (the names of the fields)."""
    ACCOUNT_ACTIVATED = "account_activated"
    """An account candidate became an account."""
    ACCOUNT_MOVED = "account_moved"
    """An operator made an account that of another customer."""
    CLIENT_SECRET_REFUSED = "client_secret_refused"  # noqa: S105
    """A client's secret was wrong (how often in this hour: the 1st, 10th, 100th … time is recorded)."""
    CATALOGUE_REPLACED = "catalogue_replaced"
    """An import replaced the catalogue (`version N`)."""
    MAIL_TEMPLATES_CHANGED = "mail_templates_changed"
    """An operator changed templates of mails (how many were imported or removed)."""
    LOGIN_SUCCEEDED = "login_succeeded"
    """Right e-mail and password (the channel)."""
    LOGIN_REFUSED = "login_refused"
    """A login attempt was refused (the outcome: `failed` or `frozen`)."""
    LOGIN_FROZEN = "login_frozen"
    """Too many failed attempts locked a login."""
    LOGIN_UNFROZEN = "login_unfrozen"
    """An operator lifted a lockout."""
    LIMIT_REACHED = "limit_reached"
    """A limit refused somebody for the first time in its minute or hour (which)."""
    LOGGED_IN = "logged_in"
    """A session got its reader (why it is a new one: `another browser`, `unknown session`)."""
    LOGGED_OUT = "logged_out"
    """A session was ended for all sites."""
    SESSIONS_ENDED = "sessions_ended"
    """All sessions and tokens of an account were ended (how many sessions)."""
    ACCOUNT_STATUS_CHANGED = "account_status_changed"
    """An account got another status (which)."""
    ACCOUNT_LOGIN_CHANGED = "account_login_changed"
    """Logging in to an account was disabled or enabled (which)."""
    TOKEN_ISSUED = "token_issued"  # noqa: S105
    """A client got tokens by a login or for itself (the grant); refreshing them has no entry."""
    TOKEN_REFUSED = "token_refused"  # noqa: S105
    """A client was refused tokens (OAuth's error code)."""
    TOKEN_REVOKED = "token_revoked"  # noqa: S105
    """A client revoked a token (its kind)."""
    TOKEN_REUSED = "token_reused"  # noqa: S105
    """A refresh token came again after it had been replaced, and its family was revoked (the grant)."""


class OutboxEvent(StrEnum):
    """What is published to other systems; the names are those of Payway's documentation."""

    ACCOUNT_ACTIVATED = "account_activated_for_existing_customer"
    NEW_ACCOUNT_REGISTERED = "new_account_registered"
    ACCOUNT_CHANGED = "account_changed"


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One line of the audit: ids and addresses alone, never an e-mail or a name. `at`: seconds since 1970, UTC.

    `client`: a client's id, or the name of a part of ours that acted, such as `login_page`. `account`: the id of the
    account, or of the customer who has none yet. `address`: the visitor's, of a login attempt. None where nobody of
    that kind took part, or the address is not known.
    """

    organisation: str
    at: int
    event: AuditEvent
    client: str | None = None
    account: str | None = None
    detail: str | None = None
    address: str | None = None


Admit = Callable[[AuditEntry], bool]
"""Whether the audit has room for an entry, which is then counted. Any thread may ask."""


def admit_all(_: AuditEntry) -> bool:
    return True
