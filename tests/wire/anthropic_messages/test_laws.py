"""Laws: what Messages can say survives its own bytes; garbage is an error, never a crash."""

from __future__ import annotations

import msgspec
import pytest
from conversations import (
    PROVIDER,
    bare,
    base64_data,
    calls,
    decode_stream,
    encode_stream,
    enveloped,
    ids,
    json_objects,
    names,
    schemas,
    sealed,
    streamed,
    target,
    texts,
    thoughts,
    tokens,
    urls,
    usages,
    view,
    words,
)
from hypothesis import given
from hypothesis import strategies as st

from dragoman import fold, ir, sse
from dragoman.errors import DragomanError
from dragoman.protocols import Protocol
from dragoman.wire import anthropic_messages as wire

OWN = ir.Origin("", Protocol.MESSAGES)
UPSTREAM = ir.Origin(PROVIDER, Protocol.CHAT)

caches = st.none() | st.builds(ir.Cache, st.sampled_from([None, "5m", "1h"]))
text_parts = st.builds(ir.Text, texts, cache=caches)
signatures = st.builds(ir.Sealed, words, st.just(OWN))
images = st.one_of(
    st.builds(
        ir.Media, st.just(ir.MediaKind.IMAGE), data=base64_data, media_type=st.just("image/png")
    ),
    st.builds(ir.Media, st.just(ir.MediaKind.IMAGE), url=urls),
    st.builds(ir.Media, st.just(ir.MediaKind.IMAGE), file_id=names),
)
documents = st.builds(
    ir.Media,
    st.just(ir.MediaKind.DOCUMENT),
    data=base64_data,
    media_type=st.just("application/pdf"),
    name=st.none() | texts,
    context=st.none() | texts,
    cite=st.booleans(),
    cache=caches,
)
results = st.builds(
    ir.ToolResult,
    ids.map(lambda id: id.replace("call", "res")),
    st.lists(text_parts | images, max_size=2).map(tuple),
    is_error=st.booleans(),
    cache=caches,
)
user_turns = st.tuples(
    st.lists(results, max_size=2), st.lists(text_parts | images | documents, max_size=2)
)
assistant_parts = st.one_of(
    text_parts,
    calls,
    st.builds(ir.Thinking, texts, sealed=signatures),
    st.builds(ir.Thinking, st.just(""), sealed=signatures, redacted=st.just(True)),
)


@st.composite
def messages(draw: st.DrawFn) -> tuple[ir.Message, ...]:
    system = draw(st.lists(text_parts, max_size=2))
    turns = [ir.Message(ir.Role.SYSTEM, tuple(system))] if system else []
    for number in range(draw(st.integers(1, 4))):
        if number % 2:
            parts = draw(st.lists(assistant_parts, min_size=1, max_size=3))
            turns.append(ir.Message(ir.Role.ASSISTANT, tuple(parts)))
        else:
            found, rest = draw(user_turns)
            parts = [*found, *rest] or [draw(text_parts)]
            turns.append(ir.Message(ir.Role.USER, tuple(parts)))
    return tuple(turns)


tools = st.builds(
    ir.Tool,
    name=names,
    description=st.none() | texts,
    parameters=schemas,
    strict=st.sampled_from([None, True]),
    deferred=st.booleans(),
    cache=caches,
)
modes = st.sampled_from(["auto", "none", "required"]).map(ir.ChoiceMode)
choices = st.builds(ir.ToolChoice, modes) | st.builds(
    lambda name: ir.ToolChoice(ir.ChoiceMode.NAMED, (ir.ToolName(name),)), names
)
reasonings = st.one_of(
    st.none(),
    st.builds(ir.Reasoning, effort=st.sampled_from(["low", "max"])),
    st.builds(ir.Reasoning, mode=st.just(ir.ReasoningMode.ON), budget=st.integers(1024, 9000)),
    st.builds(ir.Reasoning, mode=st.just(ir.ReasoningMode.OFF)),
    st.builds(
        ir.Reasoning,
        mode=st.just(ir.ReasoningMode.ADAPTIVE),
        effort=st.sampled_from([None, "high"]),
        display=st.sampled_from([None, "omitted"]),
    ),
)
numbers = st.none() | st.floats(0, 1)


