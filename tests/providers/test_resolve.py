"""A spec over its preset over its type, and messages that say what to do."""

from __future__ import annotations

import pytest

from dragoman import protocols
from dragoman.errors import ConfigError
from dragoman.protocols import Protocol
from dragoman.providers.provider import Auth, BodyEdits, Model, Provider, Source, Timeouts
from dragoman.providers.resolve import RESERVED_IDS, environment_providers, resolve
from dragoman.providers.spec import ProviderSpec
from dragoman.providers.urls import endpoint_url


def make(**fields: object) -> Provider:
    return resolve(ProviderSpec.model_validate({"id": "p", **fields}), Source.FILE)


def refusal(**fields: object) -> str:
    with pytest.raises(ConfigError) as caught:
        make(**fields)
    return caught.value.message


def test_a_type_alone_is_enough() -> None:
    provider = make(type="openai", api_key="k")
    assert provider.protocols == {
        Protocol.CHAT,
        Protocol.RESPONSES,
        Protocol.EMBEDDINGS,
        Protocol.COMPLETIONS,
    }
    assert provider.auth is Auth.BEARER
    assert provider.name == "p"
    assert provider.models is None
    assert provider.timeouts == Timeouts()
    assert provider.list_url == "https://api.openai.com/v1/models"
    assert provider.source is Source.FILE
    assert provider.preset is None


def test_the_spec_is_over_the_preset() -> None:
    provider = make(
        preset="mistral",
        name="Mine",
        protocols=["chat"],
        set={"safe_prompt": True},
        drop=["user"],
        rename={"max_completion_tokens": "limit"},
        timeout={"idle_s": 5},
        headers={"X-Team": "a"},
        models=["a", {"id": "b", "name": "B", "context_length": 9, "abilities": ["vision"]}],
        proxy="http://user:pw@proxy:3128",
        enabled=False,
    )
    assert provider.name == "Mine"
    assert provider.protocols == {Protocol.CHAT}
    assert provider.edits[Protocol.CHAT] == BodyEdits(
        set={"safe_prompt": True},
        drop=frozenset({"stream_options", "store", "user"}),
        rename={"max_completion_tokens": "limit"},
    )
    assert provider.timeouts.idle_s == 5
    assert provider.headers == {"x-team": "a"}
    assert provider.models == (
        Model("a", "a"),
        Model("b", "B", context_length=9, abilities=frozenset({"vision"})),
    )
    assert provider.proxy == "http://user:pw@proxy:3128"
    assert not provider.enabled
    assert not provider.stream_usage


def test_an_id_that_is_a_preset_s_needs_neither_type_nor_preset() -> None:
    provider = resolve(ProviderSpec(id="deepseek", api_key="k"), Source.FILE)
    assert provider.preset == "deepseek"
    assert provider.name == "DeepSeek"
    typed = resolve(ProviderSpec(id="deepseek", type="anthropic"), Source.FILE)
    assert typed.preset is None


@pytest.mark.parametrize(
    ("base_url", "has_responses"),
    [
        ("https://api.openai.com", True),
        ("https://eu.api.openai.com/v1", True),
        ("https://api.openai.com.evil.example/v1", False),
        ("http://127.0.0.1:8000", False),
    ],
)
def test_openai_elsewhere_is_openai_compatible(base_url: str, has_responses: bool) -> None:
    for provider in (
        make(type="openai", base_url=base_url),
        make(preset="openai", base_url=base_url),
    ):
        assert provider.type == "openai"
        assert (Protocol.RESPONSES in provider.protocols) is has_responses
        assert {Protocol.CHAT, Protocol.EMBEDDINGS, Protocol.COMPLETIONS} <= provider.protocols


def test_protocols_say_what_is_spoken_natively() -> None:
    provider = make(type="openai", base_url="http://h", protocols=["responses", "chat", "messages"])
    assert endpoint_url(provider, protocols.MESSAGES, "m") == "http://h/v1/messages"
    assert endpoint_url(provider, protocols.RESPONSES, "m") == "http://h/v1/responses"
    assert not provider.speaks(protocols.EMBEDDINGS)


