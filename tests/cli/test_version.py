"""`stamkund --version`."""

from __future__ import annotations

import subprocess
import sys

from stamkund import __version__
from tests.support.installation import Installation

LOADED = """
import sys
from stamkund.__main__ import main
sys.argv = ["stamkund", "--version"]
try:
    main()
finally:
    print(sorted({"stamkund.server", "stamkund.endpoints", "uvicorn"} & set(sys.modules)))
"""


def test_the_version_is_printed_whatever_the_settings_are(empty_embedded: Installation) -> None:
    ended = empty_embedded.do("--version", port="http")
    assert (ended.output, ended.errors) == (f"stamkund {__version__}\n", "")
    assert list(empty_embedded.folder.iterdir()) == []


def test_the_server_is_not_loaded_for_it() -> None:
    done = subprocess.run([sys.executable, "-c", LOADED], capture_output=True, text=True, check=True)
    assert done.stdout == f"stamkund {__version__}\n[]\n"
