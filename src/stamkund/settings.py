"""Every setting once, with its sentence. Environment first, then the settings file, then the default.

`STAMKUND_<NAME>` in the environment, or `<name>` in the TOML file that `STAMKUND_SETTINGS_FILE` names (`stamkund.toml`
in the working directory when it is there). The table in `docs/operating.md` is generated from here.
"""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta

PREFIX = "STAMKUND_"
FILE_VARIABLE = "STAMKUND_SETTINGS_FILE"
DEFAULT_FILE = Path("stamkund.toml")

Positive = Annotated[int, Meta(ge=1)]
NotNegative = Annotated[int, Meta(ge=0)]


class WrongSetting(Exception):
    """A setting that can't be used; the message names it and says what it must be."""


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How an installation runs. What belongs to one organisation is kept in the database instead."""

    database_url: Annotated[
        str,
        Meta(
            pattern="^(sqlite:///.|postgres(ql)?://.)",
            description="Where everything is kept: `sqlite:///FILE` (four slashes for an absolute path) or "
            "`postgresql://USER:PASSWORD@HOST:PORT/DATABASE`.",
        ),
    ] = "sqlite:///stamkund.db"
    key_file: Annotated[
        str,
        Meta(
            min_length=1,
            description="The file with the keys that social security numbers and client secrets are sealed with. Made "
            "at first start (mode 0600). Keep a copy of it apart from copies of the database.",
        ),
    ] = "stamkund.key"
    host: Annotated[str, Meta(min_length=1, description="The address that `serve` listens on.")] = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65535, description="The port that `serve` listens on.")] = 8000
    public_url: Annotated[
        str,
        Meta(
            pattern="^(https?://[^/?#@]+)?$",
            description="Where clients and browsers reach the server, such as `https://login.example.com`, without a "
            "path. It is the issuer of ID tokens and stands in the answers of logins. Not set: "
            "`http://HOST:PORT` of the two settings above, which is right for a laptop alone.",
        ),
    ] = ""
    sso_url: Annotated[
        str,
        Meta(
            pattern="^(https?://[^/?#@]+)?$",
            description="A host of its own for what browsers see (login page, logout page, single sign-on), such as "
            "`https://sso.example.com`. The proxy brings it to the same server. Not set: the same host.",
        ),
    ] = ""
    trusted_proxies: Annotated[
        str,
        Meta(
            description="Addresses or networks of reverse proxies, separated by commas, whose `X-Forwarded-For` tells "
            "where a call came from. Not set: none is believed.",
        ),
    ] = ""
    workers: Annotated[
        Positive, Meta(description="Processes that answer requests. One for each core is a good start.")
    ] = 1
    log_level: Annotated[
        str,
        Meta(
            pattern="^(debug|info|warning|error)$",
            description="The least serious log lines that are written: debug, info, warning or error. At `info` each "
            "request writes one line.",
        ),
    ] = "info"
    stop_seconds: Annotated[
        Positive, Meta(description="How long a stopping server waits for requests that it is answering.")
    ] = 20
    postgres_connections: Annotated[
        int, Meta(ge=3, le=100, description="Connections to PostgreSQL for each worker.")
    ] = 6
    access_token_seconds: Annotated[Positive, Meta(description="How long an access token holds.")] = 3600
    refresh_token_days: Annotated[
        Positive, Meta(description="How long a refresh token holds after it was last used.")
    ] = 180
    session_days: Annotated[
        Positive,
        Meta(description="How long a browser stays logged in after it was last seen (login page, SSO2)."),
    ] = 30
    signing_key_days: Annotated[
        Positive, Meta(description="After how many days ID tokens are signed with a new key.")
    ] = 90
    audit_days: Annotated[
        Positive, Meta(description="How long it is kept who was let in, refused, frozen or logged out.")
    ] = 400
    argon2_memory_kib: Annotated[
        int, Meta(ge=8, description="Memory of one Argon2id hash, in KiB. The default is OWASP's.")
    ] = 19_456
    argon2_passes: Annotated[Positive, Meta(description="Passes of one Argon2id hash over its memory.")] = 2
    argon2_lanes: Annotated[
        Positive, Meta(description="Lanes of one Argon2id hash. More than one slows look-ups down.")
    ] = 1
    hashing_threads: Annotated[
        int,
        Meta(
            ge=0,
            description="Threads of a worker that hash passwords, at low priority. 0: the cores divided by the "
            "workers, at least one.",
        ),
    ] = 0
    hashing_queue: Annotated[
        Positive,
        Meta(description="Passwords of a worker that may wait to be hashed; beyond that the answer is 503."),
    ] = 500
    failed_logins: Annotated[
        Positive,
        Meta(description="Failed logins in a row, within `STAMKUND_FAILED_LOGIN_SECONDS`, that freeze a login."),
    ] = 5
    failed_login_seconds: Annotated[Positive, Meta(description="How long a failed login counts.")] = 3600
    frozen_login_seconds: Annotated[Positive, Meta(description="How long a login stays frozen.")] = 86_400
    limit_per_client: Annotated[
        NotNegative,
        Meta(
            description="How often a minute one client may make each of the limited calls (access token, candidate, "
            "activation). 0: as often as it likes. The default only stops a client that has run amok."
        ),
    ] = 600_000
    limit_per_identifier: Annotated[
        NotNegative,
        Meta(
            description="How often a minute each of the limited calls may be made about one e-mail, number or "
            "candidate, by all clients of an organisation together. 0: as often as anybody likes."
        ),
    ] = 6000
    cleaning_seconds: Annotated[
        Positive, Meta(description="Pause between two rounds of removing what is over: tokens, counts.")
    ] = 60

    @property
    def issuer(self) -> str:
        """Where clients reach us, without a slash at the end; what ID tokens and answers of logins name us by."""
        return self.public_url or f"http://{self.host}:{self.port}"

    @property
    def pages_url(self) -> str:
        """Where browsers reach us: there the session's cookie lives."""
        return self.sso_url or self.issuer

    @property
    def sqlite(self) -> bool:
        return self.database_url.startswith("sqlite:")

    @property
    def sqlite_file(self) -> Path:
        """The file of an embedded database."""
        return Path(self.database_url.removeprefix("sqlite:///"))


