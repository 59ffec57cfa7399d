"""What the document says of one route, before it is put into OpenAPI's form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dragoman.http.openapi.schema import Schema
from dragoman.protocols import ErrorShape

Events = tuple[tuple[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Parameter:
    """A path or query parameter, or a request header; only those in the path are required."""

    name: str
    place: str  # "path" | "query" | "header"
    description: str
    schema: Schema
    example: Any = None


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer: the component schema of its JSON body, and one such body."""

    schema: str
    example: Any


@dataclass(frozen=True, slots=True)
class Stream:
    """A streamed answer.

    `schema` is the component schema of the JSON in each event's `data`, `when` says what asks for
    a stream, and `example` holds the events of one whole answer: a name (or "") and the data,
    which is a string where it is no JSON.
    """

    schema: str
    when: str
    example: Events


@dataclass(frozen=True, slots=True)
class Route:
    """One route.

    `name` is its operationId, `request` the component schema of its body, and `examples` are
    request bodies by their title. `by_provider` says that the route also exists behind a
    provider's id, where `model` is the bare model id; `reaches_provider` that its answer carries
    the headers which tell how a provider was reached.
    """

    name: str
    path: str
    tag: str
    summary: str
    description: str
    method: str = "post"
    shape: ErrorShape = ErrorShape.OPENAI
    request: str = ""
    examples: Mapping[str, Any] = field(default_factory=dict[str, Any])
    answer: Answer | None = None
    stream: Stream | None = None
    parameters: tuple[Parameter, ...] = ()
    by_provider: bool = True
    reaches_provider: bool = True
    needs_key: bool = True
