"""The gateways that are compared: how each is installed, set up and started.

Every one has one core, keeps its connections to the upstream open, writes no line for each request
and, but for nginx and Portkey, which have no keys of their own, asks for a key. Dragoman runs as it
comes otherwise. The others run with what their own documents and benchmarks recommend for speed.
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
    """One gateway: `launch` gets its installation, scratch space, a port and a base URL.

    `python` and `node` are what is installed for it from PyPI or npm. Without `translates` it has
    no way from Messages to a provider that speaks Chat.
    """

    name: str
    launch: Callable[[Path, Path, int, str], Launch]
    python: tuple[str, ...] = ()
    node: tuple[str, ...] = ()
    translates: bool = True


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
        (
            *(sys.executable, "-m", "dragoman", "serve", "--config", str(config)),
            *("--port", str(port), "--data-dir", str(folder / "data"), "--json-banner"),
        ),
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


def _launch_rolter(installed: Path, folder: Path, port: int, upstream: str) -> Launch:
    routes = "".join(
        f"""
        [[routes]]
        model = "{model}"
        [[routes.targets]]
        provider = "bench"
        model = "{model}"
        """
        for model in MODELS
    )
    config = folder / "rolter.toml"
    config.write_text(
        f"""
        [server]
        host = "127.0.0.1"
        port = {port}
        key_pepper = "bench"
        [[providers]]
        name = "bench"
        kind = "openai_compatible"
        api_base = "{upstream}"
        api_key_env = "UPSTREAM_KEY"
        {routes}
        [[virtual_keys]]
        key = "{KEY}"
        name = "bench"
        models = []
        [queue]
        enabled = false
        """
    )
    return Launch(
        (str(installed / "bin/rolter"), "gateway", "--config", str(config)),
        {"UPSTREAM_KEY": "sk-upstream", "RUST_LOG": "error", "TOKIO_WORKER_THREADS": "1"},
        {"authorization": f"Bearer {KEY}"},
        ready="/healthz",
    )


def _launch_ferrogw(installed: Path, folder: Path, port: int, upstream: str) -> Launch:
    config = folder / "config.yaml"
    models = json.dumps(MODELS)
    config.write_text(
        f"strategy: {{mode: single}}\ntargets: [{{virtual_key: openai, models: {models}}}]\n"
    )
    return Launch(
        (str(installed / "bin/ferrogw"), "serve"),
        {
            "GATEWAY_CONFIG": str(config),
            "PORT": str(port),
            "MASTER_KEY": KEY,
            "OPENAI_API_KEY": "sk-upstream",
            "OPENAI_BASE_URL": f"{upstream}/v1",
            "FERRO_MODEL_CATALOG_TIMEOUT": "0",
            "RATE_LIMIT_RPS": "0",
            "LOG_LEVEL": "error",
            "GOMAXPROCS": "1",
        },
        {"authorization": f"Bearer {KEY}"},
    )


def _launch_litellm(installed: Path, folder: Path, port: int, upstream: str) -> Launch:
    models = [
        {
            "model_name": model,
            "litellm_params": {
                "model": f"openai/{model}",
                "api_base": f"{upstream}/v1",
                "api_key": "sk-upstream",
            },
        }
        for model in MODELS
    ]
    config = folder / "config.yaml"  # JSON is YAML too
    config.write_text(
        json.dumps(
            {
                "model_list": models,
                "litellm_settings": {
                    "callbacks": [],
                    "num_retries": 0,
                    "request_timeout": 600,
                    # Else it would translate Messages to Responses.
                    "use_chat_completions_url_for_anthropic_messages": True,
                },
                "general_settings": {"master_key": KEY},
            }
        )
    )
    return Launch(
        (
            *(str(installed / "bin/litellm"), "--config", str(config), "--host", "127.0.0.1"),
            *("--port", str(port), "--num_workers", "1", "--telemetry", "False"),
        ),
        {
            "LITELLM_MODE": "PRODUCTION",
            "LITELLM_LOG": "ERROR",
            "LITELLM_LOCAL_MODEL_COST_MAP": "True",
            "PYTHONUNBUFFERED": "",
        },
        {"authorization": f"Bearer {KEY}"},
        ready="/health/liveliness",
    )


def _launch_portkey(installed: Path, _: Path, port: int, upstream: str) -> Launch:
    server = installed / "node_modules/@portkey-ai/gateway/build/start-server.js"
    return Launch(
        ("node", str(server), f"--port={port}", "--headless"),
        {"NODE_ENV": "production"},
        {
            "authorization": "Bearer sk-upstream",
            "x-portkey-provider": "openai",
            "x-portkey-custom-host": f"{upstream}/v1",
        },
        ready="/",
    )


GATEWAYS = (
    Gateway("dragoman", _launch_dragoman),
    Gateway("nginx", _launch_nginx, translates=False),
    Gateway("rolter", _launch_rolter, python=("rolter==0.1.0",)),
    Gateway("ferrogw", _launch_ferrogw, python=("ferrogw==1.5.10",), translates=False),
    Gateway(
        "portkey",
        _launch_portkey,
        # Its streams fail with the newest of the servers that it admits.
        node=("@portkey-ai/gateway@1.15.2", "@hono/node-server@1.3.3"),
        translates=False,
    ),
    Gateway("litellm", _launch_litellm, python=("litellm[proxy]==1.108.7",)),
)
