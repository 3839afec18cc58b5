"""`stamkund import catalogue` and `stamkund catalogue`: load what a publisher sells from a file, and show it."""

from __future__ import annotations

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
    get_organisation,
    with_store,
)
from stamkund.cli.output import complain, say, say_json
from stamkund.clock import system_clock
from stamkund.importing import CannotRun, Mistake, WrongCatalogue, read_catalogue
from stamkund.rules.catalogue import EMPTY, Catalogue
from stamkund.rules.organisation import Organisation
from stamkund.rules.timestamps import zone
from stamkund.store import CatalogueVersion, LoadedCatalogue, Store


class CatalogueReport(msgspec.Struct):
    """What `--json` prints after an import. `version` is null where the file has mistakes."""

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

    A file with any mistake is not loaded. Exit status 0: loaded, or nothing has changed; 2: not loaded.
    """
    try:
        catalogue = read_catalogue(file)
    except CannotRun as error:
        fail(str(error))
    except WrongCatalogue as error:
        _refuse(file, error.mistakes, json)

    async def work(store: Store) -> CatalogueVersion:
        await get_organisation(store, organisation)
        return await store.catalogues.replace(organisation, catalogue, system_clock(), dry_run=dry_run)

    result = with_store(work)
    if json:
        say_json(CatalogueReport(result.changed, result.version, _counts(catalogue), []))
    elif result.changed:
        say(f"{_summary(catalogue)}: {'would be' if dry_run else 'loaded as'} version {result.version}")
    else:
        say(f"{_summary(catalogue)}: nothing changed, this is version {result.version} already")


def show(
    organisation: Annotated[str | None, typer.Option(help="The organisation's id, where there are several.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON, in the format of the file to import.")] = False,
) -> None:
    """Show an organisation's catalogue."""

    async def work(store: Store) -> tuple[Organisation, LoadedCatalogue | None]:
        owner = await get_organisation(store, organisation) if organisation else await _only_organisation(store)
        return owner, await store.catalogues.current(owner.id)

    owner, loaded = with_store(work)
    if json:
        say_json(EMPTY if loaded is None else loaded.catalogue)
    elif loaded is None:
        say(f"{owner.id} has no catalogue yet: load one with `stamkund import catalogue`")
    else:
        at = zone(owner.timezone).format(loaded.loaded)
        say(f"Catalogue of {owner.id}, version {loaded.version}, loaded {at}: {_summary(loaded.catalogue)}")
        for line in _lines(loaded.catalogue):
            say(line)


def _refuse(file: Path, mistakes: list[Mistake], json: bool) -> NoReturn:
    for mistake in mistakes:
        place = f"{mistake.place}: " if mistake.place else ""
        complain(f"{file}: {place}{mistake.reason}")
    if json:
        say_json(CatalogueReport(False, None, {}, mistakes))
    else:
        count = f"{len(mistakes)} mistake{'' if len(mistakes) == 1 else 's'}"
        complain(f"stamkund: nothing was loaded: {count}")
    raise typer.Exit(COULD_NOT_RUN)


async def _only_organisation(store: Store) -> Organisation:
    organisations = await store.organisations.all()
    if len(organisations) != 1:
        fail(f"name the --organisation (known: {', '.join(o.id for o in organisations) or 'none yet'})")
    return organisations[0]


def _counts(catalogue: Catalogue) -> dict[str, int]:
    return {name: len(getattr(catalogue, name)) for name in catalogue.__struct_fields__}


def _summary(catalogue: Catalogue) -> str:
    """`1 title, 3 products, …`"""
    return ", ".join(f"{count} {name if count != 1 else name[:-1]}" for name, count in _counts(catalogue).items())


def _lines(catalogue: Catalogue) -> Iterator[str]:
    for title in catalogue.titles:
        yield f"title     {title.code}  {title.name}"
    for product in catalogue.products:
        yield f"product   {product.code}  {product.name}"
    for package in catalogue.packages:
        grace = f"{package.grace_days} days of grace" if package.grace_days else ""
        cancellable = "cancellable" if package.cancellable else ""
        details = (package.name, package.title and f"title {package.title}", grace, cancellable)
        yield f"package   {package.code}  gives {', '.join(package.products)}{_in_brackets(details)}"
    for campaign in catalogue.campaigns:
        successor = campaign.transforms_to and f"continues as {campaign.transforms_to}"
        yield f"campaign  {campaign.code}  of {campaign.package}{_in_brackets((campaign.name, successor))}"


def _in_brackets(details: tuple[str | None, ...]) -> str:
    text = "; ".join(detail for detail in details if detail)
    return f"  ({text})" if text else ""
