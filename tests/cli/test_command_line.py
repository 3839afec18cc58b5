"""The command line's contract, by the real command: what it prints, what it changes, and how it ends."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import stat
from collections.abc import Callable
from pathlib import Path
from time import gmtime
from types import SimpleNamespace

import pytest
import typer

from stamkund.cli import installation as installation_commands
from stamkund.cli.installation import doctor, without_password
from stamkund.clock import system_clock
from stamkund.rules.customer import Customer
from stamkund.rules.lockout import LOGIN_PAGE, LockoutPolicy, LoginContext
from stamkund.store.migrations import LATEST, MIGRATIONS
from stamkund.vault import Vault
from tests.support.installation import (
    ACCOUNTS,
    CANDIDATE,
    COULD_NOT_RUN,
    ORGANISATION,
    TOKEN,
    Caller,
    ClientSecret,
    Installation,
    ServerProcess,
    assert_fails,
    is_problem,
)
from tests.support.installation_fixtures import running
from tests.support.postgres_server import PostgresServer
from tests.support.rows import database_file, executed, rows
from tests.support.service import NOW, QUICK_HASHING, customer

pytestmark = pytest.mark.both_engines

NUMBER, OTHER_NUMBER = "800610-8230", "910820-5205"


# Making an installation ----------------------------------------------------------------------------------


def test_init_makes_an_installation_and_can_be_repeated(empty: Installation) -> None:
    first = empty.do("init", "--organisation", ORGANISATION, "--name", "Bladet", "--timezone", "Europe/Helsinki")
    assert f"Organisation {ORGANISATION} (Bladet, Europe/Helsinki) is ready" in first.output
    key = empty.key_file.read_bytes()
    assert stat.S_IMODE(empty.key_file.stat().st_mode) == 0o600
    again = empty.do("init", "--organisation", ORGANISATION)
    assert "(Bladet, Europe/Helsinki)" in again.output
    assert empty.key_file.read_bytes() == key


async def test_init_makes_no_account_and_no_client(empty: Installation) -> None:
    """Nobody can log in, and nobody can make a call, until an operator made a client and imported customers."""
    for _ in range(2):
        await asyncio.to_thread(empty.do, "init", "--organisation", ORGANISATION)

    async def count(table: str) -> int:
        ((number,),) = await rows(empty.database_url, f"SELECT count(*) FROM {table}")
        return int(number)

    assert await count("organisations") == 1
    for table in ("accounts", "passwords", "customers", "clients", "tokens", "sessions"):
        assert await count(table) == 0, table


def test_a_new_database_is_its_owners_alone(empty_embedded: Installation) -> None:
    empty_embedded.do("init", "--organisation", ORGANISATION)
    assert stat.S_IMODE(database_file(empty_embedded.database_url).stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--organisation", "två ord"], "an organisation's id has 1 to 64 letters"),
        (["--organisation", "a", "--timezone", "Europe/Stokholm"], "there is no time zone Europe/Stokholm"),
        (["--organisation", "a", "--person-number-check", "yes"], "must be one of: pattern, checksum"),
    ],
)
def test_init_refuses(empty_embedded: Installation, options: list[str], sentence: str) -> None:
    assert_fails(empty_embedded.run("init", *options), sentence)
    assert not empty_embedded.key_file.exists()


def test_migrate(empty: Installation) -> None:
    steps = "".join(f"applied {step.number:04} {step.name}\n" for step in MIGRATIONS)
    assert empty.do("migrate").output == steps
    assert empty.do("migrate").output == "the database schema is up to date\n"


def test_serve_on_an_unmigrated_postgres_says_what_to_run(postgres: PostgresServer, tmp_path: Path) -> None:
    installation = Installation(tmp_path, postgres.create_database("unmigrated"))
    for command in (["serve"], ["client", "list", "--organisation", ORGANISATION]):
        assert_fails(installation.run(*command), "run `stamkund migrate`")


def test_a_newer_schema_is_refused(installation: Installation) -> None:
    asyncio.run(executed(installation.database_url, "INSERT INTO migrations VALUES (99, 'later', 0)"))
    assert_fails(
        installation.run("serve", "--port", "0"), f"newer than this program knows ({LATEST}): upgrade Stamkund"
    )


# Clients -------------------------------------------------------------------------------------------------


def test_client_create_and_list(empty: Installation) -> None:
    empty.do("init", "--organisation", ORGANISATION)
    listing = ("client", "list", "--organisation", ORGANISATION)
    assert empty.do(*listing).output == "no clients yet\n"
    made = empty.new_client(ORGANISATION, "/external/account/r", name="Kundtjänst")
    assert re.fullmatch(r"[0-9a-f]{24}", made.id)
    assert re.fullmatch(r"[A-Za-z0-9._~-]{40,}", made.secret)
    listed = empty.do(*listing)
    assert listed.output == f"{made.id}  Kundtjänst  /external/account/r\n"
    [client] = empty.do(*listing, "--json").json()
    assert client["scopes"] == ["/external/account/r"]
    assert made.secret not in listed.output + str(client)
    assert "secret" not in str(client)


def test_client_create_refuses(embedded: Installation) -> None:
    create = ("client", "create", "--organisation", ORGANISATION, "--name", "x", "--scope")
    wrong = embedded.run(*create, "/external/acount/w")
    assert_fails(wrong, "there is no scope /external/acount/w; did you mean /external/account/w?")
    relative = embedded.run(*create, "/external/me/w", "--redirect-uri", "/back")
    assert_fails(relative, "the redirect URI /back must be absolute")
    unknown = embedded.run("client", "create", "--organisation", "tidningen", "--name", "x", "--scope", "/openid")
    assert_fails(unknown, f"there is no organisation tidningen (known: {ORGANISATION})")
    assert len(embedded.do("client", "list", "--organisation", ORGANISATION).output.splitlines()) == 1


def test_commands_about_no_client(embedded: Installation) -> None:
    assert_fails(embedded.run("client", "disable", "nobody"), "nobody is no client id (24 hex digits)")
    assert_fails(embedded.run("client", "enable", "0" * 24), f"there is no client {'0' * 24}")
    assert_fails(embedded.run("client", "rotate-secret", "0" * 24), f"there is no client {'0' * 24}")


async def test_disable_works_at_once_and_enable_again(installation: Installation) -> None:
    async with running(installation, workers=2) as (_, caller):
        assert is_problem(await caller.get(ACCOUNTS, email="a@example.com"), 404, "not_found")
        installation.do("client", "disable", caller.client.id)
        refusals = [await caller.get(ACCOUNTS, email="a@example.com") for _ in range(8)]
        assert [is_problem(response, 401, "invalid_token") for response in refusals] == [True] * 8
        token = await caller.grant("none")
        assert (token.status_code, token.json()["error"]) == (401, "invalid_client")
        installation.do("client", "enable", caller.client.id.upper())
        assert is_problem(await caller.get(ACCOUNTS, email="a@example.com"), 404, "not_found")
        assert (await caller.grant("none")).status_code == 200


async def test_rotate_secret_with_and_without_overlap(embedded: Installation) -> None:
    async with running(embedded) as (server, caller):
        old = caller.client
        new = rotated(embedded, old, "1h")
        newest = rotated(embedded, old, "7d")
        assert [await accepted(server, client) for client in (old, new, newest)] == [True, True, True]
        last = rotated(embedded, old, "0s")
        assert [await accepted(server, client) for client in (old, new, newest, last)] == [False, False, False, True]
        assert (await caller.get(CANDIDATE, customer_number="c1")).status_code == 404  # tokens given before go on
    assert_fails(embedded.run("client", "rotate-secret", old.id, "--overlap", "soon"), "--overlap must be a number and")


def rotated(installation: Installation, client: ClientSecret, overlap: str) -> ClientSecret:
    made = installation.do("client", "rotate-secret", client.id, "--overlap", overlap, "--json").json()
    assert made["client_id"] == client.id
    return ClientSecret(client.id, made["client_secret"])


async def accepted(server: ServerProcess, client: ClientSecret) -> bool:
    """Whether the token endpoint takes the secret, in the form and as HTTP Basic."""
    responses = [
        await Caller(server, client).grant("none"),
        await server.http.post(TOKEN, data={"grant_type": "none"}, auth=(client.id, client.secret)),
    ]
    assert {(r.status_code, r.json().get("error")) for r in responses} <= {(200, None), (401, "invalid_client")}
    return [r.status_code for r in responses] == [200, 200]


# Settings ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"port": "http"}, "the setting port (STAMKUND_PORT) must be a whole number from 0 to 65535"),
        ({"workers": 0}, "the setting workers (STAMKUND_WORKERS) must be a whole number, at least 1"),
        (
            {"database_url": "mysql://me:s3crt@localhost/x"},
            "the setting database_url (STAMKUND_DATABASE_URL) must be sqlite:///FILE or postgresql://USER:",
        ),
        ({"public_url": "https://a.example/b"}, "(STAMKUND_PUBLIC_URL) must be http:// or https:// and a host"),
        ({"database_url": "postgresql://me:s/crt@localhost/x"}, "the database URL must be like postgresql://USER"),
        ({"database_url": "postgresql://me:s3crt@127.0.0.1:1/x"}, "Connect call failed ('127.0.0.1', 1)"),
        ({"database_url": "sqlite:////nowhere/at/all.db"}, "cannot open /nowhere/at/all.db: "),
        ({"wrokers": 2}, "there is no setting wrokers (STAMKUND_WROKERS); did you mean workers (STAMKUND_WORKERS)?"),
        (
            {"key_file": "/nowhere/at/all.key", "database_url": "sqlite:///new.db"},
            "the key file /nowhere/at/all.key cannot be written: ",
        ),
        ({"settings_file": "/"}, "the settings file / cannot be read: Is a directory"),
        ({"host": "no.such.host.invalid"}, "cannot listen on no.such.host.invalid, port 0: "),
    ],
    ids=lambda value: None if isinstance(value, dict) else value.split()[-1][:30],
)
def test_settings_that_cannot_be_used(embedded: Installation, settings: dict[str, object], words: str) -> None:
    ended = embedded.run("serve", "--port", "0", **settings)
    assert_fails(ended, words)
    assert "s3crt" not in ended.errors and "crt@" not in ended.errors


def test_a_host_that_is_not_known_is_named_with_the_systems_reason(embedded: Installation) -> None:
    ended = embedded.run("serve", "--port", "0", host="no.such.host.invalid")
    assert "Unknown error" not in ended.errors and ended.errors.count("no.such.host.invalid") == 1


def test_a_database_that_is_none(embedded: Installation) -> None:
    database_file(embedded.database_url).write_text("Dear diary, " * 1000)
    assert_fails(embedded.run("serve", "--port", "0"), "file is not a database")


def test_a_postgres_database_that_is_not_there(postgres: PostgresServer, tmp_path: Path) -> None:
    for command in ("serve", "migrate"):
        ended = Installation(tmp_path, postgres.url("nowhere")).run(command)
        assert_fails(ended, 'database "nowhere" does not exist')


async def test_settings_from_a_file(embedded: Installation) -> None:
    """The environment wins over the file, which is found by its name in the working directory or by its variable."""
    (embedded.folder / "stamkund.toml").write_text('access_token_seconds = 77\nlog_level = "debug"\n')
    (embedded.folder / "other.toml").write_text("access_token_seconds = 88\n")
    (embedded.folder / "wrong.toml").write_text("access_token_seconds = = 88\n")
    assert embedded.client is not None
    server = ServerProcess(embedded)
    try:
        for settings, seconds in (({}, 77), ({"settings_file": "other.toml"}, 88), ({"access_token_seconds": 99}, 99)):
            await server.start(**settings)
            assert (await Caller(server, embedded.client).grant("none")).json()["expires_in"] == seconds
            assert await server.stop() == 0
    finally:
        await server.close()
    assert_fails(
        embedded.run("serve", "--port", "0", settings_file="wrong.toml"), "the settings file wrong.toml is not TOML"
    )
    (embedded.folder / "stamkund.toml").write_text("wrokers = 2\n")
    assert_fails(embedded.run("doctor"), "there is no setting wrokers", "output")


@pytest.mark.parametrize("workers", ["1", "2"])
async def test_a_port_that_is_taken(embedded: Installation, workers: str) -> None:
    async with running(embedded) as (server, _):
        ended = embedded.run("serve", "--workers", workers, "--port", str(server.port))
        assert_fails(
            ended, f"cannot listen on 127.0.0.1, port {server.port}: Address already in use. Choose another port"
        )


async def test_a_port_that_is_taken_is_found_before_a_database_is_migrated(empty: Installation) -> None:
    """The server that has the port may be of an older version, and use that database."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        assert_fails(
            empty.run("serve", "--port", port, database_url="sqlite:///untouched.db"), "Address already in use"
        )
    assert not (empty.folder / "untouched.db").exists()


