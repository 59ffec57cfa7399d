"""What each protocol's usage object says, as disjoint counts.

OpenAI's and Gemini's input counts include cached tokens and their output counts include (OpenAI)
or exclude (Gemini) reasoning; Anthropic's input excludes what was read from or written to the
cache. Sources: the "usage" objects of the OpenAI Chat, OpenAI Responses, Anthropic Messages and
Gemini `usageMetadata` references. DeepSeek reports cache hits under a name of its own.
"""

from __future__ import annotations

import msgspec

from dragoman.ir import Usage


class _Written(msgspec.Struct):
    ttl_12h_tokens: int | None = None


class _Cached(msgspec.Struct):
    cached_tokens: int | None = None
    cache_write_tokens: int | None = None
    cache_write_tokens_details: _Written | None = None


class _Reasoned(msgspec.Struct):
    reasoning_tokens: int | None = None


class OpenAIUsage(msgspec.Struct):
    """`usage` of Chat, Completions, Embeddings (`prompt_tokens`) and Responses (`input_tokens`)."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    prompt_tokens_details: _Cached | None = None
    completion_tokens_details: _Reasoned | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    input_tokens_details: _Cached | None = None
    output_tokens_details: _Reasoned | None = None
    prompt_cache_hit_tokens: int | None = None

    def counts(self) -> Usage:
        """The same, disjoint."""
        total_in = self.prompt_tokens or self.input_tokens or 0
        total_out = self.completion_tokens or self.output_tokens or 0
        cached = self.prompt_tokens_details or self.input_tokens_details or _Cached()
        reasoned = self.completion_tokens_details or self.output_tokens_details or _Reasoned()
        read = min(cached.cached_tokens or self.prompt_cache_hit_tokens or 0, total_in)
        written = min(cached.cache_write_tokens or 0, total_in - read)
        details = cached.cache_write_tokens_details
        lasting = min((details.ttl_12h_tokens if details else 0) or 0, written)
        reasoning = min(reasoned.reasoning_tokens or 0, total_out)
        return Usage(
            input=total_in - read - written,
            cache_read=read,
            cache_write=written - lasting,
            cache_write_long=lasting,
            output=total_out - reasoning,
            reasoning=reasoning,
        )


class _CacheCreation(msgspec.Struct):
    ephemeral_5m_input_tokens: int | None = None
    ephemeral_1h_input_tokens: int | None = None


class _ServerToolUse(msgspec.Struct):
    web_search_requests: int | None = None


class _Thought(msgspec.Struct):
    thinking_tokens: int | None = None


class AnthropicUsage(msgspec.Struct):
    """`usage` of Messages. In a stream `message_start` holds the input counts and `message_delta`
    the totals so far, in which a provider may leave out what has not changed."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_input_tokens: int | None = None
    cache_creation_input_tokens: int | None = None
    cache_creation: _CacheCreation | None = None
    server_tool_use: _ServerToolUse | None = None
    output_tokens_details: _Thought | None = None

    def counts(self) -> Usage:
        """The same; Anthropic's counts are disjoint already, but for thinking."""
        written = self.cache_creation_input_tokens or 0
        long = self.cache_creation.ephemeral_1h_input_tokens or 0 if self.cache_creation else 0
        output = self.output_tokens or 0
        thought = self.output_tokens_details.thinking_tokens if self.output_tokens_details else 0
        reasoning = min(thought or 0, output)
        return Usage(
            input=self.input_tokens or 0,
            cache_read=self.cache_read_input_tokens or 0,
            cache_write=max(written - long, 0),
            cache_write_long=long,
            output=output - reasoning,
            reasoning=reasoning,
            searches=(self.server_tool_use.web_search_requests or 0) if self.server_tool_use else 0,
        )

    def updated(self, later: AnthropicUsage) -> AnthropicUsage:
        """This, with what `later` says put in its place."""
        return AnthropicUsage(
            **{
                name: getattr(self, name) if value is None else value
                for name in self.__struct_fields__
                for value in (getattr(later, name),)
            }
        )


class GeminiUsage(msgspec.Struct, rename="camel"):
    """`usageMetadata`; each chunk of a stream holds the totals so far."""

    prompt_token_count: int | None = None
    candidates_token_count: int | None = None
    cached_content_token_count: int | None = None
    thoughts_token_count: int | None = None
    tool_use_prompt_token_count: int | None = None

    def counts(self) -> Usage:
        """The same, disjoint."""
        total_in = (self.prompt_token_count or 0) + (self.tool_use_prompt_token_count or 0)
        read = min(self.cached_content_token_count or 0, total_in)
        return Usage(
            input=total_in - read,
            cache_read=read,
            output=self.candidates_token_count or 0,
            reasoning=self.thoughts_token_count or 0,
        )
