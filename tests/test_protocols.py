"""protocols: one row for one route and one upstream path."""

from __future__ import annotations

from dragoman.protocols import OPERATIONS, ErrorShape, Protocol


def test_names_and_paths_are_unique() -> None:
    assert len({operation.name for operation in OPERATIONS}) == len(OPERATIONS)
    assert len({operation.path for operation in OPERATIONS}) == len(OPERATIONS)


def test_every_protocol_has_an_operation() -> None:
    assert {operation.protocol for operation in OPERATIONS} == set(Protocol)


def test_the_error_shape_follows_the_protocol() -> None:
    shapes = {Protocol.MESSAGES: ErrorShape.ANTHROPIC, Protocol.GEMINI: ErrorShape.GEMINI}
    for operation in OPERATIONS:
        assert operation.error_shape is shapes.get(operation.protocol, ErrorShape.OPENAI)


def test_only_gemini_names_the_model_in_the_path() -> None:
    for operation in OPERATIONS:
        assert ("{model}" in operation.path) == (operation.protocol is Protocol.GEMINI)
