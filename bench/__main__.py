"""`make bench`: every question, one after the other, in one run.

`make bench ARGS="reads scale"` asks only some; `ARGS="--write"` puts the results into bench/README.md.
"""

from __future__ import annotations

import argparse
import importlib
import tempfile
from pathlib import Path

from tests.support.postgres_server import PostgresServer

from bench.report import Report

QUESTIONS = ("reads", "scale", "passwords", "logins", "imports", "start")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("questions", nargs="*", choices=[*QUESTIONS, []], help="which to ask; all by default")
    parser.add_argument("--write", action="store_true", help="put the results into bench/README.md")
    options = parser.parse_args()
    report = Report()
    with tempfile.TemporaryDirectory(prefix="stamkund-bench-") as folder, PostgresServer() as postgres:
        for question in options.questions or QUESTIONS:
            print(f"\n{question}", flush=True)
            place = Path(folder) / question
            place.mkdir()
            importlib.import_module(f"bench.{question}").run(report, place, postgres)
            if options.write:
                report.write()
    print(f"\n{report.table()}")


if __name__ == "__main__":
    main()
