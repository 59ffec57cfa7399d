"""Cache, usage and tools, numbers 40 to 50 of the bugs that users of other gateways reported.

The numbers that are missing are tested in the relay, the reader of server-sent events and the
other codecs.
"""

from __future__ import annotations

import json

import pytest
from conversations import (
    events_of,
    request,
    target,
    translate,
    translate_answer,
    view,
)
from spoken_streams import (
    ASK,
    CHAT,
    MESSAGES,
    SIGNED,
    TOOL,
    blocks_of,
    chat_stream,
    deltas_of,
    messages_stream,
    text_block,
    to_chat,
    to_messages,
    tool_block,
)

from dragoman import ir, sse
from dragoman.errors import (
    InvalidRequest,
    PreviousResponseNotFound,
    Untranslatable,
    UpstreamError,
)
from dragoman.protocols import Protocol
from dragoman.wire import codec
from dragoman.wire.translation import StreamTranslation


def test_wire_40_cache_markers_are_kept_where_there_are_any_and_recorded_elsewhere() -> None:
    marker = {"cache_control": {"type": "ephemeral", "ttl": "1h"}}
    body = {
        "model": "m",
        "system": [{"type": "text", "text": "s", **marker}],
        "tools": [TOOL | marker],
        "messages": [
            {"role": "user", "content": [{"type": "text", "text": "u", **marker}]},
            {
                "role": "user",
                "content": [{"type": "tool_result", "tool_use_id": "a", "content": "r", **marker}],
            },
        ],
    }
    _, losses = translate(body, MESSAGES, target(CHAT))
    assert set(losses) == {
        "system.0.cache_control",
        "tools.0.cache_control",
        "messages.0.content.0.cache_control",
        "messages.1.content.0.cache_control",
    }
    marked = {"type": "text", "text": "u", "prompt_cache_breakpoint": {"mode": "explicit"}}
    chat = {"model": "m", "messages": [{"role": "user", "content": [marked]}]}
    sent, losses = translate(chat, CHAT, target(MESSAGES))
    assert sent["messages"][0]["content"][0]["cache_control"] == {"type": "ephemeral"}
    assert losses == {}


def test_wire_41_cached_tokens_count_once() -> None:
    usage = {
        "prompt_tokens": 100,
        "completion_tokens": 10,
        "prompt_tokens_details": {"cached_tokens": 60},
    }
    choice = {"index": 0, "message": {"content": "x"}, "finish_reason": "stop"}
    found = translate_answer({"choices": [choice], "usage": usage}, CHAT, MESSAGES)["usage"]
    assert (found["input_tokens"], found["cache_read_input_tokens"]) == (40, 60)
    body = {
        "content": [],
        "usage": {"input_tokens": 40, "cache_read_input_tokens": 60, "output_tokens": 1},
    }
    back = translate_answer(body, MESSAGES, CHAT)["usage"]
    assert (back["prompt_tokens"], back["prompt_tokens_details"]["cached_tokens"]) == (100, 60)


def test_wire_42_reasoning_tokens_in_streams_too() -> None:
    usage = {"output_tokens": 9, "output_tokens_details": {"thinking_tokens": 4}}
    events = to_chat(messages_stream(text_block("x"), usage=usage), stream_usage=True)
    final = events[-2]["usage"]
    assert final["completion_tokens"] == 9
    assert final["completion_tokens_details"]["reasoning_tokens"] == 4


def test_wire_42_the_usage_chunk_is_for_those_who_asked() -> None:
    assert all("usage" not in event for event in to_chat(SIGNED) if event != "[DONE]")
    wanted = to_chat(SIGNED, stream_usage=True)
    assert wanted[-2]["choices"] == []
    assert all(event["usage"] is None for event in wanted[:-2])


def test_wire_43_the_last_usage_counts() -> None:
    start = {"input_tokens": 7, "cache_read_input_tokens": 3, "output_tokens": 1}
    stream = messages_stream(
        text_block("x"), start_usage=start, usage={"input_tokens": 8, "output_tokens": 5}
    )
    usage = to_chat(stream, stream_usage=True)[-2]["usage"]
    assert (usage["prompt_tokens"], usage["completion_tokens"]) == (11, 5)


def test_wire_45_server_tools_are_refused_alone_and_lost_in_company() -> None:
    search = {"type": "web_search_20250305", "name": "web_search"}
    with pytest.raises(Untranslatable, match="its own provider runs"):
        translate({"model": "m", "messages": ASK, "tools": [search]}, MESSAGES, target(CHAT))
    body = {"model": "m", "messages": ASK, "tools": [TOOL, search]}
    sent, losses = translate(body, MESSAGES, target(CHAT))
    assert len(sent["tools"]) == 1
    assert list(losses) == ["tools.1"]
    insisting = body | {"tool_choice": {"type": "tool", "name": "web_search"}}
    with pytest.raises(Untranslatable):
        translate(insisting, MESSAGES, target(CHAT))
    chat = {"model": "m", "messages": ASK, "web_search_options": {}}
    with pytest.raises(Untranslatable):
        translate(chat, CHAT, target(MESSAGES))


