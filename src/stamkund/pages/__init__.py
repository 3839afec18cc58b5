"""The toolkit of pages for people: HTML made on the server, in Swedish and English, without scripts.

Texts and the choice of a language, rendering with strict headers, forms that can't be sent from elsewhere, and refusals
as pages.
"""

from __future__ import annotations

from stamkund.pages.page import PageOwner, render_page
from stamkund.pages.refusals import refusal_page

__all__ = ["PageOwner", "refusal_page", "render_page"]
