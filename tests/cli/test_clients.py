"""What the command line makes of clients: what they may be set up with, how they are changed, what is shown."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from tests.support.installation import COULD_NOT_RUN, ORGANISATION, Caller, ClientSecret, Installation, assert_fails
from tests.support.installation_fixtures import running

CREATE = ("client", "create", "--organisation", ORGANISATION, "--name", "Appen", "--scope", "/openid")
LIST = ("client", "list", "--organisation", ORGANISATION)
HERALD = "https://www.herald.example"
ALL_GRANTS = ["none", "client_credentials", "password", "authorization_code", "ticket", "refresh_token"]
HTTPS = {"public_url": "https://login.herald.example"}
READS_ANYBODY = "can't have /external/account/r, because anybody can call in its name"


def client_json(installation: Installation, client_id: str) -> dict[str, Any]:
    [client] = [one for one in installation.do(*LIST, "--json").json() if one["id"] == client_id]
    return {str(name): value for name, value in client.items()}


def created(installation: Installation, *options: str) -> str:
    return str(installation.do(*CREATE, "--json", *options).json()["client_id"])


def test_a_client_is_printed_with_all_its_settings(installation: Installation) -> None:
    made = created(
        installation,
        *(
            "--redirect-uri",
            f"{HERALD}/back",
            "--redirect-uri",
            "com.herald.app:/back",
            "--logout-uri",
            f"{HERALD}/out",
        ),
        *("--origin", HERALD, "--origin", "http://localhost:5173", "--origin", HERALD),
        *("--offline-access", "--rotate-refresh-tokens", "--sso2"),
    )
    client = client_json(installation, made)
    assert client.pop("created") > 0
    assert client == {
        "id": made,
        "name": "Appen",
        "organisation": ORGANISATION,
        "scopes": ["/openid"],
        "redirect_uris": [f"{HERALD}/back", "com.herald.app:/back"],
        "logout_uris": [f"{HERALD}/out"],
        "origins": [HERALD, "http://localhost:5173"],
        "public": False,
        "offline_access": True,
        "rotate_refresh_tokens": True,
        "sso2": True,
        "visitor_address": True,
        "issuer_in_redirects": True,
        "id_token_signed_response_alg": "RS256",
        "disabled": False,
        "require_pkce": False,
        "grants": ALL_GRANTS,
    }
    listed = installation.do(*LIST).output
    assert f"{made}  Appen  /openid  offline_access rotate_refresh_tokens sso2\n" in listed
    for line in (f"redirect URI {HERALD}/back", f"logout URI {HERALD}/out", f"origin {HERALD}"):
        assert f"    {line}\n" in listed


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--origin", f"{HERALD}/"], f"the origin {HERALD}/ must be https://HOST or https://HOST:PORT"),
        (["--origin", "*"], "the origin * must be https://HOST"),
        (["--origin", "null"], "the origin null must be https://HOST"),
        (["--redirect-uri", "javascript://x/%0Aalert(1)"], "must be absolute, without a fragment, and lead to a web"),
        (["--redirect-uri", f"{HERALD}/#a"], f"the redirect URI {HERALD}/#a must be absolute, without a fragment"),
        (["--logout-uri", "data:text/html,x"], "the logout URI data:text/html,x must be absolute"),
        (["--public", "--sso2"], "a public client can't use SSO2"),
        (["--public", "--scope", "/external/account/r"], READS_ANYBODY),
        (["--public", "--grant", "password"], "a public client can't use the grant password, which needs a secret"),
        (["--grant", "implicit"], "there is no grant implicit: choose from none, client_credentials"),
        (["--visitor-address", "maybe"], "--visitor-address must be yes or no"),
        (["--id-token-signed-response-alg", "HS256"], "must be one of: RS256, ES256"),
    ],
)
def test_create_refuses(embedded: Installation, options: list[str], words: str) -> None:
    before = embedded.do(*LIST, "--json").json()
    assert_fails(embedded.run(*CREATE, *options), words)
    assert embedded.do(*LIST, "--json").json() == before


def test_what_a_client_goes_without_is_listed(embedded: Installation) -> None:
    made = created(embedded, "--no-issuer-in-redirects", "--visitor-address", "no")
    assert client_json(embedded, made)["issuer_in_redirects"] is False
    assert f"{made}  Appen  /openid  no_visitor_address no_issuer_in_redirects\n" in embedded.do(*LIST).output


async def test_a_public_client_has_no_secret_and_no_use_for_one(embedded: Installation) -> None:
    output = embedded.do(*CREATE, "--public").output
    assert "It is public: it has no secret, and must prove with PKCE (S256)" in output and "client_secret" not in output
    made = embedded.do(*CREATE, "--public", "--json").json()
    assert list(made) == ["client_id"]
    client = client_json(embedded, made["client_id"])
    assert client["public"] is True and client["rotate_refresh_tokens"] is True
    assert_fails(embedded.run("client", "rotate-secret", made["client_id"]), "is a public client, which has no secret")
    assert_fails(embedded.run("client", "change", made["client_id"], "--sso2"), "a public client can't use SSO2")
    never = embedded.run("client", "change", made["client_id"], "--no-rotate-refresh-tokens")
    assert never.status == 0 and client_json(embedded, made["client_id"])["rotate_refresh_tokens"] is False
    pkce = embedded.run("client", "change", made["client_id"], "--no-require-pkce")
    assert_fails(pkce, "a public client must always prove with PKCE")
    read = embedded.run("client", "change", made["client_id"], "--scope", "/openid", "--scope", "/external/account/r")
    assert_fails(read, READS_ANYBODY)
    by_ticket = embedded.run("client", "change", made["client_id"], "--grant", "ticket")
    assert_fails(by_ticket, "a public client can't use the grant ticket")
    public = client_json(embedded, made["client_id"])
    assert (public["scopes"], public["grants"]) == (["/openid"], ["authorization_code", "refresh_token"])
    assert public["require_pkce"] is True
    async with running(embedded) as (server, _):
        for secret, error in (("", "unauthorized_client"), ("guessed", "invalid_client")):
            caller = Caller(server, ClientSecret(made["client_id"], secret))
            for grant in ("none", "client_credentials", "password"):
                assert (await caller.grant(grant, username="a@example.com", password="x")).json()["error"] == error


OFF = {"offline_access": False, "rotate_refresh_tokens": False, "sso2": False}


def test_a_change_replaces_what_it_names_and_nothing_else(embedded: Installation) -> None:
    made = created(embedded, "--redirect-uri", f"{HERALD}/back", "--origin", HERALD, "--sso2")
    before = client_json(embedded, made)
    for options, changes in (
        (["--name", "Sajten"], {"name": "Sajten"}),
        (["--scope", "/openid", "--scope", "/openid/email"], {"scopes": ["/openid", "/openid/email"]}),
        (["--redirect-uri", "https://new.example/b"], {"redirect_uris": ["https://new.example/b"]}),
        (["--logout-uri", "https://new.example/out"], {"logout_uris": ["https://new.example/out"]}),
        (["--origin", "https://new.example"], {"origins": ["https://new.example"]}),
        (["--id-token-signed-response-alg", "ES256"], {"id_token_signed_response_alg": "ES256"}),
        (["--origin", "", "--redirect-uri", ""], {"origins": [], "redirect_uris": []}),
        (["--offline-access", "--rotate-refresh-tokens"], {"offline_access": True, "rotate_refresh_tokens": True}),
        (["--visitor-address", "no"], {"visitor_address": False}),
        (["--visitor-address", "yes"], {"visitor_address": True}),
        (["--no-issuer-in-redirects"], {"issuer_in_redirects": False}),
        (["--issuer-in-redirects"], {"issuer_in_redirects": True}),
        (["--no-offline-access", "--no-rotate-refresh-tokens", "--no-sso2"], OFF),
        (["--grant", "ticket", "--grant", "none"], {"grants": ["none", "ticket"]}),
        (["--grant", ""], {"grants": []}),
        (["--require-pkce"], {"require_pkce": True}),
        (["--no-require-pkce"], {"require_pkce": False}),
    ):
        assert embedded.do("client", "change", made.upper(), *options).output == f"{made} is changed\n"
        before |= changes
        assert client_json(embedded, made) == before


async def test_a_changed_client_keeps_its_secret(embedded: Installation) -> None:
    async with running(embedded) as (_, caller):
        embedded.do("client", "change", caller.client.id, "--scope", "/external/me/w", "--name", "Annat")
        response = await caller.grant("none")
        assert (response.status_code, response.json()["scope"]) == (200, "/external/me/w")


def test_change_refuses(embedded: Installation) -> None:
    assert embedded.client is not None
    client_id = embedded.client.id
    before = client_json(embedded, client_id)
    change = ("client", "change", client_id)
    assert_fails(embedded.run(*change), "name what should change, such as --redirect-uri")
    assert_fails(embedded.run(*change, "--scope", "/openidd"), "there is no scope /openidd; did you mean /openid?")
    assert_fails(embedded.run(*change, "--scope", ""), "there is no scope")
    assert_fails(embedded.run(*change, "--name", "x", "--origin", f"{HERALD}:443"), "without path and default port")
    assert_fails(embedded.run("client", "change", "0" * 24, "--name", "x"), f"there is no client {'0' * 24}")
    assert_fails(embedded.run("client", "change", "nobody", "--name", "x"), "nobody is no client id (24 hex digits)")
    assert embedded.run(*change, "--public").status == COULD_NOT_RUN
    assert client_json(embedded, client_id) == before


# Addresses that others can read on the way ----------------------------------------------------------------


@pytest.mark.parametrize("option", ["--redirect-uri", "--logout-uri", "--origin"])
def test_what_is_sent_over_plain_http_goes_to_the_machine_itself_alone(embedded: Installation, option: str) -> None:
    for address in ("http://www.herald.example", "http://127.0.0.1.example.com", "http://localhost.example.com"):
        ended = embedded.run(*CREATE, option, address, **HTTPS)
        assert_fails(ended, f"{address} must begin with https: plain http is only for a machine's own programs")
    for address in ("http://127.0.0.1:8003", "http://[::1]:8003", "http://localhost:8003", HERALD):
        embedded.do(*CREATE, option, address, **HTTPS)
    embedded.do(*CREATE, option, "http://www.herald.example", public_url="http://test.herald.example")


def test_change_is_held_to_the_same_and_a_client_from_before_can_still_be_changed(embedded: Installation) -> None:
    plain = "http://www.herald.example/back"
    old = created(embedded, "--redirect-uri", plain)  # while our own address was plain http
    moved = embedded.run("client", "change", old, "--redirect-uri", "http://new.herald.example/back", **HTTPS)
    assert_fails(moved, "must begin with https")
    embedded.do("client", "change", old, "--name", "Ny", **HTTPS)
    assert client_json(embedded, old)["redirect_uris"] == [plain]
    doctor = embedded.run("doctor", **HTTPS)
    assert_fails(doctor, f"FAIL  client {old} (Ny): the redirect URI {plain} must begin with https", "output")
    embedded.do("client", "disable", old)
    assert embedded.do("doctor", **HTTPS).status == 0


# PKCE, which clients in the field don't send ---------------------------------------------------------------


def notes(installation: Installation) -> list[str]:
    """What doctor advises, but for the mail server that an installation of a test has not."""
    lines = installation.do("doctor").output.splitlines()
    return [line for line in lines if line.startswith("note") and "STAMKUND_SMTP_HOST" not in line]


def test_doctor_advises_pkce_and_finds_nothing_wrong(embedded: Installation) -> None:
    back = ("--redirect-uri", f"{HERALD}/back")
    could = [created(embedded, *back), created(embedded, *back, "--sso2")]
    created(embedded, *back, "--require-pkce")
    created(embedded, *back, "--public")
    created(embedded, *back, "--grant", "ticket")
    created(embedded)
    [note] = notes(embedded)
    assert ", ".join(f"{id_} (Appen)" for id_ in could) + ". Where" in note
    for id_ in could:
        embedded.do("client", "change", id_, "--require-pkce")
    assert notes(embedded) == []


def test_doctor_advises_rotation_and_finds_nothing_wrong(embedded: Installation) -> None:
    """For public clients alone, which are the ones that RFC 9700 wants it for."""
    stays = created(embedded, "--public", "--no-rotate-refresh-tokens")
    created(embedded, "--public", "--no-rotate-refresh-tokens", "--grant", "authorization_code")
    created(embedded, "--public", "--rotate-refresh-tokens")
    created(embedded, "--public")
    created(embedded, "--no-rotate-refresh-tokens")
    assert client_json(embedded, stays)["rotate_refresh_tokens"] is False
    [note] = notes(embedded)
    assert f": {stays} (Appen). Where" in note and "(RFC 9700, 2.2.2)" in note
    embedded.do("client", "change", stays, "--rotate-refresh-tokens")
    assert client_json(embedded, stays)["rotate_refresh_tokens"] is True
    assert notes(embedded) == []


def test_the_grants_are_printed_where_they_are_fewer_than_all(embedded: Installation) -> None:
    created(embedded)
    assert "grants" not in embedded.do(*LIST).output
    created(embedded, "--grant", "ticket", "--grant", "refresh_token")
    created(embedded, "--grant", "")
    assert "    grants ticket refresh_token\n" in (output := embedded.do(*LIST).output)
    assert "    grants none\n" in output


# Clients that move here ------------------------------------------------------------------------------------


def brought(installation: Installation, secret: str, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "stamkund", *CREATE, *options, "--secret-stdin"],
        check=False,
        input=f"{secret}\n",
        capture_output=True,
        text=True,
        cwd=installation.folder,
        env=installation.environment(),
    )


async def test_a_client_that_moves_here_keeps_its_id_and_secret(installation: Installation) -> None:
    id_, secret = "57221F11584D54E28B000001", "kept-from:elsewhere=/#17"
    done = brought(installation, secret, "--id", id_)
    assert done.returncode == 0 and id_.lower() in done.stdout
    assert secret not in done.stdout + done.stderr
    moved = ClientSecret(id_.lower(), secret)
    async with running(installation) as (server, _):
        form = f"client_id={id_}&client_secret={secret}&grant_type=none"
        headers = {"content-type": "application/x-www-form-urlencoded"}
        assert (await server.http.post("/api/authorization/access_token", content=form, headers=headers)).is_success
        basic = await server.http.post(
            "/api/authorization/access_token", data={"grant_type": "none"}, auth=(moved.id, moved.secret)
        )
        assert basic.is_success


def test_an_unsuitable_id_or_secret_is_refused(embedded: Installation) -> None:
    existing = created(embedded)
    for secret, options, sentence in (
        ("a-secret-that-is-long-enough", ("--id", "x"), "x is no client id"),
        ("a-secret-that-is-long-enough", ("--id", existing), f"there already is a client {existing}"),
        ("short", (), "can be guessed"),
        ("with a blank in between them", (), "none of them a blank"),
        ("with%20percent-and-more-of-it", (), "none of them a blank, %"),
        ("with+plus-and-more-of-it-yet", (), "none of them a blank, %, +"),
        ("x" * 513, (), "up to 512"),
        ("a-secret-that-is-long-enough", ("--public",), "a public client has no secret"),
    ):
        done = brought(embedded, secret, *options)
        assert (done.returncode, sentence in done.stderr) == (COULD_NOT_RUN, True), done.stderr
        assert secret not in done.stderr or secret == "short"
