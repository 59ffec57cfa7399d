from __future__ import annotations

from typing import Any

import pytest

from dragoman import envelope, ir
from dragoman.errors import InvalidRequest
from dragoman.protocols import Protocol
from dragoman.wire.anthropic_messages.blocks import (
    read_blocks,
    read_citation,
    read_content,
    write_citation,
)
from dragoman.wire.fields import Fields

MESSAGES = Protocol.MESSAGES
STATE = ir.Sealed("s", ir.Origin("google", Protocol.GEMINI))


def read(*blocks: dict[str, Any]) -> tuple[ir.AnyPart, ...]:
    return read_blocks(blocks, "c")


def test_a_string_is_one_text() -> None:
    assert read_content(Fields({"content": "Hi"}, "m")) == (ir.Text("Hi", at="m.content"),)
    assert read_content(Fields({}, "m")) == ()
    with pytest.raises(InvalidRequest, match="string or an array"):
        read_content(Fields({"content": 1}, "m"))


def test_state_in_front_of_a_part_is_put_into_it() -> None:
    carrier = {"type": "redacted_thinking", "data": envelope.seal(STATE, follows=True)}
    use = {"type": "tool_use", "id": "a", "name": "f", "input": {"x": 1}}
    assert read(carrier, use) == (ir.ToolCall("a", "f", '{"x":1}', sealed=STATE, at="c.1"),)


def test_state_of_thinking_is_unwrapped_and_foreign_signatures_are_kept() -> None:
    wrapped, foreign = read(
        {"type": "thinking", "thinking": "a", "signature": envelope.seal(STATE)},
        {"type": "thinking", "thinking": "b", "signature": "EqQB"},
    )
    assert wrapped == ir.Thinking("a", sealed=STATE, at="c.0")
    assert foreign == ir.Thinking("b", sealed=ir.Sealed("EqQB", ir.Origin("", MESSAGES)), at="c.1")


def test_a_direct_caller_is_no_news_and_any_other_is() -> None:
    use = {"type": "tool_use", "id": "a", "name": "f", "input": {}}
    direct, program = read(use | {"caller": {"type": "direct"}}, use | {"caller": {"type": "x"}})
    assert direct.extras == {}
    assert program.extras == {"caller": {"type": "x"}}


def test_blocks_that_nobody_else_has_stay_whole() -> None:
    block = {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {"query": "x"}}
    assert read(dict(block)) == (ir.Opaque(block, MESSAGES, at="c.0"),)


@pytest.mark.parametrize(
    ("block", "text"),
    [
        (
            {
                "type": "search_result",
                "title": "T",
                "source": "https://x",
                "content": [{"type": "text", "text": "found"}],
            },
            "T\nhttps://x\nfound",
        ),
        (
            {
                "type": "document",
                "source": {"type": "content", "content": [{"type": "text", "text": "page"}]},
            },
            "page",
        ),
        ({"type": "document", "source": {"type": "content", "content": "page"}}, "page"),
    ],
)
def test_blocks_of_text_have_words_for_others(block: dict[str, Any], text: str) -> None:
    (part,) = read(block)
    assert isinstance(part, ir.Opaque)
    assert part.text == text


def test_results_hold_parts_and_tool_references() -> None:
    (result,) = read(
        {
            "type": "tool_result",
            "tool_use_id": "a",
            "content": [{"type": "tool_reference", "tool_name": "f"}],
            "is_error": True,
        }
    )
    reference = ir.ToolReference("f", at="c.0.content.0")
    assert result == ir.ToolResult("a", (reference,), is_error=True, at="c.0")


@pytest.mark.parametrize(
    ("block", "param"),
    [
        ({}, "c.0.type"),
        ({"type": "text"}, "c.0.text"),
        ({"type": "tool_use", "id": "a", "name": "f", "input": []}, "c.0.input"),
        ({"type": "image"}, "c.0.source"),
        ({"type": "image", "source": {"type": "carrier pigeon"}}, "c.0.source.type"),
        ({"type": "image", "source": {"type": "base64"}}, "c.0.source.data"),
    ],
)
def test_mistakes_are_named(block: dict[str, Any], param: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        read(block)
    assert caught.value.param == param


def test_citations_keep_their_own_words_at_home() -> None:
    raw = {"type": "char_location", "cited_text": "q", "document_title": "D", "document_index": 0}
    citation = read_citation(raw)
    assert (citation.url, citation.title, citation.quote) == (None, "D", "q")
    assert write_citation(citation) == raw
    assert write_citation(ir.Citation(url="https://x", title="X"))["url"] == "https://x"
