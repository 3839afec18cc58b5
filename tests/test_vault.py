"""The vault: what it sealed it opens, and nothing else; key files that are missing, damaged or not writable."""

from __future__ import annotations

import base64
import os
import stat
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from stamkund.vault import CLIENT_SECRET, NUMBER, CannotOpen, KeyFileError, KeyFileExists, Place, Vault, _derive
from tests.support.service import NOW

SITE = Place(CLIENT_SECRET, "north", "site")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "stamkund.key"


@pytest.fixture
def vault(path: Path) -> Vault:
    return Vault.create(path, NOW)


@pytest.mark.parametrize(
    "place",
    [
        Place(NUMBER, "north", "site"),
        Place(CLIENT_SECRET, "south", "site"),
        Place(CLIENT_SECRET, "north", "other"),
        Place(CLIENT_SECRET, "", "site"),
        Place(CLIENT_SECRET, "north", ""),
        Place(CLIENT_SECRET, "norths", "ite"),
    ],
)
def test_a_sealed_value_is_opened_at_its_place_alone(vault: Vault, place: Place) -> None:
    sealed = vault.seal("hemligt å", SITE)
    assert vault.open(sealed, SITE) == "hemligt å"
    assert "hemligt" not in sealed and sealed != vault.seal("hemligt å", SITE)
    with pytest.raises(CannotOpen, match="was changed or moved"):
        vault.open(sealed, place)


def test_a_value_that_is_not_bound_is_opened_only_to_be_bound(vault: Vault, path: Path) -> None:
    sealed = unbound(path, "secret", CLIENT_SECRET)
    with pytest.raises(CannotOpen):
        vault.open(sealed, SITE)
    with pytest.raises(CannotOpen):
        vault.open_unbound(sealed, CLIENT_SECRET)  # its key is newer than that: somebody made it up
    earlier_version(path)
    assert Vault(path).open_unbound(sealed, CLIENT_SECRET) == "secret"
    with pytest.raises(CannotOpen):
        Vault(path).open_unbound(sealed, NUMBER)
    with pytest.raises(CannotOpen):
        Vault(path).open_unbound(vault.seal("secret", SITE), CLIENT_SECRET)


@pytest.mark.parametrize("place", [2, 4, 10, 20, -5])
def test_a_value_that_was_changed_is_not_opened(vault: Vault, place: int) -> None:
    sealed = vault.seal("secret", SITE)
    other = "A" if sealed[place] != "A" else "B"
    changed = sealed[:place] + other + sealed[place + 1 :]
    with pytest.raises(CannotOpen):
        vault.open(changed, SITE)


@pytest.mark.parametrize(
    "damaged", ["", "1", "1.", "1.AAAA", "1.b", "1.b.", "1.b.AAAA", "1.b.A", "1.b.!", "1.b.é", "x.b.AAAA", "2.b.AAAA"]
)
def test_what_is_no_sealed_value_is_not_opened(vault: Vault, damaged: str) -> None:
    with pytest.raises(CannotOpen):
        vault.open(damaged, SITE)


def test_a_new_key_seals_and_the_old_one_still_opens(vault: Vault) -> None:
    old = vault.seal("secret", SITE)
    assert vault.add_key(NOW) == "2" and vault.key_ids == ["1", "2"]
    assert vault.open(old, SITE) == "secret"
    new = vault.reseal(old, SITE)
    assert new.startswith("2.")
    vault.drop_key("1")
    assert vault.open(new, SITE) == "secret"
    with pytest.raises(CannotOpen, match="has no key 1"):
        vault.open(old, SITE)


def test_a_key_that_another_process_added_is_read(vault: Vault, path: Path) -> None:
    other = Vault(path)
    other.add_key(NOW)
    assert vault.open(other.seal("secret", SITE), SITE) == "secret"


def test_hashes_are_those_of_each_key_and_organisation(vault: Vault) -> None:
    before, pseudonym = vault.number_hashes("north", "620817-9256"), vault.pseudonym(b"a")
    assert before != vault.number_hashes("south", "620817-9256")
    assert before != vault.unbound_number_hashes("620817-9256")
    vault.add_key(NOW)
    after = vault.number_hashes("north", "620817-9256")
    assert after[:1] == before == [vault.number_lookup_hash("north", "620817-9256")] and len(after) == 2
    assert vault.pseudonym(b"a") == pseudonym != vault.pseudonym(b"b")


@pytest.mark.parametrize("key_id", ["2", "3", ""])
def test_neither_the_newest_nor_an_unknown_key_is_dropped(vault: Vault, key_id: str) -> None:
    vault.add_key(NOW)
    with pytest.raises(KeyFileError, match="is not an older key"):
        vault.drop_key(key_id)


def test_a_key_file_is_its_owners_alone_and_never_overwritten(vault: Vault, path: Path) -> None:
    before = path.read_bytes()
    with pytest.raises(KeyFileExists):
        Vault.create(path, NOW)
    assert path.read_bytes() == before and stat.S_IMODE(path.stat().st_mode) == 0o600
    assert os.listdir(path.parent) == [path.name], "no temporary file is left"


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "is not a Stamkund key file"),
        (b"{}", "is not a Stamkund key file"),
        (b'{"keys": []}', "holds no usable key"),
        (b'{"keys": [{"id": "1", "created": 0, "secret": "AAAA"}]}', "holds no usable key"),
        (b'{"keys": [{"id": "x", "created": 0, "secret": "%s="}]}' % (b"A" * 43), "holds no usable key"),
    ],
)
def test_a_file_that_is_no_key_file(path: Path, content: bytes, sentence: str) -> None:
    path.write_bytes(content)
    with pytest.raises(KeyFileError, match=sentence):
        Vault(path)


def test_a_key_file_that_can_not_be_read_or_written(tmp_path: Path) -> None:
    with pytest.raises(KeyFileError, match="cannot be read"):
        Vault(tmp_path)
    with pytest.raises(KeyFileError, match="cannot be written"):
        Vault.create(tmp_path / "none" / "stamkund.key", NOW)


def test_keys_print_as_nothing(vault: Vault, path: Path) -> None:
    assert "secret" not in repr(vault._file.keys) and repr(vault._file.keys[0]) == "Key('1')"


def unbound(path: Path, text: str, purpose: bytes) -> str:
    """A value as versions before schema step 7 sealed it."""
    secret = msgspec.json.decode(path.read_bytes())["keys"][0]["secret"]
    nonce = os.urandom(12)
    cipher = AESGCM(_derive(base64.b64decode(secret), b"stamkund seal"))
    return f"1.{base64.b64encode(nonce + cipher.encrypt(nonce, text.encode(), purpose)).decode()}"


def earlier_version(path: Path) -> None:
    """Makes of a key file one that versions before schema step 7 made."""
    content = msgspec.json.decode(path.read_bytes())
    path.write_bytes(msgspec.json.encode({"keys": [{**key, "bound": False} for key in content["keys"]]}))
