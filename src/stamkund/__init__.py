"""Stamkund: subscriber accounts behind the Payway external API."""

__version__ = "0.2.0.dev0"
