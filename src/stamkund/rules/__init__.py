"""The rules of the trade, as plain values and pure functions.

What follows from a person number, when a subscription has ended, which values a parameter may have. No HTTP, no SQL,
no clock: the time is an argument. Everything here can be tried at a Python prompt.
"""
