"""ledger: no record vanishes, whatever the database, the clients or the process do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path

import pytest
from running_gateway import provider, run_gateway
from scripted_upstream import ScriptedUpstream, json_answer
from store.records import NOON, record

from dragoman import ledger as module
from dragoman.errors import StoreError, UpstreamRefused, UpstreamUnreachable
from dragoman.ir import Usage
from dragoman.keys import GatewayKey
from dragoman.ledger import Ledger, forget_forever, make_record
from dragoman.protocols import CHAT, MESSAGES, Protocol
from dragoman.providers.provider import Auth, Provider
from dragoman.routing import Target
from dragoman.secrets import SecretBox
from dragoman.store.database import Database
from dragoman.store.requests import Record, RequestStore, Search
from dragoman.store.usage import Scope, UsageStore
from dragoman.usage import Entry

UP = Provider("up", "openai-compatible", "Up", {}, frozenset({Protocol.CHAT}), Auth.BEARER)


class Shelf:
    """Stands in for `RequestStore`: keeps batches, and fails or waits as it is told."""

    def __init__(self) -> None:
        self.batches: list[list[Record]] = []
        self.failing = False
        self.refused: set[str] = set()
        self.open = asyncio.Event()
        self.open.set()
        self.tried = asyncio.Event()

    async def add(self, records: Sequence[Record]) -> None:
        self.tried.set()
        batch = list(records)
        await self.open.wait()
        if self.failing:
            raise StoreError("The database is locked.")
        if any(each.request_id in self.refused for each in batch):
            raise OverflowError("too large")
        self.batches.append(batch)

    @property
    def ids(self) -> list[str]:
        return [each.request_id for batch in self.batches for each in batch]


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture
def ledger(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> Ledger:
    monkeypatch.setattr(module, "GATHER_S", 0.01)
    monkeypatch.setattr(module, "_RETRY_S", 0.01)
    monkeypatch.setattr(module, "LARGEST_BATCH", 4)
    monkeypatch.setattr(module, "CAPACITY", 6)
    monkeypatch.setattr(module, "MOST_KEPT", 9)
    return Ledger(shelf)  # type: ignore[arg-type]


@pytest.fixture
async def running(ledger: Ledger) -> AsyncGenerator[asyncio.Task[None], None]:
    task = asyncio.create_task(ledger.run())
    yield task
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def fill(ledger: Ledger, *ids: object) -> list[str]:
    for each in ids:
        ledger.add(record(request_id=str(each)))
    return [str(each) for each in ids]


async def until_written(ledger: Ledger) -> None:
    async with asyncio.timeout(30):
        while ledger.waiting:  # noqa: ASYNC110 - the ledger tells nobody
            await asyncio.sleep(0.005)


class TestWriting:
    @pytest.mark.usefixtures("running")
    async def test_what_arrives_together_is_written_together_and_in_order(
        self, ledger: Ledger, shelf: Shelf
    ) -> None:
        ids = fill(ledger, *range(3))
        await until_written(ledger)
        assert [len(batch) for batch in shelf.batches] == [3]
        ids += fill(ledger, *range(3, 12))
        await until_written(ledger)
        assert shelf.ids == ids
        assert max(len(batch) for batch in shelf.batches) <= 4

    async def test_the_rest_is_written_at_the_end(self, ledger: Ledger, shelf: Shelf) -> None:
        ids = fill(ledger, *range(9))
        await ledger.aclose()
        assert shelf.ids == ids
        await ledger.aclose()

    async def test_a_writer_that_is_stopped_in_the_middle_writes_nothing_twice(
        self, ledger: Ledger, shelf: Shelf, running: asyncio.Task[None]
    ) -> None:
        shelf.open.clear()
        ids = fill(ledger, 1, 2)
        await shelf.tried.wait()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        ids += fill(ledger, 3)
        shelf.open.set()
        await ledger.aclose()
        assert shelf.ids == ids


class TestBackpressure:
    @pytest.mark.usefixtures("running")
    async def test_new_requests_wait_while_the_database_is_slow(
        self, ledger: Ledger, shelf: Shelf
    ) -> None:
        shelf.open.clear()
        fill(ledger, *range(5))
        await ledger.admit()
        await shelf.tried.wait()  # four are in the writer's hands
        fill(ledger, *range(5, 10))
        assert ledger.is_full
        waiting = asyncio.create_task(ledger.admit())
        await asyncio.sleep(0)
        assert not waiting.done()
        shelf.open.set()
        await waiting
        await until_written(ledger)
        assert (len(shelf.ids), ledger.lost) == (10, 0)


class TestFailure:
    @pytest.mark.usefixtures("running")
    async def test_records_are_kept_and_written_once_the_database_works_again(
        self, ledger: Ledger, shelf: Shelf
    ) -> None:
        shelf.failing = True
        ids = fill(ledger, 1, 2, 3)
        await _failing(ledger)
        assert ledger.failure == "The database is locked."
        ids += fill(ledger, 4, 5)
        assert ledger.waiting == 5
        shelf.failing = False
        await until_written(ledger)
        assert (shelf.ids, ledger.failure, ledger.lost) == (ids, None, 0)

    @pytest.mark.usefixtures("running")
    async def test_relaying_goes_on_and_only_then_the_oldest_are_given_up(
        self, ledger: Ledger, shelf: Shelf
    ) -> None:
        shelf.failing = True
        fill(ledger, "first")
        await _failing(ledger)
        fill(ledger, *range(30))
        await ledger.admit()  # waits for nobody
        assert not ledger.is_full
        shelf.failing = False
        await until_written(ledger)
        assert ledger.lost == 31 - len(shelf.ids)
        assert len(shelf.ids) <= 9 + 4
        assert shelf.ids[-9:] == [str(number) for number in range(21, 30)]

    async def test_a_database_that_is_gone_does_not_keep_the_gateway_from_ending(
        self, ledger: Ledger, shelf: Shelf
    ) -> None:
        shelf.failing = True
        fill(ledger, 1)
        await ledger.aclose()
        assert (shelf.ids, ledger.waiting) == ([], 1)

    @pytest.mark.usefixtures("running")
    async def test_one_record_that_cannot_be_written_does_not_hold_up_the_others(
        self, ledger: Ledger, shelf: Shelf
    ) -> None:
        shelf.refused = {"bad"}
        fill(ledger, 1, "bad", 2)
        await until_written(ledger)
        assert (sorted(shelf.ids), ledger.lost, ledger.failure) == (["1", "2"], 1, None)


async def _failing(ledger: Ledger) -> None:
    async with asyncio.timeout(30):
        while ledger.failure is None:  # noqa: ASYNC110 - the ledger tells nobody
            await asyncio.sleep(0.005)


class TestForgetting:
    async def test_old_records_and_bodies_go(self, monkeypatch: pytest.MonkeyPatch) -> None:
        forgotten: list[tuple[str, int]] = []

        class Store:
            async def forget_before(self, time: int) -> int:
                forgotten.append(("records", time))
                return 0

            async def forget_bodies_before(self, time: int) -> int:
                forgotten.append(("bodies", time))
                raise StoreError("locked")

        monkeypatch.setattr(module.time, "time", lambda: NOON / 1000)
        await _sweep(forget_forever(Store(), lambda: (90, 7)))  # type: ignore[arg-type]
        day = 86_400_000
        assert forgotten == [("records", NOON - 90 * day), ("bodies", NOON - 7 * day)]
        forgotten.clear()
        await _sweep(forget_forever(Store(), lambda: (0, 0)))  # type: ignore[arg-type]
        assert forgotten == []


async def _sweep(forgetting: object) -> None:
    """Lets it run until it sleeps."""
    task = asyncio.ensure_future(forgetting)  # type: ignore[arg-type]
    for _ in range(5):
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


class TestRecords:
    def test_everything_that_is_known_is_told(self) -> None:
        entry = Entry("req", MESSAGES, client="c/1", stream=True, asked="smart", status=200)
        entry.key = GatewayKey("key_1", "laptop", frozenset(), "hint")
        entry.begin_attempt(Target(UP, "a"))
        entry.fail_attempt(UpstreamRefused("busy", status=429))
        entry.begin_attempt(Target(UP, "a"))
        entry.fail_attempt(UpstreamUnreachable("gone"))
        entry.begin_attempt(Target(UP, "b"))
        entry.translation, entry.dropped = "messages->chat", ("top_k",)
        entry.usage = Usage(input=1, cache_read=2, output=3, reasoning=4, searches=5)
        entry.first_byte, entry.ended = entry.started + 0.5, entry.started + 2
        entry.cost, entry.price = 7, "p"
        told = make_record(entry)
        assert (told.key_id, told.key_name, told.client) == ("key_1", "laptop", "c/1")
        assert (told.protocol, told.upstream_protocol) == ("messages", "chat")
        assert (told.provider, told.model, told.asked) == ("up", "b", "smart")
        assert [(each.target, each.status) for each in told.failures] == [
            ("up:a", 429),
            ("up:a", None),
        ]
        assert (told.first_byte_ms, told.duration_ms, told.attempts) == (500, 2000, 3)
        assert (told.cost, told.price, told.dropped) == (7, "p", ("top_k",))
        counts = (told.input_tokens, told.cache_read_tokens, told.cache_write_tokens)
        assert counts == (1, 2, 0)
        assert (told.output_tokens, told.reasoning_tokens, told.searches) == (3, 4, 5)

    def test_what_is_not_known_stays_unknown(self) -> None:
        told = make_record(Entry("req", CHAT))
        assert (told.key_id, told.provider, told.asked, told.input_tokens) == (None,) * 4
        assert (told.upstream_protocol, told.first_byte_ms, told.cost) == (None,) * 3

    def test_the_name_is_told_only_where_it_is_another(self) -> None:
        entry = Entry("req", CHAT, asked="up:m")
        entry.begin_attempt(Target(UP, "m"))
        assert make_record(entry).asked is None

    async def test_whatever_others_say_can_be_written(self, database: Database) -> None:
        """Texts that no database holds and numbers that none counts come from clients and from
        providers; they are cut to size here."""
        odd = "a\0b\ud800" + "x" * 10_000
        entry = Entry("req", CHAT, client=odd, asked=odd, error=odd, started_at=NOON / 1000)
        entry.begin_attempt(Target(UP, odd))
        entry.fail_attempt(UpstreamRefused(odd, status=500))
        entry.usage = Usage(input=10**40, output=-5)
        entry.cost = 10**40
        store = RequestStore(database, SecretBox(bytes(32), "the test's key"))
        await store.add([make_record(entry)] * 3)
        total = await UsageStore(database).total(Scope(0, NOON * 2))
        assert (total.requests, total.output_tokens) == (3, 0)
        (found, *_) = (await store.search(Search(), 1)).records
        assert found.client.startswith("a\N{REPLACEMENT CHARACTER}b?")
        assert max(map(len, (found.client, found.error or "", found.model or ""))) <= 2000


@pytest.fixture
async def database(tmp_path: Path) -> AsyncGenerator[Database, None]:
    database = await Database.open(tmp_path / "dragoman.db")
    yield database
    await database.aclose()


async def test_a_gateway_under_load_records_every_request_once(tmp_path: Path) -> None:
    """Streams, whole answers and refusals at once; compared with what the provider has seen."""
    answer = {"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 2}}
    async with ScriptedUpstream() as upstream:
        upstream.on("*", json_answer(answer))
        toml = provider(upstream.url) + '[[prices]]\nmodel = "*"\ninput = 0.001\noutput = 1\n'
        async with run_gateway(tmp_path, toml) as running, running.client() as client:

            async def ask(number: int) -> None:
                model = "up:m" if number % 5 else "up:none"
                body = {"model": model, "messages": []}
                headers = {"x-request-id": f"r{number}"}
                await client.post("/v1/chat/completions", json=body, headers=headers)

            await asyncio.gather(*map(ask, range(150)))
            await running.gateway.ledger.flush()
            store = running.gateway.store
            page = await store.requests.search(Search(), 1000)
            total = await store.usage.total(Scope(0, NOON * 2))
    assert sorted(each.request_id for each in page.records) == sorted(f"r{n}" for n in range(150))
    assert sum(each.attempts for each in page.records) == len(upstream.requests) == 120
    assert (total.requests, total.errors) == (150, 30)
    assert (total.input_tokens, total.output_tokens) == (360, 240)
    assert total.cost == 120 * (3 * 1 + 2 * 1000)
