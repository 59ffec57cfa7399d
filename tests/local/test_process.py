"""The manager: one process per model, shared, stopped when idle, restarted after a crash."""

import asyncio
import os
import signal
import subprocess
import sys
from dataclasses import replace

import pytest
import uvloop
from local.children import MakeModel, MakeModels, is_running, wait_until, wait_until_gone

from dragoman.errors import (
    ConfigError,
    ModelNotFound,
    UpstreamDied,
    UpstreamError,
    UpstreamTimeout,
    UpstreamUnreachable,
)
from dragoman.local.models import LocalModelFile
from dragoman.local.process import LocalModels, State


def _pid(models: LocalModels) -> int:
    pid = models.status()[0].pid
    assert pid is not None
    return pid


async def _crash(models: LocalModels, kind: type[UpstreamError]) -> None:
    """A request whose connection breaks because the model's process is killed."""
    async with models.use("m"):
        os.kill(_pid(models), signal.SIGKILL)
        raise kind("the connection was reset")


async def _wait_for(models: LocalModels, state: State) -> None:
    await wait_until(lambda: models.status()[0].state is state)


async def test_nothing_runs_before_the_first_use(
    make_model: MakeModel, make_models: MakeModels
) -> None:
    models = make_models(make_model())
    assert models.status()[0].state is State.STOPPED
    async with models.use("m"):
        (status,) = models.status()
        assert (status.state, status.users, status.error) == (State.READY, 1, None)
        assert status.pid
        assert status.port
        assert status.rss
        assert status.since
    assert models.status()[0].users == 0


async def test_first_users_share_one_start(make_model: MakeModel, make_models: MakeModels) -> None:
    models = make_models(make_model())
    gathered = asyncio.Barrier(5)

    async def use() -> tuple[int, str]:
        async with models.use("m") as endpoint:
            await gathered.wait()
            return _pid(models), endpoint.api_key

    assert len(set(await asyncio.gather(*(use() for _ in range(5))))) == 1


async def test_each_model_has_its_own_process_and_key(
    make_model: MakeModel, make_models: MakeModels
) -> None:
    models = make_models(make_model("a"), make_model("b"))
    async with models.use("a") as first, models.use("b") as second:
        assert first.base_url != second.base_url
        assert first.api_key != second.api_key


async def test_a_user_who_leaves_does_not_end_the_start_for_others(
    make_model: MakeModel, make_models: MakeModels
) -> None:
    models = make_models(make_model(load_s=0.3))

    async def use() -> int:
        async with models.use("m"):
            return _pid(models)

    first, second = asyncio.create_task(use()), asyncio.create_task(use())
    await _wait_for(models, State.STARTING)
    first.cancel()
    assert is_running(await second)
    assert first.cancelled()


async def test_a_start_that_everyone_left_ends_as_idle(
    make_model: MakeModel, make_models: MakeModels
) -> None:
    models = make_models(make_model(load_s=0.2), idle_s=0.01)

    async def use() -> None:
        async with models.use("m"):
            pytest.fail("it left before")

    left = asyncio.create_task(use())
    await _wait_for(models, State.STARTING)
    left.cancel()
    await _wait_for(models, State.STOPPED)
    assert models.status()[0].users == 0


async def test_an_idle_process_is_stopped_and_started_anew(
    make_model: MakeModel, make_models: MakeModels
) -> None:
    models = make_models(make_model(), idle_s=0.01)
    async with models.use("m"):
        first = _pid(models)
        await asyncio.sleep(0.1)
        assert is_running(first)
    await wait_until_gone(first)
    assert models.status()[0].state is State.STOPPED
    async with models.use("m"):
        assert _pid(models) != first


async def test_an_idle_time_of_zero_keeps_the_process(
    make_model: MakeModel, make_models: MakeModels
) -> None:
    models = make_models(make_model(), idle_s=0)
    async with models.use("m"):
        pid = _pid(models)
    await asyncio.sleep(0.1)
    assert is_running(pid)


@pytest.mark.parametrize("kind", [UpstreamUnreachable, UpstreamDied])
async def test_a_request_that_a_crash_broke_is_told_so_and_the_next_one_is_served(
    make_model: MakeModel, make_models: MakeModels, kind: type[UpstreamError]
) -> None:
    models = make_models(make_model())
    with pytest.raises(kind, match=r"Local model m broke off: .*SIGKILL.* starts it again\."):
        await _crash(models, kind)
    (status,) = models.status()
    assert status.state is State.FAILED
    assert "SIGKILL" in (status.error or "")
    async with models.use("m"):
        assert models.status()[0].state is State.READY


async def test_a_crash_between_requests_is_not_noticed_by_them(
    make_model: MakeModel, make_models: MakeModels
) -> None:
    models = make_models(make_model())
    async with models.use("m"):
        first = _pid(models)
    os.kill(first, signal.SIGKILL)
    await _wait_for(models, State.FAILED)
    async with models.use("m"):
        assert models.status()[0].state is State.READY


