"""Every row of the presets is usable as it stands, and documented."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dragoman.errors import ConfigError
from dragoman.protocols import OPERATIONS, Protocol
from dragoman.providers import urls
from dragoman.providers.presets import PRESETS, Preset, find_preset
from dragoman.providers.provider import Auth, Source
from dragoman.providers.resolve import RESERVED_IDS, environment_providers, resolve
from dragoman.providers.spec import ProviderSpec
from dragoman.providers.types import TYPES

DOCS = Path(__file__).parents[2] / "docs" / "providers.md"
ROWS = pytest.mark.parametrize("row", PRESETS.values(), ids=lambda row: row.id)


@ROWS
def test_a_preset_needs_no_more_than_a_key(row: Preset) -> None:
    address = None if row.base_url else row.example.replace("us-east-1", "eu-west-1")
    provider = resolve(
        ProviderSpec(id="mine", preset=row.id, api_key="k", base_url=address), Source.FILE
    )
    assert provider.preset == row.id
    assert provider.protocols == (row.protocols or TYPES[row.type].protocols)
    for operation in OPERATIONS:
        if provider.speaks(operation):
            assert urls.endpoint_url(provider, operation, "m").startswith("http")


@ROWS
def test_urls_stand_as_they_are_called(row: Preset) -> None:
    main = row.base_url or row.example
    assert main
    for url in (main, *row.base_urls.values()):
        assert urls.normalize(url.lower()) == url.lower()
    assert row.base_url is None or row.base_url.startswith(("https://", "http://localhost:"))


@ROWS
def test_a_row_is_well_formed(row: Preset) -> None:
    assert row.type in TYPES
    assert row.id not in RESERVED_IDS
    assert re.fullmatch(r"[a-z0-9][a-z0-9._-]*", row.id)
    assert row.name
    assert row.evidence
    assert all(re.fullmatch(r"[A-Z][A-Z0-9_]*", name) for name in row.keys)
    for url in (row.key_url, row.docs_url, row.models_url or ""):
        assert not url or url.startswith("https://")
    spoken = row.protocols or TYPES[row.type].protocols
    assert set(row.base_urls) <= spoken
    assert set(row.edits) <= spoken


@ROWS
def test_a_row_stands_in_the_documentation(row: Preset) -> None:
    text = DOCS.read_text(encoding="utf-8")
    (line,) = [line for line in text.splitlines() if line.startswith(f"| `{row.id}` | {row.name}")]
    spoken = row.protocols or TYPES[row.type].protocols
    assert line.split(" | ")[2] == ", ".join(p for p in Protocol if p in spoken)
    for url in (row.base_url or row.example, *row.base_urls.values()):
        assert urls.complete(url) in line
    if (row.auth or TYPES[row.type].auth) is not Auth.NONE:
        assert all(f"`{name}`" in line for name in row.keys)
    assert row.note in text


@pytest.mark.parametrize("name", sorted({key for row in PRESETS.values() for key in row.keys}))
def test_a_variable_makes_the_provider_that_the_documentation_says(name: str) -> None:
    specs = environment_providers({name: "k", "AZURE_OPENAI_ENDPOINT": "https://r.example.org"})
    text = DOCS.read_text(encoding="utf-8")
    made = [line for line in text.splitlines() if line.startswith(f"| `{name}` | ")]
    assert made == [f"| `{name}` | `{spec.id}` |" for spec in specs]


@pytest.mark.parametrize("name", TYPES)
def test_a_type_stands_in_the_documentation(name: str) -> None:
    assert f"| `{name}` |" in DOCS.read_text(encoding="utf-8")


def test_local_servers_need_no_key() -> None:
    for name in ("ollama", "lmstudio", "llama.cpp", "vllm", "sglang", "ovms", "gpustack"):
        row = PRESETS[name]
        assert (row.auth or TYPES[row.type].auth) is Auth.NONE


def test_mistral_gets_only_what_it_takes() -> None:
    edits = next(iter(PRESETS["mistral"].edits.values()))
    assert edits.rename == {"max_completion_tokens": "max_tokens"}
    assert "stream_options" in edits.drop
    assert not PRESETS["mistral"].stream_usage


def test_an_unknown_preset_names_the_nearest() -> None:
    with pytest.raises(ConfigError, match='Did you mean "deepseek"'):
        find_preset("deepsek")
