"""Mails to readers, from the queue in the database to the mail server.

- `delivery.py` is the job: it claims what is due, has it written and sent, and records what became of it.
- `writing.py` makes the message of a queued mail, in the name of its organisation; `templates.py` has the templates,
  ours and those of the organisations, `template_check.py` says whether one can be used, `dates.py` writes dates.
- `message.py` is the message as it goes over the wire.
- `smtp.py` sends messages to a mail server; `sender.py` says what any sender does.
"""
