"""Whole tool loops, each run by the SDK's own means, on a provider of each protocol.

A loop is two turns: the model thinks, says something and calls a tool twice; the client runs the
tool and hands everything back; the model answers. What the provider is told in the second turn
must hold both results and its own reasoning state, as it gave it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, cast

import pytest
from anthropic import beta_tool
from e2e.callers import PARAMETERS, Callers, open_callers
from e2e.stage import MODELS, PROTOCOLS, Stage
from e2e.told import results_told, state_told
from e2e.voices import Turn, Use
from openai.lib.responses_tool_runner import RegisteredFunction, ResponsesToolRunner

THINKING = "Two cities, two calls."
CALLS = Turn(
    "I look.",
    (
        Use("get_weather", {"city": "Oslo"}, "call_Oslo"),
        Use("get_weather", {"city": "Łódź"}, "call_Lodz"),
    ),
    thinking=THINKING,
)
RESULTS = ["Rain in Oslo.", "Rain in Łódź."]
DONE = Turn("Rain in both.", thinking="So it is.")
QUESTION = "Is there rain?"

each_provider = pytest.mark.parametrize("provider", PROTOCOLS)
streamed_or_not = pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])


@pytest.fixture(scope="module")
def callers(stage: Stage) -> Iterator[Callers]:
    with open_callers(stage) as callers:
        yield callers


def get_weather(city: str) -> str:
    """Tells the weather of a city.

    Args:
        city: Its name.
    """
    return f"Rain in {city}."


def check(stage: Stage, provider: str, requests: int = 2) -> None:
    """That the provider heard two requests, and in the second all that belongs there."""
    assert len(stage.heard()) == requests
    body = stage.last_body()
    assert results_told(provider, body) == RESULTS
    state = THINKING if provider == "chat" else CALLS.state
    assert state_told(provider, body) == [state]


@each_provider
@streamed_or_not
def test_anthropics_tool_runner(
    stage: Stage, callers: Callers, provider: str, streamed: bool
) -> None:
    """It asks for a thread first, and goes on without one where there is none. On a relay the
    thread is the provider's business, so that there it is left out."""
    stage.play(CALLS, DONE)
    options: Any = {"thread": False} if provider == "messages" else {}
    runner: Any = callers.anthropic.beta.messages.tool_runner(
        model=MODELS[provider],
        max_tokens=4000,
        messages=[{"role": "user", "content": QUESTION}],
        tools=[beta_tool(get_weather)],
        thinking={"type": "adaptive"},
        stream=streamed,
        **options,
    )
    message = [turn.get_final_message() if streamed else turn for turn in runner][-1]
    assert "".join(block.text for block in message.content if block.type == "text") == DONE.text
    check(stage, provider)


@each_provider
@streamed_or_not
def test_openais_responses_tool_runner(
    stage: Stage, callers: Callers, provider: str, streamed: bool
) -> None:
    stage.play(CALLS, DONE)
    tool: Any = {
        "type": "function",
        "name": "get_weather",
        "parameters": PARAMETERS,
        "strict": False,
    }
    runner = ResponsesToolRunner(
        functions=[RegisteredFunction(tool, lambda given: get_weather(cast("str", given["city"])))]
    )
    response = runner.run(
        callers.openai,
        {
            "model": MODELS[provider],
            "input": QUESTION,
            "store": False,
            "include": ["reasoning.encrypted_content"],
            "reasoning": {"effort": "medium"},
            "max_output_tokens": 4000,
        },
        stream=streamed,
    )
    runner.close()
    assert response.output_text == DONE.text
    check(stage, provider)


@each_provider
@streamed_or_not
def test_a_loop_over_openais_chat(
    stage: Stage, callers: Callers, provider: str, streamed: bool
) -> None:
    """The history is what the SDK's objects say of themselves, as most programs keep it."""
    stage.play(CALLS, DONE)
    options: Any = {
        "model": MODELS[provider],
        "tools": [
            {"type": "function", "function": {"name": "get_weather", "parameters": PARAMETERS}}
        ],
        "reasoning_effort": "medium",
    }
    messages: list[Any] = [{"role": "user", "content": QUESTION}]
    while True:
        if streamed:
            with callers.openai.chat.completions.stream(messages=messages, **options) as stream:
                answer: Any = stream.get_final_completion().choices[0].message
        else:
            answer = callers.openai.chat.completions.create(messages=messages, **options)
            answer = answer.choices[0].message
        if not answer.tool_calls:
            break
        messages.append(answer.to_dict())
        for call in answer.tool_calls:
            result = get_weather(**json.loads(call.function.arguments))
            messages.append({"role": "tool", "tool_call_id": call.id, "content": result})
    assert answer.content == DONE.text
    check(stage, provider)


@each_provider
@streamed_or_not
def test_googles_automatic_function_calling(
    stage: Stage, callers: Callers, provider: str, streamed: bool
) -> None:
    stage.play(CALLS, DONE)
    config: Any = {"tools": [get_weather], "thinking_config": {"thinking_level": "HIGH"}}
    chat = callers.genai.chats.create(model=MODELS[provider], config=config)
    if streamed:
        texts = [
            "".join(part.text or "" for part in chunk.candidates[0].content.parts or ())
            for chunk in chat.send_message_stream(QUESTION)
            if chunk.candidates and chunk.candidates[0].content
        ]
        assert "".join(texts).endswith(DONE.text)
    else:
        assert chat.send_message(QUESTION).text == DONE.text
    check(stage, provider)
