"""Tests of Stamkund."""
