"""How an organisation's pages look: its logo and two colours, and what makes a colour one that people can read.

Contrast is WCAG 2.2's: the ratio of two luminances, from 1 (the same) to 21 (black on white). Text needs 4.5, the edge
of a button 3. Black or white always reaches 4.5 on any colour, so the text on a colour is worked out and never asked
for; what can be wrong is a button that nobody sees on the white card, and such a colour is refused.
"""

from __future__ import annotations

import base64
import re

import msgspec

MOST_LOGO_BYTES = 64 * 1024
DEFAULT_COLOUR = "#1d4ed8"
DEFAULT_BACKGROUND = "#f3f4f6"

READABLE_TEXT = 4.5
VISIBLE_EDGE = 3.0
BLACK, WHITE = "#000000", "#ffffff"
_CARD = WHITE

_COLOUR = re.compile(r"#[0-9a-f]{6}", re.ASCII)
_SVG_BEGINS = re.compile(r"\s*(<\?xml[^>]*\?>\s*)?(<!--.*?-->\s*)*<svg[\s>]", re.DOTALL)
_SVG_NAMESPACE = "http://www.w3.org/2000/svg"


class Unusable(ValueError):
    """A logo or a colour that pages can't show; the message says why."""


class Logo(msgspec.Struct, frozen=True):
    """An image as a page holds it: its media type, and its bytes in base64."""

    media_type: str
    base64: str

    @property
    def source(self) -> str:
        """What an `img` is given, so that the page asks nobody for its logo."""
        return f"data:{self.media_type};base64,{self.base64}"


class Branding(msgspec.Struct, frozen=True, omit_defaults=True):
    """`colour` is that of the button, `background` that around the card; both `#rrggbb` in lower case."""

    logo: Logo | None = None
    colour: str = DEFAULT_COLOUR
    background: str = DEFAULT_BACKGROUND


PLAIN = Branding()


def logo_of(content: bytes) -> Logo:
    """The logo in a file, recognised by its content. Raises Unusable."""
    if not content:
        raise Unusable("the logo is empty")
    if len(content) > MOST_LOGO_BYTES:
        raise Unusable(f"the logo has {len(content)} bytes; it must have at most {MOST_LOGO_BYTES} (64 KiB)")
    media_type = _media_type(content)
    if media_type is None:
        raise Unusable("the logo must be PNG, JPEG, WebP, GIF or SVG (UTF-8, with the namespace of SVG)")
    return Logo(media_type, base64.b64encode(content).decode("ascii"))


def colour_of(text: str) -> str:
    """A colour written `#rrggbb`. Raises Unusable."""
    found = text.strip().lower()
    if _COLOUR.fullmatch(found) is None:
        raise Unusable(f"the colour {text} must be written #rrggbb, such as {DEFAULT_COLOUR}")
    return found


def button_colour_of(text: str) -> str:
    """A colour that a button may have on the white card. Raises Unusable with the contrast of one that nobody sees."""
    found = colour_of(text)
    reached = contrast(found, _CARD)
    if reached < VISIBLE_EDGE:
        raise Unusable(
            f"the colour {found} has a contrast of {reached:.2f} with the white card that the button is on; it must "
            f"be at least {VISIBLE_EDGE:.0f}, so take a darker one"
        )
    return found


def text_on(colour: str) -> str:
    """Black or white, whichever is easier to read on `colour`: always at least 4.5."""
    return BLACK if contrast(BLACK, colour) >= contrast(WHITE, colour) else WHITE


def contrast(one: str, other: str) -> float:
    """The contrast of two colours, 1 to 21."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    red, green, blue = (_linear(int(colour[at : at + 2], 16) / 255) for at in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else float(((channel + 0.055) / 1.055) ** 2.4)


def _media_type(content: bytes) -> str | None:
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if content.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if content.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    if content.startswith(b"RIFF") and content[8:12] == b"WEBP":
        return "image/webp"
    return "image/svg+xml" if _is_svg(content) else None


def _is_svg(content: bytes) -> bool:
    """Inside an `img`, an SVG runs no script and loads nothing; without its namespace browsers show none at all."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return False
    return _SVG_BEGINS.match(text) is not None and _SVG_NAMESPACE in text
