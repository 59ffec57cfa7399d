"""Laws: what Responses can say survives its own bytes; garbage is an error, never a crash."""

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
    json_text,
    names,
    schemas,
    sealed,
    streamed,
    target,
    texts,
    tokens,
    urls,
    usages,
    view,
    words,
)
from hypothesis import given
from hypothesis import strategies as st

from dragoman import envelope, fold, ir, sse
from dragoman.errors import DragomanError
from dragoman.protocols import Protocol
from dragoman.wire import codec
from dragoman.wire import openai_responses as wire

OWN = ir.Origin("", Protocol.RESPONSES)
UPSTREAM = ir.Origin(PROVIDER, Protocol.CHAT)
OPENAI = target(Protocol.RESPONSES, "gpt-5.6", genuine=True)

caches = st.none() | st.builds(ir.Cache, st.sampled_from([None, "30m", "12h"]))
text_parts = st.builds(ir.Text, texts, cache=caches)
images = st.one_of(
    st.builds(
        ir.Media, st.just(ir.MediaKind.IMAGE), data=base64_data, media_type=st.just("image/png")
    ),
    st.builds(
        ir.Media,
        st.just(ir.MediaKind.IMAGE),
        url=urls,
        detail=st.sampled_from([None, "low"]),
        cache=caches,
    ),
    st.builds(ir.Media, st.just(ir.MediaKind.IMAGE), file_id=names),
)
files = st.one_of(
    st.builds(
        ir.Media,
        st.just(ir.MediaKind.DOCUMENT),
        data=base64_data,
        media_type=st.just("application/pdf"),
        name=names,
    ),
    st.builds(ir.Media, st.just(ir.MediaKind.DOCUMENT), url=urls, name=st.none() | names),
)
sounds = st.builds(
    ir.Media, st.just(ir.MediaKind.AUDIO), data=base64_data, media_type=st.just("audio/wav")
)
opaque_items = st.builds(
    ir.Opaque, st.just({"type": "web_search_call", "id": "ws_1"}), st.just(Protocol.RESPONSES)
)
results = st.builds(
    ir.ToolResult,
    ids.map(lambda id: id.replace("call", "res")),
    st.lists(text_parts | images, max_size=2).map(tuple),
    name=st.none() | names,
    kind=st.sampled_from(ir.ToolKind),
)
citations = st.builds(
    lambda url, title, start: ir.Citation(
        url=url,
        title=title,
        start=start,
        end=start + 1,
        raw={
            "type": "url_citation",
            "url": url,
            "title": title,
            "start_index": start,
            "end_index": start + 1,
        },
        protocol=Protocol.RESPONSES,
    ),
    urls,
    texts,
    st.integers(0, 99),
)
states = st.builds(ir.Sealed, words, st.just(OWN), st.none() | ids)
custom_calls = st.builds(
    ir.ToolCall, ids, names, texts, kind=st.just(ir.ToolKind.CUSTOM), namespace=st.none() | names
)
phases = st.sampled_from([{}, {"phase": "commentary"}])
assistant_parts = st.one_of(
    st.builds(ir.Text, texts, citations=st.lists(citations, max_size=1).map(tuple), extras=phases),
    st.builds(ir.Refusal, texts),
    calls,
    st.builds(ir.ToolCall, ids, names, json_objects.map(json_text), namespace=names),
    custom_calls,
    st.builds(ir.Thinking, texts, sealed=states, summary=st.booleans()),
    st.builds(
        ir.Thinking,
        st.just(""),
        sealed=states,
        redacted=st.just(True),
        summary=st.just(True),
    ),
    opaque_items,
)
roles = st.sampled_from([ir.Role.USER, ir.Role.SYSTEM, ir.Role.DEVELOPER])
spoken = st.lists(text_parts | images | files | sounds, min_size=1, max_size=3).map(tuple)


