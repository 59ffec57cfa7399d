"""One connection against a transport of paper: framing, limits, pressure and garbage."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scripted_upstream import chunk, head

from dragoman.errors import UpstreamDied, UpstreamError, UpstreamTimeout, UpstreamUnreachable
from dragoman.providers.provider import Timeouts
from dragoman.upstream.connection import HIGH_WATER, PIECE, Connection

LIMITS = Timeouts()


class Paper:
    """Keeps what is written and what is asked of a socket."""

    def __init__(self):
        self.written = []
        self.aborted = False
        self.reading = True

    def write(self, data):
        self.written.append(bytes(data))

    def abort(self):
        self.aborted = True

    def pause_reading(self):
        self.reading = False

    def resume_reading(self):
        self.reading = True


class Wire:
    """A connection, its paper transport, and what it told its pool."""

    def __init__(self):
        self.idle = 0
        self.closed = 0
        self.paper = Paper()
        self.connection = Connection("peer:80", 30, self._on_idle, self._on_closed)
        self.connection.connection_made(self.paper)

    def _on_idle(self, connection):
        self.idle += 1

    def _on_closed(self, connection):
        self.closed += 1

    def ask(self, body=b"", limits=LIMITS, *, is_head=False):
        """Starts an exchange; it is under way when this returns to the loop."""
        exchange = self.connection.exchange(b"HEAD\r\n\r\n", body, limits, 0.0, is_head=is_head)
        return asyncio.ensure_future(exchange)

    async def hear(self, *pieces, is_head=False):
        """The response to one exchange in which `pieces` arrive."""
        asking = self.ask(is_head=is_head)
        await asyncio.sleep(0)
        for piece in pieces:
            self.connection.data_received(piece)
        return await asking

    def lose(self, error=None):
        self.connection.connection_lost(error)


def split_at(data, cuts):
    """`data` in pieces, cut at these places (modulo its length)."""
    places = sorted({cut % (len(data) + 1) for cut in cuts} | {0, len(data)})
    return [data[a:b] for a, b in pairwise(places)]


cuts = st.lists(st.integers(0, 10_000), max_size=8)
bodies = st.lists(st.binary(min_size=1, max_size=300), max_size=6)


@given(bodies, st.sampled_from(["length", "chunked", "close"]), cuts)
def test_any_body_under_any_framing_and_any_split(pieces, framing, where):
    async def scenario():
        wire = Wire()
        body = b"".join(pieces)
        raw = {
            "length": head(200, {"Content-Length": str(len(body)), "X": "y "}) + body,
            "chunked": head(200, {"Transfer-Encoding": "Chunked", "X": "y "})
            + b"".join(map(chunk, pieces))
            + chunk(b""),
            "close": head(200, {"X": "y "}) + body,
        }[framing]
        response = await wire.hear(*split_at(raw, where))
        if framing == "close":
            wire.connection.eof_received()
        assert response.status == 200
        assert dict(response.headers)[b"x"] == b"y"
        assert await response.read() == body
        assert (wire.idle, wire.closed) == ((0, 1) if framing == "close" else (1, 0))
        wire.connection.close()

    asyncio.run(scenario())


@given(st.binary(max_size=200), cuts, st.sampled_from([None, ConnectionResetError()]))
def test_garbage_never_crashes_and_never_hangs(raw, where, end):
    asyncio.run(feed_anything(raw, where, end))


VALID = (
    head(103)
    + head(200, {"transfer-encoding": "chunked", "content-type": "text/event-stream"})
    + chunk(b"data: one\n\n")
    + chunk(b"data: two\n\n")
    + chunk(b"")
)


@given(
    st.lists(st.tuples(st.integers(0, len(VALID)), st.binary(max_size=3)), min_size=1, max_size=4),
    cuts,
    st.sampled_from([None, ConnectionResetError()]),
)
def test_damage_never_crashes_and_never_hangs(damage, where, end):
    raw = bytearray(VALID)
    for place, bytes_ in damage:
        raw[place : place + len(bytes_)] = bytes_
    asyncio.run(feed_anything(bytes(raw), where, end))


async def feed_anything(raw, where, end):
    wire = Wire()
    asking = wire.ask()
    await asyncio.sleep(0)
    for piece in split_at(raw, where):
        if not wire.paper.aborted:
            wire.connection.data_received(piece)
    wire.lose(end)
    try:
        response = await asking
        await response.read()
        assert 200 <= response.status <= 999
    except UpstreamError as error:
        assert isinstance(error, UpstreamUnreachable | UpstreamDied)
    assert wire.closed == 1


async def test_what_arrived_before_the_failure_is_handed_out_first():
    wire = Wire()
    response = await wire.hear(head(200, {"content-length": "9"}) + b"hello")
    wire.lose()
    assert await anext(aiter(response)) == b"hello"
    with pytest.raises(UpstreamDied, match="broke off"):
        await anext(aiter(response))


async def test_several_chunks_of_one_segment_are_one_chunk():
    wire = Wire()
    response = await wire.hear(
        head(200, {"transfer-encoding": "chunked"}) + chunk(b"a") + chunk(b"b") + chunk(b"")
    )
    assert [part async for part in response] == [b"ab"]
    wire.connection.close()


@pytest.mark.parametrize(
    ("raw", "is_head", "reusable"),
    [
        (head(204), False, True),
        (head(304), False, True),
        (head(304, {"content-length": "5"}), False, False),
        (head(204, {"transfer-encoding": "chunked"}), False, False),
        (head(200, {"content-length": "5"}), True, False),
        (head(200, {"transfer-encoding": "chunked"}), True, False),
        (head(200), True, False),
        (head(200, {"content-length": "0"}), False, True),
        (head(200, {"content-length": "0", "connection": "close"}), False, False),
        (b"HTTP/1.0 200 OK\r\ncontent-length: 0\r\n\r\n", False, False),
    ],
)
async def test_answers_without_a_body(raw, is_head, reusable):
    wire = Wire()
    response = await wire.hear(raw, is_head=is_head)
    assert await response.read() == b""
    assert (wire.idle, wire.closed) == ((1, 0) if reusable else (0, 1))
    assert wire.paper.aborted is not reusable
    wire.connection.close()


@pytest.mark.parametrize("excess", [b"x", b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"])
async def test_excess_bytes_cost_the_connection_but_not_the_answer(excess):
    wire = Wire()
    response = await wire.hear(head(200, {"content-length": "2"}) + b"ok" + excess)
    assert await response.read() == b"ok"
    assert (wire.idle, wire.closed) == (0, 1)


async def test_a_connection_that_was_lost_before_its_first_request_is_not_waited_for():
    wire = Wire()
    wire.lose()
    with pytest.raises(UpstreamUnreachable, match="closed the connection"):
        await wire.hear()
    assert wire.connection.is_closed
    assert not wire.connection.heard


async def test_bytes_on_an_idle_connection_close_it():
    wire = Wire()
    await wire.hear(head(204))
    wire.connection.data_received(head(200))
    assert wire.paper.aborted
    assert wire.closed == 1


async def test_a_trailer_does_not_leak_into_the_next_answer():
    wire = Wire()
    raw = head(200, {"transfer-encoding": "chunked"}) + b"0\r\nx-trailer: 1\r\n\r\n"
    for answer in (raw, head(200, {"content-length": "0", "a": "b"})):
        response = await wire.hear(answer)
    assert list(response.headers) == [(b"content-length", b"0"), (b"a", b"b")]
    wire.connection.close()


@pytest.mark.parametrize(
    "flood",
    [
        b"HTTP/1.1 100 \r\n\r\n" * 1000,
        b"HTTP/1.1 200 OK\r\nx: " + b"y" * 10_000,
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5;" + b"x" * 10_000,
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\nx: " + b"x" * 10_000,
    ],
    ids=["interim", "header", "extension", "trailer"],
)
async def test_framing_without_end_is_cut_off(flood):
    wire = Wire()
    asking = wire.ask()
    await asyncio.sleep(0)
    more = flood if flood.startswith(b"HTTP/1.1 100") else b"x" * 10_000
    wire.connection.data_received(flood)
    for _ in range(20):
        if wire.paper.aborted:
            break
        wire.connection.data_received(more)
    with pytest.raises(UpstreamError, match="65536 bytes of framing"):
        await (await asking).read()
    assert wire.paper.aborted


async def test_a_slow_reader_pauses_the_socket_and_its_clock():
    wire = Wire()
    response = await wire.hear(head(200), b"x" * HIGH_WATER)
    assert wire.paper.reading
    wire.connection.data_received(b"y")
    assert not wire.paper.reading
    assert response.buffered == HIGH_WATER + 1
    assert len(await anext(aiter(response))) == HIGH_WATER + 1
    assert wire.paper.reading
    assert response.buffered == 0
    wire.connection.close()


async def test_an_end_while_paused_leaves_the_connection_reading():
    wire = Wire()
    size = HIGH_WATER + 2
    response = await wire.hear(head(200, {"content-length": str(size)}), b"x" * (size - 1))
    assert not wire.paper.reading
    wire.connection.data_received(b"y")  # was on its way already
    assert wire.paper.reading
    assert wire.idle == 1
    assert len(await response.read()) == size
    wire.connection.close()


async def test_a_small_request_is_one_write():
    wire = Wire()
    asking = wire.ask(b"body")
    await asyncio.sleep(0)
    assert wire.paper.written == [b"HEAD\r\n\r\nbody"]
    wire.connection.data_received(head(204))
    await asking
    wire.connection.close()


async def test_a_large_request_waits_for_its_socket():
    wire = Wire()
    body = b"x" * (3 * PIECE)
    wire.connection.pause_writing()
    asking = wire.ask(body)
    await asyncio.sleep(0)
    assert len(wire.paper.written) == 1
    wire.connection.resume_writing()
    await asyncio.sleep(0)
    assert b"".join(wire.paper.written) == b"HEAD\r\n\r\n" + body
    wire.connection.data_received(head(204))
    assert (await asking).status == 204
    assert wire.idle == 1
    wire.connection.close()


async def test_an_early_answer_ends_the_request_and_the_connection():
    wire = Wire()
    wire.connection.pause_writing()
    asking = wire.ask(b"x" * (3 * PIECE))
    await asyncio.sleep(0)
    wire.connection.data_received(head(413, {"content-length": "0"}))
    assert (await asking).status == 413
    assert len(wire.paper.written) == 1
    assert wire.paper.aborted
    assert (wire.idle, wire.closed) == (0, 1)


async def test_an_abandoned_answer_says_so_to_whoever_still_reads():
    wire = Wire()
    response = await wire.hear(head(200))
    reading = asyncio.ensure_future(response.read())
    await asyncio.sleep(0)
    await response.aclose()
    with pytest.raises(UpstreamDied, match="hung up"):
        await reading
    assert wire.closed == 1


async def test_a_body_that_an_answer_to_head_brings_along_is_not_one():
    wire = Wire()
    response = await wire.hear(head(200, {"content-length": "5"}) + b"hello", is_head=True)
    assert await response.read() == b""
    assert wire.closed == 1


@pytest.fixture
def pass_time(monkeypatch):
    """Moves the loop's clock on, and lets its timers run."""
    passed = 0.0

    async def move(seconds):
        nonlocal passed
        passed += seconds
        for _ in range(3):
            await asyncio.sleep(0)

    def install():
        loop = asyncio.get_running_loop()
        if not isinstance(loop, asyncio.BaseEventLoop):
            pytest.skip("uvloop's methods cannot be replaced")
        time = loop.time
        monkeypatch.setattr(loop, "time", lambda: time() + passed)
        return move

    return install


