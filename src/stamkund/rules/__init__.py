"""Room 2: plain values and decisions.

What a person number says, when a subscription is over, which values a parameter may have. No HTTP, no SQL, no
clock of its own: the time comes in as an argument. Everything here can be tried in a Python prompt.
"""
