"""What docs/openid-libraries.md says about each library: the command that makes its client, and its files."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

from tests.support.installation import ClientSecret

PAGE = (Path(__file__).parents[3] / "docs" / "openid-libraries.md").read_text()
SERVER, SITE = "https://login.example.com", "https://site.example.com"
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_FILE = re.compile(r"(?:#|//) ([\w.]+)\n")


@dataclass(frozen=True)
class Section:
    """One library. `command`: the options of `stamkund client create`; `files`: by the name in their first line."""

    command: tuple[str, ...]
    files: dict[str, str]

    def options(self, site: str) -> list[str]:
        """The command's options for a site at another address, but for its organisation."""
        words = [word.replace(SITE, site) for word in self.command]
        at = words.index("--organisation")
        return [*words[:at], *words[at + 2 :]]

    def write(self, folder: Path, server: str, site: str, client: ClientSecret) -> None:
        """Writes the files, with the addresses of the test and the client's id and secret."""
        values = {SERVER: server, SITE: site, "CLIENT_ID": client.id, "CLIENT_SECRET": client.secret}
        placeholder = re.compile(rf"\b({'|'.join(map(re.escape, values))})\b")
        for name, text in self.files.items():
            (folder / name).write_text(placeholder.sub(lambda match: values[match[1]], text))


def section(title: str) -> Section:
    """The section with this heading. Raises KeyError."""
    return _SECTIONS[title]


def titles() -> list[str]:
    return list(_SECTIONS)


def _parse(text: str) -> Section:
    command: tuple[str, ...] = ()
    files = {}
    for kind, block in _BLOCK.findall(text):
        if kind == "sh" and "client create" in block:
            command = tuple(shlex.split(block.replace("\\\n", " "))[1:])
        elif (named := _FILE.match(block)) is not None:
            files[named[1]] = block
    return Section(command, files)


_PARTS = re.split(r"^## (.+)\n", PAGE, flags=re.MULTILINE)[1:]
_SECTIONS = {title: _parse(text) for title, text in zip(_PARTS[::2], _PARTS[1::2], strict=True)}
