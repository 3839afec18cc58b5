"""How an e-mail address is read, wherever one comes in: calls, logins, links, commands and files.

What keyboards and forms leave around an address, and what is copied along with it, is no part of it.
"""

from __future__ import annotations

from stamkund.rules import blanks

MAX_EMAIL_LENGTH = 1024


def trimmed(text: str) -> str:
    """An e-mail without blanks and invisible characters around it. One that is too long stays as it is."""
    return text if len(text) > MAX_EMAIL_LENGTH else blanks.trimmed(text)


def pasted(text: str) -> str:
    """An e-mail from a query or form, which clients in the field write without percent-encoding it.

    There a `+` means a blank. No address has one, so a blank before its `@` was a `+`.
    """
    text = trimmed(text)
    if " " not in text:
        return text
    local_part, at_sign, domain = text.rpartition("@")
    return local_part.replace(" ", "+") + at_sign + domain


def comparable(text: str) -> str:
    """What two e-mails are compared by."""
    return trimmed(text).lower()


def masked(text: str) -> str:
    """An e-mail for people who know whose it is and nobody else: `o***@example.com`."""
    local_part, at_sign, domain = trimmed(text).rpartition("@")
    return f"{local_part[:1]}***{at_sign}{domain}"
