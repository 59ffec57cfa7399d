"""`dragoman provider`: adding, trying, switching and removing, also while a gateway runs."""

from __future__ import annotations

import pytest
from cli.processes import GOOD_KEY, FakeProvider, Home, Served

from dragoman.providers.presets import PRESETS


def add(home: Home, upstream: FakeProvider, *arguments: str, stdin: str = "") -> dict[str, object]:
    place = ("--type", "openai-compatible", "--base-url", upstream.url, "--json")
    outcome = home.run("provider", "add", *arguments, *place, stdin=stdin)
    assert outcome.status == 0, outcome.err
    assert GOOD_KEY not in outcome.out + outcome.err
    return outcome.json


def test_a_provider_comes_goes_and_a_running_gateway_knows_at_once(
    shared_home: Home, served: Served, upstream: FakeProvider
) -> None:
    added = add(shared_home, upstream, "mine", "--key", "-", stdin=GOOD_KEY)
    assert added["id"] == "mine"
    assert added["model_count"] == 2
    assert added["test"]["ok"]
    assert {"mine:small", "mine:large"} <= served.model_names()

    assert shared_home.run("provider", "disable", "mine").out == "The provider mine is disabled.\n"
    assert "mine:small" not in served.model_names()
    assert shared_home.run("provider", "enable", "mine").status == 0
    assert "mine:small" in served.model_names()
    assert shared_home.run("provider", "remove", "mine").out == "Removed the provider mine.\n"
    assert "mine:small" not in served.model_names()


def test_a_provider_that_works_is_told_in_every_form(inside: Home, upstream: FakeProvider) -> None:
    added = add(inside, upstream, "mine", "--key", "-", stdin=f"{GOOD_KEY}\n")
    assert added["key_count"] == 1
    assert added["test"]["ok"]

    tried = inside.run("provider", "test", "mine")
    assert tried.status == 0
    assert "It lists 2 models." in tried.out
    assert inside.run("provider", "test", "mine", "--json").json["models"] == 2

    listed = inside.run("provider", "list", "--json")
    assert GOOD_KEY not in listed.out
    mine = next(each for each in listed.json if each["id"] == "mine")
    assert (mine["state"], mine["source"], mine["model_count"]) == ("ready", "database", 2)
    table = inside.run("provider", "list")
    row = next(row for row in table.rows if row[0] == "mine")
    assert row == ["mine", "openai-compatible", "database", "ready", "2"]


def test_a_wrong_key_is_told_with_the_providers_own_words(
    inside: Home, upstream: FakeProvider
) -> None:
    wrong = "sk-wrong-0123456789abcdefghijklmnop"
    arguments = ("--type", "openai-compatible", "--base-url", upstream.url, "--key", wrong)
    added = inside.run("provider", "add", "mine", *arguments)
    assert added.status == 0
    assert added.out.startswith("Added the provider mine")
    assert "warning: It does not work yet" in added.err
    assert "Incorrect API key provided" in added.err

    tried = inside.run("provider", "test", "mine")
    assert tried.status == 1
    assert "Incorrect API key provided" in tried.err
    as_json = inside.run("provider", "test", "mine", "--json")
    assert as_json.status == 1
    assert as_json.json["ok"] is False
    assert wrong not in added.err + tried.err + as_json.out


def test_models_can_be_given_and_the_test_left_out(inside: Home, upstream: FakeProvider) -> None:
    asked = len(upstream.asked)
    added = add(inside, upstream, "mine", "--models", "a, b,", "--no-test")
    assert added["test"] is None
    assert added["model_count"] == 2
    assert len(upstream.asked) == asked
    assert {"mine:a", "mine:b"} <= set(inside.run("models").out.split())


def test_a_presets_id_chooses_the_preset(inside: Home) -> None:
    added = inside.run("provider", "add", "deepseek", "--key", "k", "--no-test", "--json").json
    assert added["preset"] == "deepseek"
    named = inside.run("provider", "add", "ds2", "--preset", "deepseek", "--no-test")
    assert named.out == "Added the provider ds2 (https://api.deepseek.com/v1).\n"


@pytest.mark.parametrize(
    ("arguments", "status", "told"),
    [
        (["add"], 2, "name the provider"),
        (["add", "Bad:Id", "--type", "openai"], 2, "'Bad:Id' is no provider id"),
        (["add", "v1", "--type", "openai"], 1, "path of the gateway itself"),
        (["add", "mine"], 1, "It needs a `type` or a `preset`"),
        (["add", "mine", "--type", "openi"], 1, 'Did you mean "openai"?'),
        (["add", "mine", "--type", "openai", "--key", "-"], 1, "no key on standard input"),
        (["add", "mine", "--type", "openai-compatible"], 1, "give `base_url`"),
        (["test", "nobody"], 1, "There is no provider `nobody`"),
        (["remove", "nobody"], 1, "dragoman provider list"),
        (["remove", "local"], 1, "comes from"),
    ],
)
def test_what_cannot_be_done_is_told(
    inside: Home, arguments: list[str], status: int, told: str
) -> None:
    outcome = inside.run("provider", *arguments)
    assert outcome.status == status
    assert outcome.out == ""
    assert outcome.err.startswith("error: ")
    assert told in outcome.err
    assert outcome.err.count("\n") == 1


def test_a_provider_of_the_file_is_changed_there(inside: Home, upstream: FakeProvider) -> None:
    (inside.folder / "dragoman.toml").write_text(
        f'[[providers]]\nid = "mine"\ntype = "openai-compatible"\nbase_url = "{upstream.url}"\n'
    )
    outcome = inside.run("provider", "disable", "mine")
    assert outcome.status == 1
    assert "dragoman.toml: change it there" in outcome.err
    assert [row[:3] for row in inside.run("provider", "list").rows] == [
        ["mine", "openai-compatible", "file"]
    ]


def test_a_stored_provider_that_the_file_shadows_is_listed_as_unusable(
    inside: Home, upstream: FakeProvider
) -> None:
    add(inside, upstream, "mine", "--no-test")
    (inside.folder / "dragoman.toml").write_text(
        f'[[providers]]\nid = "mine"\ntype = "openai-compatible"\nbase_url = "{upstream.url}"\n'
    )
    states = [
        (each["source"], each["state"]) for each in inside.run("provider", "list", "--json").json
    ]
    assert states == [("file", "ready"), ("database", "unusable")]


def test_presets_can_be_searched(inside: Home) -> None:
    everything = inside.run("provider", "presets", "--json")
    assert [each["id"] for each in everything.json] == list(PRESETS)
    found = inside.run("provider", "presets", "DeepS")
    assert ["deepseek", "DeepSeek", "DEEPSEEK_API_KEY"] in found.rows
    nothing = inside.run("provider", "presets", "no such service")
    assert (nothing.status, nothing.out) == (0, "")
    assert "warning: No preset" in nothing.err
