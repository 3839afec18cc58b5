"""All settings with their descriptions. The environment comes first, then the settings file, then the default.

`STAMKUND_<NAME>` in the environment, or `<name>` in the TOML file that `STAMKUND_SETTINGS_FILE` names (`stamkund.toml`
in the working directory when it is there). The table in `docs/operating.md` is generated from here.
"""

from __future__ import annotations

import difflib
import os
import re
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

_BASE64 = "(?:[A-Za-z0-9+/_-]{4})"
_BASE64_END = "(?:[A-Za-z0-9+/_-]{2}(?:==)?|[A-Za-z0-9+/_-]{3}=?)?"
_CALL_LIMIT = "(token|login|session|candidate|activation|creation|update|own_update)=[0-9]{1,9}"
_LIMITS_BY_CALL = f"^({_CALL_LIMIT}(,{_CALL_LIMIT})*)?$"
_HOST = r"(?:[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])"
_ORIGIN = rf"^(https?://{_HOST}(?::[0-9]{{1,5}})?)?$"
_DEFAULT_PORT = re.compile(r"(?<=^http:)(.*):80$|(?<=^https:)(.*):443$")


def _must(sentence: str) -> dict[str, str]:
    """What a value with a pattern must be, for people; nobody should have to read the pattern."""
    return {"must": sentence}


MAX_ARGON2_KIB, MAX_ARGON2_STARTS = 1 << 20, 128
"""What one hash may cost, ours or an imported one: passes times memory, and passes times lanes."""
_MUST_BE_ORIGIN = _must("be http:// or https:// and a host, such as https://login.example.com, without a path")
_MUST_BE_LIMITS = _must(
    "name kinds of calls (token, login, session, candidate, activation, creation, update, own_update) with a "
    "number each, such as candidate=300,login=1000"
)


