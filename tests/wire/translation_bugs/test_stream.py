"""Streams, numbers 1 to 15 of the bugs that users of other gateways reported.

The numbers that are missing are tested in the relay, the reader of server-sent events and the
other codecs.
"""

from __future__ import annotations

import json
from itertools import pairwise

import pytest
from conversations import (
    events_of,
    target,
    translate,
    translate_answer,
    translate_stream,
    view,
)
from spoken_streams import (
    ASK,
    CHAT,
    MESSAGES,
    MIXED,
    blocks_of,
    call_delta,
    chat_stream,
    deltas_of,
    messages_stream,
    text_block,
    to_chat,
    to_messages,
    tool_block,
)

from dragoman import sse
from dragoman.errors import (
    UpstreamRefused,
)
from dragoman.wire.translation import StreamTranslation


@pytest.mark.parametrize("step", [None, 1, 7])
def test_wire_01_one_start_rising_indexes_and_pairs(step: int | None) -> None:
    events = events_of(translate_stream(MIXED, CHAT, MESSAGES, step=step))
    types = [event["type"] for event in events]
    assert types.count("message_start") == types.count("message_stop") == 1
    started = [e["index"] for e in events if e["type"] == "content_block_start"]
    stopped = [e["index"] for e in events if e["type"] == "content_block_stop"]
    assert started == stopped == [0, 1, 2, 3]
    open_kind = ""
    for event in events:
        if event["type"] == "content_block_start":
            open_kind = event["content_block"]["type"]
        elif event["type"] == "content_block_delta":
            kinds = {"text": ["text_delta"], "tool_use": ["input_json_delta"]}
            assert event["delta"]["type"] in kinds.get(
                open_kind, ["thinking_delta", "signature_delta"]
            )


def test_wire_02_no_token_is_lost_at_a_block_boundary() -> None:
    thinking, text, *_ = blocks_of(to_messages(MIXED))
    assert (thinking["thinking"], text["text"]) == ("Let me see.", "Hello")
    back = deltas_of(to_chat(messages_stream(text_block("Hel", "lo"), text_block(" you"))))
    assert "".join(delta.get("content") or "" for delta in back) == "Hello you"


def test_wire_03_parallel_calls_keep_distinct_indexes() -> None:
    stream = messages_stream(tool_block("a", "f", "{}"), tool_block("b", "g", '{"y":2}'))
    calls = [call for delta in deltas_of(to_chat(stream)) for call in delta.get("tool_calls", [])]
    assert {call["index"] for call in calls} == {0, 1}
    assert [call["id"] for call in calls if "id" in call] == ["a", "b"]


def test_wire_03_vendors_that_repeat_an_index_or_leave_it_out() -> None:
    same = chat_stream(
        call_delta(0, id="a", name="f", text="{}"), call_delta(0, id="b", name="g", text="{}")
    )
    bare = chat_stream(
        {"tool_calls": [{"id": "a", "function": {"name": "f", "arguments": "{}"}}]},
        {"tool_calls": [{"id": "b", "function": {"name": "g", "arguments": "{"}}]},
        {"tool_calls": [{"function": {"arguments": "}"}}]},
    )
    for stream in (same, bare):
        assert [(b["id"], b["json"]) for b in blocks_of(to_messages(stream))] == [
            ("a", "{}"),
            ("b", "{}"),
        ]


def test_wire_04_interleaved_deltas_reach_their_call() -> None:
    stream = chat_stream(
        call_delta(0, id="a", name="f"),
        call_delta(1, id="b", name="g", text='{"b"'),
        call_delta(0, text='{"a"'),
        call_delta(1, text=":2}"),
        call_delta(0, text=":1}"),
    )
    events = to_messages(stream)
    assert [(b["id"], b["json"]) for b in blocks_of(events)] == [("a", '{"a":1}'), ("b", '{"b":2}')]
    indexes = [event["index"] for event in events if event["type"].startswith("content_block")]
    assert all(before <= after for before, after in pairwise(indexes))


@pytest.mark.parametrize("count", [0, 1, 5])
def test_wire_05_as_many_calls_out_as_in(count: int) -> None:
    deltas = [call_delta(n, id=f"id{n}", name="f", text="{}") for n in range(count)]
    assert len(blocks_of(to_messages(chat_stream(*deltas)))) == count


def test_wire_06_the_index_of_a_choice_is_not_the_block_s() -> None:
    stream = messages_stream(text_block("a"), tool_block("t", "f", "{}"), tool_block("u", "g"))
    assert {e["choices"][0]["index"] for e in to_chat(stream) if e != "[DONE]"} == {0}


def test_wire_07_usage_at_start_is_well_formed_and_at_the_end_real() -> None:
    usage = {
        "prompt_tokens": 10,
        "completion_tokens": 5,
        "prompt_tokens_details": {"cached_tokens": 4},
    }
    start, *_, delta, _ = to_messages(chat_stream({"content": "x"}, usage=usage))
    assert start["message"]["usage"].keys() >= {"input_tokens", "output_tokens"}
    assert delta["usage"]["input_tokens"] == 6
    assert delta["usage"]["cache_read_input_tokens"] == 4
    assert delta["usage"]["output_tokens"] == 5


def test_wire_08_a_chunk_without_choices_is_no_crash() -> None:
    empty = b'data: {"id":"c","choices":[]}\n\ndata: {"id":"c","choices":null}\n\n'
    assert blocks_of(to_messages(empty + chat_stream({"content": "x"})))[0]["text"] == "x"


