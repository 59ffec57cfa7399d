"""The vendors' own SDKs as judges, in every direction, and on the embedded model."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from typing import Any

import anthropic
import openai
import pytest
from e2e.callers import Callers, Heard, open_callers
from e2e.stage import MODELS, PROTOCOLS, Stage
from e2e.voices import CACHED, INPUT, OUTPUT, Turn, Use, Voice, dying, failing, refusing
from google.genai import errors as genai_errors
from google.genai import types as genai_types
from pydantic import BaseModel

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


class Forecast(BaseModel):
    """What a structured answer holds."""

    city: str
    rain: bool


def parse_forecast(callers: Callers, caller: str, model: str) -> Any:
    """Asks for a `Forecast` with the parser of the caller's SDK."""
    asked: Any = {"model": model, "messages": [{"role": "user", "content": "Rain?"}]}
    match caller:
        case "chat":
            completion = callers.openai.chat.completions.parse(**asked, response_format=Forecast)
            return completion.choices[0].message.parsed
        case "responses":
            told = callers.openai.responses.parse(model=model, input="Rain?", text_format=Forecast)
            return told.output_parsed
        case "messages":
            told = callers.anthropic.messages.parse(
                **asked, max_tokens=4000, output_format=Forecast
            )
            return told.parsed_output
        case _:
            config: Any = {
                "response_mime_type": "application/json",
                "response_schema": Forecast,
            }
            told = callers.genai.models.generate_content(
                model=model, contents="Rain?", config=config
            )
            return told.parsed


@each_caller
@each_provider
def test_a_structured_answer_is_parsed(
    stage: Stage, callers: Callers, caller: str, provider: str
) -> None:
    stage.play(Turn('{"city": "Łódź", "rain": true}'))
    assert parse_forecast(callers, caller, MODELS[provider]) == Forecast(city="Łódź", rain=True)
    schema = schema_told(provider, stage.last_body())
    assert set(schema["properties"]) == {"city", "rain"}
    assert set(schema["required"]) == {"city", "rain"}


def schema_told(provider: str, body: Any) -> Any:
    """The schema of the answer, where the provider looks for it."""
    match provider:
        case "chat":
            return body["response_format"]["json_schema"]["schema"]
        case "responses":
            return body["text"]["format"]["schema"]
        case "messages":
            return body["output_config"]["format"]["schema"]
        case _:
            config = body["generationConfig"]
            assert config["responseMimeType"] == "application/json"
            return config.get("responseJsonSchema") or config["responseSchema"]


PNG = b64encode(b"\x89PNG\r\n\x1a\nof no picture: nobody here looks at it").decode()


def show_image(callers: Callers, caller: str, model: str) -> None:
    """Asks what is on a picture."""
    url = f"data:image/png;base64,{PNG}"
    match caller:
        case "chat":
            image: Any = {"type": "image_url", "image_url": {"url": url}}
            text: Any = {"type": "text", "text": "What is it?"}
            message: Any = {"role": "user", "content": [text, image]}
            callers.openai.chat.completions.create(model=model, messages=[message])
        case "responses":
            image = {"type": "input_image", "image_url": url, "detail": "auto"}
            text = {"type": "input_text", "text": "What is it?"}
            message = {"role": "user", "content": [text, image]}
            callers.openai.responses.create(model=model, input=[message])
        case "messages":
            source = {"type": "base64", "media_type": "image/png", "data": PNG}
            image, text = {"type": "image", "source": source}, {"type": "text", "text": "What?"}
            message = {"role": "user", "content": [text, image]}
            callers.anthropic.messages.create(model=model, max_tokens=4000, messages=[message])
        case _:
            part = genai_types.Part.from_bytes(data=b64decode(PNG), mime_type="image/png")
            callers.genai.models.generate_content(model=model, contents=["What is it?", part])


def images_told(provider: str, body: Any) -> list[tuple[str, str]]:
    """Type and base64 of every image in the request's last message."""
    match provider:
        case "chat":
            found = [
                each.get("image_url", {}).get("url") for each in body["messages"][-1]["content"]
            ]
        case "responses":
            found = [each.get("image_url") for each in body["input"][-1]["content"]]
        case "messages":
            found = [each.get("source") for each in body["messages"][-1]["content"]]
            return [(each["media_type"], each["data"]) for each in found if each]
        case _:
            found = [each.get("inlineData") for each in body["contents"][-1]["parts"]]
            return [
                (each.get("mimeType") or each["mime_type"], each["data"]) for each in found if each
            ]
    splits = [each.removeprefix("data:").split(";base64,") for each in found if each]
    return [(media_type, data) for media_type, data in splits]


@each_caller
@each_provider
def test_an_image_reaches_the_provider(
    stage: Stage, callers: Callers, caller: str, provider: str
) -> None:
    stage.play(Turn("A dot."))
    show_image(callers, caller, MODELS[provider])
    assert images_told(provider, stage.last_body()) == [("image/png", PNG)]
