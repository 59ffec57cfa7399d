"""The gateways that are compared: how each is installed, set up and started.

Every one listens on one core, keeps its connections to the upstream open, writes no line for each
request, and asks for a key where it can. Ours has everything else on that it has by default. The
settings of the others are the ones that their own documents recommend for speed.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bench.upstream import nginx_user

KEY = "sk-dragoman-bench-0123456789abcdefghijklmnop"
MODELS = ("bench-0", "bench-10", "bench-20", "bench-40")


@dataclass(frozen=True)
class Launch:
    """How to start a gateway, and how to talk to it: `model` turns a model of the upstream into
    the gateway's name for it, `ready` is a path that answers once it serves."""

    command: tuple[str, ...]
    environ: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    model: Callable[[str], str] = str
    ready: str = "/health"


@dataclass(frozen=True)
class Gateway:
    """One gateway: `launch` gets its installation, scratch space, a port and a base URL."""

    name: str
    launch: Callable[[Path, Path, int, str], Launch]
    speaks_messages: bool = True


def _launch_dragoman(_: Path, folder: Path, port: int, upstream: str) -> Launch:
    config = folder / "dragoman.toml"
    config.write_text(
        f"""
        [server]
        log_level = "warning"
        [[providers]]
        id = "bench"
        type = "openai-compatible"
        base_url = "{upstream}"
        api_key = "sk-upstream"
        models = {json.dumps(MODELS)}
        """
    )
    return Launch(
        (sys.executable, "-m", "dragoman", "serve", "--config", str(config))
        + ("--port", str(port), "--data-dir", str(folder / "data"), "--json-banner"),
        {"DRAGOMAN_API_KEY": KEY},
        {"authorization": f"Bearer {KEY}"},
        lambda model: f"bench:{model}",
    )


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
    upstream provider {{ server {upstream}; keepalive 1024; keepalive_requests 1000000000; }}
    server {{
        listen 127.0.0.1:{port} backlog=2048;
        location / {{
            proxy_pass http://provider{path};
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_buffering off;
        }}
    }}
}}
"""


def _launch_nginx(_: Path, folder: Path, port: int, upstream: str) -> Launch:
    host, slash, rest = upstream.removeprefix("http://").partition("/")
    path = f"/{rest}/" if slash else ""
    config = folder / "nginx.conf"
    config.write_text(
        _NGINX.format(user=nginx_user(), folder=folder, port=port, upstream=host, path=path)
    )
    return Launch(("nginx", "-p", str(folder), "-c", str(config)))


GATEWAYS = (
    Gateway("dragoman", _launch_dragoman),
    Gateway("nginx", _launch_nginx, speaks_messages=False),
)