async def test_each_byte_of_a_stream_restarts_the_idle_clock(pass_time):
    move = pass_time()
    wire = Wire()
    response = await wire.hear(head(200))
    for _ in range(10):
        wire.connection.data_received(b"x")
        await move(LIMITS.idle_s * 0.9)
    assert await anext(aiter(response)) == b"x" * 10
    await move(LIMITS.idle_s * 0.2)
    with pytest.raises(UpstreamTimeout, match=r"within 300 s \(timeout\.idle_s\)"):
        await anext(aiter(response))
    assert wire.paper.aborted
    assert wire.closed == 1


async def test_the_idle_clock_stands_still_while_the_reader_is_slow(pass_time):
    move = pass_time()
    wire = Wire()
    response = await wire.hear(head(200), b"x" * (HIGH_WATER + 1))
    await move(LIMITS.idle_s * 10)
    assert not wire.paper.aborted
    assert len(await anext(aiter(response))) == HIGH_WATER + 1
    await move(LIMITS.idle_s * 0.9)
    assert not wire.paper.aborted
    await move(LIMITS.idle_s * 0.2)
    assert wire.paper.aborted


async def test_the_total_clock_does_not_stand_still(pass_time):
    move = pass_time()
    wire = Wire()
    now = asyncio.get_running_loop().time()
    sending = asyncio.ensure_future(
        wire.connection.exchange(b"", b"", Timeouts(total_s=1000), now, is_head=False)
    )
    await asyncio.sleep(0)
    wire.connection.data_received(head(200) + b"x" * (HIGH_WATER + 1))
    response = await sending
    await move(999)
    assert not wire.paper.aborted
    await move(2)
    with pytest.raises(UpstreamTimeout, match=r"within 1000 s \(timeout\.total_s\)"):
        await response.read()


async def test_one_timer_serves_many_exchanges(monkeypatch):
    loop = asyncio.get_running_loop()
    if not isinstance(loop, asyncio.BaseEventLoop):
        pytest.skip("uvloop's methods cannot be replaced")
    timers = []
    call_at = loop.call_at
    monkeypatch.setattr(
        loop, "call_at", lambda when, *args, **more: timers.append(when) or call_at(when, *args)
    )
    wire = Wire()
    for _ in range(100):
        response = await wire.hear(head(200, {"content-length": "4"}), b"a", b"b", b"c", b"d")
        assert await response.read() == b"abcd"
    assert len(timers) <= 3
    wire.connection.close()