def test_wire_45_citations_of_pages_become_annotations() -> None:
    cited = {
        "type": "text",
        "text": "Sky is blue",
        "citations": [
            {
                "type": "web_search_result_location",
                "url": "https://x",
                "title": "X",
                "cited_text": "blue",
                "encrypted_index": "e",
            }
        ],
    }
    body = {"content": [{"type": "text", "text": "I read: "}, cited], "stop_reason": "end_turn"}
    message = translate_answer(body, MESSAGES, CHAT)["choices"][0]["message"]
    (annotation,) = message["annotations"]
    assert annotation["url_citation"] == {
        "start_index": 8,
        "end_index": 19,
        "url": "https://x",
        "title": "X",
    }


def test_wire_46_refusals_keep_their_text_and_meaning() -> None:
    choice = {"index": 0, "message": {"refusal": "I won't."}, "finish_reason": "stop"}
    answer = translate_answer({"choices": [choice]}, CHAT, MESSAGES)
    assert answer["content"] == [{"type": "text", "text": "I won't."}]
    assert answer["stop_reason"] == "refusal"
    details = {"type": "refusal", "category": "bio", "explanation": "Too risky."}
    body = {"content": [], "stop_reason": "refusal", "stop_details": details}
    (back,) = translate_answer(body, MESSAGES, CHAT)["choices"]
    assert back["finish_reason"] == "content_filter"
    assert back["message"]["refusal"] == "Too risky."
    events = to_messages(chat_stream({"refusal": "I "}, {"refusal": "won't."}))
    assert blocks_of(events)[0]["text"] == "I won't."
    assert events[-2]["delta"]["stop_reason"] == "refusal"


def test_wire_47_custom_tools_are_wrapped_and_unwrapped() -> None:
    tool = {"type": "custom", "custom": {"name": "exec", "description": "Runs"}}
    body = {"model": "m", "messages": ASK, "tools": [tool]}
    sent, _ = translate(body, CHAT, target(MESSAGES))
    assert sent["tools"][0]["input_schema"]["required"] == ["input"]
    asked = codec(CHAT).decode_request(json.dumps(body).encode())
    translation = StreamTranslation(target(MESSAGES), view(CHAT, tools=asked.tools))
    stream = messages_stream(tool_block("a", "exec", '{"input": "ls', ' -la\\n"}'))
    written = b"".join(map(translation.feed, sse.read(stream)))
    calls = [c for d in deltas_of(events_of(written)) for c in d.get("tool_calls", [])]
    assert calls[0]["type"] == "custom"
    assert "".join(call["custom"]["input"] for call in calls) == "ls -la\n"


def test_wire_50_billing_text_and_machine_ids_stay_with_anthropic() -> None:
    billing = {"type": "text", "text": "x-anthropic-billing-header: cc_version=1"}
    body = {
        "model": "m",
        "system": [billing, {"type": "text", "text": "Be brief."}],
        "messages": ASK,
        "metadata": {"user_id": '{"device_id":"d"}'},
    }
    sent, losses = translate(body, MESSAGES, target(CHAT))
    assert sent["messages"][0] == {"role": "system", "content": "Be brief."}
    assert "user" not in sent
    assert set(losses) == {"system.0", "metadata"}
    kept, losses = translate(body, MESSAGES, target(MESSAGES))
    assert kept["system"] == body["system"]
    assert kept["metadata"] == body["metadata"]
    assert losses == {}


def test_memory_of_a_server_is_never_forgotten() -> None:
    body = {"model": "m", "messages": ASK, "thread": {"type": "new"}}
    with pytest.raises(InvalidRequest) as caught:
        translate(body, MESSAGES, target(CHAT))
    assert caught.value.details == {"error_code": "thread_unsupported_request"}
    asked = request(Protocol.RESPONSES, memory=ir.Memory("previous_response_id", "resp_1"))
    for protocol in (CHAT, MESSAGES):
        with pytest.raises(PreviousResponseNotFound):
            codec(protocol).encode_request(asked, target(protocol))


def test_an_error_under_a_good_status_is_an_error() -> None:
    with pytest.raises(UpstreamError, match="Quota"):
        translate_answer({"error": {"message": "Quota", "code": 402}}, CHAT, MESSAGES)
    with pytest.raises(UpstreamError):
        translate_answer({"choices": []}, CHAT, MESSAGES)
