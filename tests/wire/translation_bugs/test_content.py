"""Content, numbers 17 to 23 of the bugs that users of other gateways reported.

The numbers that are missing are tested in the relay, the reader of server-sent events and the
other codecs.
"""

from __future__ import annotations

import json

import pytest
from conversations import (
    target,
    translate,
    translate_answer,
)
from spoken_streams import ASK, CHAT, MESSAGES

from dragoman import ir
from dragoman.errors import (
    Untranslatable,
)
from dragoman.wire import codec

USE = {"type": "tool_use", "id": "a", "name": "f", "input": {}}
IMAGE = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "aaaa"}}


def test_wire_17_images_survive_in_user_turns_and_tool_results() -> None:
    result = {"type": "tool_result", "tool_use_id": "a", "content": [IMAGE]}
    body = {
        "model": "m",
        "messages": [
            {"role": "user", "content": [IMAGE]},
            {
                "role": "assistant",
                "content": [{"type": "tool_use", "id": "a", "name": "f", "input": {}}],
            },
            {"role": "user", "content": [result]},
        ],
    }
    sent, losses = translate(body, MESSAGES, target(CHAT))
    url = {"url": "data:image/png;base64,aaaa"}
    assert sent["messages"][0]["content"] == [{"type": "image_url", "image_url": url}]
    assert [turn["role"] for turn in sent["messages"][2:]] == ["tool", "user"]
    assert sent["messages"][3]["content"][-1] == {"type": "image_url", "image_url": url}
    assert losses == {}
    back, _ = translate(sent, CHAT, target(MESSAGES))
    assert back["messages"][0]["content"] == [IMAGE]


def test_wire_17_no_user_message_stands_between_two_results() -> None:
    results = [{"type": "tool_result", "tool_use_id": id, "content": [IMAGE]} for id in ("a", "b")]
    body = {"model": "m", "messages": [*ASK, {"role": "user", "content": results}]}
    sent, _ = translate(body, MESSAGES, target(CHAT))
    assert [turn["role"] for turn in sent["messages"]] == ["user", "tool", "tool", "user"]


PDF = {
    "type": "file",
    "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBE"},
}


def test_wire_18_documents_are_translated_inlined_or_refused() -> None:
    sent, losses = translate(
        {"model": "m", "messages": [{"role": "user", "content": [PDF]}]}, CHAT, target(MESSAGES)
    )
    (block,) = sent["messages"][0]["content"]
    source = {"type": "base64", "media_type": "application/pdf", "data": "JVBE"}
    assert block == {"type": "document", "source": source, "title": "a.pdf"}
    assert losses == {}
    back, _ = translate(sent, MESSAGES, target(CHAT))
    assert back["messages"][0]["content"] == [PDF]
    plain = {
        "type": "document",
        "source": {"type": "text", "media_type": "text/plain", "data": "Hi"},
    }
    body = {"model": "m", "messages": [{"role": "user", "content": [plain]}]}
    assert translate(body, MESSAGES, target(CHAT))[0]["messages"][0]["content"] == "Hi"
    word = {"type": "file", "file": {"file_data": "data:application/msword;base64,AAAA"}}
    with pytest.raises(Untranslatable, match="PDF or text"):
        translate(
            {"model": "m", "messages": [{"role": "user", "content": [word]}]},
            CHAT,
            target(MESSAGES),
        )


def test_wire_19_what_the_target_cannot_fetch_or_hear_is_refused() -> None:
    document = {"type": "document", "source": {"type": "url", "url": "https://x/a.pdf"}}
    sound = {"type": "input_audio", "input_audio": {"data": "aaaa", "format": "wav"}}
    film = {"type": "video_url", "video_url": {"url": "https://x/a.mp4"}}
    kept = {"type": "image", "source": {"type": "file", "file_id": "file_1"}}
    for part, source, destination in (
        (document, MESSAGES, CHAT),
        (kept, MESSAGES, CHAT),
        (sound, CHAT, MESSAGES),
        (film, CHAT, MESSAGES),
        ({"type": "hologram"}, CHAT, MESSAGES),
    ):
        body = {"model": "m", "messages": [{"role": "user", "content": [part]}]}
        with pytest.raises(Untranslatable) as caught:
            translate(body, source, target(destination))
        assert caught.value.paths == ("messages.0.content.0",)


