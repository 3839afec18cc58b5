"""Step 7 of the schema: what earlier versions sealed is bound to its place, whatever interrupts that."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from stamkund.settings import Settings
from stamkund.store import open as opening
from stamkund.store.engine import Engine
from stamkund.store.open import WrongSchema, open_installation
from stamkund.store.verbs import binding
from stamkund.store.verbs.binding import bind, is_bound
from stamkund.store.work import Unavailable
from stamkund.vault import KeyFileError, Vault
from tests.support.rows import executed, rows
from tests.support.service import NOW
from tests.upgrades import stored_data

NUMBERS = {"12345": "19800610-8230", "20001": "123499-0000"}
"""The customers of the stored data that have a social security number."""
COPIES = 40
HASH = "$2b$12$CauCJVLA.NTgR4TsdABCR.vv.gJZW1G6ApYdPUevqxnJYXMPHBYEG"

BEFORE = [folder for folder in stored_data.folders() if int(folder.name) < 7]


@pytest.fixture(params=BEFORE[-1:], ids=lambda folder: folder.name)
async def before(request: pytest.FixtureRequest, fresh_url: str, tmp_path: Path) -> Settings:
    """A database as the version before step 7 left it, with more customers, and hashes that were not sealed."""
    await stored_data.load(request.param, fresh_url, tmp_path / "stamkund.key")
    (document,) = [text for (text,) in await rows(fresh_url, "SELECT document FROM customers") if '"20002"' in text]
    for number in range(COPIES):
        copy = {**msgspec.json.decode(document), "id": f"{number:024x}", "customer_number": f"c{number}"}
        copy |= {"email": f"c{number}@example.com", "password_hash": HASH}
        text = msgspec.json.encode(copy).decode()
        row = 2000 + number
        await executed(
            fresh_url, f"INSERT INTO customers (row, organisation, document) VALUES ({row}, 'north', '{text}')"
        )
        await executed(
            fresh_url,
            "INSERT INTO customer_identifiers (organisation, kind, value, customer) "
            f"VALUES ('north', 'customer_number', 'c{number}', {row}), "
            f"('north', 'email', 'c{number}@example.com', {row})",
        )
    return Settings(database_url=fresh_url, key_file=str(tmp_path / "stamkund.key"))


@asynccontextmanager
async def engine_of(settings: Settings) -> AsyncIterator[Engine]:
    engine = opening.engine_for(settings.database_url)
    await engine.open()
    try:
        yield engine
    finally:
        await engine.close()


async def check_everything(settings: Settings) -> None:
    """Every value is there, is bound to its place, and its owner is found by it; nothing of before is left."""
    installation = await open_installation(settings, lambda: NOW)
    store, vault = installation.store, installation.vault
    try:
        assert await store.engine.read(is_bound)
        for row, organisation, text in await rows(
            settings.database_url, "SELECT row, organisation, document FROM customers"
        ):
            customer = store.documents.customer(organisation, text)
            number = customer.social_security_number
            assert (number and number.stored()) == NUMBERS.get(
                customer.customer_number if organisation == "north" else ""
            )
            assert customer.password_hash is None or customer.password_hash.startswith(("$2b$12$", "$argon2id$"))
            assert "$argon2id" not in text and "$2b$" not in text
            if number is not None:
                await _check_hashes(
                    settings, "customer_identifiers", "customer", row, vault.number_hashes(organisation, number.ten)
                )
        for row, organisation, text in await rows(
            settings.database_url, "SELECT row, organisation, document FROM accounts"
        ):
            account = store.documents.account(organisation, text)
            number = account.social_security_number
            assert (number and number.stored()) == (NUMBERS["12345"] if organisation == "north" else None)
            if number is not None:
                await _check_hashes(
                    settings, "identifiers", "account", row, vault.number_hashes(organisation, number.ten)
                )
        assert len(await rows(settings.database_url, "SELECT 1 FROM customers")) == 4 + COPIES
        for table in ("identifiers", "customer_identifiers"):
            count = f"SELECT count(*) FROM {table} WHERE kind = 'social_security_number'"
            assert await rows(settings.database_url, count) == [(1 if table == "identifiers" else 2,)]
        sealed = [text for (text,) in await rows(settings.database_url, "SELECT sealed FROM id_token_keys")]
        sealed += [text for (text,) in await rows(settings.database_url, "SELECT value FROM meta")]
        assert len(sealed) == 2 and all(text.startswith("1.b.") for text in sealed)
    finally:
        await installation.close()


async def _check_hashes(settings: Settings, table: str, owner: str, row: int, hashes: list[str]) -> None:
    stored = f"SELECT value FROM {table} WHERE kind = 'social_security_number' AND {owner} = {row}"
    assert [value for (value,) in await rows(settings.database_url, stored)] == hashes


async def test_everything_is_bound_and_nothing_lost(before: Settings) -> None:
    done = await opening.migrate_database(before, lambda: NOW)
    assert done.binding is not None and (done.binding.bound, done.binding.damaged) == (4 + COPIES, 0)
    await check_everything(before)
    assert await opening.migrate_database(before, lambda: NOW) == opening.Migrated([], None)


async def test_it_goes_on_where_it_was_interrupted(before: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """After each batch in turn, as a process that is killed does: each time it has come one batch further."""
    async with engine_of(before) as engine:
        await opening.migrate(engine, NOW)
        vault = await opening.vault_for(engine, Path(before.key_file), NOW)
        write, batches = engine.write, 0

        async def once(make: Any) -> Any:
            nonlocal batches
            if batches % 2:
                batches += 1
                raise Unavailable("killed")
            batches += 1
            return await write(make)

        monkeypatch.setattr(engine, "write", once)
        while not await engine.read(is_bound):
            with pytest.raises(Unavailable):
                await bind(engine, vault, batch=3)
        assert batches > 2 * COPIES / 3
    await check_everything(before)


async def test_a_process_that_is_killed_loses_nothing(before: Settings) -> None:
    """With SIGKILL, in the middle of a transaction or between two: again and again until one comes through."""
    script = (
        "import asyncio, sys, time\n"
        "from pathlib import Path\n"
        "from stamkund.store import open as opening\n"
        "from stamkund.store.verbs import binding\n"
        "async def main():\n"
        "    engine = opening.engine_for(sys.argv[1])\n"
        "    await engine.open()\n"
        "    await opening.migrate(engine, 0)\n"
        "    vault = await opening.vault_for(engine, Path(sys.argv[2]), 0)\n"
        "    readable = binding._readable\n"
        "    def slowly(*arguments):\n"
        "        print('batch', flush=True)\n"
        "        time.sleep(0.05)\n"
        "        return readable(*arguments)\n"
        "    binding._readable = slowly\n"
        "    await binding.bind(engine, vault, batch=2)\n"
        "    await engine.close()\n"
        "asyncio.run(main())\n"
    )
    kills = 0
    while True:
        process = subprocess.Popen(  # noqa: ASYNC220
            [sys.executable, "-c", script, before.database_url, before.key_file], stdout=subprocess.PIPE
        )
        assert process.stdout is not None
        with process.stdout as output:
            for _ in range(1 + kills % 4 * 2):
                await asyncio.to_thread(output.readline)
            if kills < 4:
                process.send_signal(signal.SIGKILL)
                kills += 1
            status = await asyncio.to_thread(process.wait)
        if status != -signal.SIGKILL:
            break
    assert (status, kills) == (0, 4)
    await check_everything(before)


async def test_several_processes_share_the_work(before: Settings) -> None:
    async with engine_of(before) as one, engine_of(before) as other:
        await opening.migrate(one, NOW)
        vault = await opening.vault_for(one, Path(before.key_file), NOW)
        results = await asyncio.gather(*(bind(engine, vault, batch=3) for engine in (one, other)))
    assert max(result.bound for result in results if result is not None) == 4 + COPIES
    await check_everything(before)


async def test_a_database_that_is_not_bound_is_not_used(before: Settings) -> None:
    """SQLite is bound at the first start; PostgreSQL only by `stamkund migrate`, which needs the key file for it."""
    async with engine_of(before) as engine:
        await opening.migrate(engine, NOW)
    if not before.sqlite:
        with pytest.raises(WrongSchema, match="run `stamkund migrate`"):
            await open_installation(before, lambda: NOW)
    key_file = Path(before.key_file)
    moved = key_file.rename(key_file.with_suffix(".moved"))  # noqa: ASYNC240
    for open_it in (open_installation, opening.migrate_database):
        with pytest.raises(KeyFileError, match="is missing"):
            await open_it(before, lambda: NOW)
    Vault.create(key_file, NOW)
    with pytest.raises(KeyFileError, match="is not the one"):
        await opening.migrate_database(before, lambda: NOW)
    moved.rename(key_file)
    if not before.sqlite:
        await opening.migrate_database(before, lambda: NOW)
    await check_everything(before)


async def test_a_damaged_value_keeps_nothing_else_from_being_bound(before: Settings) -> None:
    """It stays as it is: it could not be opened before, and it can't be afterwards."""
    url = before.database_url
    ((account, text),) = await rows(url, "SELECT row, document FROM accounts WHERE organisation = 'north'")
    sealed = msgspec.json.decode(text)["social_security_number"]
    damaged = text.replace(sealed, f"1.{'A' * 60}")
    await executed(url, f"UPDATE accounts SET document = '{damaged}' WHERE row = {account}")
    done = await opening.migrate_database(before, lambda: NOW)
    assert done.binding is not None and (done.binding.bound, done.binding.damaged) == (3 + COPIES, 1)
    assert await rows(url, f"SELECT document FROM accounts WHERE row = {account}") == [(damaged,)]
    await (await open_installation(before, lambda: NOW)).close()


async def test_a_value_from_before_is_not_opened_any_more(before: Settings) -> None:
    """Somebody who has an old copy of the database, and can write to the present one, brings nothing back."""
    url = before.database_url
    ((account, old),) = await rows(url, "SELECT row, document FROM accounts WHERE organisation = 'north'")
    await opening.migrate_database(before, lambda: NOW)
    await executed(url, f"UPDATE accounts SET document = '{old}' WHERE row = {account}")
    installation = await open_installation(before, lambda: NOW)
    with pytest.raises(KeyFileError, match="can't be opened"):
        installation.store.documents.account("north", old)
    await installation.close()


async def test_a_new_installation_has_nothing_to_bind(fresh_url: str, tmp_path: Path) -> None:
    settings = Settings(database_url=fresh_url, key_file=str(tmp_path / "stamkund.key"))
    assert (await opening.migrate_database(settings, lambda: NOW)).binding is None
    await (await open_installation(settings, lambda: NOW)).close()
    assert (await opening.migrate_database(settings, lambda: NOW)).binding is None
    assert binding.Progress().stage == binding.CLIENTS
