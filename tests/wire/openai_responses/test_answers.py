"""Whole answers of providers and for clients; the SDK's own types are the judge of ours."""

from __future__ import annotations

import json
from typing import Any

import pytest
from conversations import PROVIDER, view
from openai.types.responses import Response

from dragoman import envelope, ir
from dragoman.errors import UpstreamError, UpstreamRefused
from dragoman.protocols import Protocol
from dragoman.wire import openai_responses as wire

OPENAI = ir.Origin(PROVIDER, Protocol.RESPONSES)
STATE = ir.Sealed("sig", ir.Origin("claude", Protocol.MESSAGES))
STOP = ir.Finish(ir.FinishReason.STOP)


def read(*output: dict[str, Any], **more: Any) -> ir.Response:
    body = {"id": "resp_1", "object": "response", "status": "completed", "output": output, **more}
    return wire.decode_response(json.dumps(body).encode(), OPENAI)


def write(*parts: ir.AnyPart, finish: ir.Finish = STOP, **more: Any) -> dict[str, Any]:
    response = ir.Response(parts=parts, finish=finish, **more)
    return json.loads(wire.encode_response(response, view(Protocol.RESPONSES)).body)


def test_every_item_of_an_answer_is_read() -> None:
    answer = read(
        {"type": "reasoning", "id": "rs_1", "summary": [{"text": "a"}, {"text": "b"}]},
        {
            "type": "message",
            "content": [
                {"type": "output_text", "text": "t", "logprobs": [{"token": "t", "logprob": -1}]},
                {"type": "refusal", "refusal": "r"},
            ],
            "phase": "final_answer",
        },
        {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "", "namespace": "n"},
        {"type": "custom_tool_call", "call_id": "c2", "name": "g", "input": "raw"},
        {"type": "tool_search_call", "call_id": "c3", "execution": "client", "arguments": {"q": 1}},
        {"type": "image_generation_call", "result": "AAAA", "output_format": "webp"},
        {"type": "web_search_call", "id": "ws_1"},
    )
    phase = {"phase": "final_answer"}
    assert answer.parts == (
        ir.Thinking("a\n\nb", sealed=ir.Sealed("", OPENAI, "rs_1"), summary=True),
        ir.Text("t", logprobs=(ir.Logprob("t", -1),), extras=phase),
        ir.Refusal("r", extras=phase),
        ir.ToolCall("c1", "f", "{}", namespace="n"),
        ir.ToolCall("c2", "g", "raw", kind=ir.ToolKind.CUSTOM),
        ir.ToolCall("c3", "tool_search", '{"q":1}'),
        ir.Media(ir.MediaKind.IMAGE, data="AAAA", media_type="image/webp"),
        ir.Opaque({"type": "web_search_call", "id": "ws_1"}, Protocol.RESPONSES),
    )
    assert answer.finish == ir.Finish(ir.FinishReason.TOOL_CALLS)
    assert answer.usage.searches == 1


def test_raw_reasoning_is_no_summary() -> None:
    item = {"type": "reasoning", "content": [{"type": "reasoning_text", "text": "x"}]}
    assert read(item).parts == (ir.Thinking("x", sealed=ir.Sealed("", OPENAI)),)


def test_openai_s_counts_become_disjoint() -> None:
    usage = {
        "input_tokens": 10,
        "input_tokens_details": {"cached_tokens": 4},
        "output_tokens": 7,
        "output_tokens_details": {"reasoning_tokens": 5},
        "total_tokens": 17,
    }
    answer = read(usage=usage, tool_usage={"web_search": {"num_requests": 2}})
    assert answer.usage == ir.Usage(input=6, cache_read=4, output=2, reasoning=5, searches=2)


@pytest.mark.parametrize(
    "body",
    [
        {"error": {"code": "rate_limit_exceeded", "message": "Slow down."}},
        {"status": "failed", "error": {"code": "rate_limit_exceeded", "message": "Slow down."}},
    ],
)
def test_a_failure_under_a_good_status_is_an_error(body: dict[str, Any]) -> None:
    with pytest.raises(UpstreamRefused, match=r"Slow down\.") as caught:
        wire.decode_response(json.dumps(body).encode(), OPENAI)
    assert caught.value.status == 429


@pytest.mark.parametrize("body", [b"[]", b"{}", b'{"status":"in_progress","output":[]}', b"\xff"])
def test_what_is_no_answer_is_an_error(body: bytes) -> None:
    with pytest.raises(UpstreamError):
        wire.decode_response(body, OPENAI)


