from __future__ import annotations

import json
from typing import Any

import pytest
from conversations import PROVIDER, view

from dragoman import ir
from dragoman.errors import UpstreamError, UpstreamRefused
from dragoman.protocols import Protocol
from dragoman.wire.openai_chat import decode_response, encode_response

ORIGIN = ir.Origin(PROVIDER, Protocol.CHAT)
STOP = ir.Finish(ir.FinishReason.STOP)


def read(message: dict[str, Any], finish: str | None = "stop", **members: Any) -> ir.Response:
    choice = {"index": 0, "message": message, "finish_reason": finish}
    return decode_response(json.dumps({"id": "c", "choices": [choice], **members}).encode(), ORIGIN)


def write(*parts: ir.AnyPart, finish: ir.Finish = STOP, **more: Any) -> dict[str, Any]:
    response = ir.Response(parts=parts, finish=finish, **more)
    return json.loads(encode_response(response, view(Protocol.CHAT)).body)


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        (
            {
                "prompt_tokens": 10,
                "completion_tokens": 9,
                "total_tokens": 19,
                "prompt_tokens_details": {"cached_tokens": 3, "cache_write_tokens": 2},
                "completion_tokens_details": {"reasoning_tokens": 4},
            },
            ir.Usage(input=5, cache_read=3, cache_write=2, output=5, reasoning=4),
        ),
        (
            {
                "prompt_tokens": 10,
                "completion_tokens": 9,
                "total_tokens": 23,
                "completion_tokens_details": {"reasoning_tokens": 4},
            },
            ir.Usage(input=10, output=9, reasoning=4),
        ),
        ({"prompt_tokens": 10, "prompt_cache_hit_tokens": 7}, ir.Usage(input=3, cache_read=7)),
        ({"prompt_tokens": None, "completion_tokens": 1}, ir.Usage(output=1)),
        (
            {"prompt_tokens": 2, "prompt_tokens_details": {"cached_tokens": 5}},
            ir.Usage(cache_read=5),
        ),
    ],
)
def test_counts_are_disjoint(usage: dict[str, Any], expected: ir.Usage) -> None:
    assert read({"content": "x"}, usage=usage).usage == expected


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        ("stop", "stop"),
        ("length", "length"),
        ("content_filter", "content_filter"),
        ("insufficient_system_resource", "error"),
        ("something_new", "stop"),
        (None, "stop"),
        ("tool_calls", "stop"),
    ],
)
def test_finish_reasons(word: str | None, reason: str) -> None:
    assert read({"content": "x"}, word).finish.reason == reason


def test_mistral_s_chunks_of_content() -> None:
    content = [
        {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]},
        {"type": "text", "text": "So."},
    ]
    thought, text = read({"content": content}).parts
    assert isinstance(thought, ir.Thinking)
    assert (thought.text, text) == ("hm", ir.Text("So."))


def test_calls_without_id_get_one_and_objects_become_text() -> None:
    call = {"function": {"name": "f", "arguments": {"x": 1}}}
    (part,) = read({"tool_calls": [call]}).parts
    assert part == ir.ToolCall("call_c_0_0", "f", '{"x":1}')


def test_annotations_are_citations() -> None:
    cited = {"url": "https://x", "title": "X", "start_index": 0, "end_index": 2}
    annotation = {"type": "url_citation", "url_citation": cited}
    (part,) = read({"content": "So.", "annotations": [annotation]}).parts
    assert isinstance(part, ir.Text)
    (citation,) = part.citations
    assert (citation.url, citation.start, citation.end) == ("https://x", 0, 2)
    written = write(ir.Text("ab"), part)["choices"][0]["message"]["annotations"]
    assert written[0]["url_citation"] == cited | {"start_index": 2, "end_index": 4}


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"choices":[]}', b'{"choices":[{}]}'])
def test_what_is_no_completion_is_the_provider_s_fault(body: bytes) -> None:
    with pytest.raises(UpstreamError):
        decode_response(body, ORIGIN)


def test_an_error_under_a_good_status_keeps_its_message() -> None:
    with pytest.raises(UpstreamRefused, match="Quota"):
        decode_response(b'{"error":{"message":"Quota"}}', ORIGIN)


def test_several_choices() -> None:
    first, second = write(ir.Text("a"), others=(ir.Choice((ir.Text("b"),), STOP),))["choices"]
    assert (first["index"], second["index"]) == (0, 1)
    body = json.dumps({"choices": [first, second]}).encode()
    assert decode_response(body, ORIGIN).others == (ir.Choice((ir.Text("b"),), STOP),)


def test_an_answer_has_all_its_members() -> None:
    body = write(ir.Text("Hi"), service_tier="flex")
    assert (body["id"], body["object"], body["model"]) == (
        "chatcmpl-abc123",
        "chat.completion",
        "acme:m-1",
    )
    assert (body["created"], body["service_tier"]) == (1_700_000_000, "flex")
    assert body["choices"][0]["message"] == {"role": "assistant", "content": "Hi", "refusal": None}


def test_what_chat_cannot_show_is_recorded() -> None:
    sealed = ir.Sealed("s", ir.Origin("g", Protocol.GEMINI))
    response = ir.Response(
        parts=(ir.Media(ir.MediaKind.IMAGE, data="aa"), ir.Text("x", sealed=sealed)),
        finish=STOP,
        extras={"container": {}},
    )
    encoded = encode_response(response, view(Protocol.CHAT))
    assert {loss.path for loss in encoded.losses} == {
        "response.0",
        "response.1",
        "response.container",
    }
