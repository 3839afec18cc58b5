"""wrk as a second client of the benchmark, which does without it."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench import machine, wrk


def test_each_request_stands_behind_its_length() -> None:
    assert wrk.script_input([b"GET / HTTP/1.1\r\n\r\n", b"12\n"]) == b"18\nGET / HTTP/1.1\r\n\r\n3\n12\n"


def test_without_wrk_there_is_no_version_and_the_results_say_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert wrk.version() is None
    assert machine.clients() == "Load by our own client; wrk is not installed."


def test_with_wrk_the_results_name_its_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "wrk"
    program.write_text('#!/bin/sh\necho "wrk debian/4.1.0-3 [epoll] Copyright (C) 2012 Will Glozer"\nexit 1\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert wrk.version() == "4.1.0"
    assert machine.clients() == "Load by our own client, and by wrk 4.1.0 in the lines that say so."
