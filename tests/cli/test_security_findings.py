"""What `stamkund doctor` finds about secrets at rest, and the modes of the files that we make."""

from __future__ import annotations

import os
import stat
import subprocess
from pathlib import Path

import pytest

from stamkund.cli.findings import FAILED
from stamkund.cli.security_findings import security_findings
from stamkund.settings import Settings
from tests.support.hashes import FIREBASE_KEY, PEPPER
from tests.support.installation import COMMAND, ORGANISATION, Installation, ServerProcess, assert_fails
from tests.support.installation_fixtures import running
from tests.support.rows import rows


def failures(installation: Installation, **settings: object) -> list[str]:
    ended = installation.run("doctor", **settings)
    return [line.removeprefix("FAIL  ") for line in ended.output.splitlines() if line.startswith("FAIL")]


# Files -----------------------------------------------------------------------------------------------------


async def test_the_files_of_a_database_are_their_owners_alone(tmp_path: Path) -> None:
    """Whatever the umask allows; SQLite gives its other files the mode of the first one."""
    installation = Installation(tmp_path, f"sqlite:///{tmp_path / 'stamkund.db'}")
    command = ["sh", "-c", f"umask 0; exec {COMMAND} init --organisation {ORGANISATION}"]
    subprocess.run(command, check=True, cwd=tmp_path, env=installation.environment(), capture_output=True)  # noqa: ASYNC221
    async with running(installation) as (server, _):
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}  # noqa: ASYNC240
        assert modes == dict.fromkeys(("stamkund.db", "stamkund.db-shm", "stamkund.db-wal", "stamkund.key"), 0o600)
        await server.stop()


@pytest.mark.parametrize("name", ["stamkund.db", "stamkund.key"])
@pytest.mark.parametrize("mode", [0o644, 0o640, 0o620, 0o604])
def test_files_that_others_can_read(embedded: Installation, name: str, mode: int) -> None:
    path = embedded.folder / name
    path.chmod(mode)
    what = "database file" if name.endswith("db") else "key file"
    assert failures(embedded) == [f"{what} {path}: others can read it (mode {mode:04o}), run chmod 600 {path}"]


def test_a_settings_file_that_others_can_read(embedded: Installation) -> None:
    """It may hold the password of the database. A group is chosen by the operator."""
    path = embedded.folder / "stamkund.toml"
    path.write_text("workers = 1\n")
    path.chmod(0o644)
    assert failures(embedded) == [
        f"settings file stamkund.toml: others can read it (mode 0644), run chmod o= {path.name}"
    ]
    path.chmod(0o640)
    assert f"settings file {path.name} is readable only by its owner and group" in embedded.do("doctor").output
    moved = path.rename(path.with_name("other.toml"))
    moved.chmod(0o604)
    assert "settings file" in failures(embedded, settings_file=moved)[0]


async def test_secrets_of_earlier_systems_are_printed_by_no_command_and_no_log_line(embedded: Installation) -> None:
    """They are settings like the database's password, in the environment or in a file that others can't read."""
    path = embedded.folder / "stamkund.toml"
    path.write_text(f'firebase_signer_key = "{FIREBASE_KEY}"\nimported_bcrypt_pepper = "{PEPPER}"\n')
    path.chmod(0o644)
    assert "settings file" in failures(embedded)[0], "others can read it"
    path.chmod(0o600)
    async with ServerProcess(embedded, log_level="debug", workers=2) as server:
        output = embedded.do("doctor").output
        await server.stop()
    output += server.log
    assert "settings file" in output and '"level":"info"' in output
    assert FIREBASE_KEY not in output and PEPPER not in output


async def test_a_copy_is_whole_and_its_owners_alone(embedded: Installation) -> None:
    copy = embedded.folder / "copy.db"
    async with running(embedded) as (server, _):  # what is in the WAL is copied too
        command = ["sh", "-c", f"umask 0; exec {COMMAND} backup {copy}"]
        subprocess.run(command, check=True, cwd=embedded.folder, env=embedded.environment(), capture_output=True)  # noqa: ASYNC221
        await server.stop()
    assert {path.name for path in embedded.folder.glob("copy*")} == {"copy.db"}
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    for table in ("tokens", "clients", "organisations"):
        statement = f"SELECT * FROM {table}"
        assert await rows(f"sqlite:///{copy}", statement) == await rows(embedded.database_url, statement) != []


def test_a_copy_that_can_not_be_made(embedded: Installation) -> None:
    there = embedded.folder / "there.db"
    there.write_text("mine")
    assert_fails(embedded.run("backup", str(there)), "already exists")
    assert there.read_text() == "mine"
    assert_fails(embedded.run("backup", "no/such/folder/a.db"), "cannot write")
    assert_fails(embedded.run("backup", "a.db", database_url="postgresql://127.0.0.1/x"), "pg_dump")
    assert_fails(embedded.run("backup", "a.db", database_url="sqlite:///none.db"), "there is no database none.db")
    assert not (embedded.folder / "none.db").exists()