def test_wire_20_empty_text_is_left_out_and_the_turn_stays() -> None:
    parts = [{"type": "text", "text": ""}, {"type": "text", "text": "x"}]
    call = {"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    body = {
        "model": "m",
        "messages": [
            {"role": "user", "content": parts},
            {"role": "assistant", "content": "", "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "a", "content": ""},
        ],
    }
    sent, losses = translate(body, CHAT, target(MESSAGES))
    assert sent["messages"][0]["content"] == "x"
    assert [block["type"] for block in sent["messages"][1]["content"]] == ["tool_use"]
    assert sent["messages"][2]["content"] == [{"type": "tool_result", "tool_use_id": "a"}]
    assert losses == {}


def test_wire_21_results_come_together_first_and_in_order() -> None:
    calls = [
        {"id": id, "type": "function", "function": {"name": "f", "arguments": "{}"}}
        for id in ("a", "b")
    ]
    body = {
        "model": "m",
        "messages": [
            *ASK,
            {"role": "assistant", "tool_calls": calls},
            {"role": "tool", "tool_call_id": "b", "content": "2"},
            {"role": "user", "content": "and now?"},
            {"role": "tool", "tool_call_id": "a", "content": "1"},
        ],
    }
    sent, _ = translate(body, CHAT, target(MESSAGES))
    last = sent["messages"][2]["content"]
    assert [block.get("tool_use_id") for block in last] == ["a", "b", None]
    assert len(sent["messages"]) == 3


@pytest.mark.parametrize("id", ["functions.Bash:0", "call|fc_1", "x" * 90, "ü", "dgmid_x"])
def test_wire_22_ids_fit_the_target_and_come_back(id: str) -> None:
    call = {"id": id, "type": "function", "function": {"name": "f", "arguments": "{}"}}
    choice = {"index": 0, "message": {"tool_calls": [call]}, "finish_reason": "tool_calls"}
    answer = translate_answer({"choices": [choice]}, CHAT, MESSAGES)
    (use,) = answer["content"]
    assert len(use["id"]) <= 64
    assert use["id"].replace("_", "").replace("-", "").isalnum()
    assert use["id"].isascii()
    result = {"type": "tool_result", "tool_use_id": use["id"], "content": "1"}
    body = {
        "model": "m",
        "messages": [
            *ASK,
            {"role": "assistant", "content": [use]},
            {"role": "user", "content": [result]},
        ],
    }
    asked = codec(MESSAGES).decode_request(json.dumps(body).encode())
    came_back = asked.messages[1].parts[0]
    assert isinstance(came_back, ir.ToolCall)
    assert came_back.id == (id if len(id) < 40 else use["id"])
    sent, _ = translate(body, MESSAGES, target(CHAT))
    tied = sent["messages"][1]["tool_calls"][0]["id"]
    assert tied == sent["messages"][2]["tool_call_id"]
    assert len(tied) <= 40


LATER = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "Hi"},
    {"role": "system", "content": "Be kind."},
]


def test_wire_23_a_system_message_keeps_its_place() -> None:
    body = {"model": "m", "messages": LATER}
    newest = target(MESSAGES, "claude-opus-4-8", genuine=True)
    sent, losses = translate(body, CHAT, newest)
    assert sent["system"] == "Be brief."
    assert sent["messages"] == LATER[1:]
    assert losses == {}
    sent, losses = translate(body, CHAT, target(MESSAGES, "claude-opus-4-5"))
    assert sent["messages"][0]["content"][1]["text"] == "<system>\nBe kind.\n</system>"
    assert list(losses) == ["messages.2"]
    claude = {"model": "m", "system": "Be brief.", "messages": LATER[1:]}
    assert translate(claude, MESSAGES, target(CHAT))[0]["messages"] == LATER
