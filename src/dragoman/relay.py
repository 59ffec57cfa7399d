"""The hot path: one request from top to bottom.

`relay` decides where a request goes and tries lanes one after the other; an `exchange` makes the
bytes that go up and the answer that comes back. The answer's body may still be arriving when
`relay` returns; whoever sends it on closes it.
"""

from __future__ import annotations

from collections.abc import Sequence

from dragoman import edit
from dragoman.allowance import Allowance
from dragoman.calls import Answer, Call
from dragoman.edit import Document
from dragoman.errors import ModelNotAllowed, UpstreamError
from dragoman.exchange import open_exchange
from dragoman.exchange.counting import count_here, is_count
from dragoman.exchange.overhearing import overhear
from dragoman.failover import Failover, arrange
from dragoman.health import Health
from dragoman.ir import Usage
from dragoman.limits import Hold, Limits
from dragoman.limits.estimates import estimate, estimate_input
from dragoman.memory import Memory
from dragoman.prices import Prices, Rates
from dragoman.routing import Router, Target
from dragoman.upstream.seam import Transport
from dragoman.usage import Entry


async def relay(
    call: Call,
    body: bytes,
    router: Router,
    health: Health,
    memory: Memory,
    limits: Limits,
    prices: Prices,
    transport: Transport,
    entry: Entry,
) -> Answer:
    """Answers `call`, or raises a DragomanError for it.

    Each attempt and its failure is noted in `entry` and `health`. A failure that another lane may
    not share is kept from the caller as long as there is one left to try, and as long as the
    caller has not been told anything: a stream that a keep-alive has opened is not begun again.
    A key with limits sets aside what the request may use before anybody is asked; `entry.hold` is
    to be settled when all is over. What the gateway remembers of a conversation is in the request
    before it goes anywhere. A count of tokens is for the first target alone, and has no limits.
    """
    document = edit.parse(body)
    call.check_required(document)
    model = entry.asked = call.model_of(document)
    targets = _resolve(call, router, model)
    entry.stream = call.wants_stream(document)
    targets = arrange(targets, router.strategy(model), health, stream=entry.stream)
    if call.key.allowance is not None and not is_count(call.operation):
        entry.hold = _open_hold(call, document, targets, router, prices)
        await limits.reserve(entry.hold, call.key.name)
    turn = await memory.resume(call, document)
    if is_count(call.operation):
        target, *_ = targets = targets[:1]
        if turn.resolved or not target.provider.speaks(call.operation, router.model(target)):
            return count_here(call, turn.document, target, entry)
    entry.target = targets[0]
    failover = Failover(targets, health, router.retry, stands_in=call.falls_back)
    while (lane := await failover.next()) is not None:
        _turn_to(lane.target, entry)
        exchange = open_exchange(call, lane.target, router.model(lane.target), turn)
        request = exchange.request(turn.document, entry.stream, lane.key, entry)
        entry.begin_attempt(lane.target)
        try:
            with health.trial(lane, stream=entry.stream):
                response = await transport.send(request)
                if entry.transcript is not None:
                    response = overhear(request, response, entry.transcript)
                answer = await exchange.answer(response, entry)
            return answer if entry.translation == "none" else await memory.keep(call, turn, answer)
        except UpstreamError as error:
            entry.fail_attempt(error)
            failover.fail(lane, error)
            if not error.retryable or entry.status:
                raise
    raise failover.failure()


def _open_hold(
    call: Call, document: Document, targets: Sequence[Target], router: Router, prices: Prices
) -> Hold:
    """What the request may use, at the dearest of its targets."""
    allowance = call.key.allowance or Allowance()
    hold = Hold(call.key.id, allowance)
    if allowance.needs_estimate:
        usage = Usage(input=estimate_input(document))
        choices: list[tuple[Rates | None, int | None]] = []
        for target in targets:
            model = router.model(target)
            rates = prices.find(target.provider, target.model, usage)
            choices.append((rates, model.max_output if model else None))
        hold.demand = estimate(document, call.operation, choices)
    return hold


def _turn_to(target: Target, entry: Entry) -> None:
    """Takes back what an attempt before this one has noted of its answer."""
    entry.target = target
    entry.translation, entry.dropped = "none", ()
    entry.usage = entry.first_byte = None


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
