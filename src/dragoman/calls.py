"""A request as the relay sees it, and the answer that it gives."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass

from dragoman.edit import Document
from dragoman.errors import InvalidRequest
from dragoman.header_policy import Header
from dragoman.keys import GatewayKey
from dragoman.protocols import Operation

_MODEL_EXPECTED = "a string such as `provider-id:model-id`"


@dataclass(frozen=True, slots=True)
class Call:
    """One request of an authenticated client.

    `headers` and `query` are as the client sent them; `provider_id` and `model` are set where the
    path names them.
    """

    operation: Operation
    key: GatewayKey
    headers: Sequence[Header]
    query: bytes
    request_id: str
    provider_id: str | None = None
    model: str | None = None

    @property
    def is_strict(self) -> bool:
        """Whether the caller would rather have an error than a loss."""
        return (b"x-dragoman-strict", b"true") in self.headers

    @property
    def falls_back(self) -> bool:
        """Whether another target may stand in for the first one."""
        return (b"x-dragoman-fallback", b"off") not in self.headers

    def model_of(self, document: Document) -> str:
        """The model that is asked for. Raises InvalidRequest where there is none."""
        model = self.model or document.read("model", str, _MODEL_EXPECTED)
        if not model:
            raise InvalidRequest(
                f"`model` is missing: it must be {_MODEL_EXPECTED}.", param="model"
            )
        return model

    def wants_stream(self, document: Document) -> bool:
        """Whether the client asks for a streamed answer."""
        if self.operation.streams == "body":
            return bool(document.read("stream", bool, "true or false"))
        return self.operation.streams == "always"

    def check_required(self, document: Document) -> None:
        """Raises InvalidRequest where a member that the operation cannot do without is missing."""
        for name in self.operation.required:
            raw = document.members.get(name)
            if raw is None or bytes(raw) == b"null":
                raise InvalidRequest(f"`{name}` is missing.", param=name)
            first = bytes(memoryview(raw)[:1])
            if name != "input" and first != b"[":
                raise InvalidRequest(f"`{name}` must be an array.", param=name)


@dataclass(frozen=True, slots=True)
class Answer:
    """A successful answer; an iterated `body` yields whole events of a stream, which follow the
    ones in `opening`."""

    status: int
    headers: list[Header]
    body: bytes | AsyncGenerator[bytes, None]
    opening: bytes = b""
