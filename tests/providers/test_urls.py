"""Base URLs: every way to write one means the same place, and each request goes there."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman import protocols
from dragoman.errors import ConfigError
from dragoman.protocols import OPERATIONS, Protocol
from dragoman.providers import urls
from dragoman.providers.provider import Provider, Source
from dragoman.providers.resolve import resolve
from dragoman.providers.spec import ProviderSpec

HOSTS = st.sampled_from(
    ["api.example.com", "127.0.0.1:8000", "[::1]:23333", "localhost", "EXAMPLE.org"]
)
SEGMENTS = st.text("abcdefghijklmnopqrstuvwxyz0123456789-._~%", min_size=1, max_size=8)
WORDS = st.one_of(
    SEGMENTS,
    st.sampled_from(
        ["v1", "v1beta", "v3", "v4", "openai", "api", "models", "messages", "chat", "responses"]
    ),
)
PATHS = st.lists(WORDS, max_size=5).map("/".join)
BASES = st.builds(
    "{}://{}/{}{}".format,
    st.sampled_from(["http", "https", "HTTPS"]),
    HOSTS,
    PATHS,
    st.sampled_from(["", "/", "//", "#", "/chat/completions", "/v1/messages/", "/models/m:embed"]),
)
PLAIN_ROOTS = st.builds(
    "http://{}{}".format,
    HOSTS,
    st.sampled_from(["", "/api", "/proxy/one", "/openai", "/v", "/version1"]),
)


def make(type_: str, base_url: str, **more: object) -> Provider:
    spec = ProviderSpec.model_validate({"id": "p", "type": type_, "base_url": base_url, **more})
    return resolve(spec, Source.FILE)


@given(BASES, st.sampled_from(["v1", "v1beta", "v4", ""]))
def test_normalising_twice_changes_nothing(url: str, version: str) -> None:
    once = urls.normalize(url, version)
    assert urls.normalize(once, version) == once
    assert not urls.complete(once).endswith("/")


@given(PLAIN_ROOTS, st.sampled_from(["", "/", "//"]), st.sampled_from(["openai", "anthropic"]))
def test_version_and_slashes_make_no_difference(root: str, slashes: str, type_: str) -> None:
    operation = protocols.MESSAGES if type_ == "anthropic" else protocols.CHAT
    expected = urls.endpoint_url(make(type_, root), operation, "m")
    for variant in (root + slashes, f"{root}/v1{slashes}", f"{root}/v1{operation.path}{slashes}"):
        assert urls.endpoint_url(make(type_, variant), operation, "m") == expected
    assert expected.endswith("/v1" + operation.path)


@given(PLAIN_ROOTS.filter(lambda url: not url.endswith("/openai")), st.sampled_from(["", "/"]))
def test_gemini_s_version_makes_no_difference(root: str, slash: str) -> None:
    operation = protocols.STREAM_GENERATE_CONTENT
    expected = urls.endpoint_url(make("gemini", root), operation, "m")
    for variant in (
        root + slash,
        f"{root}/v1beta{slash}",
        f"{root}/v1beta/openai{slash}",
        f"{root}/v1beta/models/gemini-x:generateContent",
    ):
        assert urls.endpoint_url(make("gemini", variant), operation, "m") == expected


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        ("https://api.openai.com", "https://api.openai.com/v1"),
        (" https://api.openai.com/v1/ ", "https://api.openai.com/v1"),
        ("https://ark.cn-beijing.volces.com/api/v3/", "https://ark.cn-beijing.volces.com/api/v3"),
        ("https://open.bigmodel.cn/api/paas/v4", "https://open.bigmodel.cn/api/paas/v4"),
        ("https://h/v1beta2", "https://h/v1beta2"),
        ("https://api.deepinfra.com/v1/openai", "https://api.deepinfra.com/v1/openai"),
        ("https://h/v1/responses/input_tokens", "https://h/v1"),
        ("https://h/v1/messages/count_tokens", "https://h/v1"),
        ("https://h/v1beta/models/m:streamGenerateContent", "https://h/v1beta"),
        ("https://h/v1/models", "https://h/v1"),
        ("https://h/inference/chat/completions", "https://h/inference#"),
        ("https://h/inference/#", "https://h/inference#"),
        ("https://h/x/chat/completions#", "https://h/x#"),
        ("https://h/v1alpha", "https://h/v1alpha/v1"),
        ("http://[::1]:8080/", "http://[::1]:8080/v1"),
        ("HTTP://Host.Example//a//b/", "http://host.example/a/b/v1"),
    ],
)
def test_normal_forms(written: str, normal: str) -> None:
    assert urls.normalize(written) == normal


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("", "http://"),
        ("api.openai.com/v1", "http://"),
        ("ftp://h/v1", "http://"),
        ("http:///v1", "host name"),
        ("https://user:hunter2@h/v1", "`api_key`"),
        ("https://h/v1?api-version=1", "`api_version`"),
        ("https://h/v1#part", "fragment"),
        ("https://h/a b", "spaces"),
        ("https://h/{model}", "braces"),
        ("https://h:99999/v1", "URL"),
        ("https://[::1/v1", "URL"),
    ],
)
def test_what_is_no_base_url_is_refused_with_its_reason(written: str, reason: str) -> None:
    with pytest.raises(ConfigError) as caught:
        urls.normalize(written)
    assert reason in caught.value.message
    assert "hunter2" not in caught.value.message


def test_every_operation_of_a_provider_that_speaks_all_has_its_url() -> None:
    provider = make("new-api", "http://h:3000")
    found = {
        operation.name: urls.endpoint_url(provider, operation, "a/b c") for operation in OPERATIONS
    }
    assert found == {
        "chat": "http://h:3000/v1/chat/completions",
        "responses": "http://h:3000/v1/responses",
        "input_tokens": "http://h:3000/v1/responses/input_tokens",
        "embeddings": "http://h:3000/v1/embeddings",
        "completions": "http://h:3000/v1/completions",
        "messages": "http://h:3000/v1/messages",
        "count_tokens": "http://h:3000/v1/messages/count_tokens",
        "generate_content": "http://h:3000/v1beta/models/a%2Fb%20c:generateContent",
        "stream_generate_content": "http://h:3000/v1beta/models/a%2Fb%20c:streamGenerateContent",
        "gemini_count_tokens": "http://h:3000/v1beta/models/a%2Fb%20c:countTokens",
    }


@pytest.mark.parametrize(
    "written",
    [
        "https://r.openai.azure.com",
        "https://r.openai.azure.com/openai/",
        "https://r.openai.azure.com/openai/v1/",
        "https://r.openai.azure.com/openai/v1/chat/completions",
        "https://r.openai.azure.com/openai/deployments/old/chat/completions",
    ],
)
def test_azure_has_two_layouts_under_one_address(written: str) -> None:
    modern = make("azure-openai", written)
    assert (
        urls.endpoint_url(modern, protocols.CHAT, "gpt")
        == "https://r.openai.azure.com/openai/v1/chat/completions"
    )
    dated = make("azure-openai", written, api_version="2024-10-21")
    assert (
        urls.endpoint_url(dated, protocols.EMBEDDINGS, "my/deployment")
        == "https://r.openai.azure.com/openai/deployments/my%2Fdeployment/embeddings"
        "?api-version=2024-10-21"
    )
    assert (
        urls.endpoint_url(dated, protocols.RESPONSES, "gpt")
        == "https://r.openai.azure.com/openai/v1/responses"
    )


def test_azure_s_preview_version_goes_to_the_v1_api() -> None:
    provider = make("azure-openai", "https://r.openai.azure.com", api_version="preview")
    assert (
        urls.endpoint_url(provider, protocols.RESPONSES, "gpt")
        == "https://r.openai.azure.com/openai/v1/responses?api-version=preview"
    )


def test_relocation_keeps_what_lives_on_another_host() -> None:
    known = {
        Protocol.EMBEDDINGS: "https://api.jina.ai/v1",
        Protocol.CHAT: "https://deepsearch.jina.ai/v1",
    }
    moved = urls.relocate("http://mirror/jina/v1", known)
    assert moved[Protocol.EMBEDDINGS] == "http://mirror/jina/v1"
    assert moved[Protocol.CHAT] == "https://deepsearch.jina.ai/v1"
    assert urls.relocate("http://mirror/elsewhere", known) == {}


def test_queries_are_added_to_what_is_there() -> None:
    assert urls.with_query("http://h/a", {}) == "http://h/a"
    assert urls.with_query("http://h/a", {"alt": "sse"}) == "http://h/a?alt=sse"
    assert urls.with_query("http://h/a?b=c", {"d": "e f"}) == "http://h/a?b=c&d=e+f"
