"""`stamkund account …`: help for a single reader."""

from __future__ import annotations

from typing import Annotated

import msgspec
import typer

from stamkund.cli.common import JSON, ORGANISATION, fail, get_organisation, with_store
from stamkund.cli.output import say, say_json
from stamkund.clock import system_clock
from stamkund.rules import identifiers
from stamkund.rules.account import ACTIVE, INACTIVE
from stamkund.rules.customer_numbers import CUSTOMER_NUMBER
from stamkund.rules.identifiers import Identifier
from stamkund.rules.ids import parse_id
from stamkund.rules.lockout import Attempt
from stamkund.rules.timestamps import Zone, zone
from stamkund.store import CANDIDATE, RENAMED, Login, Store, UniqueConflict

_ENABLED, _DISABLED = "enabled", "disabled"
OPERATOR = "operator"
"""Who acted, in the audit."""

app = typer.Typer(help="Help readers to log in.", no_args_is_help=True)

EMAIL_OR_ID = Annotated[str, typer.Argument(metavar="EMAIL_OR_ID", help="The account's e-mail or id.")]


@app.command()
def unfreeze(email_or_id: EMAIL_OR_ID, organisation: ORGANISATION) -> None:
    """Unfreeze a reader's login, so that it can be used again at once."""

    async def work(store: Store) -> bool:
        login = await _login(store, organisation, email_or_id)
        return await store.login_attempts.unlock(organisation, login.id, system_clock())

    unfrozen = with_store(work)
    say(f"{email_or_id} may log in again" if unfrozen else f"{email_or_id} was not frozen; failed logins are cleared")


@app.command()
def attempts(email_or_id: EMAIL_OR_ID, organisation: ORGANISATION, json: JSON = False) -> None:
    """List the latest login attempts (at most 25), newest first."""

    async def work(store: Store) -> tuple[list[Attempt], dict[str, str], Zone]:
        owner = await get_organisation(store, organisation)
        latest = await store.login_attempts.latest(organisation, (await _login(store, organisation, email_or_id)).id)
        names = {client.id: client.name for client in await store.clients.of_organisation(organisation)}
        return latest, names, zone(owner.timezone)

    latest, client_names, local = with_store(work)
    if json:
        say_json([{**msgspec.structs.asdict(attempt), "at": local.format(attempt.at)} for attempt in latest])
        return
    for attempt in latest:
        client = client_names.get(attempt.client, attempt.client)
        say(
            f"{local.format(attempt.at)}  {attempt.outcome:9}  {attempt.channel}  {client}  "
            f"{attempt.address or '-'}  {attempt.user_agent or '-'}"
        )
    if not latest:
        say("no attempts yet")


@app.command("end-sessions")
def end_sessions(
    email_or_id: EMAIL_OR_ID,
    organisation: ORGANISATION,
    offline_access: Annotated[
        bool, typer.Option("--offline-access", help="Also revoke tokens that were given /openid/offline_access.")
    ] = False,
) -> None:
    """Log a reader out everywhere: end all sessions and revoke the tokens of all logins.

    Tokens that were given /openid/offline_access are meant to outlive logins: with --offline-access they go too, as
    when a login was stolen. The password still works; block the account with `stamkund account set-status`.
    """

    async def work(store: Store) -> int:
        row = (await _account(store, organisation, email_or_id)).row
        assert row is not None
        return await store.sessions.end_all(organisation, row, system_clock(), OPERATOR, offline=offline_access)

    ended = with_store(work)
    say(f"{email_or_id} is logged out: {ended} session{'' if ended == 1 else 's'} ended, tokens revoked")


