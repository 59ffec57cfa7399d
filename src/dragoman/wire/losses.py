"""Collects what a translation could not carry, in the caller's own words."""

from __future__ import annotations

from collections.abc import Iterable

from dragoman import ir
from dragoman.errors import InvalidRequest, PreviousResponseNotFound, Untranslatable
from dragoman.protocols import Protocol


class Losses:
    """The losses of one request on its way to the protocol `target`."""

    def __init__(self, request: ir.Request, target: Protocol) -> None:
        self.request = request
        self.target = target
        self.found: list[ir.Loss] = []

    def add(self, path: str, why: str) -> None:
        self.found.append(ir.Loss(path, why))

    def field(self, field: str, why: str) -> None:
        """The request's `field`, under the name that the caller gave it."""
        self.add(self.request.name(field), why)

    def unsupported(self, fields: Iterable[str]) -> None:
        """Those of `fields` that the caller set and the target does not have."""
        for field in fields:
            value = getattr(self.request, field)
            if value is not None and value is not False and value not in ((), {}):
                self.field(field, f"{self.target} has no such field")

    def extras(self, extras: Iterable[str], at: str = "") -> None:
        """Members that only the caller's protocol knows."""
        if self.request.protocol is not self.target:
            for name in extras:
                self.add(f"{at}.{name}" if at else name, f"{self.target} has no such field")

    def cache(self, cached: ir.Part | ir.Tool) -> None:
        """A cache marker that the target has no place for."""
        if cached.cache is not None:
            name = "prompt_cache_breakpoint" if self._openai_caller else "cache_control"
            self.add(f"{cached.at}.{name}", f"{self.target} has no cache breakpoints here")

    def result(self) -> tuple[ir.Loss, ...]:
        return tuple(self.found)

    @property
    def _openai_caller(self) -> bool:
        return self.request.protocol in (Protocol.CHAT, Protocol.RESPONSES)


def refuse(path: str, why: str) -> Untranslatable:
    """The error for something that must not be dropped."""
    return Untranslatable(f"`{path}` cannot be translated: {why}.", paths=[path])


def refuse_memory(request: ir.Request) -> None:
    """Raises where the caller leans on a conversation that a server would have to remember: an
    encoder must never send such a request with its beginning missing.

    Anthropic's SDKs go on without a thread on this error code.
    """
    memory = request.memory
    if memory is None:
        return
    if memory.field == "thread":
        raise InvalidRequest(
            "This model's provider keeps no threads; send the whole conversation instead.",
            param="thread",
            details={"error_code": "thread_unsupported_request"},
        )
    if memory.field == "previous_response_id":
        raise PreviousResponseNotFound(
            f"Nobody here remembers {memory.value!r}; send the whole conversation instead.",
            param=memory.field,
        )
    raise refuse(memory.field, "this model's provider keeps no conversations")
