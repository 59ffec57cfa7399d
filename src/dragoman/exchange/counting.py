"""How many tokens a request has: asked of the provider that can say, else counted here.

A provider that speaks the caller's protocol is asked first. Copies of an API often lack its
counting: where one answers that it has no such thing, and where the protocols differ, the gateway
counts by itself and says so in the header `x-dragoman-estimate: true`.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from dragoman.calls import Answer, Call
from dragoman.edit import Document
from dragoman.exchange.passthrough import Passthrough
from dragoman.protocols import COUNT_TOKENS, GEMINI_COUNT_TOKENS, INPUT_TOKENS, Operation
from dragoman.providers.vendors import is_genuine
from dragoman.routing import Target
from dragoman.tokens import count_request
from dragoman.upstream.seam import Request, Response
from dragoman.usage import Entry
from dragoman.wire import codec
from dragoman.wire.losses import refuse_memory

_SHAPES: dict[Operation, Callable[[int], dict[str, object]]] = {
    COUNT_TOKENS: lambda count: {"input_tokens": count},
    INPUT_TOKENS: lambda count: {"object": "response.input_tokens", "input_tokens": count},
    GEMINI_COUNT_TOKENS: lambda count: {"totalTokens": count},
}
_HEADERS = [(b"content-type", b"application/json"), (b"x-dragoman-estimate", b"true")]
_HAS_NO_SUCH_THING = frozenset({404, 405, 501})
_LONGEST_REFUSAL = 64 * 1024


def is_count(operation: Operation) -> bool:
    """Whether the operation only asks for a number of tokens."""
    return operation in _SHAPES


def count_here(call: Call, document: Document, target: Target, entry: Entry) -> Answer:
    """The gateway's own count for the model of `target`, in the caller's shape.

    Raises InvalidRequest, and what `refuse_memory` raises: what is remembered elsewhere cannot be
    counted here.
    """
    request = codec(call.operation.protocol).decode_request(document.body)
    refuse_memory(request)
    entry.target = target
    count = count_request(request, target.model)
    return Answer(200, list(_HEADERS), msgspec.json.encode(_SHAPES[call.operation](count)))


class Count(Passthrough):
    """One attempt to have the provider count."""

    def __init__(self, call: Call, target: Target) -> None:
        super().__init__(call, target)
        self._document = Document(b"{}", {})

    def request(self, document: Document, stream: bool, key: str | None, entry: Entry) -> Request:
        """The caller's body with its named edits."""
        self._document = document
        return super().request(document, stream, key, entry)

    async def answer(self, response: Response, entry: Entry) -> Answer:
        """The provider's count, or the gateway's where the provider has no counting. That a model
        is missing is told by 404 as well, so the protocol's own vendor is taken at its word."""
        provider, protocol = self.target.provider, self.call.operation.protocol
        if response.status in _HAS_NO_SUCH_THING and not is_genuine(provider, protocol):
            await response.read(_LONGEST_REFUSAL)
            await response.aclose()
            return count_here(self.call, self._document, self.target, entry)
        return await super().answer(response, entry)
