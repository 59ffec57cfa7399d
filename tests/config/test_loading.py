"""Command line over environment over file over default, and a wrong configuration is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from dragoman.config.loading import load
from dragoman.config.settings import Settings
from dragoman.errors import ConfigError

KEY = "sk-test-0123456789"


class Place:
    """A working directory, a data directory and an environment of its own."""

    def __init__(self, tmp_path: Path) -> None:
        self.cwd = tmp_path / "work"
        self.data = tmp_path / "data"
        self.home = tmp_path / "home"
        for folder in (self.cwd, self.data, self.home):
            folder.mkdir()
        self.environ = {"DRAGOMAN_DATA_DIR": str(self.data), "HOME": str(self.home)}

    def write(self, text: str, folder: Path | None = None, name: str = "dragoman.toml") -> Path:
        path = (folder or self.cwd) / name
        path.write_text(text, encoding="utf-8")
        return path

    def load(self, **cli: object) -> Settings:
        return load(cli, self.environ, self.cwd)

    def failure(self, **cli: object) -> str:
        with pytest.raises(ConfigError) as caught:
            self.load(**cli)
        return caught.value.message


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_with_no_file_the_environment_makes_providers_and_the_local_model_is_on(
    place: Place,
) -> None:
    place.environ |= {"OPENAI_API_KEY": KEY, "ANTHROPIC_API_KEY": KEY}
    settings = place.load()
    assert settings.file is None
    assert {provider.id for provider in settings.providers} == {"openai", "anthropic"}
    assert settings.local.enabled
    assert settings.origin("providers", 0, "api_keys") == "environment"
    assert settings.server.data_dir == place.data


def test_a_file_is_the_whole_truth(place: Place) -> None:
    place.environ["OPENAI_API_KEY"] = KEY
    path = place.write("")
    settings = place.load()
    assert settings.file == path
    assert settings.providers == ()
    assert not settings.local.enabled


@pytest.mark.parametrize(
    ("table", "enabled"), [("[local]", True), ("local.enabled = false", False)]
)
def test_a_file_offers_the_local_model_only_with_its_table(
    place: Place, table: str, enabled: bool
) -> None:
    place.write(table)
    assert place.load().local.enabled is enabled


def test_command_line_over_environment_over_file_over_default(place: Place) -> None:
    place.write('[server]\nhost = "127.0.0.2"\nport = 1\nlog_level = "error"\n')
    place.environ |= {"DRAGOMAN_HOST": "127.0.0.3", "DRAGOMAN_PORT": "2"}
    settings = place.load(host=None, port=3)
    server = settings.server
    assert (server.port, server.host, server.log_level) == (3, "127.0.0.3", "error")
    assert server.grace_s == 30
    assert settings.origin("server", "port") == "command line --port"
    assert settings.origin("server", "host") == "environment variable DRAGOMAN_HOST"
    assert settings.origin("server", "log_level") == "dragoman.toml, line 4"
    assert settings.origin("server", "grace_s") == "default"


def test_an_environment_variable_set_to_nothing_counts_as_not_set(place: Place) -> None:
    place.environ |= {"DRAGOMAN_PORT": "", "DRAGOMAN_CONFIG": "", "DRAGOMAN_API_KEY": ""}
    assert place.load().server.port == 23333


def test_the_file_is_found_in_order(place: Place) -> None:
    in_data = place.write("[server]\nport = 4", place.data)
    assert place.load().file == in_data
    in_cwd = place.write("[server]\nport = 3")
    assert place.load().file == in_cwd
    named = place.write("[server]\nport = 2", place.home, "a.toml")
    place.environ["DRAGOMAN_CONFIG"] = "~/a.toml"
    assert place.load().file == named
    given = place.write("[server]\nport = 1", name="b.toml")
    settings = place.load(config=Path("b.toml"))
    assert settings.file == given
    assert settings.origin("server", "port") == "b.toml, line 2"


@pytest.mark.parametrize("by", ["--config", "DRAGOMAN_CONFIG"])
def test_a_named_file_must_exist(place: Place, by: str) -> None:
    place.write("")
    cli = {"config": "no.toml"} if by == "--config" else {}
    if not cli:
        place.environ[by] = "no.toml"
    assert place.failure(**cli) == (
        f"The configuration file {place.cwd / 'no.toml'} given by {by} does not exist;"
        " create it or correct the path."
    )


def test_paths_in_the_file_start_at_its_folder(place: Place) -> None:
    del place.environ["DRAGOMAN_DATA_DIR"]
    path = place.write(
        '[server]\ndata_dir = "here"\n[local]\nmodels = [{ id = "a", path = "~/a.gguf" }]',
        place.home,
        "a.toml",
    )
    settings = place.load(config=path)
    assert settings.server.data_dir == place.home / "here"
    assert settings.local.models[0].path == place.home / "a.gguf"
    assert place.load(config=path, data_dir="there").server.data_dir == place.cwd / "there"


def test_references_are_read_and_unset_ones_name_key_and_line(place: Place) -> None:
    place.environ |= {"KEY": KEY, "PORT": "80"}
    place.write(
        '[server]\nport = "${PORT}"\n[[providers]]\nid = "a"\ntype = "openai"\n'
        'api_keys = ["${KEY}", "$${KEY}"]'
    )
    settings = place.load()
    assert settings.server.port == 80
    assert settings.providers[0].api_keys == [KEY, "${KEY}"]
    del place.environ["KEY"]
    assert place.failure() == (
        'dragoman.toml, line 6: "api_keys[1]" of provider "a" reads ${KEY}, but KEY is not set;'
        " set it in the environment."
    )


def test_an_unset_reference_gives_no_second_error(place: Place) -> None:
    place.write('[server]\nport = "${PORT}"\n[[providers]]\nid = "a"\nbase_url = "${URL}"')
    assert place.failure().splitlines() == [
        "The configuration has 2 problems:",
        'dragoman.toml, line 2: "port" in [server] reads ${PORT}, but PORT is not set; set it in'
        " the environment.",
        'dragoman.toml, line 5: "base_url" of provider "a" reads ${URL}, but URL is not set; set'
        " it in the environment.",
    ]


def test_an_unset_reference_does_not_matter_where_another_place_decides(place: Place) -> None:
    place.write('[server]\nport = "${PORT}"')
    assert place.load(port=1).server.port == 1


def test_all_problems_are_told_by_line(place: Place) -> None:
    place.environ["DRAGOMAN_LOG_LEVEL"] = "loud"
    place.write(
        '[aliases]\nfast = "gpt"\n[server]\nprot = 1\n[[providers]]\nid = "a"\ntype = "openai"\n'
        '[[providers]]\nid = "a"\ntype = "opnai"\n'
    )
    told = place.failure().splitlines()
    assert told[0] == "The configuration has 5 problems:"
    assert told[1].startswith("environment variable DRAGOMAN_LOG_LEVEL: the value must be one of ")
    places = [line.split(":")[0] for line in told[2:]]
    assert places == [f"dragoman.toml, line {line}" for line in (2, 4, 8, 9)]
    assert '"opnai"' in told[4]
    assert told[5].endswith(': the id "a" is already taken on line 6; choose another.')


def test_the_id_of_the_embedded_models_is_taken_while_they_are_offered(place: Place) -> None:
    provider = '[[providers]]\nid = "local"\ntype = "ollama"\n'
    place.write(provider + "[local]")
    assert place.failure() == (
        'dragoman.toml, line 2: the id "local" belongs to the embedded models of [local];'
        " choose another."
    )
    place.write(provider)
    assert place.load().providers[0].id == "local"


def test_two_local_models_need_two_ids(place: Place) -> None:
    place.write('[[local.models]]\nid = "a"\npath = "x"\n[[local.models]]\nid = "a"\npath = "y"')
    assert place.failure() == (
        'dragoman.toml, line 5: the id "a" is already taken on line 2; choose another.'
    )


def test_a_pinned_key_from_the_environment_is_not_quoted(place: Place) -> None:
    place.environ["DRAGOMAN_API_KEY"] = "s3cret"
    assert place.failure() == (
        "environment variable DRAGOMAN_API_KEY: the value must be at least 16 characters long;"
        " a short key can be guessed."
    )


@pytest.mark.parametrize("text", ["server = 1", "providers = 1\naliases = 1\nlocal = 1"])
def test_a_document_of_the_wrong_shape_is_told_too(place: Place, text: str) -> None:
    place.write(text)
    assert "dragoman.toml, line 1: " in place.failure(port=1)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_loopback_gives_no_warning(place: Place, host: str) -> None:
    assert place.load(host=host).warnings == ()


@pytest.mark.parametrize(
    ("host", "who"),
    [
        ("0.0.0.0", "every machine on any network that this one is connected to"),
        ("::", "every machine on any network that this one is connected to"),
        ("192.168.1.7", "every machine on the network of 192.168.1.7"),
        ("8.8.8.8", "anyone on the internet"),
        ("gateway.example", "every machine that can reach gateway.example"),
    ],
)
def test_any_other_host_warns_who_can_reach_it(place: Place, host: str, who: str) -> None:
    (warning,) = place.load(host=host).warnings
    assert warning.startswith(f"host {host} is not loopback: {who} can reach the gateway")


def test_targets_that_the_file_does_not_know_are_warnings(place: Place) -> None:
    place.write(
        '[local]\n[[providers]]\nid = "a"\ntype = "openai"\nmodels = ["x", { id = "y" }]\n'
        '[[providers]]\nid = "b"\ntype = "openai"\n'
        '[aliases]\ngood = ["a:x", "a:y", "b:any", "local:smollm2-135m"]\n'
        'one = "nobody:x"\ntwo = "a:z"'
    )
    assert place.load().warnings == (
        'dragoman.toml, line 11: the alias "one" points to "nobody:x", but the file has no'
        ' provider "nobody"; it works only once one is added.',
        'dragoman.toml, line 12: the alias "two" points to "a:z", but the models listed for "a"'
        " do not include it.",
    )


def test_loading_again_gives_the_same_and_changes_nothing(place: Place) -> None:
    place.write('[[providers]]\nid = "a"\ntype = "openai"\napi_key = "${KEY}"\n')
    place.environ["KEY"] = KEY
    before = dict(place.environ)
    cli: dict[str, object] = {"port": 1}
    assert load(cli, place.environ, place.cwd) == load(cli, place.environ, place.cwd)
    assert place.environ == before
    assert cli == {"port": 1}
    assert [path.name for path in place.cwd.iterdir()] == ["dragoman.toml"]
    assert not list(place.data.iterdir())
