"""The outermost shell: runs a command, and ends with a sentence and a status, never a traceback.

Exit statuses: 0 done, 1 failed, 2 wrong usage, 130 interrupted.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, cast

import typer

from dragoman.cli.commands import app
from dragoman.errors import DragomanError

DONE, FAILED, INTERRUPTED = 0, 1, 130


def main() -> None:
    """The console script."""
    for stream in (sys.stdout, sys.stderr):
        # A model's name must not break a listing on a terminal that cannot show it.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    sys.exit(run(sys.argv[1:], os.environ))


def run(arguments: Sequence[str], environ: Mapping[str, str]) -> int:
    """Runs one command and gives its exit status."""
    try:
        status: Any = app(list(arguments), prog_name="dragoman", standalone_mode=False)
        sys.stdout.flush()
        return status if isinstance(status, int) else DONE
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read the output has seen enough (`| head`); Python must not complain at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except typer.Abort:
        return _tell("The input ended before an answer was given.")
    except typer.TyperException as error:
        if error.format_message():  # a group without a command has printed its help instead
            _tell(_usage(error))
        return error.exit_code
    except Exception as error:  # noqa: BLE001 - the outermost shell
        return _explain(_cause(error), wants_traceback(arguments, environ))


def wants_traceback(arguments: Sequence[str], environ: Mapping[str, str]) -> bool:
    """Whether the log level is `debug`, at which an unexpected error shows where it happened."""
    return (
        environ.get("DRAGOMAN_LOG_LEVEL", "").lower() == "debug"
        or "--log-level=debug" in arguments
        or ("--log-level", "debug") in pairwise(arguments)
    )


def _cause(error: BaseException) -> BaseException:
    """The error itself where a task group has wrapped it, alone or as the first of several."""
    while isinstance(error, BaseExceptionGroup):
        error = cast("BaseExceptionGroup[BaseException]", error).exceptions[0]
    return error


def _explain(error: BaseException, with_traceback: bool) -> int:
    if isinstance(error, DragomanError):
        return _tell(error.message)
    if with_traceback:
        import traceback

        traceback.print_exception(error)
    # The text of an unexpected error may hold anything, secrets included.
    return _tell(
        f"Dragoman failed unexpectedly ({type(error).__name__}): run the command again with"
        " DRAGOMAN_LOG_LEVEL=debug (or `serve --log-level debug`) to see where."
    )


def _usage(error: typer.TyperException) -> str:
    context = getattr(error, "ctx", None)
    message = error.format_message().strip().rstrip(".")
    return f"{message}. `{context.command_path} --help` shows how." if context else message


def _tell(message: str) -> int:
    print(f"error: {message}", file=sys.stderr)
    return FAILED
