"""Calls about the account that the access token stands for."""
