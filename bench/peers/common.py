"""What the peers agree on: addresses, scopes, tokens and how times and ages are written."""

from __future__ import annotations

import hashlib
import os
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

STOCKHOLM = ZoneInfo("Europe/Stockholm")
ACCOUNT_SCOPE = "/external/account/r"
ME_SCOPE = "/external/me/r"
PREFIX = "/external/api/v1"
IDENTITY_TOKENS = 1000


def database_url() -> str:
    """Return DATABASE_URL: postgresql://… or sqlite:///path."""
    return os.environ["DATABASE_URL"]


def email(number: int) -> str:
    return f"user{number}@example.com"


def identity_token(number: int) -> str:
    """Return the text of a seeded token that stands for account `number`."""
    return hashlib.sha256(f"peer identity token {number}".encode()).hexdigest()[:40]


def client_token() -> str:
    """Return the text of the seeded token that stands for no account."""
    return hashlib.sha256(b"peer client token").hexdigest()[:40]


def token_digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def age(born: date | None) -> int | None:
    if born is None:
        return None
    today = datetime.now(STOCKHOLM).date()
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))


def in_stockholm(timestamp: datetime) -> datetime:
    """Convert a stored time; SQLite gives it back without the zone, which is UTC."""
    return (timestamp if timestamp.tzinfo else timestamp.replace(tzinfo=UTC)).astimezone(STOCKHOLM)