@st.composite
def requests(draw: st.DrawFn) -> ir.Request:
    declared = tuple(draw(st.lists(tools, max_size=2, unique_by=lambda tool: tool.name)))
    choice = draw(st.none() | choices) if declared else None
    serial = choice is not None and choice.mode is not ir.ChoiceMode.NONE
    return ir.Request(
        protocol=Protocol.MESSAGES,
        model="m-1",
        messages=draw(messages()),
        tools=declared,
        tool_choice=choice,
        parallel=draw(st.none() | st.booleans()) if serial else None,
        max_tokens=draw(st.integers(0, 10**5)),
        temperature=draw(numbers),
        top_p=draw(numbers),
        top_k=draw(st.none() | tokens),
        stop=tuple(draw(st.lists(texts, max_size=2))),
        format=draw(st.none() | st.builds(ir.Format, schema=schemas)),
        reasoning=draw(reasonings),
        cache=draw(caches),
        user=draw(st.none() | names),
        service_tier=draw(st.sampled_from([None, "auto", "standard_only"])),
        stream=draw(st.booleans()),
        extras=draw(st.sampled_from([{}, {"inference_geo": "eu"}, {"speed": "fast"}])),
    )


@given(requests())
def test_a_request_survives(asked: ir.Request) -> None:
    to = target(Protocol.MESSAGES, "claude-opus-4-8", genuine=True)
    encoded = wire.encode_request(asked, to)
    again = wire.decode_request(encoded.body)
    assert encoded.losses == ()
    assert bare(again) == bare(msgspec.structs.replace(asked, model="claude-opus-4-8"))


reasons = st.sampled_from(["stop", "length", "context_window", "refusal", "pause"])
answer_parts = st.one_of(
    st.builds(ir.Text, texts),
    thoughts,
    calls,
    st.builds(ir.Thinking, st.just(""), sealed=sealed, redacted=st.just(True)),
)


@st.composite
def responses(draw: st.DrawFn) -> ir.Response:
    parts = tuple(draw(st.lists(answer_parts, max_size=4)))
    finish = ir.Finish(ir.FinishReason(draw(reasons)))
    if draw(st.booleans()) and finish.reason is ir.FinishReason.REFUSAL:
        finish = msgspec.structs.replace(finish, category="bio", explanation=draw(texts))
    usage = draw(usages)
    usage = msgspec.structs.replace(usage, cache_write_long=draw(tokens), searches=draw(tokens))
    return ir.Response(
        parts=parts,
        finish=fold.settle(finish, parts),
        usage=usage,
        id="msg_abc123",
        model="acme:m-1",
        service_tier=draw(st.sampled_from([None, "priority"])),
    )


@given(responses())
def test_an_answer_survives(answer: ir.Response) -> None:
    encoded = wire.encode_response(answer, view(Protocol.MESSAGES))
    assert wire.decode_response(encoded.body, UPSTREAM) == enveloped(answer, UPSTREAM)


@given(st.data(), responses(), st.lists(st.integers(0, 10**5), max_size=6))
def test_a_stream_survives_any_split(
    data: st.DataObject, answer: ir.Response, splits: list[int]
) -> None:
    events = data.draw(streamed(answer))
    stream = encode_stream(wire, events, view(Protocol.MESSAGES))
    assert fold.fold(decode_stream(wire, stream, splits)) == enveloped(answer, UPSTREAM)


@given(st.binary() | json_objects.map(msgspec.json.encode))
def test_garbage_is_a_clear_error(body: bytes) -> None:
    with pytest.raises(DragomanError):
        wire.decode_request(body)
    with pytest.raises(DragomanError):
        wire.decode_response(body, UPSTREAM)


@given(st.lists(st.binary() | json_objects.map(msgspec.json.encode), max_size=3))
def test_a_garbled_stream_ends_in_an_error(pieces: list[bytes]) -> None:
    decoder = wire.stream_decoder(UPSTREAM)
    events = [event for piece in pieces for event in decoder.feed(sse.Event(b"", piece))]
    events += decoder.close()
    assert isinstance(events[-1], ir.StreamError)
    assert not any(isinstance(event, ir.Finished) for event in events)
