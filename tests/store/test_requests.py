"""store.requests: what is written is read again, found by what it says, and forgotten in time."""

from __future__ import annotations

import msgspec
import pytest
from sqlalchemy import func, select, text
from store.records import NOON, record

from dragoman.errors import InvalidRequest, NotFound
from dragoman.secrets import SecretBox
from dragoman.store.database import Database
from dragoman.store.requests import Bodies, Failure, Record, RequestStore, Search
from dragoman.store.schema import request_bodies, usage_sums

FULL = record(
    asked="smart",
    stream=True,
    status=502,
    error="It broke, 100% of it.",
    attempts=2,
    failures=(Failure("dead:m", "refused", 3), Failure("two:m", "busy", 9, 429)),
    dropped=("thinking", "top_k"),
    upstream_protocol="messages",
    reasoning_tokens=3,
    searches=1,
)
BARE = Record(
    started_at=NOON + 5,
    request_id="req_bare",
    client="",
    operation="chat",
    protocol="chat",
    stream=False,
    status=401,
    attempts=0,
    duration_ms=0,
    error="No API key was sent.",
    cost=0,
)


@pytest.fixture
def store(database: Database, box: SecretBox) -> RequestStore:
    return RequestStore(database, box)


async def found(store: RequestStore, limit: int = 100, **wanted: object) -> list[str]:
    page = await store.search(Search(**wanted), limit)
    return [each.request_id for each in page.records]


async def test_a_record_is_read_as_it_was_written(store: RequestStore) -> None:
    await store.add([FULL, BARE])
    page = await store.search(Search(), 10)
    assert [msgspec.structs.replace(each, id=None) for each in page.records] == [BARE, FULL]
    assert page.next is None


async def test_bodies_are_kept_beside_the_row_and_sealed(
    store: RequestStore, database: Database
) -> None:
    bodies = Bodies(client_request="SECRET question", client_response="answer 🎈")
    await store.add([record(), record(NOON + 1, request_id="req_2", bodies=bodies)])
    assert (await store.get("req_2")).bodies == bodies
    assert (await store.get("req_1")).bodies is None
    async with database.read() as connection:
        sealed = (await connection.execute(select(request_bodies.c.client_request))).scalar_one()
    assert b"SECRET" not in sealed


async def test_a_batch_is_written_whole_or_not_at_all(
    store: RequestStore, database: Database
) -> None:
    broken = msgspec.structs.replace(record(), client=None)  # pyright: ignore[reportArgumentType]
    with pytest.raises(Exception, match=r"(?i)null"):
        await store.add([record(), broken])
    assert await found(store) == []
    async with database.read() as connection:
        sums = select(func.count()).select_from(usage_sums)
        assert (await connection.execute(sums)).scalar_one() == 0


async def test_writing_a_batch_is_no_change_of_the_configuration(
    store: RequestStore, database: Database
) -> None:
    await store.add([record()])
    assert await database.revision() == 0


async def test_the_newest_of_several_with_the_same_id_is_got(store: RequestStore) -> None:
    await store.add([record(NOON, status=200), record(NOON + 1, status=500)])
    assert (await store.get("req_1")).status == 500
    with pytest.raises(NotFound, match="retention_days"):
        await store.get("req_none")