def test_a_second_url_adds_its_protocol() -> None:
    provider = make(
        type="openai-compatible",
        base_url="http://h/openai",
        base_urls={"messages": "http://h/anthropic", "gemini": "http://h/google/"},
    )
    assert provider.base_urls == {
        Protocol.CHAT: "http://h/openai/v1",
        Protocol.EMBEDDINGS: "http://h/openai/v1",
        Protocol.COMPLETIONS: "http://h/openai/v1",
        Protocol.MESSAGES: "http://h/anthropic/v1",
        Protocol.GEMINI: "http://h/google/v1beta",
    }


def test_a_chat_url_alone_serves_its_family() -> None:
    provider = make(type="openai-compatible", base_urls={"chat": "http://h/v2"})
    assert provider.base_urls[Protocol.EMBEDDINGS] == "http://h/v2"
    only_messages = make(type="openai-compatible", base_urls={"messages": "http://h"})
    assert only_messages.protocols == {Protocol.MESSAGES}
    assert only_messages.list_url == "http://h/v1/models"


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        # The paths of the original tell where the rest is ...
        ({"preset": "deepseek", "base_url": "http://m/ds"}, "http://m/ds/anthropic/v1/messages"),
        ({"preset": "deepseek", "base_url": "http://m/anthropic"}, "http://m/anthropic/v1/messages"),
        ({"preset": "moonshot", "base_url": "https://api.moonshot.ai"},
         "https://api.moonshot.ai/anthropic/v1/messages"),
        ({"preset": "aws-bedrock", "base_url": "https://bedrock-mantle.eu-west-1.api.aws"},
         "https://bedrock-mantle.eu-west-1.api.aws/anthropic/v1/messages"),
        # ... unless they are others: then only `protocols` or `base_urls` can tell.
        ({"preset": "zhipu", "base_url": "http://m/v1"}, None),
        ({"preset": "zhipu", "base_url": "http://m/v1", "protocols": ["messages"]},
         "http://m/v1/messages"),
    ],
)  # fmt: skip
def test_a_mirror_of_a_preset(fields: dict[str, object], expected: str | None) -> None:
    provider = make(**fields)
    if expected is None:
        assert not provider.speaks(protocols.MESSAGES)
    else:
        assert endpoint_url(provider, protocols.MESSAGES, "m") == expected


def test_a_hash_means_the_url_as_it_is() -> None:
    provider = make(type="openai-compatible", base_url="http://h/odd/path/#")
    assert endpoint_url(provider, protocols.CHAT, "m") == "http://h/odd/path/chat/completions"
    azure = make(type="azure-openai", base_url="http://h/odd#", api_version="preview")
    assert (
        endpoint_url(azure, protocols.CHAT, "m")
        == "http://h/odd/chat/completions?api-version=preview"
    )


def test_gemini_embeds_in_openai_s_shape() -> None:
    provider = make(type="gemini", base_url="http://h")
    assert endpoint_url(provider, protocols.EMBEDDINGS, "m") == "http://h/v1beta/openai/embeddings"


def test_ollama_is_reached_beside_its_own_api() -> None:
    for written in ("http://h:11434", "http://h:11434/api/", "http://h:11434/v1"):
        provider = make(type="ollama", base_url=written)
        assert endpoint_url(provider, protocols.MESSAGES, "m") == "http://h:11434/v1/messages"
        assert provider.list_url == "http://h:11434/api/tags"


def test_azure_s_other_protocols_have_their_own_address() -> None:
    provider = make(
        type="azure-openai",
        base_url="https://r.openai.azure.com",
        api_version="2024-10-21",
        base_urls={"messages": "https://r.services.ai.azure.com/anthropic"},
    )
    assert (
        endpoint_url(provider, protocols.MESSAGES, "claude")
        == "https://r.services.ai.azure.com/anthropic/v1/messages"
    )


def test_keys_are_merged_in_order_and_once() -> None:
    provider = make(type="openai", api_key=" a ", api_keys=["b", "a", "", "c"])
    assert provider.api_keys == ("a", "b", "c")
    assert make(type="openai").api_keys == ()


