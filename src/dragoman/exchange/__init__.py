"""One attempt at one target: what goes up, and what its answer becomes.

`passthrough` where provider and caller speak the same protocol, `translation` where they do not,
`counting` where only a number of tokens is asked for; `open_exchange` decides which, `outgoing` is
what they send.
"""

from __future__ import annotations

import typing

from dragoman import envelope
from dragoman.calls import Answer, Call
from dragoman.edit import Document
from dragoman.errors import UnsupportedProviderType
from dragoman.exchange.counting import Count, is_count
from dragoman.exchange.passthrough import Passthrough
from dragoman.exchange.translation import Translation, translated_operation
from dragoman.memory import Continuation
from dragoman.providers.provider import Model
from dragoman.routing import Target
from dragoman.upstream.seam import Request, Response
from dragoman.usage import Entry

_SEALED = envelope.PREFIX.encode()


class Exchange(typing.Protocol):
    """One attempt; made for one request and one target, used once."""

    def request(self, document: Document, stream: bool, key: str | None, entry: Entry) -> Request:
        """The request that goes upstream. Raises CallerError where it cannot be made."""
        ...

    async def answer(self, response: Response, entry: Entry) -> Answer:
        """The answer for the client. Raises UpstreamError where the provider's is none."""
        ...


def open_exchange(call: Call, target: Target, model: Model | None, turn: Continuation) -> Exchange:
    """The exchange for `call` at `target`; `model` is what is known of the target's model.

    A request that holds what no provider can read (items that the gateway itself remembers, state
    that it sealed for another provider) is translated also where the provider speaks the caller's
    protocol.

    Raises UnsupportedProviderType where the provider has nothing that the operation could use.
    """
    provider = target.provider
    if provider.speaks(call.operation, model):
        if is_count(call.operation):
            return Count(call, target)
        if not turn.resolved and _SEALED not in turn.document.body:
            return Passthrough(call, target)
        return Translation(call, target, call.operation, model, turn)
    operation = translated_operation(call.operation, provider, model)
    if operation is not None:
        return Translation(call, target, operation, model, turn)
    spoken = ", ".join(sorted(provider.protocols)) or "nothing that Dragoman relays"
    raise UnsupportedProviderType(
        f"The provider `{provider.id}` (type `{provider.type}`) has no {call.operation.protocol},"
        f" and what it speaks ({spoken}) cannot stand in for it.",
        param="model",
    )
