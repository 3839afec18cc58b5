"""Fixtures for tests of the command line."""

from __future__ import annotations

from tests.support.installed import embedded, installation, url

__all__ = ["embedded", "installation", "url"]