class WrongSetting(Exception):
    """A setting is not valid; the message names it and says what it must be."""


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The settings of an installation. Those of an organisation are in the database instead."""

    database_url: Annotated[
        str,
        Meta(
            pattern="^(sqlite:///.|postgres(ql)?://.)",
            extra=_must("be sqlite:///FILE or postgresql://USER:PASSWORD@HOST:PORT/DATABASE"),
            description="The database: `sqlite:///FILE` (four slashes for an absolute path) or "
            "`postgresql://USER:PASSWORD@HOST:PORT/DATABASE`.",
        ),
    ] = "sqlite:///stamkund.db"
    migrate_database_url: Annotated[
        str,
        Meta(
            pattern="^((sqlite:///|postgres(ql)?://).+)?$",
            extra=_must("be sqlite:///FILE or postgresql://USER:PASSWORD@HOST:PORT/DATABASE"),
            description="The same database with a role that may change its schema, for `migrate` and `init` alone. "
            "Give it to these commands and not to the server, whose role needs only to read and write rows. Not set: "
            "that of the setting above.",
        ),
    ] = ""
    key_file: Annotated[
        str,
        Meta(
            min_length=1,
            description="The file with the keys that seal social security numbers, client secrets, imported password "
            "hashes, private ID token keys and mails that wait. Created at the first start (mode 0600). Keep a copy of "
            "it apart from copies of the database.",
        ),
    ] = "stamkund.key"
    host: Annotated[str, Meta(min_length=1, description="The address that `serve` listens on.")] = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65535, description="The port that `serve` listens on.")] = 8000
    public_url: Annotated[
        str,
        Meta(
            pattern=_ORIGIN,
            extra=_MUST_BE_ORIGIN,
            description="Where clients and browsers reach the server, such as `https://login.example.com`, without a "
            "path. It is the issuer of ID tokens and part of the responses to logins. Not set: "
            "`http://HOST:PORT` of the two settings above, which is only right on a laptop.",
        ),
    ] = ""
    sso_url: Annotated[
        str,
        Meta(
            pattern=_ORIGIN,
            extra=_MUST_BE_ORIGIN,
            description="A separate host for what browsers see (login page, logout page, single sign-on), such as "
            "`https://sso.example.com`. The proxy forwards it to the same server. Not set: the same host.",
        ),
    ] = ""
    trusted_proxies: Annotated[
        str,
        Meta(
            description="Addresses or networks of reverse proxies, separated by commas, whose `X-Forwarded-For` is "
            "trusted to tell the client's address. Not set: none is trusted.",
        ),
    ] = ""
    workers: Annotated[
        Positive, Meta(description="Processes that handle requests. One for each core is a good start.")
    ] = 1
    log_level: Annotated[
        str,
        Meta(
            pattern="^(debug|info|warning|error)$",
            extra=_must("be debug, info, warning or error"),
            description="The lowest level of log lines that are written: debug, info, warning or error. At `info` each "
            "request writes one line.",
        ),
    ] = "info"
    max_connections: Annotated[
        int,
        Meta(
            ge=10,
            description="Connections that a worker holds at once. Beyond that the one that has waited longest for its "
            "caller is closed; if none waits, the new one gets 503.",
        ),
    ] = 1_000
    max_head_bytes: Annotated[
        int,
        Meta(
            ge=8_192,
            description="How long target and headers of a request may be together, in bytes; beyond that, and beyond "
            "100 headers, the response is 431.",
        ),
    ] = 65_536
    head_seconds: Annotated[
        Positive,
        Meta(description="How long the headers of a request may take to arrive; then the connection is closed."),
    ] = 20
    body_seconds: Annotated[
        Positive, Meta(description="How long the body of a request may take to arrive; then the connection is closed.")
    ] = 30
    hsts_seconds: Annotated[
        NotNegative,
        Meta(
            description="How long browsers remember to come by HTTPS alone (`Strict-Transport-Security`). It is sent "
            "where `STAMKUND_PUBLIC_URL` is https. 0: never."
        ),
    ] = 31_536_000
    documentation: Annotated[
        bool, Meta(description="Whether the server shows its documentation at `/docs` and `/openapi.json`.")
    ] = True
    stop_seconds: Annotated[
        Positive, Meta(description="How long a stopping server waits for requests in progress.")
    ] = 20
    postgres_connections: Annotated[
        int, Meta(ge=3, le=100, description="Connections to PostgreSQL for each worker.")
    ] = 6
    access_token_seconds: Annotated[Positive, Meta(description="How long an access token is valid.")] = 3600
    refresh_token_days: Annotated[
        Positive, Meta(description="How long a refresh token is valid after its last use.")
    ] = 180
    refresh_token_max_days: Annotated[
        Positive, Meta(description="How long a refresh token is valid after the login, however often it is used.")
    ] = 400
    session_days: Annotated[
        Positive,
        Meta(description="How long a browser stays logged in after its last request (login page, SSO2)."),
    ] = 30
    session_max_days: Annotated[
        Positive, Meta(description="How long a browser stays logged in after the login, however often it is seen.")
    ] = 365
    signing_key_days: Annotated[Positive, Meta(description="How often the key that signs ID tokens is replaced.")] = 90
    audit_days: Annotated[
        Positive,
        Meta(description="How long the audit is kept: activations, catalogues, logins, lockouts, logouts and tokens."),
    ] = 400
    audit_refusals_per_hour: Annotated[
        NotNegative,
        Meta(
            description="Refused logins and tokens per hour that the audit has an entry each of, for each source (the "
            "visitor's address, or the client where that is not known); for an organisation ten times as many. Beyond "
            "that one entry says so, and the log alone has the rest. 0: no limit."
        ),
    ] = 1000
    audit_successes_per_hour: Annotated[
        NotNegative,
        Meta(
            description="Logins, logouts and tokens per hour that the audit has an entry each of, for each account; "
            "for a client's tokens without account ten times as many. Beyond that one entry says so. 0: no limit."
        ),
    ] = 200
    login_attempt_days: Annotated[
        Positive, Meta(description="How long the latest attempts of each login are kept, with address and user agent.")
    ] = 90
    outbox_days: Annotated[
        Positive, Meta(description="How long events for other systems are kept; nothing delivers them yet.")
    ] = 30
    smtp_host: Annotated[
        str,
        Meta(
            pattern=rf"^({_HOST})?$",
            extra=_must("be the name or address of a host, without a port"),
            description="The mail server that mails to readers go out by. Not set: mails wait for two days, or for as "
            "long as their code is valid, and are then dropped.",
        ),
    ] = ""
    smtp_port: Annotated[
        int,
        Meta(ge=0, le=65535, description="Its port. 0: 587 with `starttls`, 465 with `tls`, 25 with `none`."),
    ] = 0
    smtp_security: Annotated[
        str,
        Meta(
            pattern="^(none|starttls|tls)$",
            extra=_must("be none, starttls or tls"),
            description="`starttls` (never in the clear: a server without it gets no mail), `tls` from the first byte, "
            "or `none`, for a server on the same machine. Certificates are checked by those that Python trusts; "
            "`SSL_CERT_FILE` names others.",
        ),
    ] = "starttls"
    smtp_user: Annotated[str, Meta(description="The user to log in to the mail server as. Not set: no login.")] = ""
    smtp_password_file: Annotated[
        str, Meta(description="The file with that user's password. It is read at each connection.")
    ] = ""
    mail_from: Annotated[
        str,
        Meta(
            pattern=r"^([A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+)?$",
            extra=_must("be an e-mail address, such as no-reply@example.com"),
            description="The address that mails come from, with the organisation's name before it. An organisation may "
            "have one of its own (`stamkund init --mail-from`).",
        ),
    ] = ""
    mail_days: Annotated[
        Positive,
        Meta(description="How long it is kept what became of a mail (without its address), at least three days."),
    ] = 30
    argon2_memory_kib: Annotated[
        int,
        Meta(
            ge=8, le=262_144, description="Memory of one Argon2id hash, in KiB, up to 256 MiB. The default is OWASP's."
        ),
    ] = 19_456
    argon2_passes: Annotated[Positive, Meta(description="Passes of one Argon2id hash over its memory.")] = 2
    argon2_lanes: Annotated[
        int, Meta(ge=1, le=16, description="Lanes of one Argon2id hash, up to 16. More than one slows down look-ups.")
    ] = 1
    hashing_threads: Annotated[
        int,
        Meta(
            ge=0,
            description="Threads of a worker that hash passwords, at low priority. 0: the number of cores divided by "
            "that of workers, at least one.",
        ),
    ] = 0
    hashing_queue: Annotated[
        Positive,
        Meta(
            description="Passwords that may wait in a worker to be hashed; beyond that the response is 503. One "
            "e-mail, one form and one address take at most a quarter of it."
        ),
    ] = 500
    hashing_seconds: Annotated[
        Positive,
        Meta(description="How long a request may wait for a password to be hashed; beyond that the response is 503."),
    ] = 10
    imported_bcrypt_pepper: Annotated[
        str,
        Meta(
            max_length=1024,
            description="The pepper of the system that imported bcrypt hashes come from, such as Devise's "
            "`config.pepper`. They are verified with it, and then without, so each takes twice as long.",
        ),
    ] = ""
    firebase_signer_key: Annotated[
        str,
        Meta(
            pattern=f"^({_BASE64}{{5,170}}{_BASE64_END})?$",
            extra=_must("be the base64 text that Firebase shows, of 20 to 680 characters"),
            description="`base64_signer_key` of the Firebase project that imported hashes `$firescrypt$SALT$HASH` come "
            "from, as its password hash parameters show it. Not set: the import leaves such hashes out.",
        ),
    ] = ""
    firebase_salt_separator: Annotated[
        str,
        Meta(
            pattern=f"^{_BASE64}{{0,16}}{_BASE64_END}$",
            extra=_must("be the base64 text that Firebase shows, of up to 67 characters"),
            description="`base64_salt_separator` of that project.",
        ),
    ] = "Bw=="
    firebase_rounds: Annotated[int, Meta(ge=1, le=8, description="`rounds` of that project.")] = 8
    firebase_memory_cost: Annotated[int, Meta(ge=1, le=14, description="`mem_cost` of that project.")] = 14
    failed_logins: Annotated[
        Positive,
        Meta(description="Failed logins in a row, within `STAMKUND_FAILED_LOGIN_SECONDS`, that freeze a login."),
    ] = 5
    failed_login_seconds: Annotated[Positive, Meta(description="How long a failed login is counted.")] = 3600
    frozen_login_seconds: Annotated[
        Positive,
        Meta(
            description="How long a login stays frozen. Each time that it happens again within a day it is twice as "
            "long, up to `STAMKUND_FROZEN_LOGIN_MAX_SECONDS`. `86400` alone gives a day each time."
        ),
    ] = 900
    frozen_login_max_seconds: Annotated[Positive, Meta(description="The longest that a login stays frozen.")] = 86_400
    trusted_browser_days: Annotated[
        NotNegative,
        Meta(
            description="How long a browser that has logged a reader in at the login page is trusted: it has a count "
            "of failed logins of its own, so that others can't freeze the reader out of it. 0: none is trusted."
        ),
    ] = 365
    failed_logins_per_address: Annotated[
        NotNegative,
        Meta(
            description="Failed logins per hour of one visitor's address (IPv6: of one network of 64 bits), whatever "
            "the e-mails. Beyond that the address is refused until the next full hour. 0: no limit. Private addresses, "
            "password grants and reported attempts are never counted."
        ),
    ] = 300
    limit_per_client: Annotated[
        NotNegative,
        Meta(
            description="How often per minute one client may make each of the limited calls (access token, login, an "
            "app's new session, candidate, activation, creating and updating accounts). 0: no limit. The default only "
            "stops a client that is out of control."
        ),
    ] = 600_000
    limit_per_identifier: Annotated[
        NotNegative,
        Meta(
            description="How often per minute each of the limited calls may be made for one e-mail, number, "
            "candidate or account, by all clients of an organisation together. 0: no limit."
        ),
    ] = 6000
    limit_per_client_for: Annotated[
        str,
        Meta(
            pattern=_LIMITS_BY_CALL,
            extra=_MUST_BE_LIMITS,
            description="The limit per client of single kinds of calls, instead of the general one, such as "
            "`candidate=300,login=1000`. The kinds: token, login, session, candidate, activation, creation, "
            "update, own_update. A kind that is not named keeps the limit of the default here, or has the general one.",
        ),
    ] = "session=6000"
    limit_per_identifier_for: Annotated[
        str,
        Meta(
            pattern=_LIMITS_BY_CALL,
            extra=_MUST_BE_LIMITS,
            description="The same for the limit per identifier, such as `login=20`. Readers who change their own "
            "accounts all the time would fill the outbox.",
        ),
    ] = "own_update=120"
    misses_per_client: Annotated[
        NotNegative,
        Meta(
            description="How often per minute one client may look for an account candidate or an account by a number "
            "that nobody has, or activate a candidate with a number that is not its own. Beyond that such look-ups are "
            "refused until the minute ends. 0: no limit."
        ),
    ] = 1200
    misses_per_number: Annotated[
        NotNegative,
        Meta(description="The same for each number or candidate. A wrong zip code counts twice. 0: no limit."),
    ] = 30
    cleaning_seconds: Annotated[
        Positive, Meta(description="Pause between two runs of removing expired tokens, sessions and counts.")
    ] = 60

    @property
    def issuer(self) -> str:
        """The URL at which clients reach us, without a slash at the end; the issuer of ID tokens."""
        return self.public_url or f"http://{self.host}:{self.port}"

    @property
    def pages_url(self) -> str:
        """The URL at which browsers reach us, and get the session's cookie."""
        return self.sso_url or self.issuer

    @property
    def sqlite(self) -> bool:
        return self.database_url.startswith("sqlite:")

    @property
    def shares_counts(self) -> bool:
        """Whether there may be several processes, which then share what they count."""
        return not self.sqlite or self.workers > 1

    @property
    def sqlite_file(self) -> Path:
        """The file of an embedded database."""
        return Path(self.database_url.removeprefix("sqlite:///"))