@pytest.mark.parametrize("kind", [UpstreamUnreachable, UpstreamTimeout, ValueError])
async def test_an_error_while_the_process_lives_is_left_as_it_is(
    make_model: MakeModel, make_models: MakeModels, kind: type[Exception]
) -> None:
    models = make_models(make_model())
    raised = kind("another cause")
    with pytest.raises(kind) as caught:
        async with models.use("m"):
            raise raised
    assert caught.value is raised
    assert models.status()[0].state is State.READY


async def test_a_failed_start_is_reported_to_all_and_tried_again(
    make_model: MakeModel, make_models: MakeModels
) -> None:
    models = make_models(make_model(error="no room"))

    async def use() -> None:
        async with models.use("m"):
            pytest.fail("it cannot start")

    outcomes = await asyncio.gather(use(), use(), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [UpstreamUnreachable] * 2
    assert models.status()[0].state is State.FAILED
    assert "no room" in (models.status()[0].error or "")
    make_model()
    async with models.use("m"):
        assert models.status()[0].error is None


async def test_unknown_models_and_missing_files_are_refused(
    make_model: MakeModel, make_models: MakeModels
) -> None:
    model = make_model()
    model.path.unlink()
    models = make_models(model)
    with pytest.raises(ModelNotFound, match="no local model x"):
        async with models.use("x"):
            pass
    with pytest.raises(ConfigError, match=r"m\.gguf"):
        async with models.use("m"):
            pass


async def test_a_new_configuration_leaves_what_it_does_not_change(
    make_model: MakeModel, make_models: MakeModels
) -> None:
    kept, dropped = make_model("kept"), make_model("dropped")
    models = make_models(kept, dropped)
    async with models.use("kept"), models.use("dropped"):
        kept_pid, dropped_pid = (status.pid for status in models.status())
    assert kept_pid is not None
    assert dropped_pid is not None
    models.configure([kept], idle_s=600)
    await wait_until_gone(dropped_pid)
    assert [status.pid for status in models.status()] == [kept_pid]
    assert is_running(kept_pid)


async def test_a_changed_model_serves_its_last_request_before_it_goes(
    make_model: MakeModel, make_models: MakeModels
) -> None:
    model = make_model()
    models = make_models(model)
    async with models.use("m"):
        first = _pid(models)
        models.configure([replace(model, context=512)], idle_s=600)
        async with models.use("m"):
            assert _pid(models) != first
            assert is_running(first)
    await wait_until_gone(first)


async def test_a_new_idle_time_holds_for_what_already_runs(
    make_model: MakeModel, make_models: MakeModels
) -> None:
    model = make_model()
    models = make_models(model, idle_s=0)
    async with models.use("m"):
        pid = _pid(models)
    models.configure([model], idle_s=0.01)
    await wait_until_gone(pid)


async def test_closing_ends_every_process_and_starts_no_other(
    make_model: MakeModel, make_models: MakeModels
) -> None:
    old = make_model("old")
    models = make_models(old)
    async with models.use("old"):
        pids = [_pid(models)]
        models.configure([make_model("new")], idle_s=600)
        async with models.use("new"):
            pids.append(_pid(models))
            await models.aclose()
            assert not any(map(is_running, pids))
    with pytest.raises(UpstreamUnreachable, match="shutting down"):
        async with models.use("new"):
            pass


async def test_closing_during_a_start_ends_it(
    make_model: MakeModel, make_models: MakeModels
) -> None:
    models = make_models(make_model(load_s=300))

    async def use() -> None:
        async with models.use("m"):
            pytest.fail("it never starts")

    waiting = asyncio.create_task(use())
    await _wait_for(models, State.STARTING)
    await models.aclose()
    with pytest.raises(UpstreamUnreachable, match="shutting down"):
        await waiting


_GATEWAY = """
import asyncio, sys
from pathlib import Path
from dragoman.local.models import LocalModelFile
from dragoman.local.process import LocalModels

async def main():
    models = LocalModels([LocalModelFile("m", Path(sys.argv[1]))])
    async with models.use("m"):
        print(models.status()[0].pid, flush=True)
        await asyncio.sleep(600)

asyncio.run(main())
"""


async def test_a_killed_gateway_leaves_no_orphan(engine: None, make_model: MakeModel) -> None:
    gateway = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _GATEWAY, str(make_model().path), stdout=subprocess.PIPE
    )
    assert gateway.stdout is not None
    pid = int(await gateway.stdout.readline())
    assert is_running(pid)
    gateway.kill()
    await gateway.wait()
    await wait_until_gone(pid)


def test_it_works_on_uvloop_as_well(engine: None, make_model: MakeModel) -> None:
    model = make_model()

    async def crash_and_recover(model: LocalModelFile) -> None:
        models = LocalModels([model])
        with pytest.raises(UpstreamDied, match="SIGKILL"):
            await _crash(models, UpstreamDied)
        async with models.use("m"):
            pid = _pid(models)
        await models.aclose()
        assert not is_running(pid)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(crash_and_recover(model))
