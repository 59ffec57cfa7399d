"""Laws: what Gemini can say survives its own bytes; garbage is an error, never a crash."""

from __future__ import annotations

from itertools import pairwise

import msgspec
import pytest
from conversations import (
    PROVIDER,
    bare,
    base64_data,
    encode_stream,
    enveloped,
    json_objects,
    json_text,
    names,
    schemas,
    streamed,
    target,
    texts,
    tokens,
    urls,
    view,
    words,
)
from google.genai import types
from hypothesis import given
from hypothesis import strategies as st

from dragoman import fold, ir, sse
from dragoman.errors import DragomanError
from dragoman.protocols import Protocol
from dragoman.sequencer import Sequencer
from dragoman.wire import gemini as wire

UNKNOWN = ir.Origin("", Protocol.GEMINI)
UPSTREAM = ir.Origin(PROVIDER, Protocol.GEMINI)

signatures = st.none() | st.builds(ir.Sealed, base64_data, st.just(UNKNOWN))
text_parts = st.builds(ir.Text, texts)
media = st.one_of(
    st.builds(
        ir.Media,
        st.just(ir.MediaKind.IMAGE),
        data=base64_data,
        media_type=st.just("image/png"),
        extras=st.sampled_from([{}, {"mediaResolution": {"level": "MEDIA_RESOLUTION_LOW"}}]),
    ),
    st.builds(
        ir.Media,
        st.just(ir.MediaKind.DOCUMENT),
        url=urls,
        media_type=st.just("application/pdf"),
        name=st.none() | names,
    ),
    st.builds(
        ir.Media,
        st.just(ir.MediaKind.VIDEO),
        file_id=names.map("files/{}".format),
        media_type=st.just("video/mp4"),
    ),
)
opaque = st.builds(
    lambda code: ir.Opaque(
        {"executableCode": {"language": "PYTHON", "code": code}},
        Protocol.GEMINI,
        text=f"```python\n{code}\n```",
    ),
    texts,
)


@st.composite
def turns(draw: st.DrawFn) -> tuple[ir.Message, ...]:
    """A conversation of turns in which each result answers a call of the turn before."""
    messages: list[ir.Message] = []
    if draw(st.booleans()):
        messages.append(ir.Message(ir.Role.SYSTEM, (draw(text_parts),)))
    calls: list[ir.ToolCall] = []
    for number in range(draw(st.integers(1, 3))):
        results = [
            ir.ToolResult(
                call.id,
                tuple(draw(st.lists(text_parts, max_size=1)) + draw(st.lists(media, max_size=1))),
                is_error=draw(st.booleans()),
                name=call.name,
            )
            for call in calls
        ]
        results = [
            result
            if result.parts[:1] and isinstance(result.parts[0], ir.Text)
            else msgspec.structs.replace(result, is_error=False)
            for result in results
        ]
        said = draw(st.lists(text_parts | media, min_size=0 if results else 1, max_size=2))
        messages.append(ir.Message(ir.Role.USER, (*results, *said)))
        parts: list[ir.AnyPart] = []
        if draw(st.booleans()):
            parts.append(ir.Thinking(draw(texts), sealed=draw(signatures)))
        if draw(st.booleans()):
            parts.append(ir.Text(draw(texts), sealed=draw(signatures)))
        parts += draw(st.lists(opaque, max_size=1))
        calls = [
            ir.ToolCall(
                f"call{number}{index}",
                draw(names),
                json_text(draw(json_objects)),
                sealed=draw(signatures),
            )
            for index in range(draw(st.integers(0, 2)))
        ]
        parts += calls
        if draw(st.booleans()) or not parts:
            sealed = ir.Sealed(draw(base64_data), UNKNOWN)
            parts.append(ir.Thinking("", sealed=sealed, redacted=True))
        messages.append(ir.Message(ir.Role.ASSISTANT, tuple(parts)))
    return tuple(messages)


