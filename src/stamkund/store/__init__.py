"""Room 3, the only SQL: verbs in our words, each of them one transaction.

`Store` is what the rest of the house sees. A verb is written once, as a generator (`work.py`), and runs on either
engine (`sqlite.py`, `postgres.py`); both pass one conformance suite (`tests/store/`). Values of our own go in and come
out; rows, placeholders and transactions stay in here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Protocol, TypeVar

from stamkund.rules import identifiers
from stamkund.rules.account import Account
from stamkund.rules.attempts import Attempt, Judged, Policy, Visit
from stamkund.rules.branding import Branding
from stamkund.rules.catalogue import Catalogue
from stamkund.rules.customer import Customer
from stamkund.rules.identifiers import Identifier
from stamkund.rules.organisation import Client, Organisation
from stamkund.rules.person_number import PersonNumber
from stamkund.rules.signing import SigningKey
from stamkund.store import (
    attempts,
    audit,
    branding,
    catalogues,
    counts,
    installation,
    look_ups,
    migrations,
    signing_keys,
)
from stamkund.store.accounts import AccountVerbs, Candidate, Login
from stamkund.store.attempts import AttemptVerbs
from stamkund.store.catalogues import CatalogueMemory, CatalogueVersion, Loaded
from stamkund.store.customers import CustomerVerbs, Outcome, Wanted
from stamkund.store.documents import Documents
from stamkund.store.look_ups import OWN, Opened, Own, SessionAsked, Subject, TokenAsked
from stamkund.store.one_time import CODE, TICKET, OneTime
from stamkund.store.readers import NotActive
from stamkund.store.session_store import SessionStore
from stamkund.store.sqlite import SqliteEngine
from stamkund.store.token_store import TokenStore
from stamkund.store.tokens import ACCESS, REFRESH, Issue, NewToken, Refresh
from stamkund.store.work import MakeWork, Row, Sql, Taken, Unavailable
from stamkund.vault import CHECK, CannotOpen, KeyFileError, KeyFileExists, Vault

__all__ = [
    "ACCESS",
    "CODE",
    "OWN",
    "REFRESH",
    "TICKET",
    "Candidate",
    "CatalogueVersion",
    "Engine",
    "Issue",
    "KeyFileError",
    "Loaded",
    "Login",
    "NewToken",
    "NotActive",
    "OneTime",
    "Opened",
    "Outcome",
    "Own",
    "Refresh",
    "SessionAsked",
    "Store",
    "Subject",
    "Taken",
    "TokenAsked",
    "Unavailable",
    "Wanted",
    "WrongSchema",
    "engine_for",
]

T = TypeVar("T")


class WrongSchema(Exception):
    """The database is older or newer than this program; the message says what to do."""


class Engine(Protocol):
    """What a database must be able to do for us."""

    name: str

    async def open(self) -> None: ...
    async def close(self) -> None: ...
    async def look_up(self, single: Sql, batch: Sql, values: tuple[object, ...]) -> Row | None: ...
    async def read(self, make: MakeWork[T]) -> T: ...
    async def write(self, make: MakeWork[T]) -> T: ...


def engine_for(url: str, connections: int = 6) -> Engine:
    """The engine that a database URL names: `sqlite:///file` or `postgresql://…`. Raises ValueError."""
    if url.startswith("sqlite:///"):
        path = url.removeprefix("sqlite:///")
        if not path or ":memory:" in path:
            raise ValueError("a sqlite URL names a file, such as sqlite:///stamkund.db")
        return SqliteEngine(Path(path))
    if url.startswith(("postgresql://", "postgres://")):
        from stamkund.store.postgres import PostgresEngine  # its driver takes long to load

        return PostgresEngine(url, connections)
    raise ValueError("the database URL must begin with sqlite:/// or postgresql://")


class Store:
    """The verbs on one open engine. Every verb raises Unavailable when the database is out of reach."""

    def __init__(self, engine: Engine, vault: Vault) -> None:
        self.engine = engine
        self.sessions = SessionStore(engine)
        self.tokens = TokenStore(engine)
        self.documents = Documents(vault)
        self._accounts = AccountVerbs(self.documents)
        self._customers = CustomerVerbs(self.documents)
        self._catalogues = CatalogueMemory(self.loaded_catalogue)
        self._attempts = AttemptVerbs(self.documents)

    # The hot path --------------------------------------------------------------------------------------

    async def opened(self, token_hash: bytes, subject: Subject, catalogue: bool = False) -> Opened | None:
        """A token with its client and organisation and, in the same statement, the account asked for.

        With `catalogue`, also what `catalogue()` needs to know of the organisation's.
        """
        look_up, values = look_ups.statement(token_hash, subject, catalogue)
        row = await self.engine.look_up(look_up.single, look_up.batch, values)
        return None if row is None else look_ups.opened(row)

    def account(self, document: str | bytes) -> Account:
        """The account of a document that `opened` brought. Raises CannotOpen."""
        return self.documents.account(document)

    async def catalogue(self, organisation: str, fingerprint: str | None) -> Catalogue:
        """The catalogue whose fingerprint `opened` brought. Read from the database only when it is a new one."""
        return await self._catalogues.get(organisation, fingerprint)

    def number_key(self, ten_digits: str) -> str:
        """What a social security number is looked up by."""
        return self.documents.vault.number_hashes(ten_digits)[0]

    # Candidates, accounts, logins ----------------------------------------------------------------------

    async def find_candidate(
        self,
        organisation: str,
        asked: list[Identifier],
        email: str | None = None,
        number: PersonNumber | None = None,
    ) -> Candidate | None:
        """The one customer that all of `asked` mean.

        `email`, and `number` for a customer without one, are looked at for being an account's already.
        """
        return await self.engine.read(lambda: self._accounts.find_candidate(organisation, asked, email, number))

    async def activate(
        self,
        organisation: str,
        candidate_id: str,
        make_account: Callable[[Customer], Account],
        password_hash: str,
        client: str,
        now: int,
    ) -> tuple[int, str]:
        """Makes the account (answers row and id), spends the candidate, writes audit and event; or raises Taken."""
        return await self.engine.write(
            lambda: self._accounts.activate(organisation, candidate_id, make_account, password_hash, client, now)
        )

    async def login(self, organisation: str, email: str) -> Login | None:
        """What is needed to check the password of whoever has this e-mail."""
        return await self.login_of(organisation, identifiers.email(email))

    async def login_of(self, organisation: str, identifier: Identifier) -> Login | None:
        """As `login`, by e-mail or id."""
        return await self.engine.read(lambda: self._accounts.login(organisation, identifier))

    async def upgrade_password(self, account_row: int, before: str, after: str) -> None:
        await self.engine.write(lambda: self._accounts.upgrade_password(account_row, before, after))

    # Attempts to log in --------------------------------------------------------------------------------

    async def judge(self, visit: Visit, login: Login, policy: Policy, *, succeeded: bool, audited: bool) -> Judged:
        """Decides what becomes of an attempt at a login, counts it and keeps it, in one transaction."""
        customer = login.account is None
        return await self.engine.write(
            lambda: self._attempts.judge(
                visit, login.id, policy, succeeded=succeeded, customer=customer, audited=audited
            )
        )

    async def judge_stranger(self, visit: Visit, email: str, policy: Policy) -> Judged:
        """Decides what becomes of an attempt at nobody's login, as of one at somebody's."""
        key = self.documents.vault.pseudonym(f"{visit.organisation}\0{email.lower()}".encode(errors="replace"))
        return await self.engine.write(lambda: attempts.judge_stranger(visit, key, policy))

    async def unfreeze(self, organisation: str, login: Login, now: int) -> bool:
        """Lifts a freeze and clears the count; answers whether there was a freeze."""
        return await self.engine.write(lambda: attempts.lift(organisation, login.id, now))

    async def attempts(self, organisation: str, login: Login) -> list[Attempt]:
        """The latest attempts at a login, newest first."""
        return await self.engine.read(lambda: attempts.latest(organisation, login.id))

    async def remove_stale_attempts(self, now: int, most: int = 500) -> int:
        return await self.engine.write(lambda: attempts.remove_stale(now, most))

    # Rate limits ---------------------------------------------------------------------------------------

    async def add_counts(self, ends: int, new: Mapping[str, int]) -> dict[str, int]:
        """Adds to the counts of the minute that ends at `ends`; answers the totals of all processes."""
        return await self.engine.write(lambda: counts.add(ends, new))

    async def remove_counts(self, now: int, most: int = 500) -> int:
        return await self.engine.write(lambda: counts.remove_over(now, most))

    # What is written down about logins -----------------------------------------------------------------

    async def remove_old_audit(self, before: int, most: int = 500) -> int:
        """Removes at most `most` lines of the audit from before a moment; answers how many."""
        return await self.engine.write(lambda: audit.remove_before(before, most))

    # Import --------------------------------------------------------------------------------------------

    async def put_customers(
        self, organisation: str, wanted: list[Wanted], now: int, *, dry_run: bool = False
    ) -> Outcome:
        return await self.engine.write(
            lambda: self._customers.put_customers(organisation, wanted, now, dry_run=dry_run)
        )

    # Catalogues ----------------------------------------------------------------------------------------

    async def loaded_catalogue(self, organisation: str) -> Loaded | None:
        """The organisation's catalogue with its version, None where it has none."""
        return await self.engine.read(lambda: catalogues.current(organisation))

    async def put_catalogue(
        self, organisation: str, catalogue: Catalogue, now: int, *, dry_run: bool = False
    ) -> CatalogueVersion:
        """Replaces the whole catalogue of an organisation that is there, unless it is the one there is."""
        return await self.engine.write(lambda: catalogues.put(organisation, catalogue, now, dry_run=dry_run))

    # The installation ----------------------------------------------------------------------------------

    async def organisations(self) -> list[Organisation]:
        return await self.engine.read(installation.organisations)

    async def organisation(self, organisation_id: str) -> Organisation | None:
        return await self.engine.read(lambda: installation.organisation(organisation_id))

    async def change_organisation(
        self, organisation_id: str, change: Callable[[Organisation | None], Organisation]
    ) -> Organisation:
        return await self.engine.write(
            lambda: installation.change_organisation(organisation_id, change, self.documents)
        )

    async def clients(self, organisation: str) -> list[Client]:
        return await self.engine.read(lambda: installation.clients(organisation))

    async def origins(self) -> frozenset[str]:
        """The web origins that the enabled clients of all organisations list."""
        return await self.engine.read(installation.origins)

    async def client(self, client_id: str) -> tuple[Client, Organisation] | None:
        return await self.engine.read(lambda: installation.client(client_id))

    async def add_client(self, new: Client) -> None:
        await self.engine.write(lambda: installation.add_client(new, self.documents))

    async def change_client(self, client_id: str, change: Callable[[Client], Client]) -> Client | None:
        return await self.engine.write(lambda: installation.change_client(client_id, change, self.documents))

    async def branding(self, organisation: str) -> Branding:
        """How the organisation's pages look."""
        return await self.engine.read(lambda: branding.branding(organisation))

    async def change_branding(self, organisation: str, change: Callable[[Branding], Branding]) -> Branding:
        """Changes how the pages of an organisation that is there look."""
        return await self.engine.write(lambda: branding.change(organisation, change))

    async def ping(self) -> None:
        """Returns when the database answers."""
        await self.engine.read(migrations.schema_version)

    # Keys ----------------------------------------------------------------------------------------------

    async def reencrypt(self, progress: Callable[[int], None], batch: int = 500) -> None:
        """Seals everything with the newest key, in batches; `progress` is told how many documents were done."""
        progress(await self.engine.write(lambda: installation.reseal_clients(self.documents)))
        progress(await self.engine.write(lambda: signing_keys.reseal(self.documents.vault)))
        for reseal in (installation.reseal_accounts, installation.reseal_customers):
            after: int | None = 0
            while after is not None:
                after = await self.engine.write(lambda r=reseal, a=after: r(a, batch, self.documents))  # type: ignore[misc]
                progress(batch)

    async def drop_number_keys(self, key_id: str) -> None:
        await self.engine.write(lambda: installation.drop_number_keys(key_id))

    async def signing_keys(self) -> list[SigningKey]:
        """The keys of ID tokens, oldest first."""
        return await self.engine.read(signing_keys.kept)

    async def add_signing_key(self, new: SigningKey, newest: str | None) -> list[SigningKey]:
        """Adds a key unless another was added after `newest`; answers the keys that there are then, oldest first."""
        return await self.engine.write(lambda: signing_keys.add_after(new, newest))

    async def rotate_signing_keys(self, new: SigningKey, *, revoke_old: bool) -> None:
        """Adds a key, whatever others there are; with `revoke_old` it is the only one then."""
        await self.engine.write(lambda: signing_keys.rotate(new, revoke_old=revoke_old))

    async def remove_signing_keys(self, ids: list[str]) -> None:
        await self.engine.write(lambda: signing_keys.remove(ids))


