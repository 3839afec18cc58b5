"""The key file, and what it protects: social security numbers, client secrets and the private keys of ID tokens.

Such values are sealed (AES-256-GCM) before they are stored, and looked up by a keyed hash, so that a copy of the
database without the key file reveals none of them. Every key has an id, which is the prefix of the values it sealed:

- new values are sealed with the newest key, stored ones are opened with the key that they name;
- a number is *stored* with a hash for each key in the file and *looked up* by that of the oldest key, so numbers stay
  unique and can be found while `stamkund key reencrypt` seals old data with a new key.

A server that finds an unknown key id reads the file again, so that it learns of a new key without a restart.
"""

from __future__ import annotations

import base64
import hashlib
import os
from pathlib import Path

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


class KeyFileError(Exception):
    """The key file is missing, unreadable or not the right one; the message says what to do."""


class KeyFileExists(KeyFileError):
    """A key file can't be created because there already is one."""


class CannotOpen(KeyFileError):
    """A sealed value can't be opened with the keys in the file."""


class Key(msgspec.Struct, frozen=True):
    """One key of the file. `id`: a number, counted up; `secret`: 32 random bytes, in base64 in the file."""

    id: str
    created: int
    secret: bytes

    def __repr__(self) -> str:
        return f"Key({self.id!r})"


class _KeyFile(msgspec.Struct):
    keys: list[Key]


class _DerivedKeys:
    """The two keys that are derived from one of the file: `cipher` seals, `hash_key` is for keyed hashes."""

    def __init__(self, key: Key) -> None:
        self.id = key.id
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

    def seal(self, text: str, purpose: bytes) -> str:
        """`text` sealed with the newest key. It can only be opened for the same purpose."""
        nonce = os.urandom(12)
        sealed = nonce + self._newest.cipher.encrypt(nonce, text.encode(), purpose)
        return f"{self._newest.id}.{base64.b64encode(sealed).decode()}"

    def open(self, sealed: str, purpose: bytes) -> str:
        """The text that was sealed. Raises CannotOpen."""
        key_id, _, encoded = sealed.partition(".")
        key = self._keys.get(key_id) or self._read_again(key_id)
        try:
            raw = base64.b64decode(encoded)
            return key.cipher.decrypt(raw[:12], raw[12:], purpose).decode()
        except (InvalidTag, ValueError):  # ValueError: no base64, or too short
            raise CannotOpen(
                f"a value sealed with key {key_id} can't be opened: the key file {self.path} is not the one "
                "that this database was written with, or the value was changed"
            ) from None

    def reseal(self, sealed: str, purpose: bytes) -> str:
        """The same text, sealed with the newest key. Raises CannotOpen."""
        return self.seal(self.open(sealed, purpose), purpose)

    def number_lookup_hash(self, ten_digits: str) -> str:
        """The keyed hash that a social security number is looked up by."""
        return self.number_hashes(ten_digits)[0]

    def number_hashes(self, ten_digits: str) -> list[str]:
        """The keyed hashes of a number, oldest key first. All of them are stored; the first is used to look it up."""
        data = ten_digits.encode()
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

    def _read_again(self, key_id: str) -> _DerivedKeys:
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
    return Key(key_id, now, os.urandom(32))


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
