"""`stamkund branding`: how an organisation's login and logout pages look."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
import typer

from stamkund.cli.common import JSON, ORGANISATION, fail, get_organisation, with_store
from stamkund.cli.output import say, say_json
from stamkund.rules.branding import Branding, Unusable, button_colour_of, colour_of, contrast, logo_of, text_on
from stamkund.store import Store


class BrandingOutput(msgspec.Struct):
    """What `--json` prints. `logo` is its media type. The colours of text are computed."""

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
    """Show how an organisation's login and logout pages look, or change what the options name.

    The colour of text is chosen so that it is always readable on the colour behind it.
    """
    if logo is not None and no_logo:
        fail("--logo and --no-logo contradict each other")
    changes = _changes(logo, colour, background, no_logo)

    async def work(store: Store) -> Branding:
        await get_organisation(store, organisation)
        if not changes:
            return await store.branding.of_organisation(organisation)
        return await store.branding.change(organisation, lambda before: msgspec.structs.replace(before, **changes))

    _print(_output(organisation, with_store(work)), json)


def _changes(logo: Path | None, colour: str | None, background: str | None, no_logo: bool) -> dict[str, object]:
    """The fields to change; ends the command where one can't be used."""
    changes: dict[str, object] = {"logo": None} if no_logo else {}
    try:
        if logo is not None:
            changes["logo"] = logo_of(logo.read_bytes())
        if colour is not None:
            changes["colour"] = button_colour_of(colour)
        if background is not None:
            changes["background"] = colour_of(background)
    except OSError as error:
        fail(f"the logo {logo} cannot be read: {error.strerror}")
    except Unusable as error:
        fail(str(error))
    return changes


def _output(organisation: str, branding: Branding) -> BrandingOutput:
    size = 0 if branding.logo is None else len(branding.logo.base64) * 3 // 4 - branding.logo.base64.count("=")
    media_type = None if branding.logo is None else branding.logo.media_type
    on_colour, on_background = text_on(branding.colour), text_on(branding.background)
    return BrandingOutput(
        organisation, media_type, size, branding.colour, on_colour, branding.background, on_background
    )


def _print(output: BrandingOutput, json: bool) -> None:
    if json:
        say_json(output)
        return
    say(f"logo        {f'{output.logo}, {output.logo_bytes} bytes' if output.logo else 'none: the name is shown'}")
    for name, colour, text in (
        ("colour", output.colour, output.text_on_colour),
        ("background", output.background, output.text_on_background),
    ):
        say(f"{name:10}  {colour}, text on it {text} (contrast {contrast(colour, text):.1f})")
