"""http.routes: every spelling of a path."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman import protocols as p
from dragoman.http.routes import (
    AnyRoute,
    ModelsRoute,
    ResponseRoute,
    Route,
    error_shape,
    find_route,
)


@pytest.mark.parametrize(
    ("path", "route"),
    [
        ("/v1/chat/completions", Route(p.CHAT)),
        ("/chat/completions", Route(p.CHAT)),
        ("//v1//chat/completions/", Route(p.CHAT)),
        ("/v1/v1/messages", Route(p.MESSAGES)),
        ("/v1/messages/count_tokens", Route(p.COUNT_TOKENS)),
        ("/v1/responses/input_tokens", Route(p.INPUT_TOKENS)),
        ("/my-openai/v1/messages", Route(p.MESSAGES, "my-openai")),
        ("/my-openai/embeddings", Route(p.EMBEDDINGS, "my-openai")),
        ("/v1/models", ModelsRoute()),
        ("/models", ModelsRoute()),
        ("/v1/models/a:b", ModelsRoute(None, "a:b")),
        ("/v1/models/a:b%2Fc", ModelsRoute(None, "a:b/c")),
        ("/v1/models/a:b/c:free", ModelsRoute(None, "a:b/c:free")),
        ("/my-openai/v1/models", ModelsRoute("my-openai")),
        ("/my-openai/v1/models/gpt-4", ModelsRoute("my-openai", "gpt-4")),
        (
            "/v1beta/models/g:gemini-2:generateContent",
            Route(p.GENERATE_CONTENT, None, "g:gemini-2"),
        ),
        (
            "/v1beta/models/g%3Aa%2Fb:streamGenerateContent",
            Route(p.STREAM_GENERATE_CONTENT, None, "g:a/b"),
        ),
        ("/g/v1beta/models/x:countTokens", Route(p.GEMINI_COUNT_TOKENS, "g", "x")),
        ("/v1/responses/resp_1", ResponseRoute("resp_1")),
        ("/responses/resp_1/", ResponseRoute("resp_1")),
        ("/v1/responses/compact", None),
        ("/v1/responses/resp_1/cancel", None),
        ("/my-openai/v1/responses/resp_1", None),
        ("/", None),
        ("/v1", None),
        ("/v1/nothing", None),
        ("/admin/providers", None),
        ("/a/b/v1/messages", None),
    ],
)
def test_paths(path: str, route: AnyRoute | None) -> None:
    assert find_route(path.encode()) == route


@pytest.mark.parametrize(
    ("path", "shape"),
    [
        ("/v1/chat/completions", p.ErrorShape.OPENAI),
        ("/x/v1/messages", p.ErrorShape.ANTHROPIC),
        ("/v1/messages/batches", p.ErrorShape.ANTHROPIC),
        ("/v1beta/cachedContents", p.ErrorShape.GEMINI),
        ("/v1beta/models/x:generateContent", p.ErrorShape.GEMINI),
        ("/nowhere", p.ErrorShape.OPENAI),
    ],
)
def test_the_shape_of_errors(path: str, shape: p.ErrorShape) -> None:
    assert error_shape(path.encode()) is shape


@given(st.binary(max_size=60))
def test_any_path_is_answered(path: bytes) -> None:
    find_route(path)
    error_shape(path)


@given(st.sampled_from(["/v1/messages", "/x/v1/embeddings", "/v1/models/a"]), st.integers(1, 3))
def test_slashes_change_nothing(path: str, count: int) -> None:
    spelled = path.replace("/", "/" * count) + "/" * (count - 1)
    assert find_route(spelled.encode()) == find_route(path.encode())
