"""Pages when the database is gone, and what people write into them: it is not in the log."""

from __future__ import annotations

from pathlib import Path

from tests.support.browser import Browser
from tests.support.installation import ORGANISATION, Installation
from tests.support.installation_fixtures import running
from tests.support.leaks import leaks
from tests.support.postgres_server import PostgresServer

EMAIL, UNKNOWN_EMAIL = "petronella.ovesson@example.com", "frammande.person@example.com"
PASSWORD, WRONG = "Df7Vdd8!!vnM", "Fel-losenord-99"


async def test_pages_say_that_the_database_is_gone(own_postgres: PostgresServer, tmp_path: Path) -> None:
    installation = Installation(tmp_path, own_postgres.create_database("pages"))
    async with running(installation) as (server, _), Browser(server.url, "sv") as browser:
        assert (await browser.get("/login")).heading == "Logga in"
        form = browser.page.forms[0].fields
        assert installation.client is not None
        own_postgres.stop("fast")
        for page in (
            await browser.get("/login"),
            await browser.get("/logout"),
            await browser.get("/oauth2/logout", oid=ORGANISATION),
            await browser.get("/oauth2/auth", client_id=installation.client.id, response_type="code"),
            await browser.post("/login", {**form, "email": EMAIL, "password": PASSWORD}),
            await browser.post("/oauth2/logout", {"form_token": "x"}),
        ):
            assert (page.status, page.heading, page.headers["retry-after"]) == (503, "Ett ögonblick", "2")
        own_postgres.start()
    own_postgres.drop_database("pages")


async def test_nothing_of_what_people_write_is_logged(installation: Installation) -> None:
    async with running(installation, log_level="debug") as (server, caller), Browser(server.url) as browser:
        [candidate] = await installation.candidates(1)
        assert (await caller.activate(candidate, EMAIL)).status_code == 201
        await browser.get("/login", login_hint=UNKNOWN_EMAIL, state="s3cr3t", continue_=f"https://evil.example/{EMAIL}")
        await browser.get("/login", login_hint=UNKNOWN_EMAIL)
        secrets = [browser.page.forms[0].fields["form_token"]]
        await browser.submit(email=UNKNOWN_EMAIL, password=WRONG)
        await browser.submit(email=EMAIL, password=WRONG)
        await browser.submit(email=EMAIL, password=PASSWORD)
        assert browser.page.heading == "You are logged in"
        secrets += browser.cookies.values()
        await browser.get("/logout", id_token_hint=f"x.{EMAIL}.y")
        await browser.submit()
        assert browser.page.heading == "You are logged out"
        await server.stop()
    assert '"call":"POST /login"' in server.log and '"status":403' in server.log and '"status":303' in server.log
    secret_texts = [EMAIL, UNKNOWN_EMAIL, PASSWORD, WRONG, "Petronella", "s3cr3t", "evil.example", *secrets]
    assert leaks(server.log, secret_texts) == []
