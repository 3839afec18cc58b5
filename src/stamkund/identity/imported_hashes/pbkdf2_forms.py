"""PBKDF2, with its parameters as each system writes them, or as it has them in its code."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable

from stamkund.identity.imported_hashes import limits
from stamkund.identity.imported_hashes.form import (
    Check,
    ImportedHash,
    base64_bytes,
    check_by,
    decoy_of,
    digest_bytes,
    form,
    sized,
)

_B64 = r"[A-Za-z0-9+/._-]"
_DIGEST = r"sha(?:1|224|256|384|512)"
_LIBPASS = (
    rf"(?P<kind>\$pbkdf2(?:-(?P<algorithm>sha256|sha512))?\$(?P<rounds>\d{{1,10}}))"
    rf"\$(?P<salt>{_B64}*)\$(?P<digest>{_B64}+)"
)
_LDAP = (
    rf"(?P<kind>\{{PBKDF2(?:-(?P<algorithm>SHA1|SHA256|SHA512))?\}}(?P<rounds>\d{{1,10}}))"
    rf"\$(?P<salt>{_B64}*)\$(?P<digest>{_B64}+)"
)
_KRATOS = (
    rf"\$pbkdf2-(?P<algorithm>{_DIGEST})\$i=(?P<rounds>\d{{1,10}}),l=\d{{1,4}}"
    rf"\$(?P<salt>{_B64}*=*)\$(?P<digest>{_B64}+=*)"
)
_DJANGO = (
    r"(?P<kind>pbkdf2_(?P<algorithm>sha1|sha256)\$(?P<rounds>\d{1,10}))\$(?P<salt>[^$]*)\$(?P<digest>[A-Za-z0-9+/]+=*)"
)
_WERKZEUG = (
    rf"(?P<kind>pbkdf2:(?P<algorithm>{_DIGEST}):(?P<rounds>\d{{1,10}}))\$(?P<salt>[^$]*)\$(?P<digest>[0-9a-fA-F]+)"
)
_ATLASSIAN = r"(?P<kind>\{PKCS5S2\})(?P<digest>[A-Za-z0-9+/]{64})"
_SPRING = r"(?P<kind>\{pbkdf2\})(?P<digest>[0-9a-fA-F]{80})"
_SPRING_5_8 = r"(?P<kind>\{pbkdf2@SpringSecurity_v5_8\})(?P<digest>[0-9a-fA-F]{96})"
_ASP_NET = r"(?P<digest>A(?:[A-P]|QAAAA)[A-Za-z0-9+/]{50,}={0,2})"

_ASP_NET_ALGORITHMS = {0: "sha1", 1: "sha256", 2: "sha512"}
_ASP_NET_2_BYTES, _ASP_NET_3_HEAD = 49, 13


def pbkdf2_check(algorithm: str, rounds: int, salt: bytes, digest: bytes) -> tuple[limits.Cost, Check]:
    """What it costs, and the check. Raises ValueError where there are no such parameters."""
    if rounds < 1:
        raise ValueError("no rounds")

    def computed(secret: bytes) -> bytes:
        return hashlib.pbkdf2_hmac(algorithm, secret, salt, rounds, len(digest))

    return limits.pbkdf2(algorithm, rounds, len(digest)), check_by(computed, digest)


def pbkdf2_scheme(algorithm: str) -> str:
    return f"PBKDF2-{algorithm.upper()}"


def _imported(match: re.Match[str], kind: str, algorithm: str, rounds: int, salt: bytes, digest: bytes) -> ImportedHash:
    cost, check = pbkdf2_check(algorithm, rounds, salt, digest)
    return ImportedHash(pbkdf2_scheme(algorithm), kind, cost, decoy_of(match), check)


def _of_one_block(
    decode_salt: Callable[[str], bytes], decode_digest: Callable[[str], bytes]
) -> Callable[[re.Match[str]], ImportedHash]:
    """Forms whose digest is as long as that of their algorithm."""

    def build(match: re.Match[str]) -> ImportedHash:
        algorithm = (match["algorithm"] or "sha1").lower()
        digest = sized(decode_digest(match["digest"]), algorithm)
        salt = decode_salt(match["salt"])
        return _imported(match, match["kind"], algorithm, int(match["rounds"]), salt, digest)

    return build


def _kratos(match: re.Match[str]) -> ImportedHash:
    digest, rounds = digest_bytes(match["digest"]), int(match["rounds"])
    kind = f"pbkdf2 {match['algorithm']} {rounds} {len(digest)}"
    return _imported(match, kind, match["algorithm"], rounds, base64_bytes(match["salt"]), digest)


def _atlassian(match: re.Match[str]) -> ImportedHash:
    made = base64_bytes(match["digest"])
    return _imported(match, match["kind"], "sha1", 10_000, made[:16], made[16:])


def _spring(match: re.Match[str]) -> ImportedHash:
    """Spring's defaults up to 5.7, which the prefix stands for."""
    made = bytes.fromhex(match["digest"])
    return _imported(match, match["kind"], "sha1", 185_000, made[:8], made[8:])


def _spring_5_8(match: re.Match[str]) -> ImportedHash:
    made = bytes.fromhex(match["digest"])
    return _imported(match, match["kind"], "sha256", 310_000, made[:16], made[16:])


def _asp_net(match: re.Match[str]) -> ImportedHash:
    """ASP.NET Identity: the first byte is 0 for version 2, and 1 for version 3, whose parameters follow."""
    made = base64_bytes(match["digest"])
    if made[0] == 0 and len(made) == _ASP_NET_2_BYTES:
        return _imported(match, "ASP.NET 2", "sha1", 1_000, made[1:17], made[17:])
    function, rounds, salt_length = (int.from_bytes(made[start : start + 4], "big") for start in (1, 5, 9))
    salt, digest = made[_ASP_NET_3_HEAD : _ASP_NET_3_HEAD + salt_length], made[_ASP_NET_3_HEAD + salt_length :]
    if made[0] != 1 or function not in _ASP_NET_ALGORITHMS or min(len(salt), len(digest)) < 16:
        raise ValueError("of no version")
    kind = f"ASP.NET 3 {function} {rounds} {len(digest)}"
    return _imported(match, kind, _ASP_NET_ALGORITHMS[function], rounds, salt, digest)


FORMS = (
    form("$pbkdf2", _LIBPASS, _of_one_block(base64_bytes, base64_bytes)),
    form("$pbkdf2", _KRATOS, _kratos),
    form("pbkdf2_", _DJANGO, _of_one_block(str.encode, base64_bytes)),
    form("pbkdf2:", _WERKZEUG, _of_one_block(str.encode, bytes.fromhex)),
    form("{", _LDAP, _of_one_block(base64_bytes, base64_bytes)),
    form("{", _ATLASSIAN, _atlassian),
    form("{", _SPRING, _spring),
    form("{", _SPRING_5_8, _spring_5_8),
    form("A", _ASP_NET, _asp_net),
)