def load(environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings in force. Raises WrongSetting."""
    values = {**_from_file(environment), **_from_environment(environment)}
    _check_names(values)
    try:
        tidied = {name: _tidied(name, value) for name, value in values.items()}
        settings = msgspec.convert(tidied, Settings, strict=False)
    except msgspec.ValidationError as error:
        raise WrongSetting(_message(str(error))) from None
    _check_argon2(settings)
    _check_mail(settings)
    return settings


def file_in_force(environment: Mapping[str, str]) -> Path | None:
    """The settings file that is read, None where there is none."""
    name = environment.get(FILE_VARIABLE)
    if name:
        return Path(name)
    return DEFAULT_FILE if DEFAULT_FILE.exists() else None


def descriptions() -> list[tuple[str, str, str]]:
    """Variable, default and description of every setting, for the documentation."""
    return [
        (PREFIX + field.name.upper(), str(field.default) or "not set", _description(field.type))
        for field in msgspec.structs.fields(Settings)
    ]


def _description(annotation: Any) -> str:
    descriptions = [meta.description for meta in getattr(annotation, "__metadata__", ()) if meta.description]
    return descriptions[-1] if descriptions else ""


def _from_file(environment: Mapping[str, str]) -> dict[str, Any]:
    path = file_in_force(environment)
    if path is None:
        return {}
    try:
        content = tomllib.loads(path.read_bytes().decode("utf-8-sig"))  # Windows' editors write a byte order mark
    except OSError as error:
        raise WrongSetting(f"the settings file {path} cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise WrongSetting(f"the settings file {path} is not TOML: {error}") from None
    return content


def _from_environment(environment: Mapping[str, str]) -> dict[str, str]:
    return {
        name.removeprefix(PREFIX).lower(): value
        for name, value in environment.items()
        if name.startswith(PREFIX) and name != FILE_VARIABLE and not name.startswith("STAMKUND_TEST_")
    }


def _check_names(names: Iterable[str]) -> None:
    """A misspelt setting must not silently stay at its default. Raises WrongSetting."""
    for name in names:
        if name not in Settings.__struct_fields__:
            similar = difflib.get_close_matches(name, Settings.__struct_fields__, 1)
            hint = f"; did you mean {similar[0]} ({PREFIX}{similar[0].upper()})?" if similar else ""
            raise WrongSetting(f"there is no setting {name} ({PREFIX}{name.upper()}){hint}")


def _check_argon2(settings: Settings) -> None:
    """A hash that costs more than an imported one may would match no password. Raises WrongSetting."""
    passes = settings.argon2_passes
    if passes * settings.argon2_memory_kib > MAX_ARGON2_KIB or passes * settings.argon2_lanes > MAX_ARGON2_STARTS:
        raise WrongSetting(
            "the settings argon2_memory_kib, argon2_passes and argon2_lanes ask for too much: passes times memory "
            f"must be at most {MAX_ARGON2_KIB} KiB, passes times lanes at most {MAX_ARGON2_STARTS}"
        )


def _check_mail(settings: Settings) -> None:
    """A mail server needs an address to send from, and a user a password. Raises WrongSetting."""
    together = (
        ("smtp_host", "mail_from", "the address that mails come from"),
        ("smtp_user", "smtp_password_file", "the file with the password"),
        ("smtp_password_file", "smtp_user", "the user whose password it is"),
    )
    for name, other, what in together:
        if getattr(settings, name) and not getattr(settings, other):
            raise WrongSetting(
                f"the setting {name} ({PREFIX}{name.upper()}) must be set together with {other} "
                f"({PREFIX}{other.upper()}), {what}"
            )


def _tidied(name: str, value: Any) -> Any:
    """A value as people write it, in the one spelling that we use."""
    if not isinstance(value, str):
        return value
    if name in ("public_url", "sso_url") and "://" in value:  # as browsers send it, which compare it
        return _DEFAULT_PORT.sub(r"\1\2", value.strip().rstrip("/").lower())
    if name in ("log_level", "smtp_security"):
        return value.strip().lower()
    return value.replace(" ", "") if name in ("limit_per_client_for", "limit_per_identifier_for") else value


def _message(error: str) -> str:
    """What msgspec says (`Expected int … - at `$.port``) with the name of the setting, in words for people."""
    name = error.partition(" - at `$.")[2].rstrip("`")
    (annotation,) = (field.type for field in msgspec.structs.fields(Settings) if field.name == name)
    return f"the setting {name} ({PREFIX}{name.upper()}) must {_sentence(annotation)}"


def _sentence(annotation: Any) -> str:
    """What values of a type must be."""
    metas = getattr(annotation, "__metadata__", ())
    kind = getattr(annotation, "__origin__", annotation)
    for meta in metas:
        if meta.extra and "must" in meta.extra:
            return str(meta.extra["must"])
    if kind is bool:
        return "be true or false"
    if kind is not int:
        return "be a text that is not empty" if any(meta.min_length for meta in metas) else "be a text"
    least = next((meta.ge for meta in metas if meta.ge is not None), None)
    most = next((meta.le for meta in metas if meta.le is not None), None)
    if least is None:
        return "be a whole number"
    return f"be a whole number from {least} to {most}" if most is not None else f"be a whole number, at least {least}"
