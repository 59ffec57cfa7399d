from __future__ import annotations

import json
from typing import Any

from conversations import request

from dragoman import ir
from dragoman.protocols import Protocol
from dragoman.wire import openai_responses as wire
from dragoman.wire.openai_responses.echo import echo


def repeated(**members: Any) -> dict[str, Any]:
    body = {"model": "m", "input": "Hi", **members}
    return echo(wire.decode_request(json.dumps(body).encode()))


def test_a_bare_request_is_repeated_with_the_api_s_defaults() -> None:
    found = repeated()
    assert found["tools"] == []
    assert found["tool_choice"] == "auto"
    assert found["parallel_tool_calls"] is True
    assert found["text"] == {"format": {"type": "text"}}
    assert found["metadata"] == {}
    assert found["instructions"] is None


def test_what_was_asked_is_repeated_in_the_caller_s_words() -> None:
    tools = [{"type": "function", "name": "f", "parameters": {"type": "object"}, "strict": False}]
    found = repeated(
        instructions="i",
        tools=tools,
        tool_choice="required",
        parallel_tool_calls=False,
        max_output_tokens=9,
        reasoning={"effort": "none"},
        text={"format": {"type": "json_object"}, "verbosity": "low"},
        previous_response_id="resp_1",
        max_tool_calls=3,
    )
    assert found["tools"] == tools
    assert found["tool_choice"] == "required"
    assert found["parallel_tool_calls"] is False
    assert found["max_output_tokens"] == 9
    assert found["reasoning"] == {"effort": "none", "summary": None}
    assert found["text"] == {"format": {"type": "json_object"}, "verbosity": "low"}
    assert found["previous_response_id"] == "resp_1"
    assert found["max_tool_calls"] == 3
    assert found["instructions"] == "i"


def test_tools_that_items_brought_are_not_the_request_s_own() -> None:
    brought = [{"type": "additional_tools", "tools": [{"type": "custom", "name": "exec"}]}]
    assert repeated(input=brought)["tools"] == []


def test_members_of_other_protocols_are_not_repeated() -> None:
    asked = request(Protocol.CHAT, ir.Text("Hi"), extras={"max_tool_calls": 3})
    assert "max_tool_calls" not in echo(asked)
