"""When a mail is tried again, and until when."""

from __future__ import annotations

import pytest

from stamkund.rules.emails import masked
from stamkund.rules.mail import (
    DELIVERY_SECONDS,
    LONGEST_RETRY_SECONDS,
    VALUES,
    Mail,
    MailPurpose,
    PasswordReset,
    retry_at,
)

RESET = PasswordReset("https://login.example.com", 0)


def test_the_first_retry_is_soon_and_the_others_are_rarer() -> None:
    pauses = [retry_at(attempt, 1000) - 1000 for attempt in range(1, 60)]
    assert pauses[0] <= 40 and pauses == sorted(pauses) and pauses[-1] == LONGEST_RETRY_SECONDS


@pytest.mark.parametrize(("ends", "expires"), [(None, DELIVERY_SECONDS), (60, 60), (10**9, DELIVERY_SECONDS)])
def test_a_mail_is_tried_for_two_days_or_until_its_code_ends(ends: int | None, expires: int) -> None:
    assert Mail("herald", "a" * 24, "ove@example.com", RESET, ends=ends).expires(0) == expires


def test_every_purpose_has_its_values() -> None:
    assert set(VALUES) == set(MailPurpose)
    assert all(kind.__struct_config__.tag == purpose.value for purpose, kind in VALUES.items())


@pytest.mark.parametrize(
    ("email", "masked_email"),
    [("ove.ovesson@example.com", "o***@example.com"), ("o@example.com", "o***@example.com"), ("", "***")],
)
def test_a_masked_email_does_not_say_whose_it_is(email: str, masked_email: str) -> None:
    assert masked(email) == masked_email
