from __future__ import annotations

import msgspec
import pytest

from dragoman import ir
from dragoman.protocols import Protocol


def test_token_counts_are_disjoint_and_add_up() -> None:
    usage = ir.Usage(
        input=1, cache_read=2, cache_write=4, cache_write_long=8, output=16, reasoning=32
    )
    assert usage.all_input == 15
    assert usage.all_output == 48


def test_a_request_knows_the_caller_s_names() -> None:
    request = ir.Request(
        protocol=Protocol.CHAT, model="m", messages=(), names={"format": "response_format"}
    )
    assert request.name("format") == "response_format"
    assert request.name("top_p") == "top_p"


def test_conversations_can_be_stored_and_read_back() -> None:
    sealed = ir.Sealed("s", ir.Origin("acme", Protocol.MESSAGES))
    message = ir.Message(
        ir.Role.ASSISTANT,
        (
            ir.Text("Hi", cache=ir.Cache("5m")),
            ir.Thinking("hm", sealed=sealed),
            ir.ToolCall("a", "f", kind=ir.ToolKind.CUSTOM),
            ir.ToolResult("a", (ir.Media(ir.MediaKind.IMAGE, data="aaaa"),)),
            ir.Opaque({"type": "new"}, Protocol.CHAT),
        ),
    )
    assert msgspec.json.decode(msgspec.json.encode(message), type=ir.Message) == message


def test_values_are_frozen() -> None:
    part = ir.Text("Hi")
    with pytest.raises(AttributeError):
        part.text = "Ho"  # type: ignore[misc]
