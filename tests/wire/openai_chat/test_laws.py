"""Laws: what Chat can say survives its own bytes; garbage is an error, never a crash."""

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
    ids,
    json_objects,
    names,
    schemas,
    sealed,
    streamed,
    target,
    texts,
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
from dragoman.wire import openai_chat as wire

UNKNOWN = ir.Origin("", Protocol.CHAT)
UPSTREAM = ir.Origin(PROVIDER, Protocol.CHAT)

caches = st.none() | st.builds(ir.Cache, st.sampled_from([None, "30m"]))
text_parts = st.builds(ir.Text, texts, cache=caches)
details = st.sampled_from([None, "low", "high"])
media = st.one_of(
    st.builds(ir.Media, st.just(ir.MediaKind.IMAGE), url=urls, detail=details),
    st.builds(
        ir.Media, st.just(ir.MediaKind.IMAGE), data=base64_data, media_type=st.just("image/png")
    ),
    st.builds(
        ir.Media, st.just(ir.MediaKind.AUDIO), data=base64_data, media_type=st.just("audio/wav")
    ),
    st.builds(
        ir.Media,
        st.just(ir.MediaKind.DOCUMENT),
        data=base64_data,
        media_type=st.just("application/pdf"),
        name=names,
    ),
    st.builds(ir.Media, st.just(ir.MediaKind.DOCUMENT), file_id=names),
)
raw_calls = st.builds(ir.ToolCall, ids, names, words, kind=st.just(ir.ToolKind.CUSTOM))
speakers = st.none() | names


@st.composite
def assistant_parts(draw: st.DrawFn) -> tuple[ir.AnyPart, ...]:
    parts: list[ir.AnyPart] = []
    if draw(st.booleans()):
        parts.append(ir.Thinking(draw(texts), sealed=ir.Sealed("", UNKNOWN)))
    if draw(st.booleans()):
        parts.append(ir.Text(draw(texts)))
    if draw(st.booleans()):
        parts.append(ir.Refusal(draw(texts)))
    parts += draw(st.lists(calls | raw_calls, max_size=2))
    return tuple(parts) or (ir.Text(draw(texts)),)


results = st.builds(ir.ToolResult, ids, st.lists(st.builds(ir.Text, texts), max_size=1).map(tuple))
messages = st.one_of(
    st.builds(
        ir.Message,
        st.sampled_from([ir.Role.SYSTEM, ir.Role.DEVELOPER]),
        st.lists(text_parts, min_size=1, max_size=2).map(tuple),
        speakers,
    ),
    st.builds(
        ir.Message,
        st.just(ir.Role.USER),
        st.lists(text_parts | media, min_size=1, max_size=3).map(tuple),
        speakers,
    ),
    st.builds(ir.Message, st.just(ir.Role.ASSISTANT), assistant_parts(), speakers),
    st.builds(ir.Message, st.just(ir.Role.USER), st.tuples(results)),
)
function_tools = st.builds(
    ir.Tool,
    name=names,
    description=st.none() | texts,
    parameters=st.none() | schemas,
    strict=st.none() | st.booleans(),
)
custom_tools = st.builds(
    ir.Tool, name=names, kind=st.just(ir.ToolKind.CUSTOM), description=st.none() | texts
)
choices = st.one_of(
    st.builds(ir.ToolChoice, st.sampled_from(["auto", "none", "required"]).map(ir.ChoiceMode)),
    st.builds(lambda name: ir.ToolChoice(ir.ChoiceMode.NAMED, (ir.ToolName(name),)), names),
)
reasonings = st.one_of(
    st.none(),
    st.builds(ir.Reasoning, effort=st.sampled_from(["minimal", "high", "max"])),
    st.just(ir.Reasoning(mode=ir.ReasoningMode.OFF)),
)
formats = st.one_of(
    st.none(),
    st.just(ir.Format()),
    st.builds(ir.Format, schema=schemas, name=names, strict=st.none() | st.booleans()),
)
numbers = st.none() | st.floats(0, 2)
counts = st.none() | st.integers(0, 10**6)
optional_words = st.none() | names


