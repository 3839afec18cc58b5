"""Fixtures for tests of what the documentation says."""

from __future__ import annotations

from tests.support.installation_fixtures import installation, prepared_postgres, prepared_sqlite

__all__ = ["installation", "prepared_postgres", "prepared_sqlite"]
