"""An HTTP/1.1 keep-alive load generator that stays cheaper than the servers it drives.

Requests are ready-made bytes and a response is read only as far as its status and length, because
every microsecond spent here is taken from the server on a small machine. Linux only: the paced
mode needs a timer finer than the event loop's millisecond.
"""

from __future__ import annotations

from bench.load.driver import may_go_first, run, run_in_process
from bench.load.plan import LOST, LoadError, Plan, Result, request

__all__ = ["LOST", "LoadError", "Plan", "Result", "may_go_first", "request", "run", "run_in_process"]