def test_wire_09_a_call_without_arguments_has_empty_ones() -> None:
    (block,) = blocks_of(to_messages(chat_stream(call_delta(0, id="a", name="f"))))
    assert block["json"] in ("", "{}")
    chunks = deltas_of(to_chat(messages_stream(tool_block("a", "f"))))
    arguments = [c["function"]["arguments"] for d in chunks for c in d.get("tool_calls", [])]
    assert "".join(arguments) == "{}"
    call = {"id": "a", "type": "function", "function": {"name": "f", "arguments": ""}}
    body = {"model": "m", "messages": [*ASK, {"role": "assistant", "tool_calls": [call]}]}
    sent, _ = translate(body, CHAT, target(MESSAGES))
    assert sent["messages"][1]["content"][0]["input"] == {}
    use = {"type": "tool_use", "id": "a", "name": "f", "input": {}}
    turn = {"role": "assistant", "content": [use]}
    back, _ = translate({"model": "m", "messages": [*ASK, turn]}, MESSAGES, target(CHAT))
    assert back["messages"][1]["tool_calls"][0]["function"]["arguments"] == "{}"


def test_wire_09_no_braces_are_added_to_arguments_that_are_there() -> None:
    stream = chat_stream(call_delta(0, id="a", name="f", text='{"x":1}'))
    assert blocks_of(to_messages(stream))[0]["json"] == '{"x":1}'


def test_wire_10_a_turn_with_calls_ends_for_its_calls() -> None:
    stream = chat_stream(call_delta(0, id="a", name="f", text="{}"), finish="stop")
    assert to_messages(stream)[-2]["delta"]["stop_reason"] == "tool_use"
    stream = messages_stream(tool_block("a", "f", "{}"), stop_reason="end_turn")
    assert to_chat(stream)[-2]["choices"][0]["finish_reason"] == "tool_calls"
    call = {"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    choice = {"index": 0, "message": {"tool_calls": [call]}, "finish_reason": "stop"}
    answer = translate_answer({"choices": [choice]}, CHAT, MESSAGES)
    assert answer["stop_reason"] == "tool_use"


def test_wire_10_a_call_that_was_cut_short_stays_cut_short() -> None:
    stream = chat_stream(call_delta(0, id="a", name="f", text='{"x'), finish="length")
    assert to_messages(stream)[-2]["delta"]["stop_reason"] == "max_tokens"


@pytest.mark.parametrize("cut", range(1, 9))
def test_wire_11_a_cut_stream_ends_in_an_error(cut: int) -> None:
    whole = [chunk + b"\n\n" for chunk in MIXED.split(b"\n\n") if chunk]
    events = to_messages(b"".join(whole[:cut]))
    assert events[-1]["type"] == "error"
    assert all(event["type"] != "message_stop" for event in events)
    stream = messages_stream(text_block("a", "b", "c", "d"))
    whole = [chunk + b"\n\n" for chunk in stream.split(b"\n\n") if chunk]
    events = to_chat(b"".join(whole[:cut]))
    assert "error" in events[-1]
    assert "[DONE]" not in events


def test_wire_11_done_without_a_finish_reason_is_no_end() -> None:
    stream = b'data: {"id":"c","choices":[{"index":0,"delta":{"content":"x"}}]}\n\ndata: [DONE]\n\n'
    assert to_messages(stream)[-1]["type"] == "error"


def test_wire_12_a_failure_event_becomes_the_caller_s_failure_event() -> None:
    failure = {"type": "error", "error": {"type": "overloaded_error", "message": "Too busy"}}
    stream = messages_stream(text_block("a"))
    head = stream[: stream.index(b"event: message_delta")]
    events = to_chat(head + sse.encode(json.dumps(failure).encode(), b"error"))
    assert events[-1]["error"]["message"] == "Too busy"
    assert "[DONE]" not in events
    error = b'data: {"error":{"message":"No memory","code":503}}\n\n'
    events = to_messages(error)
    assert events[-1]["type"] == "error"
    assert events[-1]["error"]["message"] == "No memory"
    translation = StreamTranslation(target(MESSAGES), view(CHAT))
    translation.feed(sse.Event(b"", json.dumps(failure).encode()))
    assert isinstance(translation.error, UpstreamRefused)
    assert translation.error.status == 529


@pytest.mark.parametrize("step", [1, 2, 3, 5])
def test_wire_13_letters_split_between_reads_survive(step: int) -> None:
    raw = json.dumps({"choices": [{"index": 0, "delta": {"content": "äöü €"}}]}, ensure_ascii=False)
    stream = b"data: " + raw.encode() + b"\n\n" + chat_stream()
    (block,) = blocks_of(events_of(translate_stream(stream, CHAT, MESSAGES, step=step)))
    assert block["text"] == "äöü €"


def test_wire_14_content_finish_and_usage_in_one_chunk() -> None:
    chunk = {
        "choices": [{"index": 0, "delta": {"content": "x"}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 3, "completion_tokens": 1},
    }
    stream = b"data:" + json.dumps(chunk).encode() + b"\r\n\r\ndata: [DONE]\r\n\r\n"
    events = to_messages(stream)
    assert blocks_of(events)[0]["text"] == "x"
    assert events[-2]["usage"]["input_tokens"] == 3


def test_wire_15_comments_and_a_missing_last_blank_line() -> None:
    stream = b": hello\n\n" + chat_stream({"content": "x"}).removesuffix(b"\n\n")
    assert to_messages(stream)[-1]["type"] == "message_stop"
