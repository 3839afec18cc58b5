"""stub"""

import typer

app = typer.Typer()


@app.command()
def customers() -> None:
    """x"""


@app.command()
def demo() -> None:
    """x"""


def docs() -> None:
    """x"""
