"""What a provider of each protocol says, written down without the help of any codec.

A `Turn` is one answer of a model; `voice(turn)` answers a request with it in the protocol of the
request's path, whole or as a stream, as the vendor's API words it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from scripted_upstream import Close, Recorded, Script, Step, json_answer, sse_answer

INPUT, CACHED, OUTPUT, REASONING = 30, 10, 12, 5
"""The tokens of every turn; the input includes the cached ones, the output the reasoning."""


@dataclass(frozen=True)
class Use:
    """A call of a tool."""

    name: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    id: str = "call_1"


@dataclass(frozen=True)
class Turn:
    """What the model says: thinking with the state it wants back, text, calls."""

    text: str = ""
    uses: tuple[Use, ...] = ()
    thinking: str = ""
    state: str = "c3RhdGUtb2YtdGhlLW1vZGVs"
    is_cut_short: bool = False

    @property
    def name(self) -> str:
        """Ends the ids of the turn, which no other turn may have."""
        return hashlib.sha256(repr(self).encode()).hexdigest()[:8]


Voice = Callable[[Recorded], Script]


def protocol_of(request: Recorded) -> str:
    """The protocol that a request to a provider is in."""
    if "enerateContent" in request.path:
        return "gemini"
    last = request.path.rpartition("/")[2]
    return {"completions": "chat", "responses": "responses", "messages": "messages"}[last]


def wants_stream(request: Recorded) -> bool:
    return ":stream" in request.path or bool(request.json().get("stream"))


def voice(turn: Turn) -> Voice:
    """Answers with `turn`."""

    def answer(request: Recorded) -> Script:
        protocol = protocol_of(request)
        if not wants_stream(request):
            return json_answer(_WHOLE[protocol](turn))
        return sse_answer(*_STREAM[protocol](turn), done=protocol == "chat")

    return answer


def dying(turn: Turn) -> Voice:
    """Streams the first half of `turn` and hangs up."""

    def answer(request: Recorded) -> Script:
        events = list(_STREAM[protocol_of(request)](turn))
        return sse_answer(*events[: len(events) // 2], *_HANG_UP)

    return answer


def failing(turn: Turn) -> Voice:
    """Streams the first half of `turn`, then says in its own words that it failed."""

    def answer(request: Recorded) -> Script:
        protocol = protocol_of(request)
        events = list(_STREAM[protocol](turn))
        failure = _FAILURES.get(protocol) or _failed_response(turn)
        return sse_answer(*events[: len(events) // 2], failure)

    return answer


def refusing(status: int, message: str, headers: Mapping[str, str] | None = None) -> Voice:
    """Refuses with `status` in the words of the protocol."""

    def answer(request: Recorded) -> Script:
        body: dict[str, Any] = {"error": {"message": message, "type": "x", "code": None}}
        match protocol_of(request):
            case "messages":
                body = {"type": "error", "error": {"type": "api_error", "message": message}}
            case "gemini":
                body = {"error": {"code": status, "message": message, "status": "UNKNOWN"}}
            case _:
                pass
        return json_answer(body, status, headers)

    return answer


_HANG_UP: tuple[Step, ...] = (Close(),)
_FAILURES: dict[str, dict[str, Any]] = {
    "chat": {"error": {"message": "Too much to do.", "type": "server_error", "code": 503}},
    "messages": {
        "type": "error",
        "error": {"type": "overloaded_error", "message": "Too much to do."},
    },
    "gemini": {"error": {"code": 503, "message": "Too much to do.", "status": "UNAVAILABLE"}},
}


def pieces(text: str) -> list[str]:
    """`text` in three pieces, of which any may be empty."""
    third = len(text) // 3
    return [text[:third], text[third : 2 * third], text[2 * third :]]


def _arguments(use: Use) -> str:
    return json.dumps(use.arguments, ensure_ascii=False)


def _finish(turn: Turn, cut: str, called: str, stopped: str) -> str:
    return cut if turn.is_cut_short else called if turn.uses else stopped


# Chat: reasoning under `reasoning_content`, as DeepSeek and others have it.

_CHAT_USAGE = {
    "prompt_tokens": INPUT,
    "completion_tokens": OUTPUT,
    "total_tokens": INPUT + OUTPUT,
    "prompt_tokens_details": {"cached_tokens": CACHED},
    "completion_tokens_details": {"reasoning_tokens": REASONING},
}


def _chat(turn: Turn) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": turn.text or None}
    if turn.thinking:
        message["reasoning_content"] = turn.thinking
    if turn.uses:
        message["tool_calls"] = [
            {
                "id": use.id,
                "type": "function",
                "function": {"name": use.name, "arguments": _arguments(use)},
            }
            for use in turn.uses
        ]
    finish = _finish(turn, "length", "tool_calls", "stop")
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": finish}
    return _chat_head("chat.completion", [choice]) | {"usage": _CHAT_USAGE}


def _chat_head(kind: str, choices: list[dict[str, Any]]) -> dict[str, Any]:
    return {"id": "c1", "object": kind, "created": 1, "model": "m", "choices": choices}


def _chat_stream(turn: Turn) -> Iterator[dict[str, Any]]:
    """Parallel calls interleave, as the API allows."""

    def chunk(delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        return _chat_head("chat.completion.chunk", [choice])

    yield chunk({"role": "assistant", "content": ""})
    for piece in pieces(turn.thinking) if turn.thinking else []:
        yield chunk({"reasoning_content": piece})
    for piece in pieces(turn.text) if turn.text else []:
        yield chunk({"content": piece})
    for index, use in enumerate(turn.uses):
        function = {"name": use.name, "arguments": ""}
        call = {"index": index, "id": use.id, "type": "function", "function": function}
        yield chunk({"tool_calls": [call]})
    for part in range(3):
        for index, use in enumerate(turn.uses):
            piece = pieces(_arguments(use))[part]
            yield chunk({"tool_calls": [{"index": index, "function": {"arguments": piece}}]})
    yield chunk({}, _finish(turn, "length", "tool_calls", "stop"))
    yield _chat_head("chat.completion.chunk", []) | {"usage": _CHAT_USAGE}


# Responses: reasoning as an item with a summary and encrypted content.


def _responses(turn: Turn) -> dict[str, Any]:
    return {
        "id": f"resp_{turn.name}",
        "object": "response",
        "created_at": 1,
        "status": "incomplete" if turn.is_cut_short else "completed",
        "incomplete_details": {"reason": "max_output_tokens"} if turn.is_cut_short else None,
        "error": None,
        "model": "m",
        "instructions": None,
        "metadata": {},
        "parallel_tool_calls": True,
        "temperature": 1.0,
        "top_p": 1.0,
        "tool_choice": "auto",
        "tools": [],
        "output": list(_items(turn)),
        "usage": {
            "input_tokens": INPUT,
            "input_tokens_details": {"cached_tokens": CACHED, "cache_write_tokens": 0},
            "output_tokens": OUTPUT,
            "output_tokens_details": {"reasoning_tokens": REASONING},
            "total_tokens": INPUT + OUTPUT,
        },
    }


def _failed_response(turn: Turn) -> dict[str, Any]:
    error = {"code": "server_error", "message": "Too much to do."}
    response = _responses(turn) | {"status": "failed", "output": [], "usage": None, "error": error}
    return {"type": "response.failed", "sequence_number": 99, "response": response}


def _items(turn: Turn) -> Iterator[dict[str, Any]]:
    if turn.thinking:
        yield {
            "id": f"rs_{turn.name}",
            "type": "reasoning",
            "summary": [{"type": "summary_text", "text": turn.thinking}],
            "encrypted_content": turn.state,
        }
    if turn.text:
        text = {"type": "output_text", "text": turn.text, "annotations": [], "logprobs": []}
        yield {
            "id": f"msg_{turn.name}",
            "type": "message",
            "role": "assistant",
            "status": "completed",
            "content": [text],
        }
    for number, use in enumerate(turn.uses):
        yield {
            "id": f"fc_{turn.name}_{number}",
            "type": "function_call",
            "status": "completed",
            "call_id": use.id,
            "name": use.name,
            "arguments": _arguments(use),
        }


def _responses_stream(turn: Turn) -> Iterator[dict[str, Any]]:
    whole = _responses(turn)
    begun = whole | {"status": "in_progress", "output": [], "usage": None}
    begun["incomplete_details"] = None
    events = [
        {"type": "response.created", "response": begun},
        {"type": "response.in_progress", "response": begun},
    ]
    for index, item in enumerate(whole["output"]):
        for event in _item_events(item):
            events.append({"output_index": index, "item_id": item["id"], **event})
    events.append({"type": f"response.{whole['status']}", "response": whole})
    for number, event in enumerate(events):
        yield event | {"sequence_number": number}


def _item_events(item: dict[str, Any]) -> Iterator[dict[str, Any]]:
    match item["type"]:
        case "reasoning":
            started, where, kind = {"summary": []}, {"summary_index": 0}, "reasoning_summary"
            part, text = item["summary"][0], item["summary"][0]["text"]
            names = (f"{kind}_part.added", f"{kind}_text", f"{kind}_part.done")
        case "message":
            started, where = {"content": [], "status": "in_progress"}, {"content_index": 0}
            part, text = item["content"][0], item["content"][0]["text"]
            names = ("content_part.added", "output_text", "content_part.done")
        case _:
            started, where = {"arguments": "", "status": "in_progress"}, {}
            part, text = None, item["arguments"]
            names = ("", "function_call_arguments", "")
    yield {"type": "response.output_item.added", "item": item | started}
    if part:
        yield {"type": f"response.{names[0]}", **where, "part": part | {"text": ""}}
    extra = {"logprobs": []} if item["type"] == "message" else {}
    for piece in pieces(text):
        yield {"type": f"response.{names[1]}.delta", **where, "delta": piece, **extra}
    done = {"text": text} if part else {"arguments": text, "name": item["name"]}
    yield {"type": f"response.{names[1]}.done", **where, **done, **extra}
    if part:
        yield {"type": f"response.{names[2]}", **where, "part": part}
    yield {"type": "response.output_item.done", "item": item}


# Messages: thinking with a signature; input without the cached tokens.

_MESSAGES_USAGE = {
    "input_tokens": INPUT - CACHED,
    "cache_read_input_tokens": CACHED,
    "cache_creation_input_tokens": 0,
    "output_tokens": OUTPUT,
}


def _message(turn: Turn) -> dict[str, Any]:
    blocks: list[dict[str, Any]] = []
    if turn.thinking:
        blocks.append({"type": "thinking", "thinking": turn.thinking, "signature": turn.state})
    if turn.text:
        blocks.append({"type": "text", "text": turn.text, "citations": None})
    blocks += [
        {"type": "tool_use", "id": use.id, "name": use.name, "input": dict(use.arguments)}
        for use in turn.uses
    ]
    return {
        "id": f"msg_{turn.name}",
        "type": "message",
        "role": "assistant",
        "model": "m",
        "content": blocks,
        "stop_reason": _finish(turn, "max_tokens", "tool_use", "end_turn"),
        "stop_sequence": None,
        "usage": _MESSAGES_USAGE,
    }


def _messages_stream(turn: Turn) -> Iterator[dict[str, Any]]:
    whole = _message(turn)
    begun = {"content": [], "stop_reason": None, "usage": _MESSAGES_USAGE | {"output_tokens": 1}}
    yield {"type": "message_start", "message": whole | begun}
    yield {"type": "ping"}
    for index, block in enumerate(whole["content"]):
        deltas: list[dict[str, Any]]
        match block["type"]:
            case "thinking":
                started = block | {"thinking": "", "signature": ""}
                deltas = [
                    {"type": "thinking_delta", "thinking": piece}
                    for piece in pieces(block["thinking"])
                ]
                deltas.append({"type": "signature_delta", "signature": block["signature"]})
            case "text":
                started = block | {"text": ""}
                deltas = [{"type": "text_delta", "text": piece} for piece in pieces(block["text"])]
            case _:
                started = block | {"input": {}}
                text = json.dumps(block["input"], ensure_ascii=False) if block["input"] else ""
                deltas = [
                    {"type": "input_json_delta", "partial_json": piece} for piece in pieces(text)
                ]
        yield {"type": "content_block_start", "index": index, "content_block": started}
        for delta in deltas:
            yield {"type": "content_block_delta", "index": index, "delta": delta}
        yield {"type": "content_block_stop", "index": index}
    ended = {"stop_reason": whole["stop_reason"], "stop_sequence": None}
    yield {"type": "message_delta", "delta": ended, "usage": _MESSAGES_USAGE}
    yield {"type": "message_stop"}


# Gemini: the thought signature stands on the first call, or on the text where there is none;
# output without the thoughts.


def _candidate(parts: list[dict[str, Any]], finish: str | None) -> dict[str, Any]:
    candidate: dict[str, Any] = {"index": 0, "content": {"role": "model", "parts": parts}}
    if finish:
        candidate["finishReason"] = finish
    return {
        "candidates": [candidate],
        "modelVersion": "m",
        "responseId": "r1",
        "usageMetadata": {
            "promptTokenCount": INPUT,
            "cachedContentTokenCount": CACHED,
            "candidatesTokenCount": OUTPUT - REASONING,
            "thoughtsTokenCount": REASONING,
            "totalTokenCount": INPUT + OUTPUT,
        },
    }


def _gemini_parts(turn: Turn) -> Iterator[dict[str, Any]]:
    signature = {"thoughtSignature": turn.state} if turn.thinking else {}
    if turn.thinking:
        yield {"text": turn.thinking, "thought": True}
    if turn.text:
        yield {"text": turn.text, **({} if turn.uses else signature)}
    for number, use in enumerate(turn.uses):
        call = {"id": use.id, "name": use.name, "args": dict(use.arguments)}
        yield {"functionCall": call, **({} if number else signature)}


def _gemini(turn: Turn) -> dict[str, Any]:
    finish = "MAX_TOKENS" if turn.is_cut_short else "STOP"
    return _candidate(list(_gemini_parts(turn)), finish)


def _gemini_stream(turn: Turn) -> Iterator[dict[str, Any]]:
    for part in _gemini_parts(turn):
        if "text" in part:
            signature = {k: v for k, v in part.items() if k == "thoughtSignature"}
            *begun, last = ({**part, "text": piece} for piece in pieces(part["text"]))
            for each in begun:
                yield _candidate([{k: v for k, v in each.items() if k not in signature}], None)
            yield _candidate([last], None)
        else:
            yield _candidate([part], None)
    yield _candidate([{"text": ""}], "MAX_TOKENS" if turn.is_cut_short else "STOP")


_WHOLE: dict[str, Callable[[Turn], dict[str, Any]]] = {
    "chat": _chat,
    "responses": _responses,
    "messages": _message,
    "gemini": _gemini,
}
_STREAM: dict[str, Callable[[Turn], Iterator[dict[str, Any]]]] = {
    "chat": _chat_stream,
    "responses": _responses_stream,
    "messages": _messages_stream,
    "gemini": _gemini_stream,
}
