"""Usage objects of every protocol as disjoint counts."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.ir import Usage
from dragoman.usage_fields import AnthropicUsage, GeminiUsage, OpenAIUsage

counts = st.none() | st.integers(0, 10**6)


def fields(*names: str, **nested: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Objects in which any of these members may be missing."""
    return st.fixed_dictionaries({}, optional=dict.fromkeys(names, counts) | nested)


openai = fields(
    *("prompt_tokens", "completion_tokens", "prompt_cache_hit_tokens"),
    prompt_tokens_details=st.none() | fields("cached_tokens", "cache_write_tokens"),
    completion_tokens_details=st.none() | fields("reasoning_tokens"),
)
anthropic = fields(
    *("input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens"),
    cache_creation=st.none() | fields("ephemeral_5m_input_tokens", "ephemeral_1h_input_tokens"),
    server_tool_use=st.none() | fields("web_search_requests"),
    output_tokens_details=st.none() | fields("thinking_tokens"),
)
gemini = fields(
    "promptTokenCount",
    "candidatesTokenCount",
    "cachedContentTokenCount",
    "thoughtsTokenCount",
    "toolUsePromptTokenCount",
)


def read_openai(**members: Any) -> Usage:
    return msgspec.convert(members, OpenAIUsage).counts()


def read_anthropic(**members: Any) -> Usage:
    return msgspec.convert(members, AnthropicUsage).counts()


def read_gemini(**members: Any) -> Usage:
    return msgspec.convert(members, GeminiUsage).counts()


def is_sound(usage: Usage) -> bool:
    return all(count >= 0 for count in msgspec.structs.astuple(usage))


@given(openai)
def test_openai_counts_are_disjoint(members: dict[str, Any]) -> None:
    """They add up to the totals, whatever the details claim."""
    usage = read_openai(**members)
    assert is_sound(usage)
    assert usage.all_input == (members.get("prompt_tokens") or 0)
    assert usage.all_output == (members.get("completion_tokens") or 0)


@given(gemini)
def test_gemini_counts_are_disjoint(members: dict[str, Any]) -> None:
    usage = read_gemini(**members)
    assert is_sound(usage)
    prompt = (members.get("promptTokenCount") or 0) + (members.get("toolUsePromptTokenCount") or 0)
    assert usage.all_input == prompt
    said = (members.get("candidatesTokenCount") or 0, members.get("thoughtsTokenCount") or 0)
    assert (usage.output, usage.reasoning) == said


@given(anthropic)
def test_anthropic_counts_are_disjoint(members: dict[str, Any]) -> None:
    usage = read_anthropic(**members)
    assert is_sound(usage)
    assert usage.input == (members.get("input_tokens") or 0)
    assert usage.cache_read == (members.get("cache_read_input_tokens") or 0)
    assert usage.all_output == (members.get("output_tokens") or 0)
    written = usage.cache_write + usage.cache_write_long
    assert written >= (members.get("cache_creation_input_tokens") or 0)


def test_every_field_of_openai_chat() -> None:
    assert read_openai(
        prompt_tokens=100,
        completion_tokens=50,
        prompt_tokens_details={"cached_tokens": 30, "cache_write_tokens": 20},
        completion_tokens_details={"reasoning_tokens": 40},
    ) == Usage(input=50, cache_read=30, cache_write=20, output=10, reasoning=40)


def test_every_field_of_openai_responses() -> None:
    assert read_openai(
        input_tokens=100,
        output_tokens=50,
        input_tokens_details={"cached_tokens": 30, "cache_write_tokens": 20},
        output_tokens_details={"reasoning_tokens": 40},
    ) == Usage(input=50, cache_read=30, cache_write=20, output=10, reasoning=40)


def test_the_cache_hits_of_deepseek() -> None:
    assert read_openai(prompt_tokens=10, prompt_cache_hit_tokens=4) == Usage(input=6, cache_read=4)


def test_every_field_of_anthropic() -> None:
    assert read_anthropic(
        input_tokens=1,
        output_tokens=20,
        cache_read_input_tokens=3,
        cache_creation_input_tokens=9,
        cache_creation={"ephemeral_5m_input_tokens": 4, "ephemeral_1h_input_tokens": 5},
        server_tool_use={"web_search_requests": 6},
        output_tokens_details={"thinking_tokens": 7},
    ) == Usage(
        input=1,
        cache_read=3,
        cache_write=4,
        cache_write_long=5,
        output=13,
        reasoning=7,
        searches=6,
    )


def test_every_field_of_gemini() -> None:
    assert read_gemini(
        promptTokenCount=100,
        cachedContentTokenCount=30,
        candidatesTokenCount=20,
        thoughtsTokenCount=7,
        toolUsePromptTokenCount=5,
    ) == Usage(input=75, cache_read=30, output=20, reasoning=7)


@pytest.mark.parametrize("read", [read_openai, read_anthropic, read_gemini])
def test_nothing_said_is_nothing_used(read: Any) -> None:
    assert read() == Usage()


@given(anthropic, anthropic)
def test_later_totals_take_the_place_of_earlier_ones(
    first: dict[str, Any], later: dict[str, Any]
) -> None:
    """Never their sum; what the later object leaves out stays."""
    start = msgspec.convert(first, AnthropicUsage)
    end = msgspec.convert(later, AnthropicUsage)
    given_later = {name: value for name, value in later.items() if value is not None}
    assert start.updated(end) == msgspec.convert(first | given_later, AnthropicUsage)
    assert start.updated(AnthropicUsage()) == start
