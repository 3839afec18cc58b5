"""A fuzz of the whole service, which `make fuzz` runs and the suite does not: it takes a quarter of an hour.

- `generated.py`: requests to all operations of /openapi.json, made up by schemathesis. Credentials are real ones
  (`credentials.py`), so that the requests get past the first checks: tokens, client secrets, signed SSO2 tokens.
- `malformed.py`: bytes that are nearly requests, each on a connection of its own.

No response may be a 5xx, and every connection must end.
"""