def test_words_that_are_no_command(embedded: Installation) -> None:
    for arguments in (["sevre"], ["client", "create"], ["serve", "--port", "x"]):
        ended = embedded.run(*arguments)
        assert ended.status == COULD_NOT_RUN, ended
        assert "Traceback" not in ended.errors
    assert "init" in embedded.do("--help").output


def test_passwords_are_not_printed(postgres: PostgresServer, tmp_path: Path) -> None:
    url = postgres.create_database("shown").replace("@", ":S3cret-word@")
    installation = Installation(tmp_path, url)
    for ended in (installation.do("init", "--organisation", ORGANISATION), installation.run("doctor")):
        assert "S3cret-word" not in ended.output + ended.errors
        assert without_password(url) in ended.output and ":***@" in ended.output


def test_init_changes_only_the_rules_for_passwords_that_it_names(embedded: Installation) -> None:
    def stored(field: str = "password_rules") -> object:
        ((document,),) = asyncio.run(rows(embedded.database_url, "SELECT document FROM organisations"))
        return json.loads(document).get(field)

    init = ("init", "--organisation", ORGANISATION)
    assert stored() is None, "the rules that hold where nothing is said"
    embedded.do(*init, "--password-min-length", "12")
    embedded.do(*init, "--password-rules-for-api", "--no-password-block-list")
    embedded.do(*init, "--name", "Annat", "--no-email-verification")
    assert stored("email_verification") is False
    assert stored() == {"min_length": 12, "block_list": False, "for_api": True}
    for length in ("5", "65"):
        assert embedded.run(*init, "--password-min-length", length).status == COULD_NOT_RUN


