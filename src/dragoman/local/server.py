"""The child process that serves one local model: `python -P -m dragoman.local.server MODEL-ID`.

The parent writes one JSON line to standard input (the fields of `Settings`) and then keeps that
pipe open for as long as it lives: end of file means that the parent is gone, however it went,
and ends this process. The argument only makes the process recognisable in a listing; the key
travels through the pipe, since arguments can be read by every user of the machine.

Once the model is loaded one line with the server's base URL goes to standard output. Everything
that the native code prints, wherever it prints it, goes to standard error.

The engine holds the interpreter's lock while it loads, so a parent that dies meanwhile is noticed
when loading ends.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import sys
import threading
from dataclasses import dataclass

MAX_THREADS = 4
SLOTS = 4
_ERRORS_ONLY = 1


@dataclass(frozen=True, slots=True)
class Settings:
    """What the parent says: the GGUF file's `path`, the model's name, the key that every request
    must carry, the `context` in tokens that all slots share, the pooling of embeddings, and how
    many tokens an `answer` has at most where the request does not say."""

    path: str
    model_id: str
    api_key: str
    context: int
    pooling: str | None
    answer: int | None


def count_threads() -> int:
    """How many threads compute: one core fewer than this process may use, at most `MAX_THREADS`.

    The engine's threads spin while they wait for one another, so that on cores which others use
    as well more threads are slower: on two busy cores, two threads gave 8 tokens/s and one 31.
    """
    if sys.platform == "linux":  # elsewhere a process cannot be bound to some of the cores
        usable = len(os.sched_getaffinity(0))
    else:
        usable = os.cpu_count() or 1
    return min(MAX_THREADS, max(1, usable - 1))


def serve(settings: Settings) -> tuple[str, object]:
    """Loads the model and starts the server: its URL, and the object that keeps it running.

    Raises `RuntimeError` when the engine cannot load the model; its reason is on standard error.
    """
    engine = importlib.import_module("xllamacpp")
    params = engine.CommonParams()
    params.model.path = settings.path
    params.model_alias = {settings.model_id}
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.api_keys = [settings.api_key]
    params.cors_origins = ""  # no web page may ask; the default is any
    params.ui = False
    params.endpoint_slots = False  # it would show one caller's prompt to another
    params.offline = True
    params.verbosity = _ERRORS_ONLY
    params.cpuparams.n_threads = count_threads()
    params.n_parallel = SLOTS
    params.n_ctx = settings.context
    params.kv_unified = True  # one request alone may use the whole context
    params.cache_ram_mib = 0  # the default keeps up to 8 GiB of old prompts
    params.embedding = True
    params.n_batch = params.n_ubatch  # embeddings need it; the engine warns otherwise
    if settings.answer is not None:
        params.n_predict = settings.answer
    if settings.pooling:
        name = f"LLAMA_POOLING_TYPE_{settings.pooling.upper()}"
        params.pooling_type = getattr(engine.llama_pooling_type, name)
    server = engine.Server(params)
    return server.listening_address, server


def _die_with_parent() -> None:
    # Read by descriptor: a thread that waits inside sys.stdin blocks the interpreter's shutdown.
    while os.read(0, 4096):
        pass
    os._exit(0)


def _read_settings() -> Settings:
    line = bytearray()
    while not line.endswith(b"\n"):
        byte = os.read(0, 1)
        if not byte:
            sys.exit("The parent went away before it said what to serve.")
        line += byte
    return Settings(**json.loads(line))


def main() -> None:
    """Serves until the parent goes away; exit status 1 when the model cannot be loaded."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    report = os.dup(1)
    os.dup2(2, 1)
    settings = _read_settings()
    watcher = threading.Thread(target=_die_with_parent, daemon=True)
    watcher.start()
    try:
        url, _server = serve(settings)
    except (ImportError, RuntimeError) as error:
        sys.exit(str(error))
    os.write(report, f"{url}\n".encode())
    watcher.join()


if __name__ == "__main__":
    main()
