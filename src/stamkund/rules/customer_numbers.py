"""How long customer numbers are: those that the API's documents know, and those that subscription systems have."""

from __future__ import annotations

import re

DOCUMENTED_CUSTOMER_NUMBER = 10
LONG_CUSTOMER_NUMBER = 50
CUSTOMER_NUMBER = re.compile(r"[a-zA-Z0-9_-]{1,50}")
"""What subscription systems may have for one."""
