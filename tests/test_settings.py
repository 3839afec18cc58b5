"""Settings as people write them, and what they learn about those that can't be used."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from stamkund.settings import FILE_VARIABLE, PREFIX, Settings, WrongSetting, load

NAMES = Settings.__struct_fields__
DEFAULTS = {field.name: field.default for field in msgspec.structs.fields(Settings)}


def loaded(name: str, value: str) -> Any:
    return getattr(load({PREFIX + name.upper(): value}), name)


@pytest.mark.parametrize("name", ["public_url", "sso_url"])
@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("https://login.example.com/", "https://login.example.com"),
        (" https://login.example.com// ", "https://login.example.com"),
        ("HTTPS://Login.Example.com", "https://login.example.com"),
        ("https://login.example.com:443/", "https://login.example.com"),
        ("http://localhost:80", "http://localhost"),
        ("https://login.example.com:80", "https://login.example.com:80"),
        ("http://127.0.0.1:8000/", "http://127.0.0.1:8000"),
        ("https://[2001:DB8::1]:8443/", "https://[2001:db8::1]:8443"),
        ("", ""),
    ],
)
def test_a_url_is_taken_as_browsers_send_it(name: str, written: str, expected: str) -> None:
    assert loaded(name, written) == expected


@pytest.mark.parametrize("name", ["public_url", "sso_url"])
@pytest.mark.parametrize(
    "written",
    [
        "https://login.example.com/sso",
        "https://login.example.com/sso/",
        "https://me@login.example.com",
        "https://login.example.com?a",
        "https://login example.com",
        "https://räksmörgås.example",
        "login.example.com",
        "ftp://login.example.com",
        "https://",
        "/",
    ],
)
def test_a_url_that_is_more_or_less_than_a_host(name: str, written: str) -> None:
    with pytest.raises(WrongSetting) as caught:
        loaded(name, written)
    assert str(caught.value) == (
        f"the setting {name} ({PREFIX}{name.upper()}) must be http:// or https:// and a host, such as "
        "https://login.example.com, without a path"
    )


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("value", ["", "x", "-1", "1.5", [1], {"a": 1}, None])
def test_an_error_is_a_sentence_and_no_pattern(tmp_path: Path, name: str, value: Any) -> None:
    """Whatever is wrong with which setting, in the environment or in the file."""
    file = tmp_path / "stamkund.toml"
    if isinstance(value, str):
        environment = {PREFIX + name.upper(): value}
    else:
        file.write_text(f"{name} = {'1979-05-27' if value is None else value}\n".replace("': ", "' = "))
        environment = {FILE_VARIABLE: str(file)}
    try:
        load(environment)
    except WrongSetting as error:
        begin, _, must = str(error).partition(" must ")
        assert begin == f"the setting {name} ({PREFIX}{name.upper()})"
        assert must.startswith(("be ", "name ")) and not set("^$*?[\\`") & set(must)
    else:
        assert isinstance(value, str), "the file gave a value of another type"


def test_there_is_a_sentence_for_every_pattern() -> None:
    for field in msgspec.structs.fields(Settings):
        for meta in getattr(field.type, "__metadata__", ()):
            assert (meta.pattern is None) == (meta.extra is None), field.name


def test_defaults_are_values_that_may_be_written() -> None:
    texts = {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in DEFAULTS.items()}
    written = {PREFIX + name.upper(): text for name, text in texts.items()}
    assert load(written) == Settings()


def test_other_values_as_people_write_them(tmp_path: Path) -> None:
    assert loaded("log_level", "INFO") == "info"
    assert loaded("limit_per_client_for", "candidate=300, login=1000") == "candidate=300,login=1000"
    (tmp_path / "stamkund.toml").write_bytes('\ufeffkey_file = "nyckel för å.key"\n'.encode())
    assert load({FILE_VARIABLE: str(tmp_path / "stamkund.toml")}).key_file == "nyckel för å.key"
