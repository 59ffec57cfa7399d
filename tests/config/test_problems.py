"""Each mistake gives one sentence that names the key, its line, and what to write instead."""

from __future__ import annotations

import tomllib

import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.config.positions import locate
from dragoman.config.problems import Sources, explain, model_at, value_at
from dragoman.config.settings import AliasSettings, AliasTarget, Document, LocalModel
from dragoman.providers.spec import ModelSpec, ProviderSpec, TimeoutSpec


def problems(text: str, **overrides: object) -> list[str]:
    """What is wrong with a document, `overrides` being what the environment says of [server]."""
    values = tomllib.loads(text)
    sources = Sources(
        file="f.toml",
        lines=locate(text),
        overrides={("server", name): f"variable {name}" for name in overrides},
        written=tomllib.loads(text),
    )
    server = values.setdefault("server", {})
    if isinstance(server, dict):
        server |= {"data_dir": "/data", **overrides}
    try:
        Document.model_validate(values)
    except pydantic.ValidationError as error:
        found = explain(error.errors(), values, sources)
        return [str(problem) for problem in sorted(found, key=lambda problem: problem.line)]
    return []


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[sever]", 'line 1: unknown key "sever"; did you mean "server"?'),
        ("[[provider]]", 'line 1: unknown key "provider"; did you mean "providers"?'),
        ("port = 1", 'line 1: unknown key "port"; did you mean "port" under [server]?'),
        (
            "zzz = 1",
            'line 1: unknown key "zzz"; the keys known here are server, providers, aliases,'
            " local, memory, prices.",
        ),
        ("[server]\nprot = 1", 'line 2: unknown key "prot" in [server]; did you mean "port"?'),
        ("server.prot = 1", 'line 1: unknown key "prot" in [server]; did you mean "port"?'),
        ("[server]\nport = 1.5", 'line 2: "port" in [server] must be a whole number, not 1.5.'),
        ("[server]\nport = 'x'", 'line 2: "port" in [server] must be a whole number, not "x".'),
        ("[server]\nport = 65536", 'line 2: "port" in [server] must be 65535 or less, not 65536.'),
        ("[server]\nport = []", 'line 2: "port" in [server] must be a whole number.'),
        (
            "[server]\nkeepalive_s = true",
            'line 2: "keepalive_s" in [server] must be a number, not true.',
        ),
        (
            "[server]\nkeepalive_s = 0",
            'line 2: "keepalive_s" in [server] must be greater than 0, not 0.',
        ),
        (
            '[server]\nlog_level = "loud"',
            'line 2: "log_level" in [server] must be one of "debug", "info", "warning" or "error",'
            ' not "loud".',
        ),
        (
            '[server]\ncors_origins = [\n"*",\n"http://a/"]',
            'line 4: "cors_origins[2]" in [server] must be an origin such as'
            ' "https://app.example.com" (no path, no slash at the end), or "*", not "http://a/".',
        ),
        ("server = 1", 'line 1: "server" must be a table, not 1.'),
        (
            "[providers]\nid = 'a'",
            "line 1: providers must be written as a list of tables, each headed [[providers]].",
        ),
        ("[[providers]]", 'line 1: "id" of provider number 1 is missing; it has no default.'),
        (
            "[[providers]]\nid = 'A'",
            'line 2: "id" of provider "A" must be made of lower-case letters, digits, dots, dashes'
            ' and underscores, and start with a letter or a digit, not "A".',
        ),
        (
            "[[providers]]\nid = 'a'\nenabled = 'perhaps'",
            'line 3: "enabled" of provider "a" must be true or false, not "perhaps".',
        ),
        (
            "[[providers]]\nid = 'a'\n[[providers]]\nid = 'b'\ntimeout = {\tconect_s = 1 }",
            'line 5: unknown key "timeout.conect_s" of provider "b"; did you mean "connect_s"?',
        ),
        (
            "[[providers]]\nid = 'a'\n[providers.timeout]\n# later\nconect_s = 1",
            'line 5: unknown key "timeout.conect_s" of provider "a"; did you mean "connect_s"?',
        ),
        (
            "[[providers]]\nid = 'a'\nmodels = ['x',\n{ id = 'y', nmae = 'z' }]",
            'line 4: unknown key "models[2].nmae" of provider "a"; did you mean "name"?',
        ),
        (
            "[[providers]]\nid = 'a'\nmodels = [3]",
            'line 3: "models[1]" of provider "a" must be a string or a table, not 3.',
        ),
        (
            "[[providers]]\nid = 'a'\nmodels = ['x', {}]",
            'line 3: "models[2].id" of provider "a" is missing; it has no default.',
        ),
        (
            "[[providers]]\nid = 'a'\nprotocols = ['chatt']",
            'line 3: "protocols[1]" of provider "a" must be one of "chat", "responses", "messages",'
            ' "gemini", "embeddings" or "completions", not "chatt".',
        ),
        (
            "[[providers]]\nid = 'a'\nbase_urls = { mesages = 'http://a' }",
            'line 3: the key "base_urls.mesages" of provider "a" must be one of "chat",'
            ' "responses", "messages", "gemini", "embeddings" or "completions".',
        ),
        (
            "[aliases]\nfast = 'gpt-4'",
            'line 2: "fast" in [aliases] must have the form "provider:model" (an alias cannot point'
            ' to another alias), not "gpt-4".',
        ),
        (
            "[aliases]\n'a:b' = 'a:b'",
            'line 2: the key "a:b" in [aliases] must have no colon, which separates a provider from'
            " its model, and no blanks around it.",
        ),
        (
            "[aliases]\nfast = 3",
            'line 2: "fast" in [aliases] must be "provider:model", a list of them or a table with'
            " targets, not 3.",
        ),
        ("[aliases]\nx = []", 'line 2: "x" in [aliases] must be a list that is not empty.'),
        ("[local]\nidel_s = 1", 'line 2: unknown key "idel_s" in [local]; did you mean "idle_s"?'),
        ("local = true", 'line 1: "local" must be a table, not true.'),
        (
            "[[local.models]]\nid = 'a'",
            'line 1: "path" of local model "a" is missing; it has no default.',
        ),
    ],
)
def test_one_mistake_is_one_sentence(text: str, told: str) -> None:
    assert problems(text) == [f"f.toml, {told}"]


