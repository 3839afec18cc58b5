"""The credential of a user in Keycloak's export of a realm: JSON whose values are JSON again."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from stamkund.identity.imported_hashes.argon2_forms import argon2_check
from stamkund.identity.imported_hashes.form import ImportedHash, base64_bytes, changed, digest_bytes
from stamkund.identity.imported_hashes.pbkdf2_forms import pbkdf2_check, pbkdf2_scheme

_ALGORITHMS = {"pbkdf2": "sha1", "pbkdf2-sha256": "sha256", "pbkdf2-sha512": "sha512"}
_ARGON2_VERSIONS = {"1.0": 16, "1.3": 19}

_Number = Annotated[str, Meta(pattern=r"^[0-9]{1,10}\Z")]


class _Credential(msgspec.Struct, rename="camel"):
    secret_data: str
    credential_data: str


class _Secret(msgspec.Struct):
    value: str
    salt: str


class _Parameters(msgspec.Struct, rename="camel"):
    algorithm: Literal["pbkdf2", "pbkdf2-sha256", "pbkdf2-sha512", "argon2"]
    hash_iterations: Annotated[int, Meta(ge=1, lt=1 << 32)]
    additional_parameters: msgspec.Raw = msgspec.Raw(b"null")


class _Argon2(msgspec.Struct):
    """Every value stands in a list of its own."""

    type: tuple[Literal["id", "i", "d"]]
    version: tuple[Literal["1.0", "1.3"]]
    memory: tuple[_Number]
    parallelism: tuple[_Number]


def parsed(text: str) -> ImportedHash:
    """Raises ValueError or MsgspecError where it is no credential with a password, or a damaged one."""
    credential = msgspec.json.decode(text, type=_Credential)
    secret = msgspec.json.decode(credential.secret_data, type=_Secret)
    parameters = msgspec.json.decode(credential.credential_data, type=_Parameters)
    salt, digest, rounds = base64_bytes(secret.salt), digest_bytes(secret.value), parameters.hash_iterations
    if parameters.algorithm == "argon2":
        argon2 = msgspec.json.decode(parameters.additional_parameters, type=_Argon2)
        (type_,), (version,), (memory,), (parallelism,) = argon2.type, argon2.version, argon2.memory, argon2.parallelism
        numbers = int(memory), rounds, int(parallelism)
        cost, check = argon2_check(type_, _ARGON2_VERSIONS[version], *numbers, salt, digest)
        scheme, kind = "Argon2", f"keycloak argon2{type_} {version} {numbers}"
    else:
        algorithm = _ALGORITHMS[parameters.algorithm]
        cost, check = pbkdf2_check(algorithm, rounds, salt, digest)
        scheme, kind = pbkdf2_scheme(algorithm), f"keycloak {algorithm} {rounds} {len(digest)}"
    other = msgspec.structs.replace(secret, value=changed(secret.value))
    decoy = msgspec.structs.replace(credential, secret_data=msgspec.json.encode(other).decode())
    return ImportedHash(scheme, kind, cost, msgspec.json.encode(decoy).decode(), check)
