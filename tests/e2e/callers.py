"""The vendors' own Python SDKs, each asked in the same way, each telling what it understood.

`_strict_response_validation` makes the OpenAI and Anthropic SDKs judge every answer by their own
models of it, instead of passing on whatever came.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import anthropic
import openai
from e2e.stage import Stage
from google import genai

PARAMETERS = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
}
TOOL_NAMES = ("get_weather", "get_time")


@dataclass(frozen=True)
class Heard:
    """What a client understood of an answer. `finish` is `stop`, `calls` or `length`; `input` is
    what its protocol counts as input, cached tokens taken out."""

    text: str
    thinking: str
    calls: tuple[tuple[str, dict[str, Any]], ...]
    finish: str
    input: int
    cached: int
    output: int


class Callers:
    """The clients of one gateway."""

    def __init__(self, stage: Stage, key: str | None = None, strict: bool = True) -> None:
        key = key or stage.key
        options: Any = {
            "api_key": key,
            "max_retries": 0,
            "_strict_response_validation": strict,
        }
        self._open = ExitStack()
        self.openai = self._open.enter_context(openai.OpenAI(base_url=f"{stage.url}/v1", **options))
        self.anthropic = self._open.enter_context(
            anthropic.Anthropic(base_url=stage.url, **options)
        )
        self.genai = self._open.enter_context(
            genai.Client(api_key=key, http_options=genai.types.HttpOptions(base_url=stage.url))
        )

    def close(self) -> None:
        self._open.close()

    def ask(
        self,
        protocol: str,
        model: str,
        prompt: str,
        streamed: bool,
        tools: bool,
        max_tokens: int = 4000,
    ) -> Heard:
        """One question in one of the protocols, with the stream helper of its SDK."""
        how: Callable[..., Heard] = getattr(self, f"_ask_{protocol}")
        return how(model, prompt, max_tokens, streamed, TOOL_NAMES if tools else ())

    def _ask_chat(
        self, model: str, prompt: str, max_tokens: int, streamed: bool, tools: Sequence[str]
    ) -> Heard:
        options: Any = {
            "model": model,
            "messages": [{"role": "user", "content": prompt}],
            "max_completion_tokens": max_tokens,
        }
        if tools:
            options["tools"] = [
                {"type": "function", "function": {"name": name, "parameters": PARAMETERS}}
                for name in tools
            ]
        if streamed:
            usage = {"include_usage": True}
            with self.openai.chat.completions.stream(stream_options=usage, **options) as stream:
                try:
                    answer: Any = stream.get_final_completion()
                except openai.LengthFinishReasonError as cut_short:
                    answer = cut_short.completion
        else:
            answer = self.openai.chat.completions.create(**options)
        (choice,) = answer.choices
        message = choice.message
        return Heard(
            text=message.content or "",
            thinking=(message.model_extra or {}).get("reasoning_content") or "",
            calls=tuple(
                (call.function.name, json.loads(call.function.arguments))
                for call in message.tool_calls or ()
            ),
            finish={"tool_calls": "calls"}.get(choice.finish_reason, choice.finish_reason),
            input=answer.usage.prompt_tokens - answer.usage.prompt_tokens_details.cached_tokens,
            cached=answer.usage.prompt_tokens_details.cached_tokens,
            output=answer.usage.completion_tokens,
        )

    def _ask_responses(
        self, model: str, prompt: str, max_tokens: int, streamed: bool, tools: Sequence[str]
    ) -> Heard:
        options: Any = {"model": model, "input": prompt, "max_output_tokens": max_tokens}
        if tools:
            options["tools"] = [
                {"type": "function", "name": name, "parameters": PARAMETERS, "strict": False}
                for name in tools
            ]
        if streamed:
            # `get_final_response` knows only completed responses; others are the user's to see.
            with self.openai.responses.stream(**options) as stream:
                *_, last = stream
            answer: Any = last.response
            if answer.error:
                raise openai.OpenAIError(answer.error.message)
        else:
            answer = self.openai.responses.create(**options)
        items = answer.output
        calls = [item for item in items if item.type == "function_call"]
        details = answer.incomplete_details
        cached = answer.usage.input_tokens_details.cached_tokens
        return Heard(
            text=answer.output_text,
            thinking="".join(
                part.text for item in items if item.type == "reasoning" for part in item.summary
            ),
            calls=tuple((call.name, json.loads(call.arguments)) for call in calls),
            finish="length" if details else "calls" if calls else "stop",
            input=answer.usage.input_tokens - cached,
            cached=cached,
            output=answer.usage.output_tokens,
        )

    def _ask_messages(
        self, model: str, prompt: str, max_tokens: int, streamed: bool, tools: Sequence[str]
    ) -> Heard:
        options: Any = {
            "model": model,
            "max_tokens": max_tokens,
            "messages": [{"role": "user", "content": prompt}],
        }
        if tools:
            options["tools"] = [{"name": name, "input_schema": PARAMETERS} for name in tools]
        if streamed:
            with self.anthropic.messages.stream(**options) as stream:
                answer: Any = stream.get_final_message()
        else:
            answer = self.anthropic.messages.create(**options)
        blocks = answer.content
        finishes = {"end_turn": "stop", "tool_use": "calls", "max_tokens": "length"}
        return Heard(
            text="".join(block.text for block in blocks if block.type == "text"),
            thinking="".join(block.thinking for block in blocks if block.type == "thinking"),
            calls=tuple((block.name, block.input) for block in blocks if block.type == "tool_use"),
            finish=finishes[answer.stop_reason],
            input=answer.usage.input_tokens,
            cached=answer.usage.cache_read_input_tokens or 0,
            output=answer.usage.output_tokens,
        )

    def _ask_gemini(
        self, model: str, prompt: str, max_tokens: int, streamed: bool, tools: Sequence[str]
    ) -> Heard:
        config: dict[str, Any] = {"max_output_tokens": max_tokens}
        if tools:
            declared = [{"name": name, "parameters_json_schema": PARAMETERS} for name in tools]
            config["tools"] = [{"function_declarations": declared}]
        asked: Any = {"model": model, "contents": prompt, "config": config}
        if streamed:
            chunks: list[Any] = list(self.genai.models.generate_content_stream(**asked))
        else:
            chunks = [self.genai.models.generate_content(**asked)]
        candidates = [candidate for chunk in chunks for candidate in chunk.candidates or ()]
        parts = [
            part for each in candidates for part in (each.content and each.content.parts) or ()
        ]
        calls = tuple(
            (part.function_call.name, part.function_call.args or {})
            for part in parts
            if part.function_call
        )
        (finish,) = {each.finish_reason.name for each in candidates if each.finish_reason}
        usage = next(chunk.usage_metadata for chunk in reversed(chunks) if chunk.usage_metadata)
        cached = usage.cached_content_token_count or 0
        return Heard(
            text="".join(part.text or "" for part in parts if not part.thought),
            thinking="".join(part.text or "" for part in parts if part.thought),
            calls=calls,
            finish="length" if finish == "MAX_TOKENS" else "calls" if calls else "stop",
            input=usage.prompt_token_count - cached,
            cached=cached,
            output=usage.candidates_token_count + (usage.thoughts_token_count or 0),
        )


@contextmanager
def open_callers(stage: Stage, **options: Any) -> Iterator[Callers]:
    """The clients until the block ends."""
    callers = Callers(stage, **options)
    try:
        yield callers
    finally:
        callers.close()
