"""Resolves the dependencies of pyproject.toml into the lock files beside this one, with hashes, for every platform."""

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
GROUPS = {"runtime": ["install"], "dev": ["dev"], "bench": ["dev", "bench"], "fuzz": ["dev", "fuzz"]}


def main() -> None:
    for name, groups in GROUPS.items():
        command = [sys.executable, "-m", "uv", "pip", "compile", "--quiet", "--universal", "--upgrade"]
        command += ["--python-version", "3.11", "--generate-hashes", "--no-header", "--no-annotate"]
        command += ["pyproject.toml", "-o", str(HERE / f"{name}.txt")]
        for group in groups:
            command += ["--group", group]
        subprocess.run(command, check=True, cwd=HERE.parent)  # noqa: S603 - the arguments are those above


if __name__ == "__main__":
    main()
