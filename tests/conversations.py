"""Conversations for tests of the codecs: generated values, and short ways to say and read things.

The strategies give *canonical* values of a protocol: those that its own bytes can express without
a change, so that decoding what was encoded must give the same value again.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Any

import msgspec
from hypothesis import strategies as st

from dragoman import envelope, fold, ir, sse
from dragoman.protocols import Protocol
from dragoman.sequencer import Sequencer
from dragoman.wire import CallerView, Codec, Target, codec
from dragoman.wire.translation import StreamTranslation

PROVIDER = "acme"
words = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=12)
texts = words.filter(lambda text: bool(text.strip()) and not text.startswith("x-anthropic"))
names = st.from_regex(r"[a-zA-Z][a-zA-Z0-9_]{0,10}", fullmatch=True)
ids = st.from_regex(r"call_[a-zA-Z0-9]{1,12}", fullmatch=True)
tokens = st.integers(0, 10**6)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | words,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(words, inner, max_size=2),
    max_leaves=4,
)
json_objects = st.dictionaries(words, json_values, max_size=3)
schemas = st.builds(
    lambda properties: {"type": "object", "properties": properties},
    st.dictionaries(names, st.just({"type": "string"}), max_size=2),
)
base64_data = st.binary(min_size=1, max_size=8).map(lambda data: b64encode(data).decode())
urls = names.map(lambda name: f"https://example.org/{name}")


def json_text(value: Any) -> str:
    """`value` as the codecs write JSON."""
    return msgspec.json.encode(value).decode()


def target(protocol: Protocol, model: str = "m-1", **more: Any) -> Target:
    """A destination."""
    return Target(provider=PROVIDER, protocol=protocol, model=model, **more)


def request(protocol: Protocol = Protocol.CHAT, *parts: ir.AnyPart, **more: Any) -> ir.Request:
    """A request with one user message."""
    message = ir.Message(ir.Role.USER, parts or (ir.Text("Hello"),), at="messages.0")
    return ir.Request(**{"protocol": protocol, "model": "m", "messages": (message,), **more})


def view(protocol: Protocol, **more: Any) -> CallerView:
    """How a caller of `protocol` wants its answer."""
    return CallerView(
        model="acme:m-1", id="abc123", created=1_700_000_000, request=request(protocol, **more)
    )


def bare(value: Any) -> Any:
    """`value` without places and names, which belong to bytes and not to meaning."""
    plain = msgspec.to_builtins(value)

    def strip(inner: Any) -> Any:
        if isinstance(inner, dict):
            return {name: strip(member) for name, member in inner.items() if name != "at"}
        return [strip(each) for each in inner] if isinstance(inner, list | tuple) else inner

    stripped = strip(plain)
    stripped.pop("names", None)
    return stripped


def translate(
    body: dict[str, Any], source: Protocol, destination: Target
) -> tuple[dict[str, Any], dict[str, str]]:
    """A request's body in another protocol, and its losses by path."""
    encoded = codec(destination.protocol).encode_request(
        codec(source).decode_request(json.dumps(body).encode()), destination
    )
    return json.loads(encoded.body), {loss.path: loss.why for loss in encoded.losses}


def translate_answer(
    body: dict[str, Any], source: Protocol, caller: Protocol, **more: Any
) -> dict[str, Any]:
    """An answer's body in another protocol."""
    response = codec(source).decode_response(json.dumps(body).encode(), ir.Origin(PROVIDER, source))
    return json.loads(codec(caller).encode_response(response, view(caller, **more)).body)


def translate_stream(
    stream: bytes, source: Protocol, caller: Protocol, *, step: int | None = None, **more: Any
) -> bytes:
    """A provider's stream for a caller, read in chunks of `step` bytes."""
    translation = StreamTranslation(target(source), view(caller, **more))
    reader = sse.Reader()
    step = step or len(stream) or 1
    written = b""
    for at in range(0, len(stream), step):
        for event in reader.feed(stream[at : at + step]):
            written += translation.feed(event)
    for event in reader.close():
        written += translation.feed(event)
    return written + translation.close()


def events_of(stream: bytes) -> list[Any]:
    """The JSON of a stream's events; what is no JSON stands as text."""
    found: list[Any] = []
    for event in sse.read(stream):
        try:
            found.append(json.loads(event.data))
        except ValueError:
            found.append(event.data.decode())
    return found


def decode_stream(wire: Codec, stream: bytes, splits: Iterable[int] = ()) -> list[ir.Event]:
    """A provider's stream, cut at `splits`, as strict events."""
    decoder = wire.stream_decoder(ir.Origin(PROVIDER, Protocol.CHAT))
    sequencer = Sequencer()
    reader = sse.Reader()
    cuts = sorted({0, len(stream), *(cut % (len(stream) + 1) for cut in splits)})
    events: list[ir.Event] = []
    for start, end in pairwise(cuts):
        for event in reader.feed(stream[start:end]):
            for loose in decoder.feed(event):
                events += sequencer.feed(loose)
    for loose in decoder.close():
        events += sequencer.feed(loose)
    return events


def encode_stream(wire: Codec, events: Iterable[ir.Event], seen: CallerView) -> bytes:
    """A caller's stream."""
    encoder = wire.stream_encoder(seen)
    return b"".join(encoder.feed(event) for event in events)


def enveloped(response: ir.Response, origin: ir.Origin) -> ir.Response:
    """`response` as a client hands it to a second gateway: its states are envelopes now."""

    def wrap(part: ir.AnyPart) -> ir.AnyPart:
        sealed = getattr(part, "sealed", None)
        if sealed is None:
            return part
        value = envelope.seal(sealed)
        return msgspec.structs.replace(part, sealed=ir.Sealed(value, origin))

    return msgspec.structs.replace(response, parts=tuple(map(wrap, response.parts)))


@st.composite
def streamed(draw: st.DrawFn, response: ir.Response) -> list[ir.Event]:
    """`response` as strict events whose text comes in pieces."""
    events: list[ir.Event] = []
    for event in fold.unfold(response):
        part = event.part if isinstance(event, ir.PartStart) else None
        if isinstance(part, ir.ToolCall):
            events.append(ir.PartStart(event.index, msgspec.structs.replace(part, arguments="")))
            events += _pieces(draw, event.index, part.arguments)
        elif isinstance(part, ir.Text | ir.Thinking | ir.Refusal) and not getattr(
            part, "redacted", False
        ):
            opened = msgspec.structs.replace(part, text="")
            pieces = list(_pieces(draw, event.index, part.text))
            if isinstance(part, ir.Text) and pieces:
                opened = msgspec.structs.replace(opened, logprobs=())
                pieces[0] = ir.Delta(event.index, pieces[0].text, part.logprobs)
            events += [ir.PartStart(event.index, opened), *pieces]
        else:
            events.append(event)
    return events


def _pieces(draw: st.DrawFn, index: int, text: str) -> Iterator[ir.Delta]:
    cuts = sorted(draw(st.sets(st.integers(0, len(text)), max_size=3)) | {0, len(text)})
    for start, end in pairwise(cuts):
        yield ir.Delta(index, text[start:end])


usages = st.builds(
    ir.Usage,
    input=tokens,
    cache_read=tokens,
    cache_write=tokens,
    output=tokens,
    reasoning=tokens,
)
calls = st.builds(ir.ToolCall, ids, names, json_objects.map(json_text))
sealed = st.builds(ir.Sealed, words, st.just(ir.Origin(PROVIDER, Protocol.RESPONSES)))
thoughts = st.builds(ir.Thinking, texts, sealed=sealed)