tools = st.builds(
    ir.Tool, name=names, description=st.none() | texts, parameters=st.none() | schemas
)
searches = st.just(
    ir.ServerTool(
        type="googleSearch",
        value={"googleSearch": {}},
        protocol=Protocol.GEMINI,
        name="googleSearch",
    )
)
choices = st.one_of(
    st.builds(ir.ToolChoice, st.sampled_from(["auto", "none", "required"]).map(ir.ChoiceMode)),
    st.builds(lambda name: ir.ToolChoice(ir.ChoiceMode.NAMED, (ir.ToolName(name),)), names),
)
reasonings = st.one_of(
    st.builds(ir.Reasoning, effort=st.sampled_from(["minimal", "high"]), show=st.booleans()),
    st.builds(ir.Reasoning, mode=st.just(ir.ReasoningMode.ON), budget=st.integers(1, 9999)),
    st.sampled_from(
        [
            None,
            ir.Reasoning(mode=ir.ReasoningMode.OFF),
            ir.Reasoning(mode=ir.ReasoningMode.ADAPTIVE, show=True),
            ir.Reasoning(show=False),
        ]
    ),
)
formats = st.sampled_from([None, ir.Format()]) | st.builds(ir.Format, schema=schemas)
numbers = st.none() | st.floats(0, 2)
counts = st.none() | st.integers(0, 10**6)
EXTRAS = {
    "generationConfig.mediaResolution": "MEDIA_RESOLUTION_LOW",
    "safetySettings": [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "OFF"}],
    "labels": {"a_b": "c"},
}


@st.composite
def requests(draw: st.DrawFn) -> ir.Request:
    functions = draw(st.lists(tools, max_size=2, unique_by=lambda tool: tool.name))
    return ir.Request(
        protocol=Protocol.GEMINI,
        model="",
        messages=draw(turns()),
        tools=(*functions, *draw(st.lists(searches, max_size=1))),
        tool_choice=draw(st.none() | choices) if functions else None,
        max_tokens=draw(counts),
        temperature=draw(numbers),
        top_p=draw(numbers),
        top_k=draw(counts),
        frequency_penalty=draw(numbers),
        presence_penalty=draw(numbers),
        seed=draw(counts),
        stop=tuple(draw(st.lists(texts, max_size=3))),
        n=draw(st.none() | st.integers(1, 3)),
        logprobs=draw(st.none() | st.booleans()),
        top_logprobs=draw(st.none() | st.integers(0, 5)),
        format=draw(formats),
        reasoning=draw(reasonings),
        service_tier=draw(st.sampled_from([None, "flex"])),
        store=draw(st.none() | st.booleans()),
        memory=draw(st.sampled_from([None, ir.Memory("cachedContent", "cachedContents/1")])),
        extras=draw(st.sampled_from([{}, EXTRAS])),
    )


@given(requests())
def test_a_request_survives(asked: ir.Request) -> None:
    encoded = wire.encode_request(asked, target(Protocol.GEMINI, genuine=True))
    assert encoded.losses == ()
    assert bare(wire.decode_request(encoded.body)) == bare(asked)


@given(requests())
def test_google_knows_every_member_that_is_sent(asked: ir.Request) -> None:
    body = msgspec.json.decode(wire.encode_request(asked, target(Protocol.GEMINI)).body)
    for content in body["contents"]:
        types.Content.model_validate(content)
    for tool in body.get("tools", ()):
        types.Tool.model_validate(tool)
    if "toolConfig" in body:
        types.ToolConfig.model_validate(body["toolConfig"])
    if "generationConfig" in body:
        types.GenerationConfig.model_validate(body["generationConfig"])


