"""The process that watches over several workers: uvicorn's, but it says why it replaces one."""

from __future__ import annotations

import signal

from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors.multiprocess import Multiprocess, Process

from stamkund import log


class Supervisor(Multiprocess):
    """Starts the workers, and replaces those that end or hang."""

    has_failed = False
    """Whether a worker could not start: then another one could not either."""

    def keep_subprocess_alive(self) -> None:
        """As uvicorn's, which kills a worker without a word."""
        for place, worker in enumerate(self.processes):
            if self.should_exit.is_set():
                return
            if worker.is_alive(timeout=self.config.timeout_worker_healthcheck):
                continue
            reason = self._reason(worker)
            worker.kill()  # it may hang
            worker.join()
            if worker.exitcode == STARTUP_FAILURE:
                log.get().error("worker failed to start", process=worker.pid)
                self.has_failed = True
                self.should_exit.set()
            elif not self.should_exit.is_set():
                replacement = Process(self.config, self.sockets)
                replacement.start()
                self.processes[place] = replacement
                log.get().error("worker replaced", process=worker.pid, reason=reason, replacement=replacement.pid)

    def _reason(self, worker: Process) -> str:
        """Why a worker is replaced that gave no sign of life, before it is killed."""
        status = worker.exitcode
        if status is None:
            return f"no sign of life for {self.config.timeout_worker_healthcheck} seconds"
        if status >= 0:
            return f"ended with exit status {status}"
        try:
            return f"ended by {signal.Signals(-status).name}"
        except ValueError:
            return f"ended by signal {-status}"
