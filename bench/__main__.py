"""`make bench`: every measurement, one after the other, in one run.

`make bench ARGS="reads growth"` takes only some; with `--write` the results go into bench/results.json, and from
there into the table of bench/README.md and the picture bench/results.svg.
"""

from __future__ import annotations

import argparse
import importlib
import tempfile
from pathlib import Path

from bench import database, machine, wrk
from bench.report import Report
from bench.results import MEASUREMENTS

ON_REQUEST = ("profile",)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    choices = [*MEASUREMENTS, *ON_REQUEST, []]
    parser.add_argument("measurements", nargs="*", choices=choices, help="which to take; all but profile by default")
    parser.add_argument("--write", action="store_true", help="keep the results, in place of earlier ones of that name")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="stamkund-bench-") as folder, database.server() as postgres:
        report = Report(machine.sentence(postgres.url()))
        print(report.run.machine)
        if wrk.version() is None:
            print("wrk is not installed: no lines by wrk")
        for measurement in options.measurements or MEASUREMENTS:
            print(f"\n{measurement}", flush=True)
            place = Path(folder) / measurement
            place.mkdir()
            report.begin(measurement)
            importlib.import_module(f"bench.{measurement}").run(report, place, postgres)
            if options.write and (report.lines or report.cells):
                report.write()
    print(f"\n{report.text()}")


if __name__ == "__main__":
    main()
