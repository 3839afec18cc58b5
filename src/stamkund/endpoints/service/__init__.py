"""Calls about the service itself: health and documentation."""
