"""`python -m bench.load PORT PATH`: drives one path from the command line."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict

from bench import load


def main() -> None:
    """Drive one path from the command line."""
    parser = argparse.ArgumentParser(description=load.__doc__)
    parser.add_argument("port", type=int)
    parser.add_argument("path", nargs="?", default="/")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--header", action="append", default=[], metavar="NAME:VALUE")
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--warmup", type=float, default=1.0)
    parser.add_argument("--pace", type=float, help="requests a second; as fast as possible without it")
    options = parser.parse_args()
    headers = dict(header.split(":", 1) for header in options.header)
    plan = load.Plan(options.host, options.port, options.connections, options.seconds, options.warmup, options.pace)
    result = load.run(plan, [load.request(options.path, headers=headers)])
    print(json.dumps(asdict(result) | {"client_cpu_share": result.client_cpu_share}, indent=2))


if __name__ == "__main__":
    main()
