"""How the API is spoken: declarations, strict input, the order of checks, envelopes and error bodies.

An endpoint is declared once (`endpoint.py`); the ASGI application (`dispatch.py`) and everything that describes the API
(`reference/`) are made from the same declaration. What a call does is in `endpoints/`.
"""