upstream_signatures = st.none() | st.builds(ir.Sealed, base64_data, st.just(UPSTREAM))
logprobs = st.builds(
    lambda token, logprob, others: ir.Logprob(
        token, logprob, top_logprobs=tuple(ir.Logprob(other, -9.0) for other in others)
    ),
    words,
    st.floats(-9, 0),
    st.lists(words, max_size=2),
)
usages = st.builds(ir.Usage, input=tokens, cache_read=tokens, output=tokens, reasoning=tokens)
finishes = st.sampled_from(
    [
        ir.Finish(ir.FinishReason.STOP),
        ir.Finish(ir.FinishReason.LENGTH),
        ir.Finish(ir.FinishReason.CONTENT_FILTER, None, "SAFETY", "why"),
        ir.Finish(ir.FinishReason.CONTENT_FILTER, None, "RECITATION"),
        ir.Finish(ir.FinishReason.ERROR, None, "MALFORMED_FUNCTION_CALL"),
    ]
)


@st.composite
def cited_texts(draw: st.DrawFn) -> ir.Text:
    text = draw(texts)
    citations: list[ir.Citation] = []
    for _ in range(draw(st.integers(0, 2))):
        start, end = sorted((draw(st.integers(0, len(text))), draw(st.integers(0, len(text)))))
        citations.append(
            ir.Citation(url=draw(urls), title=draw(st.none() | names), start=start, end=end)
        )
    citations = list(dict.fromkeys(citations))
    found = tuple(draw(st.lists(logprobs, max_size=2)))
    return ir.Text(text, citations=tuple(citations), logprobs=found)


@st.composite
def responses(draw: st.DrawFn) -> ir.Response:
    parts: list[ir.AnyPart] = []
    if draw(st.booleans()):
        sealed = draw(upstream_signatures) or ir.Sealed("", UPSTREAM)
        parts.append(ir.Thinking(draw(texts), sealed=sealed))
    if draw(st.booleans()):
        parts.append(draw(cited_texts()))
    if draw(st.booleans()):
        parts.append(ir.Media(ir.MediaKind.IMAGE, data=draw(base64_data), media_type="image/png"))
    parts += [
        ir.ToolCall(
            f"call{index}",
            draw(names),
            json_text(draw(json_objects)),
            sealed=draw(upstream_signatures),
        )
        for index in range(draw(st.integers(0, 2)))
    ]
    if draw(st.booleans()) or not parts:
        sealed = ir.Sealed(draw(base64_data), UPSTREAM)
        parts.append(ir.Thinking("", sealed=sealed, redacted=True))
    return ir.Response(
        parts=tuple(parts),
        finish=fold.settle(draw(finishes), parts),
        usage=draw(usages),
        id="abc123",
        model="acme:m-1",
    )


@given(responses(), st.lists(responses(), max_size=1))
def test_an_answer_survives(answer: ir.Response, more: list[ir.Response]) -> None:
    others = tuple(ir.Choice(each.parts, each.finish) for each in more)
    answer = msgspec.structs.replace(answer, others=others)
    body = wire.encode_response(answer, view(Protocol.GEMINI)).body
    types.GenerateContentResponse.model_validate_json(body)
    found = wire.decode_response(body, UPSTREAM)
    first, expected = (msgspec.structs.replace(each, others=()) for each in (found, answer))
    assert first == enveloped(expected, UPSTREAM)
    for other, choice in zip(more, found.others, strict=True):
        assert choice == ir.Choice(enveloped(other, UPSTREAM).parts, other.finish)


def decode_stream(stream: bytes, splits: list[int]) -> list[ir.Event]:
    decoder, sequencer, reader = wire.stream_decoder(UPSTREAM), Sequencer(), sse.Reader()
    cuts = sorted({0, len(stream), *(cut % (len(stream) + 1) for cut in splits)})
    events: list[ir.Event] = []
    for start, end in pairwise(cuts):
        for event in reader.feed(stream[start:end]):
            for loose in decoder.feed(event):
                events += sequencer.feed(loose)
    for loose in decoder.close():
        events += sequencer.feed(loose)
    return events


def without_early_citations(answer: ir.Response) -> ir.Response:
    """`answer` without citations that its stream would tell too late: they come in the last chunk,
    when only a text with nothing but state behind it is still open."""
    whole = any(isinstance(part, ir.ToolCall | ir.Media) for part in answer.parts)
    parts = tuple(
        msgspec.structs.replace(part, citations=()) if whole and isinstance(part, ir.Text) else part
        for part in answer.parts
    )
    return msgspec.structs.replace(answer, parts=parts)


