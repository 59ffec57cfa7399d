"""Codecs: the four protocols, each translated to and from the neutral form of `ir`.

A codec is a module (or a package) that has the functions of `Codec`. All of them are pure and
synchronous: bytes and values in, values and bytes out; they know no clock, no randomness, no
network and no other codec. To add one, write the module and add its row to `_MODULES`.

Two more rules hold for all of them. What the target cannot express is returned as a `Loss` whose
path is in the caller's words, or refused with `Untranslatable` where dropping it would change
what the request means; it is never dropped in silence. And garbage raises a `DragomanError`:
`InvalidRequest` for the caller's, `UpstreamError` for the provider's.
"""

from __future__ import annotations

import importlib
import typing
from collections.abc import Sequence
from typing import Any, cast

import msgspec

from dragoman import ir, sse
from dragoman.protocols import Protocol

_MODULES = {
    Protocol.CHAT: "dragoman.wire.openai_chat",
    Protocol.RESPONSES: "dragoman.wire.openai_responses",
    Protocol.MESSAGES: "dragoman.wire.anthropic_messages",
    Protocol.GEMINI: "dragoman.wire.gemini",
}


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """What an encoder must know of the destination of a request.

    `max_output` is the model's limit in tokens: larger caps are clamped, as a loss. `genuine`
    says that the provider is the protocol's own vendor, so that fields which copies of its API
    mostly lack may be sent (custom tools, `developer` messages, `max_completion_tokens`,
    `service_tier` at OpenAI). `reasons` says whether the model reasons at all, None that nobody
    knows (then its name decides, at vendors whose names tell). `stream_usage` is false where the
    provider refuses `stream_options`.
    """

    provider: str
    protocol: Protocol
    model: str
    max_output: int | None = None
    genuine: bool = False
    reasons: bool | None = None
    stream_usage: bool = True

    @property
    def origin(self) -> ir.Origin:
        """The origin whose sealed state this target can read."""
        return ir.Origin(self.provider, self.protocol)

    def reads(self, sealed: ir.Sealed) -> bool:
        """Whether the target made `sealed`. State of an unknown provider came out of this very
        protocol's slot, unwrapped, as a relay leaves it; it is given the benefit of the doubt."""
        origin = sealed.origin
        return origin.protocol is self.protocol and origin.provider in ("", self.provider)


class Encoded(msgspec.Struct, frozen=True):
    """A translated body, and what it could not hold."""

    body: bytes
    losses: tuple[ir.Loss, ...] = ()


class CallerView(msgspec.Struct, frozen=True, kw_only=True):
    """How the caller is to see the answer.

    `model` is the name that it asked for; `id` is a fresh token of letters and digits, to which
    the codec adds its protocol's prefix; `created` is in Unix seconds; `request` is what was
    asked, for fields that the answer repeats or depends on (`stream_usage`, tools); `request_id`
    goes into error bodies.
    """

    model: str
    id: str
    created: int
    request: ir.Request
    request_id: str = ""


class StreamDecoder(typing.Protocol):
    """Reads one stream of a provider. Emits the loose grammar of `ir`."""

    def feed(self, event: sse.Event) -> Sequence[ir.Event]:
        """What one SSE event means; never raises on garbage, but emits a `StreamError`."""
        ...

    def close(self) -> Sequence[ir.Event]:
        """What the end of the stream means: nothing after a terminal event, else a
        `StreamError` of an `UpstreamDied`."""
        ...


class StreamEncoder(typing.Protocol):
    """Writes one stream for a caller. Takes the strict grammar of `ir`. `losses` grows as parts
    come that the caller's protocol cannot show."""

    losses: list[ir.Loss]

    def feed(self, event: ir.Event) -> bytes:
        """The framed SSE events for `event`; may be empty. After `Finished` or `StreamError`
        the stream is complete, terminal event included."""
        ...


@typing.runtime_checkable
class Codec(typing.Protocol):
    """One protocol. Modules satisfy it with functions of these names."""

    def decode_request(self, body: bytes) -> ir.Request:
        """Raises InvalidJson or InvalidRequest, naming the member at fault."""
        ...

    def encode_request(self, request: ir.Request, target: Target) -> Encoded:
        """Raises Untranslatable."""
        ...

    def decode_response(self, body: bytes, origin: ir.Origin) -> ir.Response:
        """Raises UpstreamError where the body is not an answer of this protocol."""
        ...

    def encode_response(self, response: ir.Response, view: CallerView) -> Encoded: ...

    def stream_decoder(self, origin: ir.Origin) -> StreamDecoder: ...

    def stream_encoder(self, view: CallerView) -> StreamEncoder: ...


def codec(protocol: Protocol) -> Codec:
    """The codec of `protocol`, loaded on first use. KeyError for protocols that have none."""
    module: Any = importlib.import_module(_MODULES[protocol])
    return cast("Codec", module)
