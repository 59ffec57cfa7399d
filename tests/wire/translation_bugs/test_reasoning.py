"""Reasoning, numbers 34 to 39 of the bugs that users of other gateways reported.

The numbers that are missing are tested in the relay, the reader of server-sent events and the
other codecs.
"""

from __future__ import annotations

import json

from conversations import (
    PROVIDER,
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
    blocks_of,
    chat_stream,
    deltas_of,
    to_chat,
    to_messages,
)

from dragoman import envelope, ir
from dragoman.protocols import Protocol
from dragoman.wire import Target, codec


def test_wire_34_signatures_survive_a_chat_client_fragments_joined() -> None:
    deltas = deltas_of(to_chat(SIGNED))
    (details,) = [delta["reasoning_details"] for delta in deltas if "reasoning_details" in delta]
    turn = {"role": "assistant", "content": "So.", "reasoning_details": details}
    body = {"model": "m", "messages": [*ASK, turn, *ASK]}
    sent, losses = translate(body, CHAT, target(MESSAGES))
    assert sent["messages"][1]["content"][0] == {
        "type": "thinking",
        "thinking": "I think",
        "signature": "sig1sig2",
    }
    assert losses == {}


def test_wire_35_a_signature_goes_to_its_origin_only() -> None:
    elsewhere = Target(provider="other", protocol=MESSAGES, model="m")
    origin = ir.Origin(PROVIDER, MESSAGES)
    packed = envelope.seal(ir.Sealed("sig", origin))
    block = {"type": "thinking", "thinking": "hm", "signature": packed}
    body = {"model": "m", "messages": [*ASK, {"role": "assistant", "content": [block, TEXT]}]}
    sent, losses = translate(body, MESSAGES, target(MESSAGES))
    assert sent["messages"][1]["content"][0]["signature"] == "sig"
    assert losses == {}
    sent, losses = translate(body, MESSAGES, elsewhere)
    assert sent["messages"][1]["content"] == "So."
    assert list(losses) == ["messages.1.content.0"]


TEXT = {"type": "text", "text": "So."}


def test_wire_36_a_thought_signature_survives_a_messages_client() -> None:
    call = {
        "index": 0,
        "id": "a",
        "function": {"name": "f", "arguments": "{}"},
        "extra_content": {"google": {"thought_signature": "sig"}},
    }
    blocks = blocks_of(to_messages(chat_stream({"tool_calls": [call]})))
    assert [block["type"] for block in blocks] == ["redacted_thinking", "tool_use"]
    content = [
        {"type": "redacted_thinking", "data": blocks[0]["data"]},
        {"type": "tool_use", "id": "a", "name": "f", "input": {}},
    ]
    body = {"model": "m", "messages": [*ASK, {"role": "assistant", "content": content}]}
    sent, losses = translate(body, MESSAGES, target(CHAT))
    (came_back,) = sent["messages"][1]["tool_calls"]
    assert came_back["extra_content"] == call["extra_content"]
    assert losses == {}


def test_wire_37_reasoning_content_goes_back_to_its_vendor_only() -> None:
    message = {"content": "So.", "reasoning_content": "hm"}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    answer = translate_answer({"choices": [choice]}, CHAT, MESSAGES)
    turn = {"role": "assistant", "content": answer["content"]}
    body = {"model": "m", "messages": [*ASK, turn, *ASK]}
    sent, losses = translate(body, MESSAGES, target(CHAT))
    assert sent["messages"][1]["reasoning_content"] == "hm"
    assert losses == {}
    sent, losses = translate(body, MESSAGES, Target(provider="other", protocol=CHAT, model="m"))
    assert "reasoning_content" not in sent["messages"][1]
    assert list(losses) == ["messages.1.content.0"]


def test_wire_38_encrypted_content_of_another_protocol_stays_in_its_envelope() -> None:
    sealed = ir.Sealed("enc", ir.Origin("openai", Protocol.RESPONSES), "rs_1")
    answer = ir.Response(
        parts=(ir.Thinking("sum", sealed=sealed),), finish=ir.Finish(ir.FinishReason.STOP)
    )
    for caller in (CHAT, MESSAGES):
        wire = codec(caller)
        body = json.loads(wire.encode_response(answer, view(caller)).body)
        turn = (
            body["choices"][0]["message"]
            if caller is CHAT
            else {"role": "assistant", "content": body["content"]}
        )
        asked = wire.decode_request(json.dumps({"model": "m", "messages": [turn]}).encode())
        (thought, *_) = asked.messages[0].parts
        assert isinstance(thought, ir.Thinking)
        assert thought.sealed == sealed


def test_wire_39_thinking_that_eats_the_cap_is_an_empty_message_cut_short() -> None:
    body = {
        "content": [{"type": "thinking", "thinking": "hm", "signature": "s"}],
        "stop_reason": "max_tokens",
        "usage": {"input_tokens": 1, "output_tokens": 9},
    }
    (choice,) = translate_answer(body, MESSAGES, CHAT)["choices"]
    assert choice["finish_reason"] == "length"
    assert choice["message"]["content"] == ""
    choice = {
        "index": 0,
        "message": {"content": None, "reasoning_content": "hm"},
        "finish_reason": "length",
    }
    answer = translate_answer({"choices": [choice]}, CHAT, MESSAGES)
    assert answer["stop_reason"] == "max_tokens"
