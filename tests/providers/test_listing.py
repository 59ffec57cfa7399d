"""Lists of models as providers really send them, and as broken ones do."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.errors import ConfigError, UpstreamError
from dragoman.protocols import Protocol
from dragoman.providers.listing import ModelPage, list_request, parse_models
from dragoman.providers.provider import Model, Provider, Source
from dragoman.providers.resolve import resolve
from dragoman.providers.spec import ProviderSpec
from dragoman.providers.types import TYPES

NOW = 1_800_000_000.0


def make(type_: str = "openai", **more: object) -> Provider:
    fields = {"id": "p", "type": type_, "base_url": "http://h", **more}
    return resolve(ProviderSpec.model_validate(fields), Source.FILE)


def parse(answer: object, type_: str = "openai") -> ModelPage:
    return parse_models(make(type_), json.dumps(answer).encode(), NOW)


def only(entry: object, type_: str = "openai") -> Model:
    (model,) = parse({"data": [entry]}, type_).models
    return model


@pytest.mark.parametrize(
    ("type_", "url", "headers"),
    [
        ("openai", "http://h/v1/models", {b"authorization": b"Bearer k"}),
        (
            "anthropic",
            "http://h/v1/models?limit=1000",
            {b"anthropic-version": b"2023-06-01", b"x-api-key": b"k"},
        ),
        ("gemini", "http://h/v1beta/models?pageSize=1000", {b"x-goog-api-key": b"k"}),
        ("ollama", "http://h/api/tags", {b"authorization": b"Bearer k"}),
        (
            "azure-openai",
            "http://h/openai/deployments?api-version=2023-03-15-preview",
            {b"api-key": b"k"},
        ),
    ],
)
def test_each_type_is_asked_in_its_own_way(
    type_: str, url: str, headers: dict[bytes, bytes]
) -> None:
    assert list_request(make(type_), "k") == (url, list(headers.items()))


def test_the_owner_s_headers_come_along_and_win() -> None:
    provider = make(headers={"Authorization": "Basic x", "x-team": "a"})
    assert list_request(provider, "k")[1] == [(b"authorization", b"Basic x"), (b"x-team", b"a")]


def test_a_provider_without_a_list_says_so() -> None:
    provider = resolve(ProviderSpec(id="perplexity"), Source.FILE)
    with pytest.raises(ConfigError, match="`models`"):
        list_request(provider, "k")


def test_openai() -> None:
    page = parse(
        {
            "object": "list",
            "data": [
                {"id": "gpt-4", "object": "model", "created": 1687882411, "owned_by": "openai"},
                {"id": "gpt-4", "object": "model", "created": 1, "owned_by": "again"},
            ],
        }
    )
    assert page == ModelPage((Model("gpt-4", "gpt-4", 1687882411, "openai"),), None)


def test_anthropic_and_its_pages() -> None:
    entry = {
        "type": "model",
        "id": "claude-opus-4-5",
        "display_name": "Claude Opus 4.5",
        "created_at": "2025-11-24T00:00:00Z",
        "max_input_tokens": 200000,
        "max_tokens": 64000,
        "capabilities": {"image_input": {"supported": True}, "thinking": {"supported": False}},
    }
    page = parse({"data": [entry], "has_more": True, "last_id": "claude-opus-4-5"}, "anthropic")
    assert page.models == (
        Model(
            "claude-opus-4-5",
            "Claude Opus 4.5",
            1763942400,
            context_length=200000,
            max_output=64000,
            abilities=frozenset({"vision"}),
        ),
    )
    url, _ = list_request(make("anthropic"), "k", page.next_page)
    assert url == "http://h/v1/models?limit=1000&after_id=claude-opus-4-5"
    assert parse({"data": [], "has_more": False, "last_id": "x"}, "anthropic").next_page is None


def test_gemini_skips_what_can_neither_generate_nor_embed() -> None:
    page = parse(
        {
            "models": [
                {
                    "name": "models/gemini-3-pro",
                    "displayName": "Gemini 3 Pro",
                    "inputTokenLimit": 1048576,
                    "outputTokenLimit": 65536,
                    "supportedGenerationMethods": ["generateContent", "countTokens"],
                    "thinking": True,
                },
                {"name": "models/gemini-embedding", "supportedGenerationMethods": ["embedContent"]},
                {"name": "models/imagen", "supportedGenerationMethods": ["predict"]},
                {"name": "models/untold"},
            ],
            "nextPageToken": "t/2",
        },
        "gemini",
    )
    assert page.models == (
        Model(
            "gemini-3-pro",
            "Gemini 3 Pro",
            owned_by="google",
            context_length=1048576,
            max_output=65536,
            abilities=frozenset({"chat", "reasoning"}),
        ),
        Model(
            "gemini-embedding",
            "gemini-embedding",
            owned_by="google",
            abilities=frozenset({"embeddings"}),
        ),
        Model("untold", "untold", owned_by="google"),
    )
    url, _ = list_request(make("gemini"), "k", page.next_page)
    assert url == "http://h/v1beta/models?pageSize=1000&pageToken=t%2F2"
    assert parse({"nextPageToken": ""}, "gemini") == ModelPage(())


def test_ollama() -> None:
    page = parse(
        {
            "models": [
                {
                    "name": "llama3.2:latest",
                    "model": "llama3.2:latest",
                    "modified_at": "2025-05-04T17:37:44.706015396-07:00",
                    "digest": "a80c4f17acd5",
                    "details": {"family": "llama"},
                    "capabilities": ["completion", "tools", "vision"],
                }
            ]
        },
        "ollama",
    )
    assert page.models == (
        Model(
            "llama3.2:latest",
            "llama3.2:latest",
            1746405464,
            abilities=frozenset({"chat", "tools", "vision"}),
        ),
    )
    assert parse({"models": None}, "ollama").models == ()


def test_azure_lists_deployments() -> None:
    answer = {"data": [{"id": "my-gpt", "model": "gpt-4o", "created_at": 1681171441}]}
    (model,) = parse(answer, "azure-openai").models
    assert (model.id, model.created) == ("my-gpt", 1681171441)


def test_together_s_bare_array() -> None:
    (model,) = parse(
        [
            {
                "id": "meta-llama/Llama-3",
                "type": "chat",
                "display_name": "Llama 3",
                "organization": "Meta",
                "context_length": 8192,
                "created": 0,
            }
        ]
    ).models
    assert model == Model(
        "meta-llama/Llama-3", "Llama 3", 0, "Meta", 8192, abilities=frozenset({"chat"})
    )


def test_new_api_says_which_protocols_a_model_has() -> None:
    model = only({"id": "m", "supported_endpoint_types": ["anthropic", "openai", "jina-rerank"]})
    assert model.protocols == {Protocol.MESSAGES, Protocol.CHAT, Protocol.COMPLETIONS}
    assert only({"id": "m", "supported_endpoint_types": None}).protocols == frozenset()


def test_openrouter() -> None:
    model = only(
        {
            "id": "anthropic/claude",
            "name": "Anthropic: Claude",
            "created": 1700000000,
            "context_length": 200000,
            "architecture": {"input_modalities": ["text", "image"]},
            "top_provider": {"max_completion_tokens": 8192},
            "supported_parameters": ["tools", "reasoning", "max_tokens"],
        }
    )
    assert model == Model(
        "anthropic/claude",
        "Anthropic: Claude",
        1700000000,
        context_length=200000,
        max_output=8192,
        abilities=frozenset({"vision", "tools", "reasoning"}),
    )


def test_mistral_and_cohere() -> None:
    model = only(
        {
            "id": "mistral-small",
            "max_context_length": 32768,
            "capabilities": {"completion_chat": True, "function_calling": True, "vision": False},
        }
    )
    assert model.context_length == 32768
    assert model.abilities == {"chat", "tools"}
    page = parse({"models": [{"name": "embed-v4", "endpoints": ["embed"]}], "next_page_token": "2"})
    assert page.models[0].abilities == {"embeddings"}
    assert page.next_page == "2"


def test_github_and_copilot() -> None:
    github = only(
        {
            "id": "openai/gpt-4.1",
            "name": "OpenAI GPT-4.1",
            "publisher": "OpenAI",
            "limits": {"max_input_tokens": 1048576, "max_output_tokens": 32768},
            "capabilities": ["streaming", "tool-calling"],
            "supported_input_modalities": ["text", "image"],
        }
    )
    assert (github.context_length, github.max_output) == (1048576, 32768)
    assert github.abilities == {"tools", "vision"}
    copilot = only(
        {
            "id": "gpt-4.1",
            "capabilities": {
                "type": "chat",
                "limits": {"max_context_window_tokens": 128000, "max_output_tokens": 16384},
                "supports": {"tool_calls": True},
            },
        }
    )
    assert (copilot.context_length, copilot.max_output) == (128000, 16384)
    assert copilot.abilities == {"chat", "tools"}


@pytest.mark.parametrize("offset", [-100, 0, 10, 86400])
def test_the_answering_clock_is_no_date_of_creation(offset: int) -> None:
    assert only({"id": "m", "created": int(NOW) + offset}).created == 0
    assert only({"id": "m", "created": 1.7e9}).created == 1_700_000_000


@pytest.mark.parametrize("created", [None, True, "soon", -1, 1e300, [], "2025-13-01"])
def test_an_unreadable_date_is_zero(created: object) -> None:
    assert only({"id": "m", "created": created}).created == 0


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "is no JSON"),
        (b"<html>Sign in</html>", "is no JSON"),
        (b"\xff\xfe", "is no JSON"),
        (b"[" * 100_000, "is no JSON"),
        (b"null", "holds no list"),
        (b'"models"', "holds no list"),
        (b'{"data": {"a": 1}}', "holds no list"),
        (b'{"message": "hello"}', "holds no list"),
        (b'{"error": {"message": "secret"}}', "is an error"),
    ],
)
@pytest.mark.parametrize("type_", ["openai", "gemini"])
def test_what_is_no_list_is_an_error_of_the_upstream(body: bytes, said: str, type_: str) -> None:
    with pytest.raises(UpstreamError) as caught:
        parse_models(make(type_), body, NOW)
    assert said in caught.value.message
    assert '"p"' in caught.value.message
    assert "secret" not in caught.value.message


def test_one_bad_entry_does_not_spoil_the_list() -> None:
    page = parse({"data": [None, 7, "x", {}, {"id": 5}, {"id": " "}, {"id": "ok", "name": 3}]})
    assert page.models == (Model("ok", "ok"),)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(
        st.sampled_from(
            [
                "data", "models", "id", "name", "created", "created_at", "capabilities", "limits",
                "architecture", "input_modalities", "supports", "endpoints", "tags", "meta",
                "supported_endpoint_types", "supportedGenerationMethods", "context_length",
                "nextPageToken", "has_more", "last_id", "type", "error", "top_provider",
            ]
        ),
        inner,
        max_size=6,
    ),
    max_leaves=30,
)  # fmt: skip


@given(JSON, st.sampled_from(sorted(TYPES)))
def test_no_answer_crashes(answer: object, type_: str) -> None:
    try:
        page = parse(answer, type_)
    except UpstreamError:
        return
    for model in page.models:
        assert model.id
        assert model.name
        assert 0 <= model.created < NOW
    assert len({model.id for model in page.models}) == len(page.models)


@given(st.binary(max_size=200))
def test_no_bytes_crash(body: bytes) -> None:
    try:
        parse_models(make(), body, NOW)
    except UpstreamError as error:
        assert error.status == 502
