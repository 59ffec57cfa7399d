"""A provider's stream or answer, translated for a caller: the stages in their order.

SSE event -> the provider's decoder -> sequencer -> tools restored -> the caller's encoder -> bytes
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from dragoman import ir, sse
from dragoman.errors import DragomanError, UpstreamRefused
from dragoman.protocols import Protocol
from dragoman.sequencer import Sequencer
from dragoman.wire import CallerView, Encoded, StreamDecoder, StreamEncoder, Target, codec
from dragoman.wire.overflow import recognise
from dragoman.wire.toolbox import Toolbox, unwrap


class StreamTranslation:
    """One stream on its way from `target`, which was asked, to the caller.

    `usage` and `finish` become known as events pass; `begun` once there is more than a greeting;
    `error` is set once the stream has failed; `losses` are what the caller's protocol could not
    show.
    """

    def __init__(self, target: Target, view: CallerView) -> None:
        self._decoder: StreamDecoder = codec(target.protocol).stream_decoder(target.origin)
        self._encoder: StreamEncoder = codec(view.request.protocol).stream_encoder(view)
        self._sequencer = Sequencer()
        self._toolbox = toolbox_of(view.request, target)
        self._wrapped: list[str] | None = None  # the arguments of an open wrapped custom call
        self.error: DragomanError | None = None
        self.begun = False

    def feed(self, event: sse.Event) -> bytes:
        """What the caller gets for one event of the provider's."""
        return self._pass(self._decoder.feed(event))

    def close(self) -> bytes:
        """The end of the provider's stream: an error event where it came too early."""
        return self._pass(self._decoder.close())

    def fail(self, error: DragomanError) -> bytes:
        """Ends the caller's stream with `error`, unless it has ended already."""
        return self._pass((ir.StreamError(error),))

    @property
    def usage(self) -> ir.Usage:
        return self._sequencer.usage

    @property
    def finish(self) -> ir.Finish | None:
        return self._sequencer.finish

    @property
    def losses(self) -> tuple[ir.Loss, ...]:
        return tuple(self._encoder.losses)

    def _pass(self, events: Iterable[ir.Event]) -> bytes:
        written = b""
        for loose in events:
            if isinstance(loose, ir.StreamError) and isinstance(loose.error, UpstreamRefused):
                loose = ir.StreamError(recognise(loose.error))
            for event in self._sequencer.feed(loose):
                if self._toolbox is not None:
                    for restored in self._restore(event, self._toolbox):
                        written += self._encoder.feed(restored)
                else:
                    written += self._encoder.feed(event)
                if isinstance(event, ir.StreamError):
                    self.error = event.error
                elif not isinstance(event, ir.Start | ir.KeepAlive):
                    self.begun = True
        return written

    def _restore(self, event: ir.Event, toolbox: Toolbox) -> Iterable[ir.Event]:
        """Calls under the names that the caller knows. The input of a wrapped custom tool is taken
        out of its JSON once it is complete."""
        match event:
            case ir.PartStart(part=ir.ToolCall() as call):
                if toolbox.wraps(call.name):
                    self._wrapped = [call.arguments]
                    call = msgspec.structs.replace(call, arguments="")
                    return (ir.PartStart(event.index, toolbox.restore(call)),)
                return (ir.PartStart(event.index, toolbox.restore(call)),)
            case ir.Delta() if self._wrapped is not None:
                self._wrapped.append(event.text)
                return ()
            case ir.PartEnd() if self._wrapped is not None:
                text = unwrap("".join(self._wrapped))
                self._wrapped = None
                return (ir.Delta(event.index, text), event) if text else (event,)
            case _:
                return (event,)


def toolbox_of(request: ir.Request, target: Target) -> Toolbox | None:
    """The toolbox that `target`'s encoder used, where it changed any name or form. OpenAI's own
    Responses has namespaces and custom tools itself."""
    if target.genuine and target.protocol is Protocol.RESPONSES:
        return None
    toolbox = Toolbox(request, custom=target.genuine and target.protocol is Protocol.CHAT)
    return toolbox if toolbox.changes else None


def translate_answer(body: bytes, target: Target, view: CallerView) -> tuple[Encoded, ir.Response]:
    """A whole answer for the caller, and what it said. Raises UpstreamError."""
    try:
        response = codec(target.protocol).decode_response(body, target.origin)
    except UpstreamRefused as error:
        raise recognise(error) from None
    toolbox = toolbox_of(view.request, target)
    if toolbox is not None:
        response = msgspec.structs.replace(response, parts=toolbox.restore_all(response.parts))
    return codec(view.request.protocol).encode_response(response, view), response