def test_a_service_without_a_list_brings_its_models() -> None:
    provider = make(preset="perplexity")
    assert provider.models is not None
    assert Model("sonar", "sonar") in provider.models
    assert provider.list_url == ""
    mirrored = make(preset="perplexity", base_url="http://h")
    assert mirrored.models is None
    assert mirrored.list_url == "http://h/models"


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, "`type` or a `preset`"),
        ({"type": "opnai"}, 'Did you mean "openai"'),
        ({"type": "deepseek"}, 'write preset = "deepseek"'),
        ({"preset": "opnrouter"}, 'Did you mean "openrouter"'),
        ({"type": "openai-compatible"}, "`base_url`, such as https://api.example.com/v1"),
        ({"type": "azure-openai"}, "https://RESOURCE.openai.azure.com"),
        ({"preset": "databricks"}, "https://WORKSPACE.cloud.databricks.com/serving-endpoints."),
        ({"type": "openai", "base_url": "ftp://h"}, "`base_url`: A base URL starts with http"),
        ({"type": "azure-openai", "base_url": "h"}, "`base_url`: A base URL starts with http"),
        ({"type": "openai", "base_urls": {"chat": "h"}}, "`base_urls.chat`"),
        ({"type": "openai", "protocols": []}, "`protocols` is empty"),
        ({"type": "openai-compatible", "protocols": ["chat"]}, "nothing says where it is"),
        ({"type": "openai", "protocols": ["chat"], "base_urls": {"messages": "http://h"}},
         "add it there"),
        ({"type": "openai", "api_version": "2024-10-21"}, "`api_version`"),
        ({"type": "openai", "models": ["a", "a"]}, '"a" twice'),
        ({"type": "openai", "models": [" "]}, "empty id"),
        ({"type": "openai", "headers": {"a b": "c"}}, "'a b'"),
        ({"type": "openai", "headers": {"a": "b\r\nc: d"}}, "valid header"),
        ({"type": "openai", "headers": {"Host": "h"}}, "remove it"),
        ({"type": "openai", "drop": ["model"]}, "`model`"),
        ({"type": "openai", "proxy": "socks5://h"}, "`proxy`"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_remedy(fields: dict[str, object], said: str) -> None:
    message = refusal(**fields)
    assert 'Provider "p": ' in message
    assert said in message


def test_a_bad_key_is_not_repeated() -> None:
    message = refusal(type="openai", api_keys=["good", "sécret key"])
    assert "`api_keys`" in message
    assert "cret" not in message


@pytest.mark.parametrize("name", sorted(RESERVED_IDS))
def test_a_path_of_the_gateway_is_no_id(name: str) -> None:
    with pytest.raises(ConfigError, match="path of the gateway"):
        resolve(ProviderSpec(id=name, type="openai"), Source.DATABASE)


def test_every_first_path_segment_of_an_operation_is_reserved() -> None:
    for operation in protocols.OPERATIONS:
        assert operation.path.split("/")[1] in RESERVED_IDS


def test_the_environment_s_keys_make_providers() -> None:
    specs = environment_providers(
        {
            "OPENAI_API_KEY": "sk-1",
            "GOOGLE_API_KEY": " g ",
            "ANTHROPIC_API_KEY": "",
            "XAI_API_KEY": "x",
            "GITHUB_TOKEN": "not for us",
            "HOME": "/root",
        }
    )
    assert [(spec.id, spec.preset, spec.api_keys) for spec in specs] == [
        ("openai", "openai", ["sk-1"]),
        ("gemini", "gemini", ["g"]),
        ("xai", "xai", ["x"]),
    ]
    for spec in specs:
        assert resolve(spec, Source.ENVIRONMENT).api_keys


def test_azure_s_key_needs_its_endpoint() -> None:
    assert environment_providers({"AZURE_OPENAI_API_KEY": "k"}) == ()
    (spec,) = environment_providers(
        {"AZURE_OPENAI_API_KEY": "k", "AZURE_OPENAI_ENDPOINT": "https://r.openai.azure.com/"}
    )
    provider = resolve(spec, Source.ENVIRONMENT)
    assert provider.base_urls[Protocol.CHAT] == "https://r.openai.azure.com/openai/v1"
