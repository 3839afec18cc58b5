"""How an organisation's pages look: its logo and two colours, and whether those colours can be read.

Contrast is WCAG 2.2's: the ratio of two luminances, from 1 (the same) to 21 (black on white). Text needs 4.5, the edge
of a button 3. Either black or white has at least 4.5 on any colour, so the colour of text is computed and not
configured. A button colour with too little contrast to the white card is refused.
"""

from __future__ import annotations

import base64
import re

import msgspec

MAX_LOGO_BYTES = 64 * 1024
DEFAULT_COLOUR = "#1d4ed8"
DEFAULT_BACKGROUND = "#f3f4f6"

MIN_TEXT_CONTRAST = 4.5
MIN_EDGE_CONTRAST = 3.0
BLACK, WHITE = "#000000", "#ffffff"
_CARD = WHITE

_COLOUR = re.compile(r"#[0-9a-f]{6}", re.ASCII)
_SVG_BEGINS = re.compile(r"\s*(<\?xml[^>]*\?>\s*)?(<!--.*?-->\s*)*<svg[\s>]", re.DOTALL)
_SVG_NAMESPACE = "http://www.w3.org/2000/svg"


class Unusable(ValueError):
    """A logo or a colour can't be used on pages; the message says why."""


class Logo(msgspec.Struct, frozen=True):
    """An image to be embedded in a page: its media type, and its bytes in base64."""

    media_type: str
    base64: str

    @property
    def source(self) -> str:
        """The `src` of an `img`: a data URL, so that the page needs no second request."""
        return f"data:{self.media_type};base64,{self.base64}"


class Branding(msgspec.Struct, frozen=True, omit_defaults=True):
    """`colour`: of the button; `background`: around the card; both `#rrggbb` in lower case."""

    logo: Logo | None = None
    colour: str = DEFAULT_COLOUR
    background: str = DEFAULT_BACKGROUND


PLAIN = Branding()


def logo_of(content: bytes) -> Logo:
    """The logo in a file, whose media type is recognised by its content. Raises Unusable."""
    if not content:
        raise Unusable("the logo is empty")
    if len(content) > MAX_LOGO_BYTES:
        raise Unusable(f"the logo has {len(content)} bytes; it must have at most {MAX_LOGO_BYTES} (64 KiB)")
    media_type = _media_type(content)
    if media_type is None:
        raise Unusable("the logo must be PNG, JPEG, WebP, GIF or SVG (UTF-8, with the namespace of SVG)")
    return Logo(media_type, base64.b64encode(content).decode("ascii"))


def colour_of(text: str) -> str:
    """A colour written `#rrggbb`. Raises Unusable."""
    colour = text.strip().lower()
    if _COLOUR.fullmatch(colour) is None:
        raise Unusable(f"the colour {text} must be written #rrggbb, such as {DEFAULT_COLOUR}")
    return colour


def button_colour_of(text: str) -> str:
    """A colour for buttons on the white card. Raises Unusable where its contrast is too low."""
    colour = colour_of(text)
    ratio = contrast(colour, _CARD)
    if ratio < MIN_EDGE_CONTRAST:
        raise Unusable(
            f"the colour {colour} has a contrast of {ratio:.2f} with the white card that the button is on; it must "
            f"be at least {MIN_EDGE_CONTRAST:.0f}, so take a darker one"
        )
    return colour


def text_on(colour: str) -> str:
    """Black or white, whichever has more contrast with `colour`: always at least 4.5."""
    return BLACK if contrast(BLACK, colour) >= contrast(WHITE, colour) else WHITE


def contrast(first: str, second: str) -> float:
    """The contrast of two colours, 1 to 21."""
    darker, lighter = sorted((_luminance(first), _luminance(second)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    red, green, blue = (_linear(int(colour[i : i + 2], 16) / 255) for i in (1, 3, 5))
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
    """Browsers show an SVG only if it has its namespace. Inside an `img` it runs no script and loads nothing."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return False
    return _SVG_BEGINS.match(text) is not None and _SVG_NAMESPACE in text