def test_the_sdk_s_types_accept_an_answer_with_everything() -> None:
    asked = wire.decode_request(
        json.dumps(
            {
                "model": "m",
                "input": "Hi",
                "instructions": "Be brief.",
                "tools": [
                    {"type": "function", "name": "f", "parameters": {}, "strict": True},
                    {
                        "type": "namespace",
                        "name": "n",
                        "description": "N.",
                        "tools": [{"type": "custom", "name": "g"}],
                    },
                    {"type": "web_search"},
                ],
                "tool_choice": {"type": "function", "name": "f"},
                "text": {"format": {"type": "json_schema", "name": "n", "schema": {"a": 1}}},
                "reasoning": {"effort": "low"},
                "metadata": {"k": "v"},
                "previous_response_id": "resp_0",
                "truncation": "auto",
                "store": False,
            }
        ).encode()
    )
    citation = ir.Citation(url="https://a.org", title="A", start=0, end=1)
    parts = (
        ir.Thinking("t", sealed=STATE),
        ir.Text("x", citations=(citation,), logprobs=(ir.Logprob("x", -1.0, [120]),)),
        ir.Refusal("no"),
        ir.ToolCall("c1", "f"),
        ir.ToolCall("c2", "g", "raw", kind=ir.ToolKind.CUSTOM, namespace="n"),
        ir.Media(ir.MediaKind.IMAGE, data="AAAA", media_type="image/png"),
    )
    usage = ir.Usage(input=1, cache_write=2, cache_write_long=3, output=4, searches=1)
    response = ir.Response(parts=parts, finish=STOP, usage=usage, service_tier="default")
    seen = wire.encode_response(
        response, view(Protocol.RESPONSES).__class__(model="p:m", id="a", created=1, request=asked)
    )
    parsed = Response.model_validate_json(seen.body)
    assert parsed.output_text == "x"
    assert parsed.instructions == "Be brief."
    assert [tool.type for tool in parsed.tools] == ["function", "namespace", "web_search"]
    assert parsed.usage is not None
    assert parsed.usage.total_tokens == 10
    assert parsed.previous_response_id == "resp_0"
    assert parsed.truncation == "auto"


def test_ids_are_unique_and_tell_their_type() -> None:
    items = write(ir.Text("a"), ir.ToolCall("c", "f"), ir.Text("b"), ir.Thinking("t"))["output"]
    ids = [item["id"] for item in items]
    assert ids == ["msg_abc123_0", "fc_abc123_1", "msg_abc123_2", "rs_abc123_3"]


def test_state_is_sealed_and_state_of_a_text_stands_before_it() -> None:
    thought, lead, message = write(ir.Thinking("t", sealed=STATE), ir.Text("x", sealed=STATE))[
        "output"
    ]
    assert envelope.unseal(thought["encrypted_content"]) == (STATE, False)
    assert envelope.unseal(lead["encrypted_content"]) == (STATE, True)
    assert message["content"][0]["text"] == "x"


@pytest.mark.parametrize(
    ("finish", "status", "reason"),
    [
        (ir.FinishReason.STOP, "completed", None),
        (ir.FinishReason.STOP_SEQUENCE, "completed", None),
        (ir.FinishReason.LENGTH, "incomplete", {"reason": "max_output_tokens"}),
        (ir.FinishReason.CONTEXT_WINDOW, "incomplete", {"reason": "max_output_tokens"}),
        (ir.FinishReason.CONTENT_FILTER, "incomplete", {"reason": "content_filter"}),
        (ir.FinishReason.REFUSAL, "incomplete", {"reason": "content_filter"}),
        (ir.FinishReason.PAUSE, "incomplete", {"reason": None}),
    ],
)
def test_the_reason_becomes_a_status(
    finish: ir.FinishReason, status: str, reason: dict[str, Any] | None
) -> None:
    body = write(ir.Text("x"), finish=ir.Finish(finish))
    assert (body["status"], body["incomplete_details"]) == (status, reason)
    assert body["output"][-1]["status"] == status


def test_a_refusal_s_explanation_is_said() -> None:
    finish = ir.Finish(ir.FinishReason.REFUSAL, explanation="Not that.")
    body = write(ir.Text("x"), finish=finish)
    assert body["status"] == "completed"
    assert body["output"][0]["content"][1] == {"type": "refusal", "refusal": "Not that."}


def test_what_a_client_cannot_be_shown_is_a_loss() -> None:
    sound = ir.Media(ir.MediaKind.AUDIO, data="AAAA")
    foreign = ir.Opaque({"type": "x"}, Protocol.MESSAGES)
    worded = ir.Opaque({"type": "x"}, Protocol.MESSAGES, text="words")
    others = (ir.Choice((ir.Text("y"),), STOP),)
    response = ir.Response(parts=(sound, foreign, worded), finish=STOP, others=others)
    encoded = wire.encode_response(response, view(Protocol.RESPONSES))
    assert [loss.path for loss in encoded.losses] == [
        "response.choices",
        "response.0",
        "response.1",
    ]
    assert json.loads(encoded.body)["output"][0]["content"][0]["text"] == "words"
