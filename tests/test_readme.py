"""What the READMEs tell the reader to type works, word for word but for the address."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from running_gateway import KEY, Running, run_gateway

from dragoman.config import load
from dragoman.local.models import find_builtin, has_engine

ROOT = Path(__file__).parents[1]
READMES = pytest.mark.parametrize("readme", ["README.md", "README.zh-CN.md"])
ADDRESS = "http://127.0.0.1:23333"


def blocks(readme: str, language: str) -> list[str]:
    """The blocks of code in one language, in their order."""
    text = (ROOT / readme).read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


@pytest.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[Running]:
    """A gateway with the built-in model; without its file and engine the test is skipped."""
    if find_builtin(tmp_path) is None or not has_engine():
        pytest.skip("the built-in model is not installed")
    async with run_gateway(tmp_path, "[local]\n") as running:
        yield running


async def run(*command: str) -> str:
    """What a command prints, once it has ended well."""
    process = await asyncio.create_subprocess_exec(
        *command,
        env={**os.environ, "DRAGOMAN_KEY": KEY},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()
    return output.decode()


@pytest.mark.local
@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")
@READMES
async def test_the_curl_commands(readme: str, gateway: Running) -> None:
    commands = [block for block in blocks(readme, "sh") if block.startswith("curl ")]
    answers = [
        await run(
            "sh", "-c", command.replace("curl ", "curl -sf ", 1).replace(ADDRESS, gateway.url)
        )
        for command in commands
    ]
    kinds = [
        '"object":"list"',
        '"object":"chat.completion"',
        '"type":"message"',
        '"type":"message"',
    ]
    assert len(answers) == len(kinds)
    for answer, kind in zip(answers, kinds, strict=True):
        assert kind in answer


@pytest.mark.local
@READMES
async def test_the_python_program(readme: str, gateway: Running) -> None:
    (program,) = blocks(readme, "python")
    output = await run(sys.executable, "-c", program.replace(ADDRESS, gateway.url))
    first, _, stories = output.partition("\n")
    assert first == "local:smollm2-135m"
    assert stories.strip()


@READMES
def test_the_configuration_file(readme: str, tmp_path: Path) -> None:
    (text,) = blocks(readme, "toml")
    (tmp_path / "dragoman.toml").write_text(text)
    settings = load({}, {"OPENAI_API_KEY": "sk-of-the-reader"}, tmp_path)
    assert [provider.id for provider in settings.providers] == ["openai", "lab"]
    assert settings.local.enabled