@given(st.data(), responses(), st.lists(st.integers(0, 10**5), max_size=6))
def test_a_stream_survives_any_split(
    data: st.DataObject, answer: ir.Response, splits: list[int]
) -> None:
    answer = without_early_citations(answer)
    events = data.draw(streamed(answer))
    stream = encode_stream(wire, events, view(Protocol.GEMINI))
    for event in sse.read(stream):
        chunk = types.GenerateContentResponse.model_validate_json(event.data)
        assert chunk.candidates
        assert chunk.candidates[0].content
        assert chunk.candidates[0].content.parts
    assert fold.fold(decode_stream(stream, splits)) == enveloped(answer, UPSTREAM)


@given(st.data(), responses())
def test_state_comes_back_from_a_client_that_collects_chunks(
    data: st.DataObject, answer: ir.Response
) -> None:
    """A client hands the contents of all chunks back, one after the other."""
    stream = encode_stream(wire, data.draw(streamed(answer)), view(Protocol.GEMINI))
    contents = [
        msgspec.json.decode(event.data)["candidates"][0]["content"] for event in sse.read(stream)
    ]
    asked = wire.decode_request(msgspec.json.encode({"contents": contents}))
    (turn,) = asked.messages
    expected = [
        (type(part), getattr(part, "text", None), getattr(part, "sealed", None))
        for part in answer.parts
    ]
    assert [
        (type(part), getattr(part, "text", None), getattr(part, "sealed", None))
        for part in turn.parts
    ] == expected


@given(st.binary() | json_objects.map(msgspec.json.encode))
def test_garbage_is_a_clear_error(body: bytes) -> None:
    with pytest.raises(DragomanError):
        wire.decode_request(body)
    with pytest.raises(DragomanError):
        wire.decode_response(body, UPSTREAM)


MEMBERS = (
    *("contents", "systemInstruction", "tools", "toolConfig", "generationConfig", "parts", "role"),
    *("text", "thought", "thoughtSignature", "functionCall", "functionResponse", "inlineData"),
    *("fileData", "name", "args", "response", "id", "functionDeclarations", "parameters"),
    *("responseSchema", "responseMimeType", "thinkingConfig", "candidates", "content"),
    *("finishReason", "promptFeedback", "blockReason", "usageMetadata", "groundingMetadata"),
    *("groundingChunks", "groundingSupports", "segment", "logprobsResult", "error", "code"),
)
plausible = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(["user", "STOP", "AUTO", ""]),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(MEMBERS), inner, max_size=4)
    ),
    max_leaves=20,
)
bodies = st.dictionaries(st.sampled_from(MEMBERS), plausible, max_size=5).map(msgspec.json.encode)


@given(bodies)
def test_members_in_the_wrong_place_never_crash(body: bytes) -> None:
    for read in (
        lambda: wire.encode_request(wire.decode_request(body), target(Protocol.GEMINI)),
        lambda: wire.decode_response(body, UPSTREAM),
    ):
        try:
            read()
        except DragomanError:
            continue


@given(st.lists(st.binary() | bodies, max_size=3))
def test_a_garbled_stream_never_crashes(pieces: list[bytes]) -> None:
    decoder, sequencer = wire.stream_decoder(UPSTREAM), Sequencer()
    events: list[ir.Event] = []
    for piece in pieces:
        for loose in decoder.feed(sse.Event(b"", piece)):
            events += sequencer.feed(loose)
    for loose in decoder.close():
        events += sequencer.feed(loose)
    assert isinstance(events[-1], ir.StreamError | ir.Finished)


def test_deep_nesting_is_a_clear_error() -> None:
    for opened, closed in ((b"[", b"]"), (b'{"a":', b"}")):
        deep = opened * 900 + b"1" + closed * 900
        with pytest.raises(DragomanError):
            wire.decode_request(b'{"contents":' + deep + b"}")
