"""Every setting has a default that works, and refuses what cannot work."""

from __future__ import annotations

from pathlib import Path

import pydantic
import pytest

from dragoman.config.settings import (
    ENVIRONMENT,
    Document,
    LocalSettings,
    ServerSettings,
    Settings,
    anchor,
)
from dragoman.providers.spec import ProviderSpec

KEY = "0123456789abcdef"


def server(**given: object) -> ServerSettings:
    return ServerSettings.model_validate({"data_dir": "/data", **given})


def refusal(**given: object) -> str:
    with pytest.raises(pydantic.ValidationError) as caught:
        server(**given)
    (error,) = caught.value.errors()
    return error["msg"]


def test_the_defaults_are_those_of_the_contract() -> None:
    settings = server()
    assert (settings.host, settings.port) == ("127.0.0.1", 23333)
    assert settings.keepalive_s == 15
    assert settings.api_key is None
    assert settings.cors_origins == ()


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "0.0.0.0", "localhost", "gateway.example"])
def test_a_bare_host_is_taken(host: str) -> None:
    assert server(host=host).host == host


@pytest.mark.parametrize(
    "host", ["", "http://a", "a:80", "[::1]", "a b", "me@a", "*", "127.0.0.1:1"]
)
def test_a_host_with_more_than_a_host_is_refused(host: str) -> None:
    assert "must be a bare address or host name" in refusal(host=host)


@pytest.mark.parametrize("port", [0, 1, 65535, "8080"])
def test_a_port_may_come_as_text_from_the_environment(port: int | str) -> None:
    assert server(port=port).port == int(port)


@pytest.mark.parametrize("name", ["port", "max_body_mb", "keepalive_s", "grace_s"])
def test_true_is_no_number(name: str) -> None:
    assert refusal(**{name: True}) == "must be a number"


@pytest.mark.parametrize("name", ["api_key", "admin_key"])
def test_a_pinned_key_has_sixteen_characters_at_least_and_is_never_shown(name: str) -> None:
    assert "at least 16 characters" in refusal(**{name: KEY[:15]})
    settings = server(**{name: KEY})
    assert getattr(settings, name).get_secret_value() == KEY
    assert KEY not in repr(settings)
    assert KEY not in str(settings)


@pytest.mark.parametrize("origin", ["*", "https://app.example.com", "http://localhost:5173"])
def test_a_cors_origin_is_an_origin(origin: str) -> None:
    assert server(cors_origins=[origin]).cors_origins == (origin,)


@pytest.mark.parametrize("origin", ["https://a/", "a.example", "https://a/b", "ftp://a", "null"])
def test_what_no_browser_sends_as_an_origin_is_refused(origin: str) -> None:
    assert "must be an origin" in refusal(cors_origins=[origin])


def test_log_levels_may_be_written_in_capitals() -> None:
    assert server(log_level="WARNING").log_level == "warning"


def test_paths_start_at_the_folder_of_the_file_or_at_home() -> None:
    folder, home = Path("/etc/dragoman"), Path("/home/me")
    assert anchor(Path("models/a.gguf"), folder, home) == folder / "models/a.gguf"
    assert anchor(Path("~/a.gguf"), folder, home) == home / "a.gguf"
    assert anchor(Path("/a.gguf"), folder, home) == Path("/a.gguf")
    document = Document.model_validate(
        {"server": {"data_dir": "data"}, "local": {"models": [{"id": "a", "path": "~/a.gguf"}]}},
        context={"folder": folder, "home": home},
    )
    assert document.server.data_dir == folder / "data"
    assert document.local.models[0].path == home / "a.gguf"


def test_an_alias_has_one_target_or_several() -> None:
    document = Document.model_validate(
        {"server": {"data_dir": "/data"}, "aliases": {"fast": "a:b", "smart": ["a:b:c", "d:e/f"]}}
    )
    assert {name: alias.names for name, alias in document.aliases.items()} == {
        "fast": ["a:b"],
        "smart": ["a:b:c", "d:e/f"],
    }


def test_an_alias_is_shown_in_its_shortest_form() -> None:
    pair = {"targets": ["a:b", {"model": "c:d", "weight": 3}]}
    told = {"ordered": pair, "fast": pair | {"strategy": "least_latency"}}
    told["drawn"] = pair | {"strategy": "weighted"}
    document = Document.model_validate({"server": {"data_dir": "/data"}, "aliases": told})
    written = {name: alias.written() for name, alias in document.aliases.items()}
    assert written["ordered"] == ["a:b", "c:d"]
    assert written["fast"] == {"targets": ["a:b", "c:d"], "strategy": "least_latency"}
    assert written["drawn"] == {
        "targets": [{"model": "a:b", "weight": 1}, {"model": "c:d", "weight": 3}],
        "strategy": "weighted",
    }


def test_settings_are_frozen_and_do_not_show_the_keys_of_providers() -> None:
    spec = ProviderSpec(id="a", type="openai", api_keys=["sk-secret"])
    settings = Settings(
        server=server(),
        providers=(spec,),
        aliases={},
        local=LocalSettings(),
        file=None,
        warnings=(),
        origins={("server", "port"): "command line --port"},
    )
    assert "sk-secret" not in repr(settings)
    assert settings.origin("server", "port") == "command line --port"
    assert settings.origin("server", "host") == "default"
    with pytest.raises(AttributeError):
        settings.providers = ()  # type: ignore[misc]
    with pytest.raises(pydantic.ValidationError):
        settings.server.port = 1  # type: ignore[misc]


def test_every_environment_name_gives_a_setting_that_exists() -> None:
    assert set(ENVIRONMENT) <= set(ServerSettings.model_fields)
    assert all(ENVIRONMENT[name] == f"DRAGOMAN_{name.upper()}" for name in ENVIRONMENT)