# Hashing ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("passes", "memory", "is_enough"),
    [
        (2, 19_456, True),
        (2, 19_455, False),
        (1, 47_104, True),
        (1, 19_456, False),
        (3, 12_288, True),
        (5, 7_168, True),
        (9, 7_168, True),
        (9, 7_167, False),
        (1, 8, False),
    ],
)
def test_argon2_below_what_owasp_asks_for(passes: int, memory: int, is_enough: bool) -> None:
    settings = Settings(
        argon2_passes=passes, argon2_memory_kib=memory, key_file="/none", database_url="sqlite:////none"
    )
    (finding,) = security_findings(settings)
    assert (finding[0] is not FAILED) == is_enough


# TLS -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:p@db.example.com/x",
        "postgresql://u:p@db.example.com:5432/x?sslmode=prefer",
        "postgresql://u:p@db.example.com/x?sslmode=allow",
        "postgresql://u:p@db.example.com/x?sslmode=disable",
        "postgresql://u:p@10.1.2.3/x",
        "postgresql://u:p@[2001:db8::1]:5432/x",
        "postgresql://u:p@127.0.0.1:5432,db.example.com:5432/x",
        "postgresql://u@/x?host=db.example.com",
        "postgres://u:p@localhost.example.com/x",
    ],
)
def test_a_connection_to_another_host_that_may_be_unencrypted(url: str) -> None:
    assert [state for state, message in tls_findings(url)] == [FAILED]
    assert "p@" not in tls_findings(url)[0][1]
    assert tls_findings("postgresql://localhost/x", migrate=url) == tls_findings(url)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:p@db.example.com/x?sslmode=require",
        "postgresql://u:p@db.example.com/x?sslmode=verify-ca",
        "postgresql://u:p@db.example.com/x?application_name=a&sslmode=verify-full",
    ],
)
def test_a_connection_that_is_encrypted(url: str) -> None:
    assert [state for state, _ in tls_findings(url)] == [True]


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:p@localhost/x",
        "postgresql://u:p@127.0.0.1:5432/x",
        "postgresql://u:p@[::1]/x",
        "postgresql:///x",
        "postgresql://u@/x?host=/var/run/postgresql",
        "sqlite:///x.db",
    ],
)
def test_a_database_on_this_machine_needs_no_encryption(url: str) -> None:
    assert tls_findings(url) == []


def test_the_mode_may_stand_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGSSLMODE", "verify-full")
    assert [state for state, _ in tls_findings("postgresql://db.example.com/x")] == [True]


def tls_findings(url: str, migrate: str = "") -> list[tuple[bool | None, str]]:
    settings = Settings(database_url=url, migrate_database_url=migrate, key_file="/none")
    return [(state, message) for state, message in security_findings(settings) if "PostgreSQL" in message]


# Certificates ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["verify-ca", "verify-full"])
def test_a_verified_connection_without_a_root_certificate_says_so(tmp_path: Path, mode: str) -> None:
    """And not that the URL is wrong."""
    home = {"home": str(tmp_path)}
    url = f"postgresql://u:S3cret-word@127.0.0.1:1/x?sslmode={mode}"
    ended = serve_at(tmp_path, url, **home)
    assert f"{mode} needs the certificate of the authority" in ended.stderr
    assert f"there is none in {tmp_path}/.postgresql/root.crt" in ended.stderr
    named = serve_at(tmp_path, f"{url}&sslrootcert={tmp_path}/missing.crt", **home)
    assert (
        f"the file {tmp_path}/missing.crt, which is sslrootcert of the database URL, cannot be read: No such"
        in named.stderr
    )
    (tmp_path / "none.crt").write_text("no certificate")
    empty = serve_at(tmp_path, f"{url}&sslrootcert={tmp_path}/none.crt", **home)
    assert f"the file {tmp_path}/none.crt holds no certificate" in empty.stderr
    for one in (ended, named, empty):
        assert one.returncode == 2 and "S3cret-word" not in one.stderr and "Traceback" not in one.stderr


def serve_at(folder: Path, url: str, home: str) -> subprocess.CompletedProcess[str]:
    environment = {**Installation(folder, url).environment(), "HOME": home}
    return subprocess.run(
        [COMMAND, "serve", "--port", "0"], check=False, cwd=folder, env=environment, capture_output=True, text=True
    )


def test_other_files_for_tls_are_named_too(tmp_path: Path) -> None:
    url = f"postgresql://127.0.0.1:1/x?sslmode=require&sslcert={tmp_path}/client.crt&sslkey={os.devnull}"
    assert "client.crt, which is sslcert of the database URL" in serve_at(tmp_path, url, str(tmp_path)).stderr
