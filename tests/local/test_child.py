"""One child process: its start, its faults and its end."""

import os
import signal
from pathlib import Path

import aiohttp
import psutil
import pytest
from local.children import MakeModel, is_running

from dragoman.errors import ConfigError, UpstreamTimeout, UpstreamUnreachable
from dragoman.local import models
from dragoman.local.child import (
    ServerProcess,
    _describe_return_code,
    _find_crash,
    _find_loading_error,
)
from dragoman.local.models import LocalModelFile

pytestmark = pytest.mark.usefixtures("engine")


async def _post(child: ServerProcess, path: str, key: str | None = None) -> int:
    headers = {"authorization": f"Bearer {key or child.endpoint.api_key}"}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.post(f"{child.endpoint.base_url}{path}", json={}) as response,
    ):
        return response.status


async def test_a_started_child_answers_only_with_its_key(make_model: MakeModel) -> None:
    child = await ServerProcess.start(make_model(), limit_s=60)
    try:
        assert child.endpoint.base_url == f"http://127.0.0.1:{child.port}/v1"
        assert await _post(child, "/chat/completions") == 200
        assert await _post(child, "/chat/completions", "another") == 401
    finally:
        await child.stop(5)


async def test_the_key_is_not_among_the_arguments(make_model: MakeModel) -> None:
    child = await ServerProcess.start(make_model(), limit_s=60)
    try:
        shown = " ".join(psutil.Process(child.pid).cmdline())
        assert shown.endswith("dragoman.local.server m")
        assert child.endpoint.api_key not in shown
    finally:
        await child.stop(5)


async def test_a_file_in_the_working_directory_is_not_run(
    make_model: MakeModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "json.py").write_text("raise SystemExit('taken over')")
    monkeypatch.chdir(tmp_path)
    child = await ServerProcess.start(make_model(), limit_s=60)
    await child.stop(5)


async def test_what_the_engine_prints_neither_shows_nor_blocks(
    make_model: MakeModel, capfd: pytest.CaptureFixture[str]
) -> None:
    child = await ServerProcess.start(make_model(noise=1_000_000), limit_s=60)
    await child.stop(5)
    assert capfd.readouterr() == ("", "")


async def test_a_stopped_child_is_gone(make_model: MakeModel) -> None:
    child = await ServerProcess.start(make_model(), limit_s=60)
    assert child.alive
    assert child.rss
    await child.stop(5)
    await child.stop(5)
    assert not child.alive
    assert child.rss is None
    assert not is_running(child.pid)
    assert await child.ending() == "its process was killed by SIGTERM"


async def test_a_child_that_ignores_sigterm_is_killed(make_model: MakeModel) -> None:
    child = await ServerProcess.start(make_model(), limit_s=60)
    os.kill(child.pid, signal.SIGSTOP)
    await child.stop(0.05)
    assert not is_running(child.pid)


async def test_a_failed_assertion_is_quoted_and_a_callers_words_are_not(
    make_model: MakeModel,
) -> None:
    child = await ServerProcess.start(make_model(), limit_s=60)
    with pytest.raises(aiohttp.ClientError):
        await _post(child, "/abort")
    end = await child.ending()
    assert end == "its process was killed by SIGABRT (ggml.c:7: GGML_ASSERT(n > 0) failed)"


async def test_a_model_that_cannot_be_loaded_is_named_with_the_reason(
    make_model: MakeModel,
) -> None:
    model = make_model(error="tensor out of bounds")
    with pytest.raises(UpstreamUnreachable) as caught:
        await ServerProcess.start(model, limit_s=60)
    assert str(model.path) in caught.value.message
    assert "load: tensor out of bounds" in caught.value.message
    assert "giving up" not in caught.value.message


async def test_a_model_that_loads_for_too_long_is_ended(make_model: MakeModel) -> None:
    before = {process.pid for process in psutil.Process().children()}
    model = make_model(load_s=300)
    with pytest.raises(UpstreamTimeout, match=r"m\.gguf\) was not ready within 0\.2 s"):
        await ServerProcess.start(model, limit_s=0.2)
    assert {process.pid for process in psutil.Process().children()} <= before


async def test_a_missing_file_starts_nothing(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"gone\.gguf"):
        await ServerProcess.start(LocalModelFile("m", tmp_path / "gone.gguf"), limit_s=60)


async def test_a_missing_engine_starts_nothing(
    make_model: MakeModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(models, "_ENGINE_PACKAGE", "no_such_package_here")
    with pytest.raises(ConfigError, match=r"pip install 'dragoman\[local\]'"):
        await ServerProcess.start(make_model(), limit_s=60)


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (0, "its process exited with status 0"),
        (1, "its process exited with status 1"),
        (-11, "its process was killed by SIGSEGV"),
        (-9, "its process was killed by SIGKILL, as the system does when memory runs out"),
        (-200, "its process was killed by signal 200"),
    ],
)
def test_return_codes_are_put_into_words(code: int, said: str) -> None:
    assert _describe_return_code(code) == said


def test_of_the_engines_errors_the_first_is_the_cause() -> None:
    output = "0.00.000.001 I init\n0.00.000.002 E no magic\n0.00.000.003 E exiting\nRuntimeError\n"
    assert _find_loading_error(output) == "no magic"


def test_without_errors_of_the_engine_the_last_line_tells() -> None:
    assert _find_loading_error("Traceback\n  File x\nImportError: libc\n\n") == "ImportError: libc"
    assert _find_loading_error("") is None


def test_of_a_crash_the_engines_log_is_not_told() -> None:
    assert _find_crash("0.00.000.002 E secret words\n") is None
    assert _find_crash("0.00.000.002 E secret words\nwhat(): bad\nmore\n") == "what(): bad"
