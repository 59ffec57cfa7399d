"""Schemathesis against the OpenAPI document of a running gateway: nothing makes it fail.

Requests are made out of the document's schemas, good ones and bad ones. Whether bad ones are
refused is not asked: of what a provider is told, the gateway only checks what it needs itself.
Left out is what would make the gateway call addresses that were made up.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from e2e.stage import ADMIN_KEY, MODELS, Stage, set_stage
from e2e.voices import Turn, voice
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    status_code_conformance,
)
from scripted_upstream import Recorded, Script, json_answer

from dragoman.http.openapi import inference_document

KEY = "sk-of-the-stage-0123456789abcdef"
MODES = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
NAMES = list(MODELS.values())

settings.register_profile(
    "schemathesis",
    max_examples=25,
    derandomize=True,
    deadline=None,
    phases=[Phase.generate],
    database=None,
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A gateway of its own, since requests may change it; its keys stay, being pinned."""
    with set_stage(tmp_path_factory.mktemp("schemathesis"), DRAGOMAN_API_KEY=KEY) as stage:
        stage.play(answer)
        yield stage


def answer(request: Recorded) -> Script:
    """Says something, or counts."""
    if "count" in request.path or "input_tokens" in request.path:
        return json_answer({"input_tokens": 3, "totalTokens": 3})
    return voice(Turn("Hi."))(request)


@pytest.fixture(scope="module")
def operations(stage: Stage) -> dict[str, Any]:
    """Every operation of the running gateway's document, by method and path."""
    document = schemathesis.openapi.from_url(f"{stage.url}/api-docs.json")
    found = [result.ok() for result in document.get_all_operations()]
    return {operation.label: operation for operation in found}


INFERENCE = [
    f"{method.upper()} {path}"
    for path, methods in inference_document("0")["paths"].items()
    for method in methods
]


@pytest.mark.parametrize("name", INFERENCE)
def test_no_request_makes_inference_fail(
    stage: Stage, operations: dict[str, Any], name: str
) -> None:
    exercise(operations[name], KEY)


def test_no_request_makes_management_fail(stage: Stage, operations: dict[str, Any]) -> None:
    names = [name for name in operations if " /admin/" in name and not calls_elsewhere(name)]
    assert len(names) > 20
    for name in names:
        exercise(operations[name], ADMIN_KEY)


def calls_elsewhere(name: str) -> bool:
    """Whether the operation adds, changes or tests a provider, whose address would be called."""
    method, path = name.split(" ")
    return path.startswith("/admin/providers") and method != "GET"


def exercise(operation: Any, key: str) -> None:
    """Sends requests that obey the operation's schema, and ones that do not."""

    @settings(settings.get_profile("schemathesis"))
    @given(case=st.one_of(*(operation.as_strategy(generation_mode=mode) for mode in MODES)))
    def check(case: Any) -> None:
        reach_a_provider(case)
        case.call_and_validate(
            headers={"authorization": f"Bearer {key}"},
            checks=[not_a_server_error, status_code_conformance, content_type_conformance],
            timeout=30,
        )

    check()


def reach_a_provider(case: Any) -> None:
    """Names a model and a provider that are there, or most requests would not get far."""
    name = NAMES[len(str(case.body)) % len(NAMES)]
    provider, _, model = name.partition(":")
    parameters = case.path_parameters or {}
    if "provider" in parameters and not case.path.startswith("/admin"):
        parameters["provider"], name = provider, model
    if "model" in parameters:
        parameters["model"] = name
    if isinstance(case.body, dict) and isinstance(case.body.get("model"), str):
        case.body["model"] = name
