"""`make bench`: every measurement, one after the other, in one run.

`make bench ARGS="reads scale"` takes only some; `ARGS="--write"` puts the results into bench/README.md.
"""

from __future__ import annotations

import argparse
import importlib
import tempfile
from pathlib import Path

from tests.support.postgres_server import PostgresServer

from bench.report import Report

MEASUREMENTS = ("reads", "scale", "passwords", "logins", "imports", "start")
ON_REQUEST = ("profile",)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "measurements",
        nargs="*",
        choices=[*MEASUREMENTS, *ON_REQUEST, []],
        help="which to take; by default all but profile",
    )
    parser.add_argument("--write", action="store_true", help="put the results into bench/README.md")
    options = parser.parse_args()
    report = Report()
    with tempfile.TemporaryDirectory(prefix="stamkund-bench-") as folder, PostgresServer() as postgres:
        for measurement in options.measurements or MEASUREMENTS:
            print(f"\n{measurement}", flush=True)
            place = Path(folder) / measurement
            place.mkdir()
            importlib.import_module(f"bench.{measurement}").run(report, place, postgres)
            if options.write:
                report.write()
    print(f"\n{report.table()}")


if __name__ == "__main__":
    main()