@st.composite
def requests(draw: st.DrawFn) -> ir.Request:
    kinds = st.lists(function_tools | custom_tools, max_size=2, unique_by=lambda tool: tool.name)
    tools = tuple(draw(kinds))
    streams = draw(st.booleans())
    return ir.Request(
        protocol=Protocol.CHAT,
        model="m-1",
        messages=tuple(draw(st.lists(messages, min_size=1, max_size=4))),
        tools=tools,
        tool_choice=draw(st.none() | choices) if tools else None,
        parallel=draw(st.none() | st.booleans()) if tools else None,
        max_tokens=draw(counts),
        temperature=draw(numbers),
        top_p=draw(numbers),
        top_k=draw(counts),
        frequency_penalty=draw(numbers),
        presence_penalty=draw(numbers),
        seed=draw(counts),
        stop=tuple(draw(st.lists(texts, max_size=4))),
        n=draw(st.sampled_from([None, 1, 3])),
        logprobs=draw(st.none() | st.booleans()),
        top_logprobs=draw(st.none() | st.integers(0, 20)),
        format=draw(formats),
        verbosity=draw(optional_words),
        reasoning=draw(reasonings),
        cache_key=draw(optional_words),
        user=draw(optional_words),
        safety_identifier=draw(optional_words),
        metadata=draw(st.none() | st.dictionaries(names, names, max_size=2)),
        service_tier=draw(st.sampled_from([None, "auto", "flex"])),
        store=draw(st.none() | st.booleans()),
        stream=streams,
        stream_usage=streams,
        extras=draw(st.sampled_from([{}, {"logit_bias": {"1": 2}}])),
    )


@given(requests())
def test_a_request_survives(asked: ir.Request) -> None:
    to = target(Protocol.CHAT, genuine=True, reasons=True)
    encoded = wire.encode_request(asked, to)
    assert encoded.losses == ()
    assert bare(wire.decode_request(encoded.body)) == bare(asked)


logprobs = st.builds(ir.Logprob, words, st.floats(-9, 0), st.none() | st.just([65]))
rankings = st.builds(
    lambda first, others: msgspec.structs.replace(first, top_logprobs=tuple(others)),
    logprobs,
    st.lists(logprobs, max_size=2),
)


@st.composite
def responses(draw: st.DrawFn) -> ir.Response:
    parts: list[ir.AnyPart] = []
    if draw(st.booleans()):
        parts.append(ir.Thinking(draw(texts), sealed=ir.Sealed("", UPSTREAM)))
    if draw(st.booleans()):
        found = tuple(draw(st.lists(rankings, max_size=2)))
        parts.append(ir.Text(draw(texts), logprobs=found))
    refusal = draw(st.booleans())
    if refusal:
        parts.append(ir.Refusal(draw(texts)))
    found_calls = draw(st.lists(calls | raw_calls, max_size=2))
    parts += found_calls
    reason = draw(st.sampled_from(["stop", "length", "content_filter", "error"]))
    if refusal and reason == "stop" and not found_calls:
        reason = "refusal"
    return ir.Response(
        parts=tuple(parts),
        finish=fold.settle(ir.Finish(ir.FinishReason(reason)), parts),
        usage=draw(usages),
        id="chatcmpl-abc123",
        model="acme:m-1",
        created=1_700_000_000,
    )


@given(responses())
def test_an_answer_survives(answer: ir.Response) -> None:
    body = wire.encode_response(answer, view(Protocol.CHAT)).body
    assert wire.decode_response(body, UPSTREAM) == answer


@given(st.data(), responses(), st.lists(st.integers(0, 10**5), max_size=6), st.booleans())
def test_a_stream_survives_any_split(
    data: st.DataObject, answer: ir.Response, splits: list[int], wants_usage: bool
) -> None:
    events = data.draw(streamed(answer))
    stream = encode_stream(wire, events, view(Protocol.CHAT, stream_usage=wants_usage))
    usage = answer.usage if wants_usage else ir.Usage()
    expected = msgspec.structs.replace(answer, usage=usage)
    assert fold.fold(decode_stream(wire, stream, splits)) == expected


@given(st.lists(st.builds(ir.Thinking, texts, sealed=sealed), min_size=1, max_size=3))
def test_state_comes_back_from_a_chat_client(thoughts: list[ir.Thinking]) -> None:
    answer = ir.Response(parts=tuple(thoughts), finish=ir.Finish(ir.FinishReason.STOP))
    body = msgspec.json.decode(wire.encode_response(answer, view(Protocol.CHAT)).body)
    turn = body["choices"][0]["message"]
    asked = wire.decode_request(msgspec.json.encode({"model": "m", "messages": [turn]}))
    came_back = [part for part in asked.messages[0].parts if isinstance(part, ir.Thinking)]
    assert [(part.text, part.sealed) for part in came_back] == [
        (part.text, part.sealed) for part in thoughts
    ]


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
