"""The hot path: one request from top to bottom.

`relay` decides where a request goes and tries the targets in order; an `exchange` makes the bytes
that go up and the answer that comes back. The answer's body may still be arriving when `relay`
returns; whoever sends it on closes it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dragoman import edit
from dragoman.calls import Answer, Call
from dragoman.errors import ModelNotAllowed, UpstreamError
from dragoman.exchange import open_exchange
from dragoman.routing import Router, Target
from dragoman.upstream.seam import Transport
from dragoman.usage import Entry


async def relay(
    call: Call, body: bytes, router: Router, transport: Transport, entry: Entry
) -> Answer:
    """Answers `call`, or raises a DragomanError for it.

    Each attempt and its failure is noted in `entry`. A failure that another key or target may not
    share is kept from the caller as long as there is one left to try.
    """
    document = edit.parse(body)
    call.check_required(document)
    targets = _resolve(call, router, call.model_of(document))
    entry.stream = call.wants_stream(document)
    attempts = list(_attempts(targets))
    for number, (target, key) in enumerate(attempts, 1):
        exchange = open_exchange(call, target, router.model(target))
        entry.begin_attempt(target)
        try:
            response = await transport.send(exchange.request(document, entry.stream, key, entry))
            return await exchange.answer(response, entry)
        except UpstreamError as error:
            entry.fail_attempt(error)
            if not error.retryable or number == len(attempts):
                raise
    raise AssertionError("a model name has at least one target, and a target at least one attempt")


def _resolve(call: Call, router: Router, model: str) -> Sequence[Target]:
    """The targets of the request that its key may use."""
    if call.provider_id is None:
        targets = router.resolve(model)
    else:
        targets = router.resolve_at(call.provider_id, model)
    if call.key.allows(model):  # an alias that is allowed by its name
        return targets
    allowed = [target for target in targets if call.key.allows(target.name)]
    if not allowed:
        raise ModelNotAllowed(
            f"The key `{call.key.name}` may not use `{targets[0].name}`: its models are"
            f" {', '.join(f'`{each}`' for each in call.key.models)}.",
            param="model",
        )
    return allowed


def _attempts(targets: Sequence[Target]) -> Iterator[tuple[Target, str | None]]:
    """Every key of every target, in order; a provider without keys gets one attempt."""
    for target in targets:
        for key in target.provider.api_keys or (None,):
            yield target, key
