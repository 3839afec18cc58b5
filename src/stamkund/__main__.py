"""`stamkund`, and `python -m stamkund`."""

from __future__ import annotations

import sys

_INTERRUPTED = 130


def main() -> None:
    try:
        from stamkund.cli import app

        app()
    except KeyboardInterrupt:  # before a command had begun
        sys.exit(_INTERRUPTED)


if __name__ == "__main__":
    main()
