"""The key file, and what it protects: social security numbers, client secrets, the private keys of ID tokens, hashes
of passwords that other systems made, and mails that wait to be sent.

Such values are sealed (AES-256-GCM) before they are stored, and numbers are looked up by a keyed hash, so that a copy
of the database without the key file reveals none of them. A sealed value is bound to its place (`Place`): moved to
another one, it can't be opened. Every key has an id, which is the prefix of the values it sealed:

- new values are sealed with the newest key, stored ones are opened with the key that they name;
- a number is *stored* with a hash for each key in the file and *looked up* by that of the oldest key, so numbers stay
  unique and can be found while `stamkund key reencrypt` seals old data with a new key.

A server that finds an unknown key id reads the file again, so that it learns of a new key without a restart.

Until schema step 7, values were bound to their purpose alone. `open_unbound` and `unbound_number_hashes` are for
binding those (`store/verbs/binding.py`), and for nothing else.
"""

from __future__ import annotations

import base64
import hashlib
import os
from pathlib import Path
from typing import NamedTuple

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

NUMBER = b"social security number"
CLIENT_SECRET = b"client secret"
CHECK = b"key check"
ID_TOKEN_KEY = b"signing key"
LOGIN_RESPONSE = b"login response"
PASSWORD_HASH = b"imported password hash"
MAIL = b"mail"

_BOUND = "b"
"""Stands between key id and content of values that are bound to their place."""


class Place(NamedTuple):
    """Where a sealed value belongs: what it is for, the organisation, and the id of whatever holds it.

    `organisation` is empty for what belongs to the whole installation.
    """

    purpose: bytes
    organisation: str
    owner: str

    @property
    def associated_data(self) -> bytes:
        """The place as bytes, different for any two places."""
        return b"\0".join((self.purpose, self.organisation.encode(), self.owner.encode()))


KEY_CHECK = Place(CHECK, "", "")


class KeyFileError(Exception):
    """The key file is missing, unreadable or not the right one; the message says what to do."""


class KeyFileExists(KeyFileError):
    """A key file can't be created because there already is one."""


class CannotOpen(KeyFileError):
    """A sealed value can't be opened with the keys in the file."""


class Key(msgspec.Struct, frozen=True):
    """One key of the file. `id`: a number, counted up; `secret`: 32 random bytes, in base64 in the file.

    `bound`: every value that this key ever sealed is bound to its place, so no other is opened with it.
    """

    id: str
    created: int
    secret: bytes
    bound: bool = False

    def __repr__(self) -> str:
        return f"Key({self.id!r})"


class _KeyFile(msgspec.Struct):
    keys: list[Key]


class _DerivedKeys:
    """The two keys that are derived from one of the file: `cipher` seals, `hash_key` is for keyed hashes."""

    def __init__(self, key: Key) -> None:
        self.id = key.id
        self.bound = key.bound
        self.cipher = AESGCM(_derive(key.secret, b"stamkund seal"))
        self.hash_key = _derive(key.secret, b"stamkund look-up")


def _derive(secret: bytes, purpose: bytes) -> bytes:
    return HKDFExpand(algorithm=SHA256(), length=32, info=purpose).derive(secret)


