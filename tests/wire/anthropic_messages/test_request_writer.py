from __future__ import annotations

import json
from typing import Any

import pytest
from conversations import request, target

from dragoman import ir
from dragoman.errors import Untranslatable
from dragoman.protocols import Protocol
from dragoman.wire import Target
from dragoman.wire.anthropic_messages import encode_request

TO = target(Protocol.MESSAGES)
USER, ASSISTANT, SYSTEM = ir.Role.USER, ir.Role.ASSISTANT, ir.Role.SYSTEM


def write(asked: ir.Request, to: Target = TO) -> tuple[dict[str, Any], list[str]]:
    encoded = encode_request(asked, to)
    return json.loads(encoded.body), [loss.path for loss in encoded.losses]


def say(role: ir.Role, *parts: ir.AnyPart) -> ir.Message:
    return ir.Message(role, parts, at="messages.0")


def test_neighbours_of_one_role_become_one_turn() -> None:
    messages = (
        say(USER, ir.Text("a")),
        say(USER, ir.Text("b")),
        say(ASSISTANT, ir.Text("c")),
    )
    body, _ = write(request(messages=messages))
    assert body["messages"] == [
        {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]},
        {"role": "assistant", "content": "c"},
    ]


def test_a_request_of_system_text_alone_becomes_a_user_turn() -> None:
    body, lost = write(request(messages=(say(SYSTEM, ir.Text("Hi")),)))
    assert body["messages"] == [{"role": "user", "content": "Hi"}]
    assert "system" not in body
    assert lost == ["messages.0"]


def test_names_of_participants_are_recorded() -> None:
    message = ir.Message(USER, (ir.Text("Hi"),), name="Ann", at="messages.0")
    assert write(request(messages=(message,)))[1] == ["messages.0.name"]


def test_arguments_that_are_no_object_are_wrapped_and_recorded() -> None:
    call = ir.ToolCall("a", "f", "not json", at="messages.0.tool_calls.0")
    body, lost = write(request(messages=(say(USER, ir.Text("x")), say(ASSISTANT, call))))
    assert body["messages"][1]["content"][0]["input"] == {"arguments": "not json"}
    assert lost == ["messages.0.tool_calls.0"]


def test_refusals_are_words() -> None:
    body, _ = write(request(messages=(say(USER, ir.Text("x")), say(ASSISTANT, ir.Refusal("No.")))))
    assert body["messages"][1]["content"] == "No."


def test_foreign_blocks_are_worded_lost_or_refused() -> None:
    worded = ir.Opaque({"type": "x"}, Protocol.CHAT, text="words", at="p.0")
    lost = ir.Opaque({"type": "x"}, Protocol.CHAT, at="p.1")
    body, paths = write(request(Protocol.CHAT, worded, lost))
    assert body["messages"][0]["content"] == "words"
    assert paths == ["p.0", "p.1"]
    with pytest.raises(Untranslatable):
        write(request(Protocol.CHAT, ir.Opaque({"type": "x"}, Protocol.CHAT, essential=True)))


@pytest.mark.parametrize(
    ("ttl", "written"), [("30m", None), ("12h", "1h"), ("1h", "1h"), ("5m", "5m"), (None, None)]
)
def test_lifetimes_of_caches(ttl: str | None, written: str | None) -> None:
    body, _ = write(request(Protocol.CHAT, ir.Text("x", cache=ir.Cache(ttl))))
    assert body["messages"][0]["content"][0]["cache_control"].get("ttl") == written


def test_images_say_what_they_are() -> None:
    body, lost = write(
        request(
            Protocol.CHAT,
            ir.Media(ir.MediaKind.IMAGE, data="/9j/4AAQ"),
            ir.Media(ir.MediaKind.IMAGE, url="https://x/a.png", detail="high", at="p"),
        )
    )
    inline, linked = body["messages"][0]["content"]
    assert inline["source"]["media_type"] == "image/jpeg"
    assert linked["source"] == {"type": "url", "url": "https://x/a.png"}
    assert lost == ["p.detail"]


@pytest.mark.parametrize("url", ["gs://bucket/a.png", "file:///etc/passwd"])
def test_other_schemes_are_refused(url: str) -> None:
    with pytest.raises(Untranslatable, match="http"):
        write(request(Protocol.CHAT, ir.Media(ir.MediaKind.IMAGE, url=url, at="p")))


def test_citations_of_others_are_recorded() -> None:
    cited = ir.Text("x", citations=(ir.Citation(url="https://x"),), at="p")
    assert write(request(Protocol.CHAT, cited))[1] == ["p.annotations"]


def test_stream_and_tools() -> None:
    tool = ir.Tool(name="f", description="d", parameters={"properties": {}}, strict=True)
    body, lost = write(request(tools=(tool,), stream=True))
    assert body["stream"] is True
    assert body["tools"] == [
        {
            "name": "f",
            "description": "d",
            "strict": True,
            "input_schema": {"type": "object", "properties": {}},
        }
    ]
    assert lost == []
