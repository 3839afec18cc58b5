"""The files that a PostgreSQL URL names for TLS, looked at before connecting.

The driver reads them, and where one is missing it says that the URL is wrong, or not which file it was.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

_FILES = {"sslrootcert": "PGSSLROOTCERT", "sslcert": "PGSSLCERT", "sslkey": "PGSSLKEY", "sslcrl": "PGSSLCRL"}
_ROOT = "sslrootcert"
_VERIFIED_MODES = ("verify-ca", "verify-full")
_DEFAULT_ROOT = Path(".postgresql", "root.crt")


class UnusableCertificate(Exception):
    """A file for TLS is missing, unreadable or none; the message says which, and what to do."""


def check(url: str, environment: Mapping[str, str]) -> None:
    """Raises UnusableCertificate."""
    query = dict(parse_qsl(urlsplit(url).query))
    for name, variable in _FILES.items():
        if file := query.get(name) or environment.get(variable):
            _check_readable(Path(file), name)
    mode = query.get("sslmode") or environment.get("PGSSLMODE")
    if mode in _VERIFIED_MODES:
        _check_root(query.get(_ROOT) or environment.get("PGSSLROOTCERT"), mode)


def _check_root(named: str | None, mode: str) -> None:
    path = Path(named) if named else _home() / _DEFAULT_ROOT
    if not named and not path.exists():
        raise UnusableCertificate(
            f"sslmode={mode} needs the certificate of the authority that signed the database's own, and there is none "
            f"in {path}: put it there, or add sslrootcert=FILE to the database URL"
        )
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cafile=path)
    except ssl.SSLError:
        raise UnusableCertificate(f"the file {path} holds no certificate, and sslmode={mode} needs one") from None
    except OSError as error:
        raise UnusableCertificate(f"the certificate {path} cannot be read: {error.strerror}") from None


def _home() -> Path:
    try:
        return Path.home()
    except RuntimeError:  # the account has none
        return Path("~")


def _check_readable(path: Path, name: str) -> None:
    try:
        with path.open("rb"):
            pass
    except OSError as error:
        raise UnusableCertificate(
            f"the file {path}, which is {name} of the database URL, cannot be read: {error.strerror}"
        ) from None
