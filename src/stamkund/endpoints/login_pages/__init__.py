"""The hosted login and logout pages."""
