"""`stamkund`, and `python -m stamkund`."""

from __future__ import annotations

from stamkund.cli import app


def main() -> None:
    app()


if __name__ == "__main__":
    main()
