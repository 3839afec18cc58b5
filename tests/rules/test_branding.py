"""Logos recognised by their content, and colours that people can read."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stamkund.rules.branding import (
    DEFAULT_BACKGROUND,
    DEFAULT_COLOUR,
    MAX_LOGO_BYTES,
    MIN_TEXT_CONTRAST,
    Unusable,
    button_colour_of,
    colour_of,
    contrast,
    logo_of,
    text_on,
)

SVG = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"/>'
COLOURS = st.integers(0, 0xFFFFFF).map("#{:06x}".format)


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (b"\x89PNG\r\n\x1a\n...", "image/png"),
        (b"\xff\xd8\xff\xe0...", "image/jpeg"),
        (b"GIF87a...", "image/gif"),
        (b"GIF89a...", "image/gif"),
        (b"RIFF\x01\x02\x03\x04WEBPVP8 ", "image/webp"),
        (SVG, "image/svg+xml"),
        (b"\xef\xbb\xbf" + SVG, "image/svg+xml"),
        (b'<?xml version="1.0"?>\n<!-- a\nlogo -->\n' + SVG, "image/svg+xml"),
    ],
)
def test_a_logo_is_recognised_by_its_content(content: bytes, media_type: str) -> None:
    logo = logo_of(content)
    assert logo.media_type == media_type and base64.b64decode(logo.base64) == content
    assert logo.source == f"data:{media_type};base64,{base64.b64encode(content).decode()}"


@pytest.mark.parametrize(
    "content",
    [
        b"PNG",
        b"\x89PNG",
        b"GIF90a",
        b"RIFF\x01\x02\x03\x04WAVE",
        b"%PDF-1.7",
        b"<html><svg xmlns='http://www.w3.org/2000/svg'/></html>",
        b"<svg/>",
        b"<svgx xmlns='http://www.w3.org/2000/svg'/>",
        SVG.decode().encode("utf-16"),
        b"\xff" + SVG,
        b"BM...",
    ],
)
def test_what_is_no_logo_is_refused(content: bytes) -> None:
    with pytest.raises(Unusable, match="must be PNG, JPEG, WebP, GIF or SVG"):
        logo_of(content)


def test_a_logo_has_64_kib_at_most() -> None:
    png = b"\x89PNG\r\n\x1a\n"
    assert logo_of(png.ljust(MAX_LOGO_BYTES, b"\0"))
    with pytest.raises(Unusable, match="has 65537 bytes; it must have at most 65536"):
        logo_of(png.ljust(MAX_LOGO_BYTES + 1, b"\0"))
    with pytest.raises(Unusable, match="is empty"):
        logo_of(b"")


@pytest.mark.parametrize(
    ("one", "other", "ratio"),
    [
        ("#000000", "#ffffff", 21),
        ("#ffffff", "#ffffff", 1),
        ("#777777", "#ffffff", 4.48),
        ("#767676", "#ffffff", 4.54),
        ("#ff0000", "#ffffff", 4.0),
        ("#0000ff", "#ffffff", 8.59),
        ("#ffff00", "#ffffff", 1.07),
    ],
)
def test_contrast_is_wcags(one: str, other: str, ratio: float) -> None:
    assert contrast(one, other) == contrast(other, one) == pytest.approx(ratio, abs=0.01)


@given(COLOURS)
def test_text_on_any_colour_can_be_read(colour: str) -> None:
    assert contrast(text_on(colour), colour) >= MIN_TEXT_CONTRAST


def test_the_colours_of_old_are_ones_that_may_be_chosen() -> None:
    assert button_colour_of(DEFAULT_COLOUR) == DEFAULT_COLOUR and colour_of(DEFAULT_BACKGROUND) == DEFAULT_BACKGROUND


@pytest.mark.parametrize(
    "text", ["", "red", "#fff", "1d4ed8", "#1d4ed88", "#1d4edg", "#1d4ed8;}", "#1d4ed٨", "#1d4ed8 x"]
)
def test_a_colour_is_written_in_one_way(text: str) -> None:
    with pytest.raises(Unusable, match="must be written #rrggbb"):
        colour_of(text)
    assert colour_of(" #1D4ED8\n") == "#1d4ed8"


@pytest.mark.parametrize(("colour", "reached"), [("#ffff00", "1.07"), ("#ffffff", "1.00"), ("#ff8800", "2.39")])
def test_a_button_with_too_little_contrast_is_refused(colour: str, reached: str) -> None:
    with pytest.raises(
        Unusable, match=rf"the colour {colour} has a contrast of {reached} with the white card .* least 3,"
    ):
        button_colour_of(colour)
