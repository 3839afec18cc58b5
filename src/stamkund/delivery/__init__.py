"""What goes out by itself: mails to readers, later also webhooks to other systems.

Whoever has something to send writes it to the database, in the transaction of the change that it is about, and nothing
here is called for it. Jobs (`server/jobs.py`) deliver what waits there, any number of workers together. This package
knows no endpoint.
"""