@app.command("set-status")
def set_status(
    email_or_id: EMAIL_OR_ID,
    status: Annotated[str, typer.Argument(help="`inactive` blocks the account, `active` lets it in again.")],
    organisation: ORGANISATION,
) -> None:
    """Block an account, or let it in again.

    While an account is inactive nobody can log in to it, and its sessions, tokens, codes and tickets are refused. They
    work again when it is active again, unless `stamkund account end-sessions` ended them.
    """
    if status not in (ACTIVE, INACTIVE):
        fail(f"the status must be {ACTIVE} or {INACTIVE}")

    async def work(store: Store) -> str | None:
        account_id = (await _account(store, organisation, email_or_id)).id
        return await store.accounts.set_status(organisation, account_id, status, OPERATOR, system_clock())

    before = with_store(work)
    if before not in (ACTIVE, INACTIVE):
        fail(f"{email_or_id} is {before}: only an active or inactive account can be changed")
    say(f"{email_or_id} was {status} already" if before == status else f"{email_or_id} is {status}")


@app.command("set-login")
def set_login(
    email_or_id: EMAIL_OR_ID,
    login: Annotated[str, typer.Argument(help="`disabled` lets nobody log in, `enabled` lets the reader in again.")],
    organisation: ORGANISATION,
) -> None:
    """Disable logging in to an account, or enable it.

    While it is disabled nobody can log in, and the account's sessions, tokens, codes and tickets are refused, as those
    of an inactive account. All else works: clients can look the account up and change it.
    """
    if login not in (_ENABLED, _DISABLED):
        fail(f"the login must be {_ENABLED} or {_DISABLED}")

    async def work(store: Store) -> bool | None:
        account_id = (await _account(store, organisation, email_or_id)).id
        return await store.accounts.set_login(
            organisation, account_id, OPERATOR, system_clock(), disabled=login == _DISABLED
        )

    before = _DISABLED if with_store(work) else _ENABLED
    say(f"logging in to {email_or_id} {'was' if before == login else 'is'} {login}{' already' * (before == login)}")


async def _account(store: Store, organisation: str, email_or_id: str) -> Login:
    """The login of an account; ends the command where there is none."""
    login = await _login(store, organisation, email_or_id)
    if login.account is None:
        fail(f"{email_or_id} is a customer who has no account yet")
    return login


@app.command()
def move(
    account_id: Annotated[str, typer.Argument(metavar="ID", help="The account's id.")],
    number: Annotated[str, typer.Argument(metavar="NUMBER", help="The customer number that the account belongs to.")],
    organisation: ORGANISATION,
) -> None:
    """Make an account that of another customer: the subscription system gave the reader a new customer number.

    Where no customer with the number has been imported yet, the account's customer gets it, and the next import finds
    them under it. Otherwise the account gets the subscriptions of the customer who has it.
    """
    if CUSTOMER_NUMBER.fullmatch(number) is None:
        fail("a customer number has up to 50 letters, digits, dashes and underscores")

    async def work(store: Store) -> str:
        await get_organisation(store, organisation)
        try:
            return await store.customers.move_account(organisation, account_id.lower(), number, system_clock())
        except UniqueConflict as conflict:
            fail(_CANNOT_MOVE[conflict.kind].format(account_id, number))

    if with_store(work) == RENAMED:
        say(f"the customer of account {account_id} has the number {number} now")
    else:
        say(f"account {account_id} belongs to customer {number} now, and has that customer's subscriptions")


_CANNOT_MOVE = {
    identifiers.ID: "there is no account with the id {0}: `stamkund account attempts` and GET /accounts show ids",
    identifiers.CUSTOMER_NUMBER: "there is no customer {1}, and account {0} has no customer who could get the number",
    identifiers.PERSON_NUMBER: "another account has the social security number of customer {1}",
    CANDIDATE: "customer {1} has another account",
}


async def _login(store: Store, organisation: str, email_or_id: str) -> Login:
    """The login of an account, or of a customer with an imported password; ends the command where there is none."""
    await get_organisation(store, organisation)
    id_ = parse_id(email_or_id.strip())
    key = identifiers.email(email_or_id) if id_ is None else Identifier(identifiers.ID, id_)
    login = await store.logins.find(organisation, key)
    if login is None:
        fail(f"there is no account {email_or_id} in {organisation}: check the e-mail or id, and the organisation")
    return login
