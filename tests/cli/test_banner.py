"""The banner: what it says in which situation, within 80 columns."""

from __future__ import annotations

import json
import shlex
from dataclasses import replace
from pathlib import Path

import pytest

from dragoman.cli import banner, workplace
from dragoman.cli.banner import Ready

KEY = "sk-dragoman-" + "k" * 43
READY = Ready(
    url="http://127.0.0.1:23333",
    login_url="http://127.0.0.1:23333/?token=" + "t" * 70,
    key=KEY,
    is_new=True,
    providers=2,
    models=("local:smollm2-135m", "mine:x"),
    waiting=(),
    hints=(),
    show_key="dragoman key show",
)


def shown(ready: Ready, capsys: pytest.CaptureFixture[str]) -> list[str]:
    banner.print_banner(ready)
    return capsys.readouterr().out.splitlines()


def test_every_line_but_the_link_fits_80_columns(capsys: pytest.CaptureFixture[str]) -> None:
    for ready in (READY, replace(READY, is_new=False)):
        lines = shown(ready, capsys)
        assert [line for line in lines if len(line) > 80] == [ready.login_url]


def test_the_key_is_whole_at_first_and_masked_afterwards(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert f"  API key   {KEY}" in shown(READY, capsys)
    later = "\n".join(shown(replace(READY, is_new=False), capsys))
    assert KEY not in later
    assert "sk-dragoman-kk…kkkk" in later
    assert "dragoman key show" in later


def test_the_first_request_can_be_copied(capsys: pytest.CaptureFixture[str]) -> None:
    text = "\n".join(shown(READY, capsys))
    command = text[text.index("curl ") :]
    words = shlex.split(command)
    assert words[:2] == ["curl", f"{READY.url}/v1/chat/completions"]
    assert words[words.index("-H") + 1] == "Authorization: Bearer $(dragoman key show)"
    body = json.loads(words[words.index("-d") + 1])
    assert body["model"] == "local:smollm2-135m"
    assert body["messages"][0]["role"] == "user"


def test_without_models_nothing_is_suggested_to_try(capsys: pytest.CaptureFixture[str]) -> None:
    lines = shown(replace(READY, models=(), hints=("Do this.",)), capsys)
    assert not any("curl" in line for line in lines)
    assert lines[-1] == "Do this."


@pytest.mark.parametrize(
    ("models", "providers", "waiting", "text"),
    [
        ((), 0, (), "0 models from 0 providers."),
        (("a:b",), 1, (), "1 model from 1 provider."),
        (("a:b", "a:c"), 3, ("d",), "2 models from 3 providers; asking 1 provider for more."),
    ],
)
def test_models_and_providers_are_counted(
    capsys: pytest.CaptureFixture[str],
    models: tuple[str, ...],
    providers: int,
    waiting: tuple[str, ...],
    text: str,
) -> None:
    ready = replace(READY, models=models, providers=providers, waiting=waiting)
    assert shown(ready, capsys)[0].endswith(f"listens. {text}")


def test_the_json_line_has_the_key_whole(capsys: pytest.CaptureFixture[str]) -> None:
    banner.print_line(replace(READY, is_new=False))
    out = capsys.readouterr().out
    assert out.count("\n") == 1
    assert json.loads(out) == {
        "url": READY.url,
        "login_url": READY.login_url,
        "key": KEY,
        "models": 2,
    }


@pytest.mark.parametrize(
    ("engine", "file", "hint"),
    [
        (True, True, None),
        (True, False, "dragoman local pull"),
        (False, False, "pip install 'dragoman[local]'"),
    ],
)
async def test_what_is_missing_is_one_command_away(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    engine: bool,
    file: bool,
    hint: str | None,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(banner, "has_engine", lambda: engine)
    monkeypatch.setattr(banner, "find_builtin", lambda _: object() if file else None)
    (tmp_path / "dragoman.toml").write_text(
        '[local]\n[[providers]]\nid = "mine"\ntype = "openai"\n[aliases]\nfast = "nobody:x"\n'
    )
    async with workplace.work_on_gateway(workplace.load_settings(None, tmp_path)) as gateway:
        ready = await banner.read_ready(gateway, "http://h:1", ("--data-dir", "a b"))
    assert ready.hints == () if hint is None else (hint in ready.hints[0])
    assert ready.show_key == "dragoman key show --data-dir 'a b'"
    assert ready.waiting == ("mine",)


async def test_warnings_and_unusable_providers_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "dragoman.toml").write_text('[aliases]\nfast = "nobody:x"\n')
    async with workplace.work_on_gateway(workplace.load_settings(None, tmp_path)) as gateway:
        gateway.problems["old"] = "It is broken."
        banner.print_warnings(gateway)
    out, err = capsys.readouterr()
    assert out == ""
    assert "warning: dragoman.toml, line 2" in err
    assert "warning: provider old: It is broken." in err
