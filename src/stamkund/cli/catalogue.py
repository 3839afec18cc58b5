"""`stamkund import catalogue` and `stamkund catalogue`: what the publisher sells, from a file and back."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, NoReturn

import msgspec
import typer

from stamkund.cli.common import (
    COULD_NOT_RUN,
    JSON,
    ORGANISATION,
    fail,
    known_organisation,
    show_json,
    with_store,
)
from stamkund.clock import system_clock
from stamkund.importing import CannotRun, Mistake, WrongCatalogue, read_catalogue
from stamkund.rules.catalogue import EMPTY, Catalogue
from stamkund.rules.organisation import Organisation
from stamkund.rules.timestamps import zone
from stamkund.store import CatalogueVersion, LoadedCatalogue, Store


class Report(msgspec.Struct):
    """What `--json` prints after an import. `version` is null where there were mistakes."""

    changed: bool
    version: int | None
    counts: dict[str, int]
    mistakes: list[Mistake]


def load(
    file: Annotated[Path, typer.Argument(help="The catalogue, as JSON.", exists=True, dir_okay=False, readable=True)],
    organisation: ORGANISATION,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check everything, change nothing.")] = False,
    json: JSON = False,
) -> None:
    """Replace an organisation's catalogue: its titles, products, packages and campaigns.

    Nothing is loaded unless all of it is right. Exit status 0: done, or nothing to do; 2: nothing was loaded.
    """
    try:
        catalogue = read_catalogue(file)
    except CannotRun as error:
        fail(str(error))
    except WrongCatalogue as error:
        _refuse(file, error.mistakes, json)

    async def work(store: Store) -> CatalogueVersion:
        await known_organisation(store, organisation)
        return await store.catalogues.replace(organisation, catalogue, system_clock(), dry_run=dry_run)

    done = with_store(work)
    if json:
        show_json(Report(done.changed, done.version, _counts(catalogue), []))
    elif done.changed:
        print(f"{_counted(catalogue)}: {'would be' if dry_run else 'loaded as'} version {done.version}")
    else:
        print(f"{_counted(catalogue)}: nothing changed, this is version {done.version} already")


def show(
    organisation: Annotated[str | None, typer.Option(help="The organisation's id, where there are several.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Answer as JSON, in the form that an import takes.")] = False,
) -> None:
    """Show an organisation's catalogue."""

    async def work(store: Store) -> tuple[Organisation, LoadedCatalogue | None]:
        owner = await known_organisation(store, organisation) if organisation else await _only_one(store)
        return owner, await store.catalogues.current(owner.id)

    owner, loaded = with_store(work)
    if json:
        show_json(EMPTY if loaded is None else loaded.catalogue)
    elif loaded is None:
        print(f"{owner.id} has no catalogue yet: load one with `stamkund import catalogue`")
    else:
        at = zone(owner.timezone).format(loaded.loaded)
        print(f"Catalogue of {owner.id}, version {loaded.version}, loaded {at}: {_counted(loaded.catalogue)}")
        for line in _lines(loaded.catalogue):
            print(line)


def _refuse(file: Path, mistakes: list[Mistake], json: bool) -> NoReturn:
    for mistake in mistakes:
        place = f"{mistake.place}: " if mistake.place else ""
        print(f"{file}: {place}{mistake.reason}", file=sys.stderr)
    if json:
        show_json(Report(False, None, {}, mistakes))
    else:
        count = f"{len(mistakes)} mistake{'' if len(mistakes) == 1 else 's'}"
        print(f"stamkund: nothing was loaded: {count}", file=sys.stderr)
    raise typer.Exit(COULD_NOT_RUN)


async def _only_one(store: Store) -> Organisation:
    known = await store.organisations.all()
    if len(known) != 1:
        fail(f"say which --organisation (known: {', '.join(o.id for o in known) or 'none yet'})")
    return known[0]


def _counts(catalogue: Catalogue) -> dict[str, int]:
    return {name: len(getattr(catalogue, name)) for name in catalogue.__struct_fields__}


def _counted(catalogue: Catalogue) -> str:
    """`1 title, 3 products, …`"""
    return ", ".join(f"{count} {name if count != 1 else name[:-1]}" for name, count in _counts(catalogue).items())


def _lines(catalogue: Catalogue) -> Iterator[str]:
    for title in catalogue.titles:
        yield f"title     {title.code}  {title.name}"
    for product in catalogue.products:
        yield f"product   {product.code}  {product.name}"
    for package in catalogue.packages:
        grace = f"{package.grace_days} days of grace" if package.grace_days else ""
        by_reader = "cancellable" if package.cancellable else ""
        parts = (package.name, package.title and f"title {package.title}", grace, by_reader)
        yield f"package   {package.code}  gives {', '.join(package.products)}{_listed(parts)}"
    for campaign in catalogue.campaigns:
        then = campaign.transforms_to and f"goes on as {campaign.transforms_to}"
        yield f"campaign  {campaign.code}  of {campaign.package}{_listed((campaign.name, then))}"


def _listed(parts: tuple[str | None, ...]) -> str:
    said = [part for part in parts if part]
    return f"  ({'; '.join(said)})" if said else ""
