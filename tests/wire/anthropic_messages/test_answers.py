from __future__ import annotations

import json
from typing import Any

import pytest
from conversations import PROVIDER, view

from dragoman import envelope, ir
from dragoman.errors import UpstreamError
from dragoman.protocols import Protocol
from dragoman.wire.anthropic_messages import decode_response, encode_response

ORIGIN = ir.Origin(PROVIDER, Protocol.MESSAGES)
STOP = ir.Finish(ir.FinishReason.STOP)


def read(**members: Any) -> ir.Response:
    return decode_response(json.dumps({"content": [], **members}).encode(), ORIGIN)


def write(*parts: ir.AnyPart, finish: ir.Finish = STOP, **more: Any) -> dict[str, Any]:
    response = ir.Response(parts=parts, finish=finish, **more)
    return json.loads(encode_response(response, view(Protocol.MESSAGES)).body)


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        ("end_turn", "stop"),
        ("stop_sequence", "stop_sequence"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "context_window"),
        ("refusal", "refusal"),
        ("pause_turn", "pause"),
        ("something_new", "stop"),
        (None, "stop"),
    ],
)
def test_stop_reasons(word: str | None, reason: str) -> None:
    assert read(stop_reason=word).finish.reason == reason


def test_counts_are_disjoint() -> None:
    usage = {
        "input_tokens": 1,
        "cache_read_input_tokens": 2,
        "cache_creation_input_tokens": 12,
        "cache_creation": {"ephemeral_5m_input_tokens": 4, "ephemeral_1h_input_tokens": 8},
        "output_tokens": 48,
        "output_tokens_details": {"thinking_tokens": 32},
        "server_tool_use": {"web_search_requests": 3, "web_fetch_requests": 0},
        "service_tier": "priority",
    }
    response = read(usage=usage)
    assert response.usage == ir.Usage(
        input=1,
        cache_read=2,
        cache_write=4,
        cache_write_long=8,
        output=16,
        reasoning=32,
        searches=3,
    )
    assert write(usage=response.usage, service_tier="priority")["usage"] == usage


def test_state_is_the_provider_s_even_if_it_looks_like_an_envelope() -> None:
    inner = envelope.seal(ir.Sealed("s", ir.Origin("far", Protocol.GEMINI)))
    block = {"type": "thinking", "thinking": "hm", "signature": inner}
    (part,) = read(content=[block]).parts
    assert part == ir.Thinking("hm", sealed=ir.Sealed(inner, ORIGIN))


@pytest.mark.parametrize("body", [b"", b"[]", b'{"error":{}}', b'{"content":[{"type":"text"}]}'])
def test_what_is_no_message_is_the_provider_s_fault(body: bytes) -> None:
    with pytest.raises(UpstreamError):
        decode_response(body, ORIGIN)


def test_an_answer_has_all_its_members() -> None:
    message = write(ir.Text("Hi"))
    assert {name: message[name] for name in ("id", "type", "role", "model")} == {
        "id": "msg_abc123",
        "type": "message",
        "role": "assistant",
        "model": "acme:m-1",
    }
    assert (message["stop_reason"], message["stop_sequence"]) == ("end_turn", None)


def test_state_of_other_parts_goes_before_them() -> None:
    sealed = ir.Sealed("s", ir.Origin("g", Protocol.GEMINI))
    carrier, use = write(ir.ToolCall("a", "f", sealed=sealed))["content"]
    assert envelope.unseal(carrier["data"]) == (sealed, True)
    assert use["type"] == "tool_use"


def test_what_messages_cannot_show_is_recorded() -> None:
    response = ir.Response(
        parts=(
            ir.Media(ir.MediaKind.IMAGE, data="aaaa"),
            ir.Text("x", logprobs=(ir.Logprob("x", -1.0),)),
            ir.Opaque({"type": "y"}, Protocol.CHAT, text="words"),
        ),
        finish=STOP,
        others=(ir.Choice((), STOP),),
    )
    encoded = encode_response(response, view(Protocol.MESSAGES))
    assert [loss.path for loss in encoded.losses] == [
        "response.0",
        "response.1.logprobs",
        "response.choices",
    ]
    assert [block["text"] for block in json.loads(encoded.body)["content"]] == ["x", "words"]


def test_broken_arguments_stand_whole() -> None:
    (use,) = write(ir.ToolCall("a", "f", '{"x'))["content"]
    assert use["input"] == {"arguments": '{"x'}
