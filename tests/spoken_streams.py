"""Streams as providers of Chat and Messages speak them, and what a client hears in them."""

from __future__ import annotations

import json
from typing import Any

from conversations import events_of, translate_stream

from dragoman import sse
from dragoman.protocols import Protocol

CHAT, MESSAGES = Protocol.CHAT, Protocol.MESSAGES
ASK = [{"role": "user", "content": "Hi"}]


TOOL = {"name": "f", "input_schema": {"type": "object"}}


def chat_stream(*deltas: dict[str, Any], finish: str = "stop", usage: Any = None) -> bytes:
    """A Chat provider's whole stream."""
    chunks: list[Any] = [
        {"id": "c1", "model": "m", "choices": [{"index": 0, "delta": delta}]} for delta in deltas
    ]
    chunks.append({"id": "c1", "choices": [{"index": 0, "delta": {}, "finish_reason": finish}]})
    if usage:
        chunks.append({"id": "c1", "choices": [], "usage": usage})
    return b"".join(sse.encode(json.dumps(chunk).encode()) for chunk in chunks) + (
        b"data: [DONE]\n\n"
    )


def call_delta(index: int, *, id: str | None = None, name: str = "", text: str = "") -> Any:
    function = {"name": name, "arguments": text} if id else {"arguments": text}
    call: dict[str, Any] = {"index": index, "function": function}
    return {"tool_calls": [call | ({"id": id, "type": "function"} if id else {})]}


def messages_stream(*blocks: tuple[dict[str, Any], list[dict[str, Any]]], **end: Any) -> bytes:
    """An Anthropic provider's whole stream."""
    usage = end.pop("usage", {"output_tokens": 5})
    start_usage = end.pop("start_usage", {"input_tokens": 7, "output_tokens": 1})
    message = {"id": "m1", "model": "m", "content": [], "usage": start_usage}
    events: list[dict[str, Any]] = [{"type": "message_start", "message": message}]
    for index, (block, deltas) in enumerate(blocks):
        events.append({"type": "content_block_start", "index": index, "content_block": block})
        events += [
            {"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas
        ]
        events.append({"type": "content_block_stop", "index": index})
    delta = {"stop_reason": "end_turn", **end}
    events.append({"type": "message_delta", "delta": delta, "usage": usage})
    events.append({"type": "message_stop"})
    return b"".join(
        sse.encode(json.dumps(event).encode(), event["type"].encode()) for event in events
    )


def text_block(*pieces: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    return {"type": "text", "text": ""}, [{"type": "text_delta", "text": text} for text in pieces]


def tool_block(id: str, name: str, *pieces: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    block = {"type": "tool_use", "id": id, "name": name, "input": {}}
    return block, [{"type": "input_json_delta", "partial_json": text} for text in pieces]


def to_messages(stream: bytes) -> list[Any]:
    return events_of(translate_stream(stream, CHAT, MESSAGES))


def to_chat(stream: bytes, **more: Any) -> list[Any]:
    return events_of(translate_stream(stream, MESSAGES, CHAT, **more))


def blocks_of(events: list[Any]) -> list[dict[str, Any]]:
    """The content blocks that a Messages stream spells out."""
    blocks: list[dict[str, Any]] = []
    for event in events:
        if event["type"] == "content_block_start":
            blocks.append(dict(event["content_block"]) | {"json": ""})
        elif event["type"] == "content_block_delta":
            delta, block = event["delta"], blocks[-1]
            match delta["type"]:
                case "text_delta":
                    block["text"] += delta["text"]
                case "thinking_delta":
                    block["thinking"] += delta["thinking"]
                case "signature_delta":
                    block["signature"] = delta["signature"]
                case "input_json_delta":
                    block["json"] += delta["partial_json"]
    return blocks


def deltas_of(events: list[Any]) -> list[dict[str, Any]]:
    return [
        event["choices"][0]["delta"] for event in events if event != "[DONE]" and event["choices"]
    ]


MIXED = chat_stream(
    {"role": "assistant", "content": ""},
    {"reasoning_content": "Let me "},
    {"reasoning_content": "see."},
    {"content": "Hel"},
    {"content": "lo"},
    call_delta(0, id="a", name="f", text='{"x":'),
    call_delta(0, text="1}"),
    call_delta(1, id="b", name="g", text="{}"),
    finish="tool_calls",
)


def thinking_block(*pieces: dict[str, Any]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    return {"type": "thinking", "thinking": "", "signature": ""}, list(pieces)


SIGNED = messages_stream(
    thinking_block(
        {"type": "thinking_delta", "thinking": "I think"},
        {"type": "signature_delta", "signature": "sig1"},
        {"type": "signature_delta", "signature": "sig2"},
    ),
    text_block("So."),
)
