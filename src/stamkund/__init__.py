"""Stamkund: subscriber accounts behind the Payway external API."""

__version__ = "0.1.0"