# Doctor --------------------------------------------------------------------------------------------------


def test_doctor_is_content(installation: Installation) -> None:
    examined = installation.do("doctor")
    assert "FAIL" not in examined.output
    assert {line[:4] for line in examined.output.splitlines()} <= {"ok  ", "note"}
    assert len(examined.output.splitlines()) >= 8


SPOILT: dict[str, tuple[Callable[[Installation], object], str]] = {
    "no client": (
        lambda made: asyncio.run(executed(made.database_url, "DELETE FROM clients")),
        f"organisation {ORGANISATION} has 0 clients: create one with `stamkund client create`",
    ),
    "newer schema": (
        lambda made: asyncio.run(executed(made.database_url, "INSERT INTO migrations VALUES (99, 'later', 0)")),
        "newer than this program knows",
    ),
    "no key file": (lambda made: made.key_file.unlink(), "is missing, and the database was written with one"),
    "open key file": (lambda made: made.key_file.chmod(0o644), "others can read it (mode 0644), run chmod 600"),
    "another key file": (
        lambda made: Vault.create(made.key_file.with_name("b.key"), 0).path.replace(made.key_file),
        "is not the one that this database was written with",
    ),
    "no key in it": (lambda made: made.key_file.write_text('{"keys": []}'), "holds no usable key"),
    "no keys at all": (lambda made: made.key_file.write_text("keys"), "is not a Stamkund key file"),
    "wrong setting": (lambda made: made.settings.update(workers="many"), "the setting workers (STAMKUND_WORKERS)"),
    "no database": (
        lambda made: made.settings.update(database_url="postgresql://127.0.0.1:1/x"),
        "Connect call failed ('127.0.0.1', 1)",
    ),
}


