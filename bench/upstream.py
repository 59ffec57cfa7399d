"""The provider behind every gateway: nginx for whole answers, `events` for streams.

Both stand on the core of the load generator. Neither looks at what it is asked; what a gateway
makes of the answers is checked once before each lane.
"""

from __future__ import annotations

import json
import os
import sys
import urllib.request
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.processes import LOAD_CORE, Program, free_port

ANSWER = json.dumps(
    {
        "id": "chatcmpl-bench",
        "object": "chat.completion",
        "created": 1760000000,
        "model": "bench-model",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "A gateway carries words. " * 24},
                "finish_reason": "stop",
            }
        ],
        "usage": {"prompt_tokens": 90, "completion_tokens": 120, "total_tokens": 210},
    }
)

# A body is read to its end before it is answered, as a provider would: nginx does so only where
# it has somebody to pass it on to.
_NGINX = """
{user}
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log stderr error;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    keepalive_requests 1000000000;
    client_max_body_size 16m;
    client_body_buffer_size 2m;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    upstream answers {{ server unix:{folder}/answers; keepalive 64; }}
    server {{
        listen unix:{folder}/answers;
        default_type application/json;
        location / {{ return 200 '{answer}'; }}
    }}
    server {{
        listen 127.0.0.1:{port} backlog=2048;
        default_type application/json;
        location / {{ return 200 '{answer}'; }}
        location /read/ {{
            proxy_pass http://answers;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_pass_request_body off;
            proxy_set_header Content-Length "";
        }}
    }}
}}
"""


@dataclass(frozen=True)
class Upstream:
    """Base URLs of a provider that speaks Chat: whole answers; the same for bodies of any size,
    which it reads; streams."""

    whole: str
    reading: str
    streams: str

    def count_events(self) -> int:
        """How many events all streams have brought so far."""
        with urllib.request.urlopen(f"{self.streams}/count") as response:
            return int(response.read())


@contextmanager
def run_upstream(folder: Path) -> Generator[Upstream, None, None]:
    """Runs both parts; `folder` is scratch space."""
    port, events_port = free_port(), free_port()
    config = folder / "upstream.conf"
    config.write_text(_NGINX.format(user=nginx_user(), folder=folder, port=port, answer=ANSWER))
    nginx = ["nginx", "-p", str(folder), "-c", str(config)]
    streams = [sys.executable, str(Path(__file__).with_name("events.py")), str(events_port)]
    upstream = Upstream(
        f"http://127.0.0.1:{port}",
        f"http://127.0.0.1:{port}/read",
        f"http://127.0.0.1:{events_port}",
    )
    with (
        Program(nginx, LOAD_CORE, folder / "upstream.log") as whole,
        Program(streams, LOAD_CORE, folder / "events.log") as events,
    ):
        whole.wait_until_ready(f"{upstream.whole}/")
        events.wait_until_ready(f"{upstream.streams}/count")
        yield upstream


def nginx_user() -> str:
    """The directive that lets nginx's worker use our folder also when root runs the bench."""
    return "user root;" if os.geteuid() == 0 else ""
