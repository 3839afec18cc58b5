"""`stamkund key …`: the keys that numbers and secrets are sealed with, and those that ID tokens are signed with."""

from __future__ import annotations

from typing import Annotated

import typer

from stamkund.cli.common import chosen_settings, fail, with_store
from stamkund.clock import system_clock
from stamkund.store import Store

app = typer.Typer(help="The keys in the key file.", no_args_is_help=True)


@app.command("list")
def list_keys() -> None:
    """List the ids of the keys, oldest first; the last one seals new data."""

    async def work(store: Store) -> list[str]:
        return store.documents.vault.key_ids

    print("\n".join(with_store(work)))


@app.command()
def add() -> None:
    """Add a key, which seals new data from now on."""

    async def work(store: Store) -> str:
        return store.documents.vault.add_key(system_clock())

    print(f"key {with_store(work)} added. Restart the servers, then run `stamkund key reencrypt`.")


@app.command()
def reencrypt() -> None:
    """Seal all data with the newest key. Can be run again at any time, and while servers run."""
    done = 0

    def count(documents: int) -> None:
        nonlocal done
        done += documents

    with_store(lambda store: store.reencrypt(count))
    print("everything is sealed with the newest key")


@app.command()
def remove(key_id: Annotated[str, typer.Argument(help="The id of an older key.")]) -> None:
    """Seal all data with the newest key, then remove an older key from the key file. Restart the servers after."""

    async def work(store: Store) -> None:
        vault = store.documents.vault
        if key_id not in vault.key_ids[:-1]:
            fail(f"{key_id} is not an older key of {vault.path}; it has: {', '.join(vault.key_ids)}")
        await store.reencrypt(lambda _: None)
        vault.drop_key(key_id)
        await store.drop_number_keys(key_id)

    with_store(work)
    print(f"key {key_id} is removed")


@app.command("rotate-signing")
def rotate_signing(
    revoke_old: Annotated[
        bool, typer.Option("--revoke-old", help="Drop the older keys at once: what they signed no longer holds.")
    ] = False,
) -> None:
    """Make a new key for ID tokens now. It is shown to clients for a while before it signs; after a leak, revoke."""
    from stamkund.signing import STALE_SECONDS, Signer

    async def work(store: Store) -> str:
        return await Signer(store, chosen_settings(), system_clock).rotate(revoke_old=revoke_old)

    key_id = with_store(work)
    if revoke_old:
        print(
            f"key {key_id} signs ID tokens, servers that run follow within {STALE_SECONDS} seconds; the others are gone"
        )
    else:
        print(f"key {key_id} is shown to clients, and signs once they had time to fetch it")