@pytest.mark.parametrize("spoil", SPOILT)
def test_doctor_finds(embedded: Installation, spoil: str) -> None:
    embedded.settings = {}
    do, words = SPOILT[spoil]
    do(embedded)
    finds(embedded, words)


def test_doctor_finds_a_clock_that_is_wrong(
    embedded: Installation, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In this process, whose clock can be changed."""
    for name, value in embedded.environment(**dict.fromkeys(QUICK_HASHING)).items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(embedded.folder)
    doctor()
    assert "ok    the clock looks right" in capsys.readouterr().out
    monkeypatch.setattr(installation_commands, "time", SimpleNamespace(gmtime=lambda: gmtime(0)))
    with pytest.raises(typer.Exit) as ended:
        doctor()
    assert ended.value.exit_code == COULD_NOT_RUN
    assert "FAIL  the clock is wrong, it says 1970: set it (NTP)" in capsys.readouterr().out


async def test_doctor_advises_to_declare_a_proxy(installation: Installation) -> None:
    """As a note: where all readers really are on a private network, nothing is wrong."""
    private, public = "10.1.2.3", "203.0.113.9"
    async with installation.store() as store:
        for address in (public, private):
            context = LoginContext(ORGANISATION, LOGIN_PAGE, "login_page", address, None, NOW, from_visitor=True)
            await store.login_attempts.record(
                context, "a" * 24, LockoutPolicy(), succeeded=False, customer=False, audited=True
            )
    examined = installation.do("doctor").output.splitlines()
    [note] = [line for line in examined if line.startswith("note") and "visitors of the login page" in line]
    assert private in note and public not in note and "STAMKUND_TRUSTED_PROXIES" in note


def test_doctor_finds_nothing_made(empty_embedded: Installation) -> None:
    finds(empty_embedded, "yet: create it with `stamkund init`")
    assert list(empty_embedded.folder.iterdir()) == []


def test_doctor_finds_no_organisation(empty_embedded: Installation) -> None:
    empty_embedded.do("migrate")
    finds(empty_embedded, "there is no organisation yet: create one with `stamkund init --organisation ID`")


def finds(installation: Installation, words: str) -> None:
    ended = installation.run("doctor")
    assert_fails(ended, words, "output")
    assert any(words in line for line in ended.output.splitlines() if line.startswith("FAIL")), ended.output


def test_doctor_finds_a_database_that_can_only_be_read(postgres: PostgresServer, tmp_path: Path) -> None:
    installation = Installation(tmp_path, postgres.create_database("readonly"))
    installation.do("init", "--organisation", ORGANISATION)
    asyncio.run(executed(installation.database_url, "ALTER DATABASE readonly SET default_transaction_read_only = on"))
    assert_fails(
        installation.run("doctor"), "FAIL  the database can't be written to: ReadOnlySQLTransactionError", "output"
    )


def test_doctor_finds_an_unmigrated_postgres(postgres: PostgresServer, tmp_path: Path) -> None:
    installation = Installation(tmp_path, postgres.create_database("undoctored"))
    assert_fails(installation.run("doctor"), "run `stamkund migrate`", "output")


# Keys ----------------------------------------------------------------------------------------------------


async def test_a_new_key_takes_over(installation: Installation) -> None:
    """Add, reencrypt and remove, with data and servers: numbers are found, unique and readable all the while."""
    async with running(installation) as (server, caller):
        await with_number(installation, caller, "c1", NUMBER)
        installation.do("key", "add")
        await numbers_work(installation, caller, "c11")  # in a server that has not heard of the new key
        for number, steps in enumerate((["reencrypt"], ["remove", "1"]), 12):
            await server.stop()
            installation.do("key", *steps)
            await server.start()
            assert await accepted(server, caller.client)
            await numbers_work(installation, caller, f"c{number}")
        await with_number(installation, caller, "c2", OTHER_NUMBER)
        assert installation.do("key", "list").output == "2\n"
        assert_fails(installation.run("key", "remove", "2"), "2 is not an older key of")
    sealed = await rows(installation.database_url, "SELECT document FROM accounts")
    assert all('"social_security_number":"2.' in document for (document,) in sealed)
    old = await rows(installation.database_url, "SELECT count(*) FROM identifiers WHERE value LIKE '1.%'")
    assert old == [(0,)]


async def test_keys_change_while_a_server_runs(installation: Installation) -> None:
    """Sealing anew goes on beside a server: none of its responses is wrong meanwhile."""
    async with running(installation, workers=2) as (_, caller):
        await with_number(installation, caller, "c1", NUMBER)
        for steps in (["add"], ["reencrypt"]):
            command = asyncio.create_task(asyncio.to_thread(installation.do, "key", *steps))
            while not command.done():
                assert (await caller.get(ACCOUNTS, social_security_number=NUMBER)).status_code == 200
            await command
        await numbers_work(installation, caller, "c11")
        assert (await caller.grant("none")).status_code == 200


async def with_number(installation: Installation, caller: Caller, customer_number: str, number: str) -> None:
    [candidate] = await installation.candidates(1, int(customer_number[1:]), social_security_number=number)
    assert (await caller.activate(candidate, f"{customer_number}@example.com")).status_code == 201


async def numbers_work(installation: Installation, caller: Caller, rival_number: str) -> None:
    """The number of c1 finds it, is readable, and can't be given to another customer."""
    response = await caller.get(ACCOUNTS, social_security_number=NUMBER)
    assert response.status_code == 200, response.text
    item = response.json()["item"]
    assert (item["customer_number"], item["social_security_number"]) == ("c1", NUMBER)
    [rival] = await installation.candidates(1, int(rival_number[1:]))
    taken = await caller.activate(rival, f"{rival_number}@example.com", social_security_number=NUMBER)
    assert is_problem(taken, 409, "already_exists")
    assert taken.json()["field"] == "customer_number/ssn"
    assert is_problem(await caller.get(CANDIDATE, social_security_number=NUMBER), 409, "already_exists")


# Permissions, organisations ------------------------------------------------------------------------------


async def test_permissions(embedded: Installation) -> None:
    async with running(embedded) as (_, caller):
        option = ("--organisation", ORGANISATION)
        news = embedded.do("permission", "create", *option, "--name", "Nyheter", "--type", "sms").output.strip()
        offers = embedded.do("permission", "create", *option, "--name", "Erbjudanden", "--json").json()
        assert offers | {"id": ""} == {"id": "", "name": "Erbjudanden", "type": "email"}
        assert re.fullmatch(r"[0-9a-f]{24}", news)
        candidates = await embedded.candidates(2)
        both = f"{news},{offers['id']}"
        activated = await caller.activate(candidates[0], "a@example.com", marketing_permissions=both)
        assert activated.status_code == 201
        embedded.do("permission", "deactivate", *option, news)
        listed = embedded.do("permission", "list", *option).output.splitlines()
        assert listed == [f"{news}  sms  Nyheter  (not active)", f"{offers['id']}  email  Erbjudanden"]
        refusal = await caller.activate(candidates[1], "b@example.com", marketing_permissions=both)
        assert is_problem(refusal, 400, "invalid_parameter")
        permissions = (await caller.get(ACCOUNTS, email="a@example.com")).json()["item"][
            "accepted_marketing_permissions"
        ]
        assert [permission["id"] for permission in permissions] == [news, offers["id"]]
        assert_fails(
            embedded.run("permission", "deactivate", *option, "0" * 24), "there is no marketing permission 0000"
        )
        unknown = embedded.run("permission", "list", "--organisation", "tidningen")
        assert_fails(unknown, f"there is no organisation tidningen (known: {ORGANISATION})")


async def test_two_organisations_are_held_apart(installation: Installation) -> None:
    """The same people in both: each sees its own alone, whatever ids, tokens and names of the other it knows."""
    async with running(installation) as (server, here):
        away = await Caller(server, installation.prepare("tidningen"), "tidningen")()
        ids, tokens = {}, {}
        for caller in (here, away):
            candidate = await candidate_of(installation, caller.organisation)
            other = away if caller is here else here
            refusal = await other.activate(candidate, "ove@example.com")
            assert is_problem(refusal, 404, "not_found"), refusal.text
            activated = await caller.activate(candidate, "ove@example.com", alias="ove")
            assert activated.status_code == 201, activated.text
            ids[caller.organisation] = activated.json()["id"]
            tokens[caller.organisation] = (await caller.login("ove@example.com")).json()
        for caller, other in ((here, away), (away, here)):
            await sees_its_own(caller, ids[caller.organisation], ids[other.organisation])
            await has_no_key_to(caller, other, tokens[other.organisation])
        assert len(set(ids.values())) == 2
    counted = "SELECT value FROM counters WHERE name = 'tulo_customer_number'"
    assert await rows(installation.database_url, counted) == [(1,), (1,)]


async def candidate_of(installation: Installation, organisation: str) -> Customer:
    made = customer("c1", system_clock(), social_security_number=NUMBER)
    await installation.customers(made, organisation=organisation)
    return made


async def sees_its_own(caller: Caller, own: str, other: str) -> None:
    for query in ({"email": "OVE@example.com"}, {"social_security_number": NUMBER}, {"customer_number": "c1"}):
        assert (await caller.get(ACCOUNTS, **query)).json()["item"]["id"] == own
    for query in ({"alias": "ove"}, {"tulo_customer_number": "00001"}, {"id": own}):
        assert (await caller.get(ACCOUNTS, **query)).json()["item"]["id"] == own
    assert is_problem(await caller.get(ACCOUNTS, id=other), 404, "not_found")


async def has_no_key_to(caller: Caller, other: Caller, tokens: dict[str, str]) -> None:
    """Neither the other's name in a username nor its refresh token is of any use to this client."""
    named = await caller.grant("password", username=f"{other.organisation}^ove@example.com", password="Df7Vdd8!!vnM")
    assert (named.status_code, named.json()["error"]) == (400, "invalid_grant")
    assert "Username/password do not match" in named.json()["error_description"]
    refreshed = await caller.grant("refresh_token", refresh_token=tokens["refresh_token"])
    assert (refreshed.status_code, refreshed.json()["error"]) == (400, "invalid_grant")


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({}, "ok    browsers and clients use http://127.0.0.1:8000"),
        ({"public_url": "https://login.example.com"}, "ok    browsers and clients use https://login.example.com"),
        ({"public_url": "https://login.example.com/"}, "ok    browsers and clients use https://login.example.com\n"),
        ({"sso_url": "https://sso.example.com"}, "ok    browsers and clients use https://sso.example.com"),
        ({"host": "0.0.0.0"}, "FAIL  http://0.0.0.0:8000 is no address for browsers: set STAMKUND_PUBLIC_URL"),
        ({"public_url": "http://login.example.com"}, "FAIL  nobody can log in at http://login.example.com"),
    ],
    ids=["laptop", "https", "a slash at the end", "a host of its own", "every address", "without TLS"],
)
def test_doctor_looks_at_where_browsers_come_to(
    embedded: Installation, settings: dict[str, str], sentence: str
) -> None:
    examined = embedded.run("doctor", **settings)
    assert sentence in examined.output
    assert examined.status == (COULD_NOT_RUN if "FAIL" in sentence else 0)
