"""From a path to what it asks for.

Inference paths are accepted with and without the version segment, and with a provider's id in
front. Doubled and trailing slashes are ignored, so that every spelling of a path meets the same
checks. Percent-escapes are decoded per segment: a model id may hold `/` as `%2F`.
"""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import unquote

from dragoman.protocols import OPERATIONS, ErrorShape, Operation, Protocol
from dragoman.providers.resolve import RESERVED_IDS

_VERSIONS = ("v1", "v1beta")
_BY_PATH = {
    tuple(operation.path.strip("/").split("/")): operation
    for operation in OPERATIONS
    if "{model}" not in operation.path
}
_BY_ACTION = {
    operation.path.rpartition(":")[2]: operation
    for operation in OPERATIONS
    if "{model}" in operation.path
}
_LONGEST_SUFFIX = max(map(len, _BY_PATH))


class Route(NamedTuple):
    """An inference request: what is asked, and what the path says of provider and model."""

    operation: Operation
    provider_id: str | None = None
    model: str | None = None


class ModelsRoute(NamedTuple):
    """The list of models, or one of them."""

    provider_id: str | None = None
    model: str | None = None


class ResponseRoute(NamedTuple):
    """A response that the gateway may remember."""

    id: str


AnyRoute = Route | ModelsRoute | ResponseRoute


def find_route(raw_path: bytes) -> AnyRoute | None:
    """What the path asks for, or None where it is not one of the inference paths."""
    known = _COMMON.get(raw_path)
    if known is not None:
        return known
    segments = [unquote(part) for part in raw_path.decode("latin-1").split("/") if part]
    route = _match(segments, None)
    if route is None and len(segments) > 1 and segments[0] not in RESERVED_IDS:
        route = _match(segments[1:], segments[0])
    return route


def error_shape(raw_path: bytes) -> ErrorShape:
    """The shape in which errors of a path are told, also of one that does not exist."""
    route = find_route(raw_path)
    if isinstance(route, Route):
        return route.operation.error_shape
    segments = raw_path.split(b"/")
    if b"messages" in segments:
        return ErrorShape.ANTHROPIC
    return ErrorShape.GEMINI if b"v1beta" in segments else ErrorShape.OPENAI


def _match(segments: list[str], provider_id: str | None) -> AnyRoute | None:
    while segments and segments[0] in _VERSIONS:  # a base URL that ends in /v1 gives /v1/v1/...
        segments = segments[1:]
    if not segments:
        return None
    operation = _BY_PATH.get(tuple(segments)) if len(segments) <= _LONGEST_SUFFIX else None
    if operation is not None:
        return Route(operation, provider_id)
    if segments[0] == "responses" and provider_id is None:
        is_one = len(segments) == 2 and segments[1].startswith("resp_")
        return ResponseRoute(segments[1]) if is_one else None
    if segments[0] != "models":
        return None
    rest = "/".join(segments[1:])
    model, _, action = rest.rpartition(":")
    if model and action in _BY_ACTION:
        return Route(_BY_ACTION[action], provider_id, model)
    return ModelsRoute(provider_id, rest or None)


_COMMON = {
    f"{version}{operation.path}".encode(): Route(operation)
    for operation in OPERATIONS
    if operation.protocol is not Protocol.GEMINI
    for version in ("/v1", "")
}