class Vault:
    """Seals, opens and hashes with the keys of one key file."""

    def __init__(self, path: Path) -> None:
        """Reads the key file at `path`. Raises KeyFileError."""
        self.path = path
        self._read()

    @classmethod
    def create(cls, path: Path, now: int) -> Vault:
        """Creates a key file with one key, readable only by its owner. Raises KeyFileExists, KeyFileError."""
        _write(path, _KeyFile([_new_key("1", now)]), new=True)
        return cls(path)

    @property
    def key_ids(self) -> list[str]:
        """The ids of all keys, oldest first."""
        return list(self._keys)

    def seal(self, text: str, place: Place) -> str:
        """`text` sealed with the newest key. It can only be opened at the same place."""
        nonce = os.urandom(12)
        sealed = nonce + self._newest.cipher.encrypt(nonce, text.encode(), place.associated_data)
        return f"{self._newest.id}.{_BOUND}.{base64.b64encode(sealed).decode()}"

    def open(self, sealed: str, place: Place) -> str:
        """The text that was sealed at this place. Raises CannotOpen."""
        key_id, _, rest = sealed.partition(".")
        mark, _, encoded = rest.partition(".")
        if mark != _BOUND:
            raise self._cannot_open(key_id)
        return self._decrypted(self._key(key_id), encoded, place.associated_data)

    def reseal(self, sealed: str, place: Place) -> str:
        """The same text, sealed with the newest key. Raises CannotOpen."""
        return self.seal(self.open(sealed, place), place)

    def open_unbound(self, sealed: str, purpose: bytes) -> str:
        """The text of a value that is not bound to its place yet. Raises CannotOpen."""
        key_id, _, encoded = sealed.partition(".")
        key = self._key(key_id)
        if key.bound:
            raise self._cannot_open(key_id)
        return self._decrypted(key, encoded, purpose)

    def _decrypted(self, key: _DerivedKeys, encoded: str, associated_data: bytes) -> str:
        try:
            raw = base64.b64decode(encoded)
            return key.cipher.decrypt(raw[:12], raw[12:], associated_data).decode()
        except (InvalidTag, ValueError):  # ValueError: no base64, or too short
            raise self._cannot_open(key.id) from None

    def _cannot_open(self, key_id: str) -> CannotOpen:
        return CannotOpen(
            f"a value sealed with key {key_id} can't be opened: the key file {self.path} is not the one "
            "that this database was written with, or the value was changed or moved"
        )

    def number_lookup_hash(self, organisation: str, ten_digits: str) -> str:
        """The keyed hash that a social security number is looked up by in an organisation."""
        return self.number_hashes(organisation, ten_digits)[0]

    def number_hashes(self, organisation: str, ten_digits: str) -> list[str]:
        """The keyed hashes of an organisation's number, oldest key first. All are stored; the first is looked up."""
        return self._hashes(f"{organisation}\0{ten_digits}".encode())

    def unbound_number_hashes(self, ten_digits: str) -> list[str]:
        """The hashes under which numbers were stored before they included the organisation."""
        return self._hashes(ten_digits.encode())

    def _hashes(self, data: bytes) -> list[str]:
        return [
            f"{key.id}.{hashlib.blake2b(data, key=key.hash_key, digest_size=16).hexdigest()}"
            for key in self._keys.values()
        ]

    def pseudonym(self, data: bytes) -> str:
        """A keyed hash of what is counted but must not be stored; the same in all processes with this key file."""
        oldest = next(iter(self._keys.values()))
        return hashlib.blake2b(data, key=oldest.hash_key, digest_size=16, person=b"pseudonym").hexdigest()

    def add_key(self, now: int) -> str:
        """Adds a key, which seals new values from now on; returns its id."""
        key = _new_key(str(max(int(k) for k in self._keys) + 1), now)
        _write(self.path, _KeyFile([*self._file.keys, key]), new=False)
        self._read()
        return key.id

    def drop_key(self, key_id: str) -> None:
        """Removes a key that no stored value is sealed with. Raises KeyFileError for the newest or an unknown one."""
        if key_id not in self._keys or key_id == self._newest.id:
            raise KeyFileError(f"key {key_id} is not an older key of {self.path}")
        _write(self.path, _KeyFile([k for k in self._file.keys if k.id != key_id]), new=False)
        self._read()

    def _key(self, key_id: str) -> _DerivedKeys:
        """The key of this id, which another process may have added meanwhile. Raises CannotOpen."""
        if key_id in self._keys:
            return self._keys[key_id]
        self._read()
        if key_id not in self._keys:
            raise CannotOpen(f"the key file {self.path} has no key {key_id}")
        return self._keys[key_id]

    def _read(self) -> None:
        try:
            self._file = msgspec.json.decode(self.path.read_bytes(), type=_KeyFile)
        except OSError as error:
            raise KeyFileError(f"the key file {self.path} cannot be read: {error.strerror}") from None
        except msgspec.DecodeError:
            raise KeyFileError(f"the key file {self.path} is not a Stamkund key file") from None
        if not self._file.keys or any(len(k.secret) != 32 or not k.id.isdigit() for k in self._file.keys):
            raise KeyFileError(f"the key file {self.path} holds no usable key")
        self._keys = {key.id: _DerivedKeys(key) for key in self._file.keys}
        self._newest = self._keys[self._file.keys[-1].id]


def _new_key(key_id: str, now: int) -> Key:
    return Key(key_id, now, os.urandom(32), bound=True)


def _write(path: Path, content: _KeyFile, *, new: bool) -> None:
    """Writes the file atomically: a temporary file, synced, then moved into place."""
    if new and path.exists():
        raise KeyFileExists(f"the key file {path} already exists")
    temporary = path.with_name(f".{path.name}.{os.urandom(6).hex()}")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(msgspec.json.format(msgspec.json.encode(content)) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        if new:
            os.link(temporary, path)  # fails if another process was faster: then its key file is used
            temporary.unlink()
        else:
            temporary.replace(path)
    except FileExistsError:
        temporary.unlink(missing_ok=True)
        raise KeyFileExists(f"the key file {path} already exists") from None
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise KeyFileError(f"the key file {path} cannot be written: {error.strerror}") from None
