"""`dragoman serve` as a process: its banner, its log, its end."""

from __future__ import annotations

import http.client
import json
import re
import signal
import socket

import pytest
from cli.processes import Home

from dragoman.cli import serve


def read_banner(home: Home, *arguments: str, stop: int = signal.SIGTERM, **environ: str) -> str:
    """What a gateway shows until its last line of advice is there; it is ended with `stop`."""
    with home.start("serve", "-p", "0", *arguments, **environ) as process:
        assert process.stdout is not None
        lines: list[str] = []
        while not lines or not lines[-1].startswith("Add a provider"):
            lines.append(process.stdout.readline())
            assert lines[-1], process.communicate()
        process.send_signal(stop)
        rest, errors = process.communicate(timeout=60)
        assert process.returncode == 0
        assert "Traceback" not in errors
        return "".join(lines) + rest


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_the_banner_has_the_key_whole_once_and_the_end_is_quiet(home: Home, stop: int) -> None:
    first, second = read_banner(home, stop=stop), read_banner(home, stop=stop)
    key = home.run("key", "show").out.strip()
    assert key in first
    assert key not in second
    assert f"{key[:14]}…{key[-4:]}" in second
    assert "dragoman key show" in second
    for banner in (first, second):
        assert re.search(r"^ +Base URL +http://127\.0\.0\.1:[0-9]+$", banner, re.M)
        assert re.search(r"^http://127\.0\.0\.1:[0-9]+/\?token=\S+$", banner, re.M)
    assert not (home.data / "runtime.json").exists()


def test_the_json_banner_is_one_line_and_all_there_is(home: Home) -> None:
    with home.start("serve", "-p", "0", "--json-banner") as process:
        assert process.stdout is not None
        banner = json.loads(process.stdout.readline())
        address, link = banner["login_url"].removeprefix("http://").split("/", 1)
        browser = http.client.HTTPConnection(address, timeout=30)
        browser.request("GET", f"/{link}")
        assert "dragoman_session=" in browser.getresponse().headers["set-cookie"]
        browser.close()
        process.send_signal(signal.SIGTERM)
        assert process.communicate(timeout=60)[0] == ""
        assert process.returncode == 0
    assert set(banner) == {"url", "login_url", "key", "models"}
    assert banner["login_url"].startswith(banner["url"] + "/?token=")
    assert banner["key"] == home.run("key", "show").out.strip()


def test_a_taken_port_is_one_sentence(home: Home) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        outcome = home.run("serve", "-p", str(port))
    assert (outcome.status, outcome.out) == (1, "")
    assert outcome.err.startswith(f"error: Port {port} is taken")
    assert "--port" in outcome.err
    assert outcome.err.count("\n") == 1


def test_an_address_that_others_reach_is_a_warning(home: Home) -> None:
    with home.start("serve", "-p", "0", "--host", "0.0.0.0", "--json-banner") as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(signal.SIGTERM)
        assert "warning: host 0.0.0.0 is not loopback" in process.communicate(timeout=60)[1]


def test_the_log_level_comes_from_the_command_line(home: Home) -> None:
    with home.serve("--log-level", "debug") as served:
        assert served.status_of("/v1/models", served.key) == 200
    refused = home.run("serve", "--log-level", "loud")
    assert refused.status == 2
    assert "--log-level" in refused.err


def test_the_browser_is_sent_to_the_link(home: Home) -> None:
    opened = home.folder / "opened"
    browser = home.folder / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" > {opened}.new && mv {opened}.new {opened}\n')
    browser.chmod(0o700)
    with home.start("serve", "-p", "0", "--json-banner", "--open", BROWSER=f"{browser} %s") as run:
        assert run.stdout is not None
        banner = json.loads(run.stdout.readline())
        run.send_signal(signal.SIGTERM)
        run.communicate(timeout=60)
    assert opened.read_text().strip() == banner["login_url"]


def test_uvloop_is_used_where_it_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    import uvloop

    assert serve._loop_factory() is uvloop.new_event_loop
    monkeypatch.setitem(__import__("sys").modules, "uvloop", None)
    assert serve._loop_factory() is None