def load(environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings in force. Raises WrongSetting."""
    chosen = {**_from_file(environment), **_from_environment(environment)}
    _check_names(chosen)
    try:
        return msgspec.convert(chosen, Settings, strict=False)
    except msgspec.ValidationError as error:
        raise WrongSetting(_sentence(str(error))) from None


def descriptions() -> list[tuple[str, str, str]]:
    """Name of the variable, default and sentence of every setting, for the documentation."""
    rows = []
    for field in msgspec.structs.fields(Settings):
        meta = _description(field.type)
        rows.append((PREFIX + field.name.upper(), str(field.default) or "not set", meta))
    return rows


def _description(annotation: Any) -> str:
    found = [m.description for m in getattr(annotation, "__metadata__", ()) if m.description]
    return found[-1] if found else ""


def _from_file(environment: Mapping[str, str]) -> dict[str, Any]:
    named = environment.get(FILE_VARIABLE)
    path = Path(named) if named else DEFAULT_FILE
    if not named and not path.exists():
        return {}
    try:
        content = tomllib.loads(path.read_text())
    except OSError as error:
        raise WrongSetting(f"the settings file {path} cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise WrongSetting(f"the settings file {path} is not TOML: {error}") from None
    return content


def _from_environment(environment: Mapping[str, str]) -> dict[str, str]:
    ours = {
        name.removeprefix(PREFIX).lower(): value
        for name, value in environment.items()
        if name.startswith(PREFIX) and name != FILE_VARIABLE and not name.startswith("STAMKUND_TEST_")
    }
    return ours


def _check_names(chosen: Iterable[str]) -> None:
    """A misspelt setting must not be a setting that silently stays at its default."""
    known = Settings.__struct_fields__
    for name in chosen:
        if name not in known:
            close = difflib.get_close_matches(name, known, 1)
            hint = f"; did you mean {close[0]} ({PREFIX}{close[0].upper()})?" if close else ""
            raise WrongSetting(f"there is no setting {name} ({PREFIX}{name.upper()}){hint}")


def _sentence(error: str) -> str:
    """msgspec's words with the setting's name in front: `Expected int … - at $.port`."""
    reason, _, where = error.partition(" - at `$.")
    name = where.rstrip("`")
    if name:
        return f"the setting {name} ({PREFIX}{name.upper()}) can't be used: {reason}"
    return f"a setting can't be used: {reason}"
