"""What `stamkund doctor` finds about secrets at rest: who can read our files, how passwords are hashed, and TLS."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from stamkund.cli.findings import FAILED, Finding
from stamkund.rules.addresses import is_loopback
from stamkund.settings import Settings, file_in_force

_OTHERS, _GROUP_AND_OTHERS = 0o007, 0o077
# OWASP's Password Storage Cheat Sheet (2025): the least memory, in KiB, for each number of passes.
_OWASP_MEMORY = {1: 47_104, 2: 19_456, 3: 12_288, 4: 9_216, 5: 7_168}
_ENCRYPTED_MODES = ("require", "verify-ca", "verify-full")


def security_findings(settings: Settings) -> Iterator[Finding]:
    yield from _files(settings)
    yield _hashing(settings)
    yield from _tls(settings.database_url)
    if settings.migrate_database_url:
        yield from _tls(settings.migrate_database_url)


def _files(settings: Settings) -> Iterator[Finding]:
    """Who can read the key file, the database and the settings, which may hold the database's password."""
    yield from _file("key file", Path(settings.key_file), _GROUP_AND_OTHERS)
    if settings.sqlite:
        file = settings.sqlite_file
        for path in (file, file.with_name(f"{file.name}-wal"), file.with_name(f"{file.name}-shm")):
            yield from _file("database file", path, _GROUP_AND_OTHERS)
    if settings.smtp_password_file:
        yield from _file("password file of the mail server", Path(settings.smtp_password_file), _GROUP_AND_OTHERS)
    settings_file = file_in_force(os.environ)
    if settings_file is not None:
        yield from _file("settings file", settings_file, _OTHERS)


def _file(what: str, path: Path, forbidden: int) -> Iterator[Finding]:
    if not path.exists():
        return  # opening the installation finds out whether there should be one
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & forbidden:
        advice = f"chmod {'600' if forbidden == _GROUP_AND_OTHERS else 'o='} {path}"
        yield FAILED, f"{what} {path}: others can read it (mode {mode:04o}), run {advice}"
    else:
        readers = "its owner" if mode & _GROUP_AND_OTHERS == 0 else "its owner and group"
        yield True, f"{what} {path} is readable only by {readers}"


def _hashing(settings: Settings) -> Finding:
    passes, memory = settings.argon2_passes, settings.argon2_memory_kib
    least = _OWASP_MEMORY[min(passes, max(_OWASP_MEMORY))]
    if memory >= least:
        return True, "passwords are hashed as OWASP asks for"
    return FAILED, (
        f"passwords are hashed with less than OWASP asks for: with STAMKUND_ARGON2_PASSES={passes} set "
        f"STAMKUND_ARGON2_MEMORY_KIB to {least} or more, or leave both out"
    )


def _tls(url: str) -> Iterator[Finding]:
    """Whether a connection to PostgreSQL on another host is encrypted, whatever somebody between the two does."""
    hosts, mode = _hosts_and_sslmode(url)
    remote = [host for host in hosts if not _is_here(host)]
    if not remote:
        return
    if mode not in _ENCRYPTED_MODES:
        yield (
            FAILED,
            (
                f"the connection to PostgreSQL on {remote[0]} may be unencrypted (sslmode={mode}): add "
                "sslmode=verify-full to the database URL"
            ),
        )
    elif mode == "verify-full":
        yield True, f"the connection to PostgreSQL on {remote[0]} is encrypted and its certificate is verified"
    else:
        yield (
            True,
            (
                f"the connection to PostgreSQL on {remote[0]} is encrypted; sslmode=verify-full would also verify "
                "that it is the right server"
            ),
        )


def _hosts_and_sslmode(url: str) -> tuple[list[str], str]:
    """The hosts that a PostgreSQL URL names, and its `sslmode`; none for another database."""
    if not url.startswith(("postgresql://", "postgres://")):
        return [], ""
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query))
    named = parts.netloc.rpartition("@")[2] or query.get("host") or os.environ.get("PGHOST", "")
    hosts = [_without_port(one) for one in named.split(",")]
    return hosts, query.get("sslmode") or os.environ.get("PGSSLMODE") or "prefer"


def _without_port(host: str) -> str:
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host if host.count(":") > 1 else host.partition(":")[0]


def _is_here(host: str) -> bool:
    """Whether a host is this machine: nothing, a folder with a socket, or a loopback name or address."""
    return not host or host.startswith("/") or is_loopback(host)
