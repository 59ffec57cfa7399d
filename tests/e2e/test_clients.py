"""Claude Code and Codex, each in a whole turn: with a tool on providers that speak another
protocol than theirs, and without one on the embedded model.

The provider's part is scripted: it thinks, calls the client's own tool, and answers.
"""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import Any

import httpx2
import pytest
from e2e.node import install, run
from e2e.stage import MODELS, Stage
from e2e.told import results_told, state_told
from e2e.voices import INPUT, OUTPUT, Turn, Use

pytestmark = [pytest.mark.clients, pytest.mark.slow]

THINKING = "It must stand in the file."
SECRET = "The secret word is BANANA."
ANSWER = Turn("The word is BANANA.")
CLAUDE_CODES_LOSSES = (
    r"system\.0",  # its billing header, which is Anthropic's alone
    r"metadata",
    r"context_management",
    r".*\.cache_control",
    r"thinking",  # at a Chat provider that nobody knows to reason
    r"tools\.\d+\.defer_loading",
    r"tools\.\d+\.parameters\..*(additionalProperties|exclusiveMinimum)",  # Gemini's schemas
    r"messages\.1",  # Gemini: a system message in the middle loses its place, not its text
)
CODEXS_LOSSES = (
    r"client_metadata",
    r"prompt_cache_key",
    r"reasoning",
    r"tools\.\d+",  # its web search, which the providers' servers would have to do
    r"tools\.\d+\.(tools\.\d+\.)?parameters\..*additionalProperties",
)
QUESTION = "What is the secret word in note.txt?"


@pytest.fixture(scope="session")
def programs(pytestconfig: pytest.Config) -> Path:
    return install(
        pytestconfig.cache.mkdir("clients"),
        "@anthropic-ai/claude-code@2.1.331",
        "@openai/codex@0.169.0",
    )


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The client's home and working directory, with the file that the question is about."""
    (tmp_path / "note.txt").write_text(SECRET + "\n")
    return tmp_path


def call(use: Use) -> Turn:
    return Turn("I look.", (use,), thinking=THINKING)


def ask_claude_code(
    programs: Path, stage: Stage, home: Path, model: str, *arguments: str, **environ: str
) -> dict[str, Any]:
    """What Claude Code reports of one turn."""
    (program,) = programs.glob("@anthropic-ai/claude-code-*/claude")
    printed = run(
        [program, "-p", *arguments, "--model", model, "--output-format", "json"],
        home,
        ANTHROPIC_BASE_URL=stage.url,
        ANTHROPIC_API_KEY=stage.key,
        **environ,
        CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC="1",
        DISABLE_AUTOUPDATER="1",
        DISABLE_ERROR_REPORTING="1",
        DISABLE_TELEMETRY="1",
    )
    return json.loads(printed)


CODEX = """\
model = "{model}"
model_provider = "dragoman"
approval_policy = "never"
sandbox_mode = "danger-full-access"
{more}
[model_providers.dragoman]
name = "Dragoman"
base_url = "{url}/v1"
env_key = "DRAGOMAN_KEY"
wire_api = "responses"
"""


def ask_codex(
    programs: Path, stage: Stage, home: Path, model: str, question: str, more: str = ""
) -> list[dict[str, Any]]:
    """The events that Codex reports of one turn."""
    (program,) = programs.glob("@openai/codex-*/vendor/*/bin/codex")
    settings = home / ".codex/config.toml"
    settings.parent.mkdir()
    settings.write_text(CODEX.format(model=model, url=stage.url, more=more))
    printed = run(
        [program, "exec", "--skip-git-repo-check", "--json", question],
        home,
        DRAGOMAN_KEY=stage.key,
    )
    return [json.loads(line) for line in printed.splitlines()]


def losses(stage: Stage, requests: int) -> set[str]:
    """What the latest requests lost, as the request log tells it; it is written soon after."""
    deadline = time.monotonic() + 30
    while True:
        page = httpx2.get(
            f"{stage.url}/admin/requests",
            params={"limit": requests},
            headers={"authorization": f"Bearer {stage.admin_key}"},
        ).json()["requests"]
        ended = len(page) == requests and all(each["at"] >= stage.played for each in page)
        if ended or time.monotonic() > deadline:
            return {path for each in page for path in each["dropped"]}
        time.sleep(0.1)