@st.composite
def messages(draw: st.DrawFn) -> tuple[ir.Message, ...]:
    turns: list[ir.Message] = []
    for _ in range(draw(st.integers(1, 3))):
        turns.append(ir.Message(draw(roles), draw(spoken)))
        if draw(st.booleans()):
            parts = draw(st.lists(assistant_parts, min_size=1, max_size=4))
            turns.append(ir.Message(ir.Role.ASSISTANT, tuple(parts)))
        if draw(st.booleans()):
            outputs = draw(st.lists(results, min_size=1, max_size=2))
            turns.append(ir.Message(ir.Role.USER, tuple(outputs)))
    return tuple(turns)


functions = st.builds(
    ir.Tool,
    name=names,
    description=st.none() | texts,
    parameters=st.none() | schemas,
    strict=st.none() | st.booleans(),
    deferred=st.booleans(),
    extras=st.sampled_from([{}, {"async": True}]),
)
custom_tools = st.builds(
    ir.Tool,
    name=names,
    kind=st.just(ir.ToolKind.CUSTOM),
    description=st.none() | texts,
    format=st.sampled_from([None, {"type": "grammar", "syntax": "lark", "definition": "start: A"}]),
)
grouped = st.builds(
    msgspec.structs.replace, functions | custom_tools, namespace=names, namespace_description=texts
)
server_tools = st.just(
    ir.ServerTool(
        type="web_search",
        value={"type": "web_search", "filters": {"allowed_domains": ["a.org"]}},
        protocol=Protocol.RESPONSES,
        name="web_search",
    )
)
tools = functions | custom_tools | grouped | server_tools
tool_names = st.builds(ir.ToolName, names, st.none() | names, st.sampled_from(ir.ToolKind))
choices = st.one_of(
    st.builds(ir.ToolChoice, st.sampled_from(["auto", "none", "required"]).map(ir.ChoiceMode)),
    st.builds(lambda tool: ir.ToolChoice(ir.ChoiceMode.NAMED, (tool,)), tool_names),
    st.builds(
        ir.ToolChoice,
        st.sampled_from([ir.ChoiceMode.AUTO, ir.ChoiceMode.REQUIRED]),
        st.lists(tool_names, min_size=1, max_size=2).map(tuple),
    ),
    st.just(ir.ToolChoice(ir.ChoiceMode.NAMED, server={"type": "file_search"})),
)
reasonings = st.one_of(
    st.none(),
    st.builds(ir.Reasoning, effort=st.sampled_from(["low", "max"])),
    st.builds(ir.Reasoning, effort=st.sampled_from([None, "high"]), summary=st.just("auto")),
    st.builds(ir.Reasoning, mode=st.just(ir.ReasoningMode.OFF)),
)
formats = st.builds(ir.Format) | st.builds(
    ir.Format,
    schema=schemas,
    name=names,
    description=st.none() | texts,
    strict=st.none() | st.booleans(),
)
memories = st.one_of(
    st.none(),
    st.builds(ir.Memory, st.just("previous_response_id"), ids),
    st.builds(ir.Memory, st.just("conversation"), st.just({"id": "conv_1"})),
)
numbers = st.none() | st.floats(0, 1)
rest = st.sampled_from(
    [
        {},
        {"client_metadata": {"a": "b"}, "include": ["file_search_call.results"]},
        {"reasoning.context": "all_turns", "text.nested": {"a": 1}, "truncation": "auto"},
    ]
)

requests = st.builds(
    ir.Request,
    protocol=st.just(Protocol.RESPONSES),
    model=st.just("gpt-5.6"),
    messages=messages(),
    tools=st.lists(tools, max_size=3).map(tuple),
    tool_choice=st.none() | choices,
    parallel=st.none() | st.booleans(),
    max_tokens=st.none() | tokens,
    temperature=numbers,
    top_p=numbers,
    logprobs=st.sampled_from([None, True]),
    top_logprobs=st.none() | st.integers(0, 20),
    format=st.none() | formats,
    verbosity=st.sampled_from([None, "low"]),
    reasoning=reasonings,
    cache_key=st.none() | names,
    user=st.none() | names,
    safety_identifier=st.none() | names,
    metadata=st.none() | st.just({"a": "b"}),
    service_tier=st.sampled_from([None, "flex"]),
    store=st.none() | st.booleans(),
    memory=memories,
    stream=st.booleans(),
    extras=rest,
)


