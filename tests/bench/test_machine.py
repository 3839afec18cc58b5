"""What the results say of the interpreter that they were measured with."""

from __future__ import annotations

import sysconfig

import pytest

from bench import machine

PLAIN = {"PY_CFLAGS": "-O2 -Wall -O3", "CONFIG_ARGS": "'--prefix=/usr'", "Py_DEBUG": 0}


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({}, "no profile-guided (PGO) or link-time (LTO) optimisation is named in its configuration"),
        ({"CONFIG_ARGS": "'--enable-optimizations' '--with-lto'"}, "with profile-guided (PGO) and link-time (LTO) opt"),
        (
            {"CONFIG_ARGS": "'--enable-optimizations'"},
            "with profile-guided (PGO) optimisation, but no link-time (LTO) optimisation is named in its configuration",
        ),
        ({"PY_CFLAGS": "-O3 -fprofile-use"}, "with profile-guided (PGO) optimisation"),
        ({"CFLAGS_NODIST": "-fprofile-instr-use=code.profclangd"}, "with profile-guided (PGO) optimisation"),
        ({"PY_CORE_CFLAGS": "-O3 -flto"}, "with link-time (LTO) optimisation"),
        ({"Py_DEBUG": 1}, ", a debug build, "),
        ({}, ", not a debug build, "),
        ({}, " with -O3, "),
        ({"Py_ENABLE_SHARED": 1}, " with -O3 as a shared library, "),
    ],
)
def test_the_build_is_said_in_a_sentence(changes: dict[str, object], sentence: str) -> None:
    assert sentence in machine.interpreter(PLAIN | changes)


def test_this_interpreter_has_a_sentence() -> None:
    text = machine.interpreter(sysconfig.get_config_vars())
    assert text.startswith("Python 3.") and text.endswith(".")
