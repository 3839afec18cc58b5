"""Hashes of other systems as templates, with places for what they may cost."""

from __future__ import annotations

import base64
import hashlib

from passlib import hash as kinds
from passlib.utils.binary import h64

from stamkund.identity import imported_hashes
from stamkund.identity.imported_hashes import Secrets
from stamkund.identity.passwords import readings
from tests.support.hashes import (
    BY_FORM,
)

SCRYPT = "$scrypt$ln={},r={},p={}$aM15713r3Xsvxbi31lqr1Q$nFNh2CVHVjNldFVKDHDlm4CbdRSCdEBsjjJxD+iCs5E"
DIGEST = "nFNh2CVHVjNldFVKDHDlm4CbdRSCdEBsjjJxD+iCs5E="
HEX = "9c53" * 16
ARGON2 = "$argon2{}$v=19$m={},t={},p={}$c29tZXNhbHRzb21lc2FsdA$RdescudvJCsgt3ub+b/dWRWJTmaaJObGRdescudvJCs"
BCRYPT = "$2b${:02}$CauCJVLA.NTgR4TsdABCR.vv.gJZW1G6ApYdPUevqxnJYXMPHBYEG"
SALT = "somesaltsome"
PHPASS = "$P${}IQRaTwmfeRo7ud9Fh4E2PdI0S3r.L0"
DRUPAL = "$S${}33783772bRXEx1aCsvY.dqgaaSu76XmVlKrW9Qu8IQlvxHlmzLf"
SHA512_CRYPT = BY_FORM["sha512-crypt"].text.replace("$6$", "$6$rounds={}$")
NO_SECRETS = Secrets()


def pbkdf2(digest: str, rounds: int) -> str:
    return str(getattr(kinds, f"pbkdf2_{digest}").using(rounds=1, salt=SALT.encode()).hash("x")).replace(
        "$1$", f"${rounds}$", 1
    )


def django(digest: str, rounds: int) -> str:
    return str(getattr(kinds, f"django_pbkdf2_{digest}").using(rounds=1, salt=SALT).hash("x")).replace(
        "$1$", f"${rounds}$", 1
    )


def drupal(password: str) -> str:
    """As Drupal's password.inc does it, in the fewest rounds."""
    secret = password.encode()
    made = hashlib.sha512(b"NaClNaCl" + secret).digest()
    for _ in range(1 << 7):
        made = hashlib.sha512(made + secret).digest()
    return f"$S$5NaClNaCl{h64.encode_bytes(made).decode()[:43]}"


def asp_net(function: int, rounds: int, digest_bytes: int = 32) -> str:
    numbers = b"".join(number.to_bytes(4, "big") for number in (function, rounds, 16))
    return base64.b64encode(b"\x01" + numbers + bytes(16) + bytes(range(digest_bytes))).decode()


def keycloak(form: str, **numbers: tuple[int, int]) -> str:
    text = BY_FORM[form].text
    for before, after in numbers.values():
        assert str(before) in text
        text = text.replace(f":{before},", f":{after},").replace(f'\\"{before}\\"', f'\\"{after}\\"')
    return text


def matches(text: str, password: str, secrets: Secrets = NO_SECRETS) -> bool:
    return imported_hashes.matches(text, readings(password), secrets)
