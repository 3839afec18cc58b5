"""A server whose role in PostgreSQL may only read and write rows, made as docs/operating.md says."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path

import asyncpg
import pytest

from stamkund.store import migrations
from tests.support.installation import ME, ORGANISATION, Installation, assert_fails
from tests.support.installation_fixtures import running
from tests.support.postgres_server import PostgresServer
from tests.support.rows import executed, rows

TEXT = (Path(__file__).parents[2] / "docs" / "operating.md").read_text()
NEW, EXISTING = re.findall(r"^```sql\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)
ROLES, DATABASE = NEW.split("\\connect stamkund\n")
OWNER, SERVER = "role_test_owner", "role_test_server"


def named(sql: str, database: str = "") -> str:
    """The documented statements with names of our own: other tests have a role `stamkund` on the same server."""
    sql = re.sub(r"CREATE DATABASE stamkund\b", f"CREATE DATABASE {database}", sql)
    return re.sub(r"\bstamkund\b", SERVER, sql.replace("stamkund_owner", OWNER))


@pytest.fixture(scope="module")
def roles(postgres: PostgresServer) -> PostgresServer:
    for statement in ROLES.split(";\n"):
        if "ROLE" in statement:
            asyncio.run(executed(postgres.url(), named(statement)))
    return postgres


def url_of(server: PostgresServer, role: str, database: str) -> str:
    return re.sub(r"//\w+@", f"//{role}@", server.url(database))


def installed(server: PostgresServer, database: str, folder: Path) -> Installation:
    installation = Installation(folder, url_of(server, SERVER, database))
    owner = url_of(server, OWNER, database)
    installation.do("init", "--organisation", ORGANISATION, migrate_database_url=owner)
    installation.prepare()
    return installation


@pytest.fixture
def separated(roles: PostgresServer, tmp_path: Path) -> Installation:
    """A new installation."""
    database = f"separated_{tmp_path.name.replace('-', '_')[-20:]}"
    (create,) = [statement for statement in ROLES.split(";\n") if "CREATE DATABASE" in statement]
    asyncio.run(executed(roles.url(), named(create, database)))
    asyncio.run(executed(roles.url(database), named(DATABASE)))
    return installed(roles, database, tmp_path)


@pytest.mark.parametrize("workers", [1, 2])
async def test_a_server_does_everything_with_rows_alone(separated: Installation, workers: int, tmp_path: Path) -> None:
    """Look-ups, activations, logins, refreshes, revocations, counts of several workers, and the jobs that clean up."""
    catalogue = {"titles": [], "products": [{"code": "web", "name": "Web"}], "packages": [], "campaigns": []}
    (tmp_path / "catalogue.json").write_text(json.dumps(catalogue))
    (tmp_path / "customers.jsonl").write_text(
        '{"customer_number": "1", "social_security_number": "620817-9256", "email": "a@example.com"}\n'
    )

    def commands() -> None:
        for _ in range(2):
            separated.do("import", "customers", "customers.jsonl", "--organisation", ORGANISATION)
        separated.do("import", "catalogue", "catalogue.json", "--organisation", ORGANISATION)
        separated.do("branding", "--organisation", ORGANISATION, "--colour", "#8a1538")

    await asyncio.to_thread(commands)
    async with running(separated, workers=workers, cleaning_seconds=1) as (server, caller):
        candidate = await caller.get("/external/api/v1/accounts/candidate", social_security_number="620817-9256")
        activated = await caller.server.http.post(
            "/external/api/v1/accounts/activate_candidate",
            json={
                "account_candidate_id": candidate.json()["item"]["account_candidate_id"],
                "email": "a@example.com",
                "password": "Df7Vdd8!!vnM",
            },
            headers={"authorization": f"Bearer {caller.token}"},
        )
        assert activated.status_code == 201, activated.text
        assert (await caller.login("a@example.com", "wrong")).status_code == 400
        token = (await caller.login("a@example.com")).json()["access_token"]
        assert (await caller.get(ME, token)).json()["item"]["email"] == "a@example.com"
        assert (await server.http.get("/oauth2/jwks")).json()["keys"]
        assert (await server.http.get(f"/login?oid={ORGANISATION}")).status_code == 200
        await executed(separated.database_url, "UPDATE tokens SET expires = 1")
        async with asyncio.timeout(20):
            while await rows(separated.database_url, "SELECT 1 FROM tokens"):  # noqa: ASYNC110
                await asyncio.sleep(0.2)
        for arguments in (("key", "add"), ("key", "reencrypt"), ("key", "remove", "1"), ("key", "rotate-signing")):
            await asyncio.to_thread(separated.do, *arguments)
        assert await server.stop() == 0
    assert '"level":"error"' not in server.log and "InsufficientPrivilege" not in server.log
    examined = await asyncio.to_thread(separated.do, "doctor")
    assert "FAIL" not in examined.output and "may change the schema" not in examined.output


async def test_that_role_changes_no_table(separated: Installation) -> None:
    for statement in (
        "CREATE TABLE mine (a bigint)",
        "DROP TABLE accounts",
        "TRUNCATE accounts",
        "ALTER TABLE accounts ADD COLUMN mine text",
        "CREATE INDEX mine ON accounts (id)",
        "CREATE VIEW mine AS SELECT 1",
        "CREATE FUNCTION mine() RETURNS bigint LANGUAGE sql AS 'SELECT 1'",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await executed(separated.database_url, statement)


def test_only_the_owner_migrates(roles: PostgresServer, separated: Installation) -> None:
    """And the command says why the other one can't."""
    database = separated.database_url.rpartition("/")[2]
    undone = f"DELETE FROM migrations WHERE number = {migrations.LATEST}"
    asyncio.run(executed(separated.database_url, undone))
    asyncio.run(executed(roles.url(database), "REVOKE INSERT ON migrations FROM " + SERVER))
    assert_fails(separated.run("migrate"), "permission denied")
    assert_fails(separated.run("doctor"), "run `stamkund migrate`", "output")


def test_an_installation_with_one_role_gets_a_second(roles: PostgresServer, tmp_path: Path) -> None:
    database = "joined"
    asyncio.run(executed(roles.url(), f"CREATE DATABASE {database} OWNER {SERVER}"))
    installation = Installation(tmp_path, url_of(roles, SERVER, database))
    installation.prepare()
    assert "note  the role of the database URL may change the schema" in installation.do("doctor").output
    asyncio.run(executed(roles.url(database), named(EXISTING)))
    assert "may change the schema" not in installation.do("doctor").output
    owner = url_of(roles, OWNER, database)
    assert "up to date" in installation.do("migrate", migrate_database_url=owner).output


async def test_no_worker_has_the_password_of_the_owner(separated: Installation) -> None:
    """Where it was given to the server too: its processes see it in their environment only as it was started."""
    async with running(separated, workers=2, migrate_database_url="postgresql://o:S3cret-word@db.example/x") as (
        server,
        _,
    ):
        for worker in server.workers():
            assert b"S3cret-word" not in Path(f"/proc/{worker}/environ").read_bytes()  # noqa: ASYNC240
        await server.stop()
