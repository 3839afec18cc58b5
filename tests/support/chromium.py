"""A real Chromium, headless, for tests of what readers see.

On Linux (x86-64, glibc) it is the one in the npm package ``@sparticuz/chromium``, locked like every other, with the few
libraries and the font that it needs: nothing must be on the machine. Elsewhere it is the machine's own Chromium or
Chrome. The environment variable STAMKUND_TEST_CHROMIUM names another one. Where there is none, tests fail and say so.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import tarfile
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.async_api import Browser, async_playwright

from tests.support import node

VARIABLE = "STAMKUND_TEST_CHROMIUM"
_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_APPLICATIONS = (
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)
_FLAGS = (
    "--no-sandbox",  # tests may run as root, and only our own pages are opened
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
)
_FONTS = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir>{fonts}</dir><cachedir>{cache}</cachedir></fontconfig>
"""


class ChromiumUnavailable(RuntimeError):
    """There is no Chromium to test with."""


@dataclass(frozen=True)
class Executable:
    """A browser's program, and what its environment needs beside ours."""

    path: Path
    environment: Mapping[str, str] = field(default_factory=dict)


@pytest.fixture(scope="session")
async def chromium() -> AsyncIterator[Browser]:
    """The browser. Each test opens contexts of its own in it: other cookies, another window."""
    program = executable()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=program.path, args=list(_FLAGS), env={**os.environ, **program.environment}
        )
        try:
            yield browser
        finally:
            await browser.close()


def executable() -> Executable:
    """The Chromium of the variable, of the package or of the machine, whichever there is first."""
    forced = os.environ.get(VARIABLE)
    if forced:
        return _forced(forced)
    return _unpacked() if fits() else _machines()


def fits() -> bool:
    """Whether the package's Chromium runs on this kind of machine."""
    return (platform.system(), platform.machine(), platform.libc_ver()[0]) == ("Linux", "x86_64", "glibc")


def _forced(path: str) -> Executable:
    if not os.access(path, os.X_OK):
        raise ChromiumUnavailable(f"{VARIABLE} names {path}, which is no program")
    return Executable(Path(path))


def _machines() -> Executable:
    for name in (*_NAMES, *_APPLICATIONS):
        program = shutil.which(name)
        if program is not None:
            return Executable(Path(program))
    raise ChromiumUnavailable(
        "there is no Chromium to test the pages with: install Chromium or Google Chrome on the machine, or name its "
        f"program in the environment variable {VARIABLE}"
    )


def _unpacked() -> Executable:
    """The package's Chromium, unpacked at first; npm throws it away when it installs anew."""
    packed = node.packages() / "@sparticuz" / "chromium" / "bin"
    folder = node.MODULES / ".chromium"
    with node.alone():
        if not folder.exists():
            _unpack(packed, folder)
    libraries = {"LD_LIBRARY_PATH": str(folder / "lib")} if _lacks_libraries(folder / "chromium") else {}
    return Executable(folder / "chromium", {"FONTCONFIG_FILE": str(folder / "fonts.xml"), **libraries})


def _unpack(packed: Path, folder: Path) -> None:
    """Unpacks beside the folder and moves there at the end, so that there is all of it or nothing."""
    half = folder.with_name(".chromium-half")
    shutil.rmtree(half, ignore_errors=True)
    half.mkdir()
    node.run(node.FOLDER / "unpack.mjs", str(packed / "chromium.br"), str(half / "chromium"))
    for name in ("al2023.tar", "fonts.tar"):  # libraries below lib/, fonts below fonts/
        node.run(node.FOLDER / "unpack.mjs", str(packed / f"{name}.br"), str(half / name))
        with tarfile.open(half / name) as archive:
            archive.extractall(half, filter="data")
        (half / name).unlink()
    (half / "fonts.xml").write_text(_FONTS.format(fonts=folder / "fonts", cache=folder / "font-cache"))
    half.rename(folder)


def _lacks_libraries(program: Path) -> bool:
    """Whether the machine lacks some library of the browser's; its own go before those of the package."""
    listing = subprocess.run(["ldd", program], check=False, capture_output=True, text=True, timeout=30)
    return listing.returncode != 0 or "not found" in listing.stdout