class TestSearch:
    async def test_each_condition_finds_what_it_says(self, store: RequestStore) -> None:
        await store.add(
            [
                record(NOON, request_id="a"),
                record(NOON + 1, request_id="b", key_id="key_2"),
                record(NOON + 2, request_id="c", provider="two", model="m/1"),
                record(NOON + 3, request_id="d", status=404, error="no such Model_x"),
                record(NOON + 4, request_id="e", error="broke off"),
            ]
        )
        assert await found(store) == ["e", "d", "c", "b", "a"]
        assert await found(store, since=NOON + 1, until=NOON + 3) == ["c", "b"]
        assert await found(store, key_id="key_2") == ["b"]
        assert await found(store, provider="two") == ["c"]
        assert await found(store, provider="two", model="m/1") == ["c"]
        assert await found(store, provider="up", model="m/1") == []
        assert await found(store, statuses=(400, 499)) == ["d"]
        assert await found(store, failed=True) == ["e", "d"]
        assert await found(store, failed=False) == ["c", "b", "a"]
        assert await found(store, request_id="c") == ["c"]

    async def test_text_is_searched_as_it_stands(self, store: RequestStore) -> None:
        await store.add([FULL, record(NOON + 3, request_id="d", error="no such Model_x")])
        assert await found(store, text="MODEL_X") == ["d"]
        assert await found(store, text="100%") == ["req_1"]
        assert await found(store, text="odel%x") == []
        assert await found(store, text="mode__x") == []

    async def test_pages_hold_everything_once_whatever_arrives_meanwhile(
        self, store: RequestStore
    ) -> None:
        # Several began in the same millisecond: the time alone does not tell them apart.
        await store.add([record(NOON + n // 4, request_id=f"{n:02}") for n in range(20)])
        seen: list[str] = []
        after: str | None = None
        while True:
            page = await store.search(Search(), 3, after)
            seen += [each.request_id for each in page.records]
            await store.add([record(NOON + 100, request_id="late")])
            after = page.next
            if after is None:
                break
        assert seen == [f"{n:02}" for n in reversed(range(20))]

    @pytest.mark.parametrize("after", ["", "x", "1", "1-", "-1", "1-x", "1-2-3"])
    async def test_a_wrong_place_is_refused(self, store: RequestStore, after: str) -> None:
        with pytest.raises(InvalidRequest) as caught:
            await store.search(Search(), 1, after)
        assert caught.value.param == "after"

    async def test_no_search_of_the_log_reads_every_row(
        self, store: RequestStore, database: Database
    ) -> None:
        """On SQLite, where the plan says so in words: each search goes by an index."""
        if database._sqlite is False:
            pytest.skip("PostgreSQL plans by what is in the table")
        searches = {
            "1": "ix_requests_started_at",
            "key_id = 'k'": "ix_requests_key_id_started_at",
            "provider = 'p' AND model = 'm'": "ix_requests_provider_model_started_at",
            "error IS NOT NULL": "ix_requests_failed_started_at",
            "request_id = 'r'": "ix_requests_request_id",
        }
        for condition, index in searches.items():
            question = f"FROM requests WHERE {condition} ORDER BY started_at DESC, id DESC LIMIT 50"
            async with database.read() as connection:
                rows = await connection.execute(text(f"EXPLAIN QUERY PLAN SELECT * {question}"))
                assert any(index in row.detail for row in rows), condition


class TestForgetting:
    async def test_old_rows_go_with_their_bodies_and_the_sums_stay(
        self, store: RequestStore, database: Database
    ) -> None:
        bodies = Bodies(client_request="question")
        old = [record(NOON - n, request_id=f"old {n}", bodies=bodies) for n in range(1, 4)]
        await store.add([*old, record(NOON, request_id="new", bodies=bodies)])
        assert await store.forget_before(NOON) == 3
        assert await found(store) == ["new"]
        assert (await store.get("new")).bodies == bodies
        async with database.read() as connection:
            count = select(func.count()).select_from(request_bodies)
            assert (await connection.execute(count)).scalar_one() == 1
            total = select(func.sum(usage_sums.c.requests))
            assert (await connection.execute(total)).scalar_one() == 2 * 4  # by hour and by day

    async def test_bodies_may_go_before_their_rows(self, store: RequestStore) -> None:
        await store.add([record(bodies=Bodies(client_request="question"))])
        assert await store.forget_bodies_before(NOON) == 0
        assert await store.forget_bodies_before(NOON + 1) == 1
        assert (await store.get("req_1")).bodies is None

    async def test_many_go_bit_by_bit(
        self, store: RequestStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("dragoman.store.requests._DELETED_AT_ONCE", 3)
        await store.add([record(NOON + n) for n in range(10)])
        assert await store.forget_before(NOON + 9) == 9
        assert len(await found(store)) == 1
