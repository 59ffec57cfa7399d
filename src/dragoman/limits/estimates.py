"""What a request may use at most, told cheaply before anybody has seen it.

Bytes stand for tokens: three of a JSON body to one is more than a tokenizer finds in all but the
densest text. The output is what the request allows itself, else the most that the model can give.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import msgspec

from dragoman.allowance import NANODOLLARS
from dragoman.edit import Document
from dragoman.limits import Demand
from dragoman.prices import Rates
from dragoman.protocols import Operation, Protocol

BYTES_PER_TOKEN = 3
USUAL_OUTPUT = 4096
"""The output where neither the request nor the model says how much there can be."""

_OUTPUT_LIMITS = ("max_tokens", "max_completion_tokens", "max_output_tokens")
_LONGEST = 10_000_000


def estimate_input(document: Document) -> int:
    """The request's input tokens, rather too many than too few."""
    return len(document.body) // BYTES_PER_TOKEN + 1


def estimate(
    document: Document,
    operation: Operation,
    choices: Iterable[tuple[Rates | None, int | None]],
) -> Demand:
    """What the request may use. `choices` are the price and the largest output of each model that
    it may go to; one without a price demands no money."""
    inputs = estimate_input(document)
    asked, answers = _read_output_limit(document)
    cost = Decimal(0)
    for rates, largest in choices:
        if rates is None:
            continue
        output = 0
        if operation.protocol is not Protocol.EMBEDDINGS:
            output = (asked or largest or USUAL_OUTPUT) * answers
        dearest_input = max(rates.input, rates.cache_write, rates.cache_write_long)
        dearest_output = max(rates.output, rates.reasoning)
        cost = max(cost, rates.request + inputs * dearest_input + output * dearest_output)
    return Demand(inputs + asked * answers, int(cost * NANODOLLARS))


def _read_output_limit(document: Document) -> tuple[int, int]:
    """How many tokens the request allows an answer, 0 where it does not say, and how many answers
    it asks for. What makes no sense is not judged here."""
    members = document.members
    limits = [_read_count(members.get(name)) for name in _OUTPUT_LIMITS]
    answers = _read_count(members.get("n"))
    configuration: Any = _read(members.get("generationConfig") or members.get("generation_config"))
    if isinstance(configuration, dict):
        limits.append(_bounded(configuration.get("maxOutputTokens")))  # pyright: ignore
        answers = max(answers, _bounded(configuration.get("candidateCount")))  # pyright: ignore
    return max(limits), max(answers, 1)


def _read(raw: msgspec.Raw | None) -> Any:
    return None if raw is None else msgspec.json.decode(raw)


def _read_count(raw: msgspec.Raw | None) -> int:
    return _bounded(_read(raw))


def _bounded(value: object) -> int:
    is_count = isinstance(value, int) and not isinstance(value, bool)
    return min(max(value, 0), _LONGEST) if is_count else 0  # pyright: ignore