def unexpected(lost: set[str], patterns: tuple[str, ...]) -> set[str]:
    """What was lost and may not be."""
    return {path for path in lost if not any(re.fullmatch(each, path) for each in patterns)}


@pytest.mark.parametrize("provider", ["chat", "responses", "gemini", "messages"])
def test_claude_code_reads_a_file(programs: Path, stage: Stage, home: Path, provider: str) -> None:
    read = Use("Read", {"file_path": str(home / "note.txt")}, "call_read")
    stage.play(call(read), ANSWER)
    report = ask_claude_code(
        programs, stage, home, MODELS[provider], QUESTION, "--allowedTools", "Read"
    )
    assert (report["result"], report["is_error"]) == (ANSWER.text, False)
    assert report["num_turns"] == 2
    usage = report["usage"]
    assert usage["input_tokens"] + usage["cache_read_input_tokens"] == 2 * INPUT
    assert usage["output_tokens"] == 2 * OUTPUT
    check_loop(stage, provider)
    lost = losses(stage, 2)
    assert unexpected(lost, CLAUDE_CODES_LOSSES) == set()
    if provider != "messages":
        assert {"system.0", "metadata", "context_management"} <= lost


@pytest.mark.parametrize("provider", ["chat", "messages", "gemini", "responses"])
def test_codex_reads_a_file(programs: Path, stage: Stage, home: Path, provider: str) -> None:
    stage.play(call(Use("exec_command", {"cmd": "cat note.txt"}, "call_exec")), ANSWER)
    events = ask_codex(programs, stage, home, MODELS[provider], QUESTION)
    items = [event["item"] for event in events if event["type"] == "item.completed"]
    (ran,) = [item for item in items if item["type"] == "command_execution"]
    assert (ran["exit_code"], ran["aggregated_output"].strip()) == (0, SECRET)
    assert items[-1]["text"] == ANSWER.text
    assert events[-1]["type"] == "turn.completed"
    assert events[-1]["usage"]["input_tokens"] == 2 * INPUT
    assert events[-1]["usage"]["output_tokens"] == 2 * OUTPUT
    check_loop(stage, provider)
    lost = losses(stage, 2)
    assert unexpected(lost, CODEXS_LOSSES) == set()
    if provider != "responses":
        assert {"client_metadata", "prompt_cache_key"} <= lost


def check_loop(stage: Stage, provider: str) -> None:
    """That the provider was asked twice, and then told the file's text and its own state."""
    assert len(stage.heard()) == 2
    body = stage.last_body()
    (result,) = results_told(provider, body)
    assert SECRET in result
    state = THINKING if provider == "chat" else call(Use("x")).state
    assert state_told(provider, body) == [state]


@pytest.mark.local
def test_claude_code_talks_to_the_embedded_model(
    programs: Path, stage: Stage, home: Path, local_model: str
) -> None:
    """With a small prompt, since the model's context is small. Claude Code goes on up to three
    times where an answer was cut at its bound, which is up to the model."""
    brief = ("--bare", "--system-prompt", "Be brief.", "--tools", "")
    report = ask_claude_code(
        programs, stage, home, local_model, "Say hello", *brief, CLAUDE_CODE_MAX_OUTPUT_TOKENS="64"
    )
    assert not report["is_error"]
    assert report["result"]
    assert 0 < report["usage"]["output_tokens"] <= 64 * report["num_turns"]


SMALL = """\
model_instructions_file = "{brief}"
include_permissions_instructions = false
include_apps_instructions = false
include_environment_context = false
web_search = "disabled"
[agents]
enabled = false
[features]
shell_tool = false
unified_exec = false
apps = false
plugins = false
"""


@pytest.mark.local
def test_codex_talks_to_the_embedded_model(
    programs: Path, stage: Stage, home: Path, local_model: str
) -> None:
    brief = home / "brief.md"
    brief.write_text("Be brief.")
    more = SMALL.format(brief=brief)
    events = ask_codex(programs, stage, home, local_model, "Say hello", more)
    assert events[-1]["type"] == "turn.completed"
    assert events[-1]["usage"]["output_tokens"] > 0
    (said,) = [
        event["item"]["text"]
        for event in events
        if event["type"] == "item.completed" and event["item"]["type"] == "agent_message"
    ]
    assert said
