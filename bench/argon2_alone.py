"""How many Argon2id hashes a second this machine allows: the ceiling for logins.

The library releases the interpreter lock while it hashes, so threads use all cores.
"""

from __future__ import annotations

import argparse
import json
import os
import threading
import time
from dataclasses import asdict, dataclass

from argon2.low_level import Type, hash_secret_raw

HASH_BYTES = 32
SALT_BYTES = 16


@dataclass(frozen=True)
class Result:
    """Hashes in a second over all threads, and how long one took while all were busy."""

    hashes_per_second: float
    mean_ms: float
    count: int
    threads: int
    seconds: float


def measure(memory_kib: int, passes: int, lanes: int, threads: int = 0, seconds: float = 5.0) -> Result:
    """Hash on `threads` threads (0: one for each core) until `seconds` have passed."""
    threads = threads or os.cpu_count() or 1
    counts = [0] * threads
    start = time.perf_counter()

    def work(number: int) -> None:
        while time.perf_counter() - start < seconds:
            salt = os.urandom(SALT_BYTES)
            hash_secret_raw(b"a password", salt, passes, memory_kib, lanes, HASH_BYTES, Type.ID)
            counts[number] += 1

    workers = [threading.Thread(target=work, args=(number,)) for number in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    elapsed = time.perf_counter() - start
    count = sum(counts)
    return Result(count / elapsed, elapsed * threads / count * 1000, count, threads, elapsed)


def main() -> None:
    """Measure from the command line; the defaults are the least OWASP advises."""
    parser = argparse.ArgumentParser(description="Argon2id hashes a second")
    parser.add_argument("--memory-kib", type=int, default=19 * 1024)
    parser.add_argument("--passes", type=int, default=2)
    parser.add_argument("--lanes", type=int, default=1)
    parser.add_argument("--threads", type=int, default=0, help="0: one for each core")
    parser.add_argument("--seconds", type=float, default=5.0)
    options = parser.parse_args()
    print(json.dumps(asdict(measure(**vars(options))), indent=2))


if __name__ == "__main__":
    main()
