"""app: the port, and who holds it."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest
from running_gateway import run_gateway

from dragoman.app import base_url, listen
from dragoman.errors import ConfigError
from dragoman.runtime import read_note


def test_a_taken_port_is_one_sentence_that_names_its_holder_and_the_remedy() -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
        with pytest.raises(ConfigError) as caught:
            listen("127.0.0.1", port)
    message = caught.value.message
    assert message.startswith(f"Port {port} is taken by ")
    assert f"(process {os.getpid()})" in message
    assert f"`--port {port + 1}`" in message
    assert "\n" not in message


def test_an_address_of_another_machine() -> None:
    with pytest.raises(ConfigError, match=r"Cannot listen on 192\.0\.2\.1 port 0"):
        listen("192.0.2.1", 0)


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:80"),
        ("0.0.0.0", "http://127.0.0.1:80"),
        ("::", "http://[::1]:80"),
        ("::1", "http://[::1]:80"),
        ("gateway.lan", "http://gateway.lan:80"),
    ],
)
def test_the_url_for_a_client_on_this_machine(host: str, url: str) -> None:
    assert base_url(host, 80) == url


async def test_the_note_is_there_while_the_gateway_runs(tmp_path: Path) -> None:
    async with run_gateway(tmp_path) as running:
        note = read_note(running.gateway.directory)
        assert note is not None
        assert (note.pid, note.url) == (os.getpid(), running.url)
    assert read_note(running.gateway.directory) is None


async def test_a_wrong_configuration_dies_before_the_port_is_open(tmp_path: Path) -> None:
    with pytest.raises(ConfigError):
        async with run_gateway(tmp_path, '[[providers]]\nid = "x"\ntype = "nothing"\n'):
            raise AssertionError("must not start")
