"""Pages for people: login, logout, and refusals in words. HTML on the server, in Swedish and English, without scripts.

What the stories of several pages share is here: texts, language, rendering with strict headers, forms that can't be
sent from elsewhere, and where a browser may be sent on to.
"""

from __future__ import annotations

from stamkund.pages.page import HTML, PageBranding, show
from stamkund.pages.refusals import refusal_page

__all__ = ["HTML", "PageBranding", "refusal_page", "show"]
