"""observe.colleagues: whichever worker is asked, the metrics of all of them are told."""

from __future__ import annotations

import asyncio
import stat
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from dragoman.observe import colleagues as module
from dragoman.observe.colleagues import Colleagues
from dragoman.observe.exposition import Family, write
from dragoman.observe.metrics import Histogram


def metrics_of(number: int) -> Iterator[Family]:
    """One sample of each kind, worth `number`; labels as they come."""
    requests = Family("requests_total", "counter", "All.", ("model",))
    requests.add(number, 'm"\ud83d\ude00'.encode("utf-16", "surrogatepass").decode("utf-16"))
    seconds = Family("seconds", "histogram", "How long.")
    histogram = Histogram((1, 10))
    histogram.observe(number)
    seconds.add(histogram)
    yield from (requests, seconds)


async def is_listening(place: Path) -> bool:
    await asyncio.sleep(0)
    try:
        _, writer = await asyncio.open_unix_connection(place)
    except OSError:
        return False
    writer.close()
    return True


@asynccontextmanager
async def workers(folder: Path, count: int, serving: int) -> AsyncGenerator[list[Colleagues], None]:
    """`count` workers, of which the first `serving` tell their metrics."""

    def own(number: int) -> Colleagues:
        return Colleagues(folder, number, count, lambda: metrics_of(number))

    all_of_them = [own(number) for number in range(count)]
    tasks = [asyncio.create_task(each.run()) for each in all_of_them[:serving]]
    for number in range(serving):
        while not await is_listening(folder / f"worker-{number}.sock"):
            pass
    yield all_of_them
    for task in tasks:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def test_every_worker_tells_of_all(tmp_path: Path) -> None:
    async with workers(tmp_path, 3, serving=3) as three:
        told = [write(await each.gather()).decode() for each in three]
    for text in told:
        for number in range(3):
            assert f'requests_total{{model="m\\"😀",worker="{number}"}} {number}\n' in text
            assert f'seconds_sum{{worker="{number}"}} {number}\n' in text
            assert f'seconds_bucket{{worker="{number}",le="+Inf"}} 1\n' in text
        assert text.count("# TYPE requests_total counter\n") == 1
    assert len({tuple(sorted(text.splitlines())) for text in told}) == 1


async def test_only_the_owner_may_connect_and_nothing_stays(tmp_path: Path) -> None:
    place = tmp_path / "worker-0.sock"
    async with workers(tmp_path, 1, serving=1):
        assert stat.S_IMODE(place.stat().st_mode) == 0o600
    assert not place.exists()


async def test_a_socket_that_a_dead_worker_left_is_taken_over(tmp_path: Path) -> None:
    (tmp_path / "worker-0.sock").write_text("left over")
    async with workers(tmp_path, 2, serving=1) as (_, other):
        assert 'worker="0"' in write(await other.gather()).decode()


async def test_who_does_not_answer_is_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with workers(tmp_path, 3, serving=2) as three:
        text = write(await three[0].gather()).decode()
    assert 'worker="1"' in text
    assert 'worker="2"' not in text
    assert "a worker does not tell its metrics" in capsys.readouterr().out


async def test_who_hangs_or_talks_nonsense_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_PATIENCE_S", 0.05)
    left = asyncio.Event()

    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()
        left.set()

    async def babble(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"nonsense")
        writer.close()

    asker = Colleagues(tmp_path, 0, 3, lambda: metrics_of(0))
    async with (
        await asyncio.start_unix_server(hang, tmp_path / "worker-1.sock"),
        await asyncio.start_unix_server(babble, tmp_path / "worker-2.sock"),
    ):
        text = write(await asker.gather()).decode()
        await left.wait()
    assert text.count("worker=") == text.count('worker="0"') > 0


async def test_a_path_that_is_too_long_is_no_reason_not_to_serve(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    deep = tmp_path / ("long" * 30)
    deep.mkdir()
    await Colleagues(deep, 0, 2, lambda: metrics_of(0)).run()
    assert "workers do not share their metrics" in capsys.readouterr().out
