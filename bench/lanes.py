"""What is measured: each lane is one kind of request, sent over several numbers of connections."""

from __future__ import annotations

import json
from dataclasses import dataclass

from bench.gateways import KEY, Launch
from bench.load import Question
from bench.upstream import Upstream

_SYSTEM = "You are a helpful assistant. Answer in plain words, and say so when you do not know. "
_ASK = "What does a gateway in front of several AI providers do for the people who use it? "
# At most about 12,800 events a second, so that neither the load nor the upstream is the limit.
_INTERVALS_MS = {8: 10, 128: 20, 512: 40}


@dataclass(frozen=True)
class Lane:
    """`size` is about how many bytes a request has."""

    name: str
    connections: tuple[int, ...]
    streams: bool = False
    messages: bool = False
    size: int = 1000

    @property
    def path(self) -> str:
        """Where the request goes."""
        return "/v1/messages" if self.messages else "/v1/chat/completions"

    def upstream(self, upstream: Upstream) -> str:
        """The base URL of the provider that answers."""
        if self.streams:
            return upstream.streams
        return upstream.whole if self.size <= 1000 else upstream.reading

    def question(self, base_url: str, launch: Launch, connections: int) -> Question:
        """The request, as a client of this gateway sends it."""
        interval = _INTERVALS_MS[connections] if self.streams else 0
        model = launch.model(f"bench-{interval}")
        ask = _ASK * (self.size // len(_ASK))
        body: dict[str, object] = {"model": model, "max_tokens": 1024, "temperature": 0.5}
        if self.messages:
            body |= {"system": _SYSTEM, "messages": [{"role": "user", "content": ask}]}
        else:
            body["messages"] = [
                {"role": "system", "content": _SYSTEM},
                {"role": "user", "content": ask},
            ]
        if self.streams:
            body["stream"] = True
        headers = {"anthropic-version": "2023-06-01"} if self.messages else {}
        if self.messages and "authorization" in launch.headers:
            headers["x-api-key"] = KEY
        return Question(
            base_url + self.path, headers | dict(launch.headers), json.dumps(body).encode()
        )


LANES = (
    Lane("relay", (1, 64)),
    Lane("translate", (1, 64), messages=True),
    Lane("relay stream", (512, 128, 8), streams=True),
    Lane("translate stream", (128,), streams=True, messages=True),
    Lane("body of 1 KB", (16,)),
    Lane("body of 100 KB", (16,), size=100_000),
    Lane("body of 1 MB", (16,), size=1_000_000),
)