@pytest.mark.parametrize(
    "text",
    [
        "[server]\napi_key = 's3cret'",
        "[server]\ndatabase_url = ['s3cret']",
        "[[providers]]\nid = 'a'\napi_key = ['s3cret']",
        "[[providers]]\nid = 'a'\napi_keys = 's3cret'",
        "[[providers]]\nid = 'a'\nheaders = 's3cret'",
        "[[providers]]\nid = 'a'\nheaders = { x = ['s3cret'] }",
    ],
)
def test_a_secret_is_not_quoted(text: str) -> None:
    (told,) = problems(text)
    assert "s3cret" not in told


def test_what_the_environment_gave_is_told_with_its_place() -> None:
    assert problems("[server]\nport = 1", port="abc") == [
        'variable port: the value must be a whole number, not "abc".'
    ]


def test_what_was_read_from_the_environment_is_quoted_unread() -> None:
    text = '[server]\nport = "${PORT}"'
    sources = Sources("f.toml", locate(text), {}, tomllib.loads(text))
    values: dict[str, object] = {"server": {"port": "s3cret", "data_dir": "/data"}}
    with pytest.raises(pydantic.ValidationError) as caught:
        Document.model_validate(values)
    (problem,) = explain(caught.value.errors(), values, sources)
    assert problem.text == '"port" in [server] must be a whole number, not "${PORT}".'


def test_every_mistake_is_told() -> None:
    text = "[server]\nport = -1\nhots = 1\n[[providers]]\nname = 1\n[aliases]\na = ['b', 2]"
    assert len(problems(text)) == 6


def test_the_model_of_a_table_is_found_through_lists_and_unions() -> None:
    assert model_at(()) is Document
    assert model_at(("providers", 3)) is ProviderSpec
    assert model_at(("providers", 3, "timeout")) is TimeoutSpec
    assert model_at(("providers", 3, "models", 0)) is ModelSpec
    assert model_at(("local", "models", 0)) is LocalModel
    assert model_at(("aliases", "smart")) is AliasSettings
    assert model_at(("aliases", "smart", "targets", 0)) is AliasTarget
    assert model_at(("server", "port")) is None


def test_value_at_finds_nothing_rather_than_failing() -> None:
    data = {"a": [{"b": 1}]}
    assert value_at(data, ("a", 0, "b")) == 1
    assert value_at(data, ("a", 1, "b")) is None
    assert value_at(data, ("a", 0, "b", "c")) is None
    assert value_at(data, ("a", "b")) is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(["id", "name", "models", "timeout", "a", "headers", "path"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=6,
)


@given(st.fixed_dictionaries({}, optional={name: JSON for name in Document.model_fields}))
def test_any_values_give_sentences_and_never_fail(values: dict[str, object]) -> None:
    sources = Sources("f.toml", {}, {}, values)
    try:
        Document.model_validate(values)
    except pydantic.ValidationError as error:
        found = list(explain(error.errors(), values, sources))
        assert found
        assert all(problem.text.endswith((".", "?")) for problem in found)
        assert all("\n" not in str(problem) for problem in found)
