"""scrypt, with its parameters as each system writes them, and what Firebase makes of it."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Sequence

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from stamkund.identity.imported_hashes import limits
from stamkund.identity.imported_hashes.form import (
    Check,
    FirebaseProject,
    ImportedHash,
    Secrets,
    base64_bytes,
    check_by,
    decoy_of,
    digest_bytes,
    form,
)
from stamkund.identity.imported_hashes.libpass import check_with, parsed_with

_B64 = r"[A-Za-z0-9+/._-]"
_PHC = (
    rf"(?P<kind>\$scrypt\$ln=(?P<cost>\d{{1,10}}),r=(?P<block>\d{{1,8}}),p=(?P<lanes>\d{{1,8}}))"
    rf"\$(?P<salt>{_B64}*=*)\$(?P<digest>{_B64}+=*)"
)
_DJANGO = (
    r"scrypt\$(?P<n>\d{1,10})\$(?P<salt>[^$]*)\$(?P<block>\d{1,8})\$(?P<lanes>\d{1,8})\$(?P<digest>[A-Za-z0-9+/]+=*)"
)
_WERKZEUG = (
    r"scrypt:(?P<n>\d{1,10}):(?P<block>\d{1,8}):(?P<lanes>\d{1,8})"
    r"\$(?P<salt>[^$]*)\$(?P<digest>(?:[0-9a-fA-F]{2}){16,})"
)
_SPRING = rf"(?P<kind>\$(?P<parameters>[0-9a-f]{{5,8}}))\$(?P<salt>{_B64}+=*)\$(?P<digest>{_B64}+=*)"
_TARSNAP = r"(?P<kind>\$7\$[./0-9A-Za-z]{11})[^$]*\$(?P<digest>[./0-9A-Za-z]{43})"
_FIREBASE = (
    rf"(?P<kind>\$firescrypt\$ln=(?P<cost>\d{{1,3}}),r=(?P<block>\d{{1,8}}),p=(?P<lanes>\d{{1,8}}))"
    rf"\$(?P<salt>{_B64}*=*)\$(?P<digest>{_B64}+=*)\$(?P<separator>{_B64}*=*)\$(?P<key>{_B64}+=*)"
)
_FIREBASE_BY_SETTING = rf"(?P<kind>\$firescrypt)\$(?P<salt>{_B64}*=*)\$(?P<digest>{_B64}+=*)"
_LARGEST_EXPONENT = 31
"""Ory Kratos writes the cost itself where others write its exponent; a cost as small as an exponent is used nowhere."""


def _exponent(cost: int) -> int:
    """Of a power of two. Raises ValueError."""
    if cost < 2 or cost & (cost - 1):
        raise ValueError("no power of two")
    return cost.bit_length() - 1


def _scrypt(secret: bytes, salt: bytes, cost: int, block: int, lanes: int, length: int) -> bytes:
    return hashlib.scrypt(
        secret, salt=salt, n=1 << cost, r=block, p=lanes, dklen=length, maxmem=limits.MAX_BYTES + 2 * limits.MIB
    )


def _cost(cost: int, block: int, lanes: int) -> limits.Cost:
    """Raises ValueError where scrypt knows no such parameters."""
    if block < 1 or lanes < 1 or not 1 <= cost < 16 * block:
        raise ValueError("no such parameters")
    return limits.scrypt(cost, block, lanes)


def _imported(
    match: re.Match[str], kind: str, parameters: tuple[int, int, int], salt: bytes, digest: bytes
) -> ImportedHash:
    def computed(secret: bytes) -> bytes:
        return _scrypt(secret, salt, *parameters, len(digest))

    return ImportedHash("scrypt", kind, _cost(*parameters), decoy_of(match), check_by(computed, digest))


def _phc(match: re.Match[str]) -> ImportedHash:
    cost = int(match["cost"])
    if cost > _LARGEST_EXPONENT:
        cost = _exponent(cost)
    parameters = cost, int(match["block"]), int(match["lanes"])
    return _imported(match, match["kind"], parameters, base64_bytes(match["salt"]), digest_bytes(match["digest"]))


def _django(match: re.Match[str]) -> ImportedHash:
    parameters = _exponent(int(match["n"])), int(match["block"]), int(match["lanes"])
    kind = f"scrypt {parameters}"
    return _imported(match, kind, parameters, match["salt"].encode(), digest_bytes(match["digest"]))


def _werkzeug(match: re.Match[str]) -> ImportedHash:
    parameters = _exponent(int(match["n"])), int(match["block"]), int(match["lanes"])
    kind = f"scrypt {parameters}"
    return _imported(match, kind, parameters, match["salt"].encode(), bytes.fromhex(match["digest"]))


def _spring(match: re.Match[str]) -> ImportedHash:
    """One hexadecimal number holds the exponent, the block size and the lanes."""
    packed = int(match["parameters"], 16)
    parameters = packed >> 16, packed >> 8 & 0xFF, packed & 0xFF
    return _imported(match, match["kind"], parameters, base64_bytes(match["salt"]), digest_bytes(match["digest"]))


def _tarsnap(match: re.Match[str]) -> ImportedHash:
    made = parsed_with("scrypt", match.string)
    cost = _cost(made.rounds, made.block_size, made.parallelism)
    return ImportedHash("scrypt", match["kind"], cost, decoy_of(match), check_with("scrypt", match.string))


def _firebase(match: re.Match[str]) -> ImportedHash:
    """With all that the project keeps, as Ory Kratos writes it."""
    parameters = int(match["cost"]), int(match["block"]), int(match["lanes"])
    project = FirebaseProject(base64_bytes(match["key"]), base64_bytes(match["separator"]), *parameters[1::-1])
    check = _firebase_check(base64_bytes(match["salt"]), digest_bytes(match["digest"]), project, parameters[2])
    return ImportedHash("Firebase scrypt", match["kind"], _cost(*parameters), decoy_of(match), check)


def _firebase_by_setting(match: re.Match[str]) -> ImportedHash:
    """Salt and hash alone, as Firebase exports them. What the settings allow is affordable."""
    check = _firebase_check(base64_bytes(match["salt"]), digest_bytes(match["digest"]), None, 1)
    cost = limits.Cost(is_affordable=True, is_weak=True)  # N = 2^14 or less, with 8 and 1
    return ImportedHash("Firebase scrypt", match["kind"], cost, decoy_of(match), check, needs_firebase=True)


def _firebase_check(salt: bytes, digest: bytes, own: FirebaseProject | None, lanes: int) -> Check:
    def check(readings: Sequence[bytes], secrets: Secrets) -> bool:
        project = own or secrets.firebase
        if project is None:
            return False
        return any(hmac.compare_digest(_firebase_digest(reading, salt, project, lanes), digest) for reading in readings)

    return check


def _firebase_digest(secret: bytes, salt: bytes, project: FirebaseProject, lanes: int) -> bytes:
    """The project's signer key, encrypted with a key that scrypt makes of the password."""
    key = _scrypt(secret, salt + project.salt_separator, project.memory_cost, project.rounds, lanes, 32)
    encryptor = Cipher(algorithms.AES(key), modes.CTR(bytes(16))).encryptor()
    return encryptor.update(project.signer_key) + encryptor.finalize()


FORMS = (
    form("$scrypt$", _PHC, _phc),
    form("scrypt$", _DJANGO, _django),
    form("scrypt:", _WERKZEUG, _werkzeug),
    form("$7$", _TARSNAP, _tarsnap),
    form("$firescrypt$", _FIREBASE, _firebase),
    form("$firescrypt$", _FIREBASE_BY_SETTING, _firebase_by_setting),
)
SPRING = form("$", _SPRING, _spring)
"""Only after Spring's prefix: by itself it says nothing of scrypt."""
