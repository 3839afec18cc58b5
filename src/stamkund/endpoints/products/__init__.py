"""Calls about what the organisation sells, as its catalogue has it."""
