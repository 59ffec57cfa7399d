"""The vendors' Node SDKs as judges: their stream helpers, tool runners and parsers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from e2e.node import NODE, install, run
from e2e.stage import MODELS, PROTOCOLS, Stage
from e2e.told import results_told
from e2e.voices import Turn, Use, dying, refusing

pytestmark = [pytest.mark.clients, pytest.mark.slow]

PROGRAM = Path(__file__).with_name("sdks.mjs")
CALLS = Turn(
    "I look.",
    (
        Use("get_weather", {"city": "Oslo"}, "call_Oslo"),
        Use("get_weather", {"city": "Łódź"}, "call_Lodz"),
    ),
    thinking="Two cities, two calls.",
)
DONE = Turn("Rain in both: 两地都下雨。")

each_provider = pytest.mark.parametrize("provider", PROTOCOLS)


@pytest.fixture(scope="session")
def packages(pytestconfig: pytest.Config) -> Path:
    folder = pytestconfig.cache.mkdir("node-sdks")
    return install(folder, "openai@7.57.0", "@anthropic-ai/sdk@1.13.0")


def ask(packages: Path, stage: Stage, home: Path, scenario: str, model: str) -> Any:
    """What the program understood: its `answer`, or the `error` that it was thrown."""
    command = [NODE, PROGRAM, scenario, stage.url, stage.key, model]
    return json.loads(run(command, home, NODE_PACKAGES=str(packages)))


@each_provider
@pytest.mark.parametrize(
    "scenario",
    ["chat-tools", "chat-tools-streamed", "messages-tools", "messages-tools-streamed"],
)
def test_a_tool_runner(
    packages: Path, stage: Stage, tmp_path: Path, scenario: str, provider: str
) -> None:
    stage.play(CALLS, DONE)
    told = ask(packages, stage, tmp_path, scenario, MODELS[provider])
    assert told == {"answer": DONE.text}
    assert results_told(provider, stage.last_body()) == ["Rain in Oslo.", "Rain in Łódź."]


@each_provider
@pytest.mark.parametrize("caller", ["chat", "responses", "messages"])
def test_a_structured_answer(
    packages: Path, stage: Stage, tmp_path: Path, caller: str, provider: str
) -> None:
    stage.play(Turn('{"city": "Łódź", "rain": true}'))
    told = ask(packages, stage, tmp_path, f"{caller}-parsed", MODELS[provider])
    assert told == {"answer": {"city": "Łódź", "rain": True}}


@each_provider
@pytest.mark.parametrize("caller", ["chat", "responses", "messages"])
def test_a_stream(packages: Path, stage: Stage, tmp_path: Path, caller: str, provider: str) -> None:
    stage.play(Turn(DONE.text, thinking="Hm."))
    told = ask(packages, stage, tmp_path, f"{caller}-streamed", MODELS[provider])
    assert told == {"answer": DONE.text}


@each_provider
@pytest.mark.parametrize("caller", ["chat", "responses", "messages"])
def test_a_stream_that_breaks_off_is_thrown(
    packages: Path, stage: Stage, tmp_path: Path, caller: str, provider: str
) -> None:
    stage.play(dying(DONE))
    told = ask(packages, stage, tmp_path, f"{caller}-streamed", MODELS[provider])
    assert "answer" not in told
    assert "broke off" in told["message"] or "ended its stream" in told["message"], told


@pytest.mark.parametrize(
    ("caller", "error"),
    [
        ("chat", "UnprocessableEntityError"),
        ("responses", "UnprocessableEntityError"),
        ("messages", "UnprocessableEntityError"),
    ],
)
def test_a_refusal_is_the_sdks_own_error(
    packages: Path, stage: Stage, tmp_path: Path, caller: str, error: str
) -> None:
    stage.play(refusing(422, "No: because."))
    told = ask(packages, stage, tmp_path, f"{caller}-streamed", MODELS["gemini"])
    assert (told["error"], told["status"]) == (error, 422)
    assert "No: because." in told["message"]
