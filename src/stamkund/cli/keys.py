"""`stamkund key …`: the keys that seal numbers and secrets, and those that sign ID tokens."""

from __future__ import annotations

from typing import Annotated

import typer

from stamkund.cli.common import fail, load_settings, with_installation
from stamkund.cli.output import say
from stamkund.clock import system_clock
from stamkund.store.open import Installation

app = typer.Typer(help="The keys in the key file, and those of ID tokens.", no_args_is_help=True)


@app.command("list")
def list_keys() -> None:
    """List the ids of the keys in the key file, oldest first; the last one seals new data."""

    async def work(installation: Installation) -> list[str]:
        return installation.vault.key_ids

    for key_id in with_installation(work):
        say(key_id)


@app.command()
def add() -> None:
    """Add a key to the key file, which seals new data from now on."""

    async def work(installation: Installation) -> str:
        return installation.vault.add_key(system_clock())

    say(f"key {with_installation(work)} added. Copy the key file to all machines and restart the servers.")
    say("Then run `stamkund key reencrypt`.")


@app.command()
def reencrypt() -> None:
    """Seal all data with the newest key. Can be repeated at any time, and while servers run."""
    with_installation(lambda it: it.store.encryption.reencrypt())
    say("all data is sealed with the newest key")


@app.command()
def remove(key_id: Annotated[str, typer.Argument(help="The id of an older key.")]) -> None:
    """Seal all data with the newest key, then remove an older key from the key file. Restart the servers after."""

    async def work(installation: Installation) -> None:
        store, vault = installation.store, installation.vault
        if key_id not in vault.key_ids[:-1]:
            fail(f"{key_id} is not an older key of {vault.path}; it has: {', '.join(vault.key_ids)}")
        await store.encryption.reencrypt()
        vault.drop_key(key_id)
        await store.encryption.drop_number_hashes(key_id)

    with_installation(work)
    say(f"key {key_id} is removed. Copy the key file to all machines and restart the servers.")


@app.command("rotate-signing")
def rotate_signing(
    revoke_old: Annotated[
        bool,
        typer.Option("--revoke-old", help="Remove the older keys at once: ID tokens that they signed are rejected."),
    ] = False,
) -> None:
    """Make new keys for ID tokens now. They are published for a while before they sign. After a leak, use --revoke-old.

    There is one for each algorithm (RS256, ES256).
    """
    from stamkund.identity.id_token_keys import CACHE_SECONDS, IdTokenKeys

    async def work(installation: Installation) -> list[str]:
        keys = IdTokenKeys(installation.store, installation.vault, load_settings(), system_clock)
        return await keys.rotate(revoke_old=revoke_old)

    ids = " and ".join(with_installation(work))
    if revoke_old:
        say(f"keys {ids} sign ID tokens, on running servers within {CACHE_SECONDS} seconds; older keys are removed")
    else:
        say(f"keys {ids} are published, and sign ID tokens once clients have had time to fetch them")