async def migrate(engine: Engine, now: int) -> list[str]:
    """Brings the schema up to date; answers the steps that were taken."""
    done = []
    while (step := await engine.write(lambda: migrations.next_step(now))) is not None:
        done.append(f"{step.number:04} {step.name}")
    return done


async def check_schema(engine: Engine) -> None:
    """Raises WrongSchema unless the database has exactly the schema that this program knows."""
    version = await engine.read(migrations.schema_version)
    if version < migrations.LATEST:
        raise WrongSchema(
            f"the database schema is at step {version}, this program needs step {migrations.LATEST}: "
            "run `stamkund migrate`"
        )
    if version > migrations.LATEST:
        raise WrongSchema(
            f"the database schema is at step {version}, newer than this program knows ({migrations.LATEST}): "
            "upgrade Stamkund"
        )


async def vault_for(engine: Engine, path: Path, now: int) -> Vault:
    """The vault of this database. Makes the key file only for a database that nothing was sealed for yet.

    Raises KeyFileError where the file is missing, or is not the one that the database was written with.
    """
    check = await engine.read(installation.key_check)
    if check is None:
        vault = await asyncio.to_thread(_vault_at_first, path, now)
        await engine.write(lambda: installation.set_key_check(vault))
        return vault
    vault = await asyncio.to_thread(_vault_as_before, path)
    try:
        vault.open(check, CHECK)
    except CannotOpen:
        raise KeyFileError(
            f"the key file {path} is not the one that this database was written with: set STAMKUND_KEY_FILE "
            "to the right one"
        ) from None
    return vault


def _vault_at_first(path: Path, now: int) -> Vault:
    """The key file that is there, or a new one; of two starting at once the second takes the first one's."""
    if not path.exists():
        with suppress(KeyFileExists):
            return Vault.create(path, now)
    return Vault(path)


def _vault_as_before(path: Path) -> Vault:
    if not path.exists():
        raise KeyFileError(
            f"the key file {path} is missing, and the database was written with one: put it back, or set "
            "STAMKUND_KEY_FILE to where it is"
        )
    return Vault(path)
