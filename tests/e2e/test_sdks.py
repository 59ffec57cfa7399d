"""The vendors' own SDKs as judges, in every direction, and on the embedded model."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import anthropic
import openai
import pytest
from e2e.callers import Callers, Heard, open_callers
from e2e.stage import MODELS, PROTOCOLS, Stage
from e2e.voices import CACHED, INPUT, OUTPUT, Turn, Use, Voice, dying, failing, refusing
from google.genai import errors as genai_errors

each_caller = pytest.mark.parametrize("caller", PROTOCOLS)
each_provider = pytest.mark.parametrize("provider", PROTOCOLS)
streamed_or_not = pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])

TEXT = 'Grüße aus Łódź, 你好 😀, and "quotes"\nand lines.'
PARALLEL = (
    Use("get_weather", {"city": "Łódź"}, "call_a"),
    Use("get_time", {"city": 'Oslo "N"'}, "call_b"),
    Use("get_time", {}, "call_c"),
)


@pytest.fixture(scope="module")
def callers(stage: Stage) -> Iterator[Callers]:
    with open_callers(stage) as callers:
        yield callers


def heard(turn: Turn, finish: str) -> Heard:
    """What a client must understand of `turn`."""
    return Heard(
        text=turn.text,
        thinking=turn.thinking,
        calls=tuple((use.name, dict(use.arguments)) for use in turn.uses),
        finish=finish,
        input=INPUT - CACHED,
        cached=CACHED,
        output=OUTPUT,
    )


@each_caller
@each_provider
@streamed_or_not
@pytest.mark.parametrize(
    ("turn", "finish"),
    [
        pytest.param(Turn(TEXT), "stop", id="text"),
        pytest.param(Turn(TEXT, is_cut_short=True), "length", id="cut-short"),
        pytest.param(Turn("I look.", PARALLEL), "calls", id="calls"),
        pytest.param(Turn(uses=PARALLEL[2:]), "calls", id="bare-call"),
        pytest.param(Turn(TEXT, thinking="Let me see: 想."), "stop", id="thinking"),
        pytest.param(Turn("", PARALLEL, thinking="Both."), "calls", id="thinking-calls"),
    ],
)
def test_an_answer_is_understood(
    stage: Stage,
    callers: Callers,
    caller: str,
    provider: str,
    streamed: bool,
    turn: Turn,
    finish: str,
) -> None:
    stage.play(turn)
    told = callers.ask(caller, MODELS[provider], "Hello.", streamed, bool(turn.uses))
    assert told == heard(turn, finish)


ERRORS = [
    # status, OpenAI's exception, Anthropic's
    (400, openai.BadRequestError, anthropic.BadRequestError),
    (401, openai.AuthenticationError, anthropic.AuthenticationError),
    (403, openai.PermissionDeniedError, anthropic.PermissionDeniedError),
    (404, openai.NotFoundError, anthropic.NotFoundError),
    (422, openai.UnprocessableEntityError, anthropic.UnprocessableEntityError),
    (500, openai.InternalServerError, anthropic.InternalServerError),
    (529, openai.InternalServerError, anthropic.OverloadedError),
]


def fail(callers: Callers, caller: str, model: str, streamed: bool = False) -> Any:
    """The exception of the caller's SDK."""
    with pytest.raises((openai.OpenAIError, anthropic.AnthropicError, genai_errors.APIError)) as it:
        callers.ask(caller, model, "Hello.", streamed, tools=False)
    return it.value


def expect(error: Any, caller: str, status: int, for_openai: Any, for_anthropic: Any) -> None:
    """That `error` is the one of the caller's SDK for `status`."""
    match caller:
        case "gemini":
            assert type(error) is (
                genai_errors.ClientError if status < 500 else genai_errors.ServerError
            )
            assert error.code == status
        case "messages":
            assert type(error) is for_anthropic
        case _:
            assert type(error) is for_openai


@each_caller
@each_provider
@pytest.mark.parametrize(("status", "for_openai", "for_anthropic"), ERRORS)
def test_a_providers_refusal_is_the_sdks_own_exception(
    stage: Stage,
    callers: Callers,
    caller: str,
    provider: str,
    status: int,
    for_openai: Any,
    for_anthropic: Any,
) -> None:
    stage.play(refusing(status, "No: because."))
    error = fail(callers, caller, MODELS[provider], streamed=status % 2 == 1)
    expect(error, caller, status, for_openai, for_anthropic)
    assert "No: because." in str(error)


@each_provider
def test_a_limit_is_the_sdks_own_exception(stage: Stage, callers: Callers, provider: str) -> None:
    """After the first one the gateway may hold requests back itself; all are told how long."""
    stage.play(refusing(429, "Slow down.", {"retry-after": "30"}))
    limited = MODELS[provider].partition(":")[0] + ":limited"
    for caller in PROTOCOLS:
        error = fail(callers, caller, limited)
        expect(error, caller, 429, openai.RateLimitError, anthropic.RateLimitError)
        assert 0 < int(error.response.headers["retry-after"]) <= 30
    assert len(stage.heard()) in {1, len(PROTOCOLS)}


@each_caller
@pytest.mark.parametrize(
    ("model", "status", "for_openai", "for_anthropic"),
    [
        ("nobody:m", 404, openai.NotFoundError, anthropic.NotFoundError),
        ("by-chat:other", 404, openai.NotFoundError, anthropic.NotFoundError),
        ("no-such-model", 400, openai.BadRequestError, anthropic.BadRequestError),
    ],
)
def test_a_wrong_model_is_the_sdks_own_exception(
    stage: Stage,
    callers: Callers,
    caller: str,
    model: str,
    status: int,
    for_openai: Any,
    for_anthropic: Any,
) -> None:
    stage.play(Turn("Never said."))
    expect(fail(callers, caller, model), caller, status, for_openai, for_anthropic)
    assert stage.heard() == []


@each_caller
def test_a_wrong_key_is_the_sdks_own_exception(stage: Stage, caller: str) -> None:
    with open_callers(stage, key="sk-dragoman-wrong") as strangers:
        error = fail(strangers, caller, MODELS["chat"])
    expect(error, caller, 401, openai.AuthenticationError, anthropic.AuthenticationError)


@each_caller
@each_provider
@pytest.mark.parametrize("ending", [dying, failing], ids=["dies", "fails"])
def test_a_stream_that_breaks_off_is_an_exception_and_no_end(
    stage: Stage, callers: Callers, caller: str, provider: str, ending: Callable[[Turn], Voice]
) -> None:
    stage.play(ending(Turn(TEXT)))
    error = fail(callers, caller, MODELS[provider], streamed=True)
    assert "Too much to do." in str(error) if ending is failing else True