@given(requests)
def test_a_request_survives(asked: ir.Request) -> None:
    encoded = wire.encode_request(asked, OPENAI)
    assert encoded.losses == ()
    assert bare(wire.decode_request(encoded.body)) == bare(asked)


reasons = st.sampled_from(["stop", "length", "content_filter"])
logprobs = st.builds(
    ir.Logprob,
    words,
    st.floats(-9, 0),
    bytes=st.none() | st.just([65]),
    top_logprobs=st.lists(st.builds(ir.Logprob, words, st.floats(-9, 0)), max_size=1).map(tuple),
)
answer_parts = st.one_of(
    st.builds(ir.Text, texts, citations=st.lists(citations, max_size=1).map(tuple), extras=phases),
    st.builds(ir.Text, texts, logprobs=st.lists(logprobs, max_size=2).map(tuple)),
    st.builds(ir.Refusal, texts),
    st.builds(ir.Thinking, texts, sealed=sealed, summary=st.just(True)),
    calls,
    custom_calls,
    st.builds(
        ir.Thinking, st.just(""), sealed=sealed, redacted=st.just(True), summary=st.just(True)
    ),
    st.builds(
        ir.Media, st.just(ir.MediaKind.IMAGE), data=base64_data, media_type=st.just("image/webp")
    ),
    opaque_items,
)


@st.composite
def responses(draw: st.DrawFn) -> ir.Response:
    parts = tuple(draw(st.lists(answer_parts, max_size=4)))
    finish = fold.settle(ir.Finish(ir.FinishReason(draw(reasons))), parts)
    refused = any(isinstance(part, ir.Refusal) for part in parts)
    if finish.reason is ir.FinishReason.STOP and refused:
        finish = ir.Finish(ir.FinishReason.REFUSAL)
    searches = sum(isinstance(part, ir.Opaque) for part in parts)
    usage = msgspec.structs.replace(draw(usages), cache_write_long=draw(tokens), searches=searches)
    return ir.Response(
        parts=parts,
        finish=finish,
        usage=usage,
        id="resp_abc123",
        model="acme:m-1",
        created=draw(st.just(1_700_000_000)),
        service_tier=draw(st.sampled_from([None, "priority"])),
    )


def opened(response: ir.Response) -> ir.Response:
    """`response` as a client hands it back: states out of their envelopes, without item ids."""

    def unwrap(part: ir.AnyPart) -> ir.AnyPart:
        state = getattr(part, "sealed", None)
        found = envelope.unseal(state.value) if state else None
        return part if found is None else msgspec.structs.replace(part, sealed=found.sealed)

    return msgspec.structs.replace(response, parts=tuple(map(unwrap, response.parts)))


@given(responses())
def test_an_answer_survives(answer: ir.Response) -> None:
    encoded = wire.encode_response(answer, view(Protocol.RESPONSES))
    assert encoded.losses == ()
    assert opened(wire.decode_response(encoded.body, UPSTREAM)) == answer


@given(st.data(), responses(), st.lists(st.integers(0, 10**5), max_size=6))
def test_a_stream_survives_any_split(
    data: st.DataObject, answer: ir.Response, splits: list[int]
) -> None:
    events = data.draw(streamed(answer))
    stream = encode_stream(wire, events, view(Protocol.RESPONSES))
    assert opened(fold.fold(decode_stream(wire, stream, splits))) == answer


@given(responses())
def test_a_stream_ends_with_the_whole_answer(answer: ir.Response) -> None:
    seen = view(Protocol.RESPONSES)
    stream = encode_stream(wire, fold.unfold(answer), seen)
    *_, last = sse.read(stream)
    streamed_response = msgspec.json.decode(last.data)["response"]
    assert streamed_response == msgspec.json.decode(wire.encode_response(answer, seen).body)


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


def test_the_table_of_codecs_has_it() -> None:
    assert codec(Protocol.RESPONSES) is wire
