"""`stamkund branding`: how an organisation's login and logout pages look."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
import typer

from stamkund.cli.common import JSON, ORGANISATION, fail, known_organisation, show_json, with_store
from stamkund.rules.branding import Branding, Unusable, button_colour_of, colour_of, contrast, logo_of, text_on
from stamkund.store import Store


class Shown(msgspec.Struct):
    """What `--json` prints: a logo is told by its media type and size. The texts' colours are worked out."""

    organisation: str
    logo: str | None
    logo_bytes: int
    colour: str
    text_on_colour: str
    background: str
    text_on_background: str


def branding(
    organisation: ORGANISATION,
    logo: Annotated[
        Path | None,
        typer.Option(
            help="A file with the logo: PNG, JPEG, WebP, GIF or SVG of at most 64 KiB.", exists=True, dir_okay=False
        ),
    ] = None,
    colour: Annotated[str | None, typer.Option(help="The colour of the button, #rrggbb.")] = None,
    background: Annotated[str | None, typer.Option(help="The colour around the card, #rrggbb.")] = None,
    no_logo: Annotated[bool, typer.Option("--no-logo", help="Show the organisation's name instead of a logo.")] = False,
    json: JSON = False,
) -> None:
    """Show how an organisation's login and logout pages look, or change what is named.

    The colour of the text on either colour is worked out, so that it can always be read.
    """
    if logo is not None and no_logo:
        fail("--logo and --no-logo say the opposite of each other")
    wanted = _wanted(logo, colour, background, no_logo)

    async def work(store: Store) -> Branding:
        await known_organisation(store, organisation)
        if not wanted:
            return await store.branding.of_organisation(organisation)
        return await store.branding.change(organisation, lambda known: msgspec.structs.replace(known, **wanted))

    _show(_shown(organisation, with_store(work)), json)


def _wanted(logo: Path | None, colour: str | None, background: str | None, no_logo: bool) -> dict[str, object]:
    """The fields to change, or the end of the command."""
    wanted: dict[str, object] = {"logo": None} if no_logo else {}
    try:
        if logo is not None:
            wanted["logo"] = logo_of(logo.read_bytes())
        if colour is not None:
            wanted["colour"] = button_colour_of(colour)
        if background is not None:
            wanted["background"] = colour_of(background)
    except OSError as error:
        fail(f"the logo {logo} cannot be read: {error.strerror}")
    except Unusable as error:
        fail(str(error))
    return wanted


def _shown(organisation: str, found: Branding) -> Shown:
    size = 0 if found.logo is None else len(found.logo.base64) * 3 // 4 - found.logo.base64.count("=")
    media_type = None if found.logo is None else found.logo.media_type
    on_colour, on_background = text_on(found.colour), text_on(found.background)
    return Shown(organisation, media_type, size, found.colour, on_colour, found.background, on_background)


def _show(shown: Shown, json: bool) -> None:
    if json:
        show_json(shown)
        return
    print(f"logo        {f'{shown.logo}, {shown.logo_bytes} bytes' if shown.logo else 'none: the name is shown'}")
    for name, colour, text in (
        ("colour", shown.colour, shown.text_on_colour),
        ("background", shown.background, shown.text_on_background),
    ):
        print(f"{name:10}  {colour}, text on it {text} (contrast {contrast(colour, text):.1f})")
