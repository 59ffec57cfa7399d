"""The configuration is shown as TOML with origins, and never with a secret."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from dragoman.config.loading import load
from dragoman.config.rendering import check, render

FILE = """
[server]
api_key = "s3cret-0123456789"
database_url = "postgresql://u:s3cret@db/dragoman"

[[providers]]
id = "a"
type = "openai"
name = "A \\"quoted\\" name \\u007f ä \\n"
api_keys = ["s3cret-1", "${KEY}"]
headers = { "x.team" = "s3cret-3" }
proxy = "http://u:s3cret@proxy:3128"
models = ["x", { id = "y", context_length = 10 }]
set = { a.b = [1.5, true], "since" = 1979-05-27, at = 07:32:00 }
timeout.idle_s = 7

[[providers]]
id = "b"
type = "anthropic"
api_key = "s3cret-4"

[aliases]
"two words" = ["a:x", "b:y"]

[local]
models = [{ id = "m", path = "m.gguf" }]
"""


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {"DRAGOMAN_DATA_DIR": str(tmp_path), "KEY": "s3cret-2", "DRAGOMAN_PORT": "8080"}


@pytest.fixture
def shown(tmp_path: Path, environ: dict[str, str]) -> str:
    (tmp_path / "dragoman.toml").write_text(FILE, encoding="utf-8")
    return render(load({"host": "::1"}, environ, tmp_path))


def test_what_is_shown_is_the_configuration_without_its_secrets(shown: str, tmp_path: Path) -> None:
    assert "s3cret" not in shown
    values = tomllib.loads(shown)
    written = tomllib.loads(FILE)
    first, second = values["providers"]
    for name in ("id", "type", "name", "models", "set"):
        assert first[name] == written["providers"][0][name]
    assert first["api_keys"] == ["***", "***"]
    assert first["headers"] == {"x.team": "***"}
    assert first["proxy"] == "http://***@proxy:3128"
    assert first["timeout"] == {"idle_s": 7}
    assert second == {"id": "b", "type": "anthropic", "api_key": "***"}
    assert values["aliases"] == {"two words": ["a:x", "b:y"]}
    assert values["local"]["models"] == [{"id": "m", "path": str(tmp_path / "m.gguf")}]
    assert values["server"]["api_key"] == values["server"]["database_url"] == "***"
    assert values["server"]["port"] == 8080


def test_each_value_tells_its_origin(shown: str, tmp_path: Path) -> None:
    lines = shown.splitlines()
    assert lines[0] == (
        f"# Effective configuration. File: {tmp_path / 'dragoman.toml'}. Secrets are masked."
    )
    for line in (
        'host = "::1"  # command line --host',
        "port = 8080  # environment variable DRAGOMAN_PORT",
        'api_key = "***"  # dragoman.toml, line 3',
        "# admin_key is not set",
        "grace_s = 30  # default",
        'id = "a"  # dragoman.toml, line 7',
        'id = "b"  # dragoman.toml, line 18',
        '"two words" = ["a:x", "b:y"]  # dragoman.toml, line 23',
        "idle_s = 600  # default",
        "enabled = true  # default",
    ):
        assert line in lines


def test_what_is_shown_can_be_read_again(shown: str, tmp_path: Path) -> None:
    settings = load({"config": write(tmp_path, shown.replace("***", "*" * 16))}, {}, tmp_path)
    assert settings.server.port == 8080
    assert [provider.id for provider in settings.providers] == ["a", "b"]


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "shown.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_with_no_file_the_providers_of_the_environment_are_shown(tmp_path: Path) -> None:
    environ = {"DRAGOMAN_DATA_DIR": str(tmp_path), "OPENAI_API_KEY": "s3cret"}
    shown = render(load({}, environ, tmp_path))
    assert shown.startswith("# Effective configuration. File: none.")
    assert 'api_keys = ["***"]  # environment' in shown
    assert "enabled = true  # default" in shown


def test_check_tells_what_was_found_and_warns(tmp_path: Path, environ: dict[str, str]) -> None:
    path = tmp_path / "dragoman.toml"
    path.write_text(FILE, encoding="utf-8")
    valid, told = check({"host": "0.0.0.0"}, environ, tmp_path)
    assert valid
    first, second = told.splitlines()
    assert first == f"The configuration is valid ({path}; providers: 2, aliases: 1)."
    assert second.startswith("warning: host 0.0.0.0 is not loopback")


def test_check_tells_every_problem(tmp_path: Path, environ: dict[str, str]) -> None:
    (tmp_path / "dragoman.toml").write_text("[server]\nprot = 1\ngarce_s = 1", encoding="utf-8")
    valid, told = check({}, environ, tmp_path)
    assert not valid
    assert told.splitlines() == [
        "The configuration has 2 problems:",
        'dragoman.toml, line 2: unknown key "prot" in [server]; did you mean "port"?',
        'dragoman.toml, line 3: unknown key "garce_s" in [server]; did you mean "grace_s"?',
    ]


def test_check_without_a_file_says_so(tmp_path: Path) -> None:
    assert check({}, {"DRAGOMAN_DATA_DIR": str(tmp_path)}, tmp_path) == (
        True,
        "The configuration is valid (no configuration file; providers: 0, aliases: 0).",
    )
