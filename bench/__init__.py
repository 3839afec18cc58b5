"""Measurements of Stamkund and of what stands beside it; run from the project's root."""
