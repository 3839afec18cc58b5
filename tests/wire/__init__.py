"""Tests of how the API is spoken and described."""
