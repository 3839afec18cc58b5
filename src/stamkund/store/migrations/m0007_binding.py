"""Sealed values are bound to purpose, organisation and owner, and hashes of numbers include the organisation.

Both need the key file, which SQL does not have: this step only says that the work is to be done, where anything may be
sealed already, and `store/verbs/binding.py` does it.
"""

from __future__ import annotations

from stamkund.store.work import Sql

STATEMENTS = (Sql("INSERT INTO meta (name, value) SELECT 'binding', '{}' FROM meta WHERE name = 'key check'"),)
