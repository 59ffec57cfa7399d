"""One real gateway process in front of scripted providers and the embedded model.

    stage.play(Turn("Hello"))             # what the next request's provider says
    ... a client talks to stage.url with stage.key about "by-chat:m" ...
    (asked,) = stage.heard()              # what the provider was asked

The providers live in a thread, so that clients of every kind can be used: those that block, and
other programs.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cli.processes import Home, Served
from e2e.voices import Turn, Voice, voice
from running_gateway import provider
from scripted_upstream import Recorded, ScriptedUpstream

ADMIN_KEY = "sk-admin-of-the-stage-0123456789"
LOCAL = "local:smollm2-135m"
PROTOCOLS = ("chat", "responses", "messages", "gemini")
MODELS = {
    "chat": "by-chat:deepseek-reasoner",
    "responses": "by-responses:gpt-5.5",
    "messages": "by-messages:claude-opus-4-7",
    "gemini": "by-gemini:gemini-3-pro",
}
"""A model behind a provider of each protocol; its name decides what it can be asked."""

_TYPES = {"messages": "anthropic", "gemini": "gemini"}


@dataclass
class Stage:
    """A running gateway, and the providers behind it. `played` is when `play` was last called."""

    home: Home
    served: Served
    upstream: ScriptedUpstream
    admin_key: str = ADMIN_KEY
    played: str = ""

    @property
    def url(self) -> str:
        return self.served.url

    @property
    def key(self) -> str:
        return self.served.key

    def play(self, *answers: Turn | Voice) -> None:
        """The providers' next answers, in this order, the last again and again. What was asked
        before is forgotten."""
        self.played = datetime.now(UTC).isoformat()
        self.upstream.requests.clear()
        voices = [voice(each) if isinstance(each, Turn) else each for each in answers]
        self.upstream.on("*", *voices)

    def heard(self) -> list[Recorded]:
        """What the providers were asked since `play`."""
        return list(self.upstream.requests)

    def last_body(self) -> Any:
        """The JSON of the last request to a provider."""
        return self.upstream.requests[-1].json()


class LoggingHome(Home):
    """A home whose programs log into a file: a pipe that nobody reads would fill and stop them."""

    def start(self, *arguments: str, **environ: str) -> subprocess.Popen[str]:
        with (self.folder / "log").open("a") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "dragoman", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                cwd=self.folder,
                env=self.environ(**environ),
            )


@contextmanager
def run_upstream() -> Iterator[ScriptedUpstream]:
    """A scripted upstream in a thread of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    upstream = ScriptedUpstream()
    asyncio.run_coroutine_threadsafe(upstream.__aenter__(), loop).result()
    try:
        yield upstream
    finally:
        asyncio.run_coroutine_threadsafe(upstream.__aexit__(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def provider_of_each_protocol(url: str) -> str:
    """The tables of the providers in `MODELS`."""
    return "".join(_table(url, protocol) for protocol in PROTOCOLS)


@contextmanager
def set_stage(
    folder: Path, describe: Callable[[str], str] = provider_of_each_protocol, **environ: str
) -> Iterator[Stage]:
    """A stage whose gateway keeps its data in `folder`; `describe` gives its providers' tables
    for the address of the upstream."""
    with run_upstream() as upstream:
        toml = describe(upstream.url) + "[local]\nenabled = true\n"
        (folder / "dragoman.toml").write_text(toml)
        home = LoggingHome(folder)
        with home.serve(DRAGOMAN_ADMIN_KEY=ADMIN_KEY, **environ) as served:
            yield Stage(home, served, upstream)


def _table(url: str, protocol: str) -> str:
    provider_id, _, model = MODELS[protocol].partition(":")
    return provider(
        f"{url}/{protocol}",
        provider_id,
        type=_TYPES.get(protocol, "openai-compatible"),
        models=[model, "limited"],
        protocols=[protocol],
        retries=0,
    )
