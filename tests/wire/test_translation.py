from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from conversations import events_of, target, view
from hypothesis import given
from hypothesis import strategies as st

from dragoman import ir, sse
from dragoman.errors import UpstreamDied, UpstreamTimeout
from dragoman.protocols import Protocol
from dragoman.wire import Codec, codec
from dragoman.wire.translation import StreamTranslation, toolbox_of, translate_answer

CHAT, MESSAGES, RESPONSES = Protocol.CHAT, Protocol.MESSAGES, Protocol.RESPONSES
SPOKEN = (CHAT, MESSAGES)
TOOLS = (
    ir.Tool(name="read", namespace="files"),
    ir.Tool(name="exec", kind=ir.ToolKind.CUSTOM),
)


def chunk(**choice: Any) -> sse.Event:
    return sse.Event(b"", json.dumps({"choices": [{"index": 0, **choice}]}).encode())


@pytest.mark.parametrize("protocol", SPOKEN)
def test_a_codec_is_a_module_with_the_functions_of_the_protocol(protocol: Protocol) -> None:
    assert isinstance(codec(protocol), Codec)


def test_protocols_without_translation_have_no_codec() -> None:
    with pytest.raises(KeyError):
        codec(Protocol.EMBEDDINGS)


def test_usage_and_finish_become_known() -> None:
    translation = StreamTranslation(target(CHAT), view(MESSAGES))
    translation.feed(chunk(delta={"content": "x"}, finish_reason="length"))
    assert translation.finish is None
    usage = {"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 2}}
    translation.feed(sse.Event(b"", json.dumps(usage).encode()))
    translation.feed(sse.Event(b"", b"[DONE]"))
    assert translation.close() == b""
    assert translation.finish == ir.Finish(ir.FinishReason.LENGTH)
    assert translation.usage == ir.Usage(input=3, output=2)
    assert translation.error is None


def test_a_transport_s_failure_ends_the_caller_s_stream_once() -> None:
    translation = StreamTranslation(target(CHAT), view(MESSAGES))
    translation.feed(chunk(delta={"content": "x"}))
    (event,) = events_of(translation.fail(UpstreamTimeout("Silent for too long.")))
    assert event["error"]["message"] == "Silent for too long."
    assert isinstance(translation.error, UpstreamTimeout)
    assert translation.close() == b""


def test_an_early_end_is_an_error() -> None:
    translation = StreamTranslation(target(MESSAGES), view(CHAT))
    (event,) = events_of(translation.close())
    assert "error" in event
    assert isinstance(translation.error, UpstreamDied)


def test_tools_are_restored_in_streams() -> None:
    translation = StreamTranslation(target(CHAT), view(CHAT, tools=TOOLS))
    calls = [
        {"index": 0, "id": "a", "function": {"name": "files__read", "arguments": "{}"}},
        {"index": 1, "id": "b", "function": {"name": "exec", "arguments": '{"inp'}},
        {"index": 1, "function": {"arguments": 'ut":"ls"}'}},
    ]
    written = b"".join(translation.feed(chunk(delta={"tool_calls": [call]})) for call in calls)
    written += translation.feed(chunk(finish_reason="tool_calls"))
    written += translation.feed(sse.Event(b"", b"[DONE]"))
    deltas = [e["choices"][0]["delta"] for e in events_of(written)[:-1]]
    told = [call for delta in deltas for call in delta.get("tool_calls", [])]
    assert told[0]["function"]["name"] == "read"
    assert [call["type"] for call in told if "type" in call] == ["function", "custom"]
    assert "".join(call["custom"]["input"] for call in told if "custom" in call) == "ls"


def test_tools_are_restored_in_answers() -> None:
    call = {"id": "b", "function": {"name": "exec", "arguments": '{"input":"ls"}'}}
    message = {"tool_calls": [call]}
    body = json.dumps({"choices": [{"index": 0, "message": message}]}).encode()
    encoded, response = translate_answer(body, target(CHAT), view(CHAT, tools=TOOLS))
    (told,) = json.loads(encoded.body)["choices"][0]["message"]["tool_calls"]
    assert told["custom"] == {"name": "exec", "input": "ls"}
    assert response.parts == (ir.ToolCall("b", "exec", "ls", kind=ir.ToolKind.CUSTOM),)


def test_nothing_is_restored_where_nothing_was_changed() -> None:
    asked = view(RESPONSES, tools=TOOLS).request
    assert toolbox_of(asked, target(RESPONSES, genuine=True)) is None
    assert toolbox_of(asked, target(RESPONSES)) is not None
    plain = msgspec.structs.replace(asked, tools=(ir.Tool(name="f"),))
    assert toolbox_of(plain, target(CHAT)) is None


@given(st.lists(st.binary(), max_size=4))
def test_garbage_never_crashes_a_translation(pieces: list[bytes]) -> None:
    for source in SPOKEN:
        for caller in SPOKEN:
            translation = StreamTranslation(target(source), view(caller))
            written = b"".join(translation.feed(sse.Event(b"", piece)) for piece in pieces)
            written += translation.close()
            assert translation.finish is None
            assert translation.error is not None
            assert b'"type":"message_stop"' not in written
