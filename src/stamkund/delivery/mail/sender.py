"""What any sender of mails does, and what it says of a message: accepted, refused for good, or to be tried again."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from stamkund.delivery.mail.message import Message


class Fate(Enum):
    """What became of one attempt."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    """For good: trying again would be no use."""
    FAILED = "failed"
    """This message, for now: others may go through."""
    SERVER_FAILED = "server failed"
    """The server takes no message at the moment, or can't be reached."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """What became of one attempt, and why: a code of SMTP or a sentence of ours, never what a server said."""

    fate: Fate
    reason: str = ""


ACCEPTED = Attempt(Fate.ACCEPTED)


class MailSender(Protocol):
    """Takes messages one after the other. It bounds the time of each, and raises nothing but CancelledError."""

    async def send(self, message: Message) -> Attempt: ...

    async def close(self) -> None:
        """Ends what is open for now; the next message opens it again."""
