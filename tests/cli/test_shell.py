"""Every command ends with a sentence and the right status."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest
import typer
from cli.processes import SOURCE, Home

from dragoman.cli import shell
from dragoman.errors import ConfigError


def failing(error: BaseException) -> typer.Typer:
    app = typer.Typer()

    @app.command()
    def fail() -> None:
        raise error

    return app


def test_an_expected_error_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(shell, "app", failing(ConfigError("It is wrong. Correct it.")))
    assert shell.run([], {}) == 1
    assert capsys.readouterr() == ("", "error: It is wrong. Correct it.\n")


def test_an_error_out_of_a_task_group_is_told_as_if_it_were_alone(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    error = ExceptionGroup("outer", [ExceptionGroup("inner", [ConfigError("It is wrong.")])])
    monkeypatch.setattr(shell, "app", failing(error))
    assert shell.run([], {}) == 1
    assert capsys.readouterr().err == "error: It is wrong.\n"


def test_an_unexpected_error_tells_no_secret_and_how_to_see_more(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(shell, "app", failing(RuntimeError("sk-secret")))
    assert shell.run([], {}) == 1
    told = capsys.readouterr().err
    assert told.startswith("error: Dragoman failed unexpectedly (RuntimeError)")
    assert "DRAGOMAN_LOG_LEVEL=debug" in told
    assert "sk-secret" not in told
    assert told.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "environ", "wanted"),
    [
        (["serve", "--log-level", "debug"], {}, True),
        (["serve", "--log-level=debug"], {}, True),
        (["key", "list"], {"DRAGOMAN_LOG_LEVEL": "DEBUG"}, True),
        (["serve", "--log-level", "info"], {}, False),
        (["provider", "add", "debug"], {}, False),
    ],
)
def test_the_level_debug_shows_a_traceback(
    arguments: list[str], environ: dict[str, str], wanted: bool
) -> None:
    assert shell.wants_traceback(arguments, environ) is wanted


def test_with_debug_the_traceback_comes_before_the_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(shell, "app", failing(RuntimeError("why")))
    assert shell.run([], {"DRAGOMAN_LOG_LEVEL": "debug"}) == 1
    told = capsys.readouterr().err
    assert "Traceback" in told
    assert "RuntimeError: why" in told


def test_an_interrupt_is_quiet(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(shell, "app", failing(KeyboardInterrupt()))
    assert shell.run([], {}) == 130
    assert capsys.readouterr() == ("", "")


def test_an_answer_that_never_came_is_a_failure(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(shell, "app", failing(EOFError()))
    assert shell.run([], {}) == 1
    assert "error: The input ended" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["nonsense"], "No such command 'nonsense'. `dragoman --help` shows how."),
        (["serve", "--prt", "1"], "`dragoman serve --help` shows how."),
        (["serve", "--port", "many"], "'--port' / '-p'"),
        (["key", "create"], "Missing option '--name'"),
        (["provider", "remove"], "Missing argument 'ID'"),
    ],
)
def test_wrong_usage_is_one_sentence_and_status_2(
    capsys: pytest.CaptureFixture[str], arguments: list[str], told: str
) -> None:
    assert shell.run(arguments, {}) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error: ")
    assert told in err
    assert err.count("\n") == 1


def test_a_group_without_a_command_prints_its_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert shell.run(["key"], {}) == 2
    out, err = capsys.readouterr()
    assert "Usage: dragoman key" in out
    assert err == ""


def test_a_reader_that_leaves_early_is_no_error(home: Home) -> None:
    with home.start("provider", "presets", "--json") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == ""
        assert process.wait(timeout=60) == 1


def test_ctrl_c_while_a_command_runs_is_quiet(home: Home) -> None:
    program = (
        "import sys, dragoman.cli.keys as keys\n"
        "def wait(*_):\n"
        "    print('ready', flush=True)\n"
        "    import time; time.sleep(60)\n"
        "keys.workplace.load_settings = wait\n"
        "sys.argv = ['dragoman', 'key', 'list']\n"
        "from dragoman.cli import main; main()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=home.environ(PYTHONPATH=str(SOURCE)),
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=60) == ("", "")
        assert process.returncode == 130
