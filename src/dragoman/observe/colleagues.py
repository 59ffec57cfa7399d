"""The metrics of several workers, of which a scrape reaches only one.

Each worker tells its own to whoever connects to its Unix socket in the data directory. The one
that is scraped asks all others and shows theirs beside its own, told apart by the label `worker`:
so counters never jump from one process's to another's, and those of a worker that was replaced
begin at 0 by themselves.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterable
from pathlib import Path

import msgspec
import structlog

from dragoman.observe.exposition import Family

log = structlog.get_logger()

_PATIENCE_S = 2.0
_LABEL = "worker"


class Colleagues:
    """One of `count` workers, the one with this `number`; `own` gives its metrics.

    `folder` is the data directory, which they share and nobody else may read.
    """

    def __init__(
        self, folder: Path, number: int, count: int, own: Callable[[], Iterable[Family]]
    ) -> None:
        self._folder = folder
        self._number = number
        self._count = count
        self._own = own

    async def run(self) -> None:
        """Tells this worker's metrics to the others until cancelled.

        Where the system has no such sockets, or the data directory too long a path for one, the
        log says so, and the others do without them.
        """
        place = self._socket(self._number)
        place.unlink(missing_ok=True)
        listener = socket.socket(socket.AF_UNIX)
        try:
            listener.bind(str(place))
            place.chmod(0o600)  # before it listens, and so before anybody can connect
            server = await asyncio.start_unix_server(self._tell, sock=listener)
        except OSError as error:
            listener.close()
            log.warning("workers do not share their metrics", reason=str(error))
            return
        try:
            async with server:
                await server.serve_forever()
        finally:
            place.unlink(missing_ok=True)

    async def gather(self) -> list[Family]:
        """The metrics of all workers that answer in time."""
        numbers = [number for number in range(self._count) if number != self._number]
        theirs = await asyncio.gather(*map(self._ask, numbers))
        merged: dict[str, Family] = {}
        for number, families in ((self._number, self._own()), *zip(numbers, theirs, strict=True)):
            for family in families:
                _merge(merged, family, str(number))
        return list(merged.values())

    async def _ask(self, number: int) -> list[Family]:
        try:
            async with asyncio.timeout(_PATIENCE_S):
                reader, writer = await asyncio.open_unix_connection(self._socket(number))
                try:
                    told = await reader.read()
                finally:
                    writer.close()
            return msgspec.msgpack.decode(told, type=list[Family])
        except (OSError, TimeoutError, msgspec.DecodeError) as error:
            log.warning("a worker does not tell its metrics", worker=number, reason=repr(error))
            return []

    async def _tell(self, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            writer.write(msgspec.msgpack.encode(list(self._own())))
            await writer.drain()
        except ConnectionError:
            pass  # it did not wait
        finally:
            writer.close()

    def _socket(self, number: int) -> Path:
        return self._folder / f"worker-{number}.sock"


def _merge(merged: dict[str, Family], family: Family, number: str) -> None:
    """Adds the samples of one worker's `family` to those of the others."""
    whole = merged.setdefault(
        family.name, Family(family.name, family.kind, family.help, (*family.labels, _LABEL))
    )
    whole.samples += [((*labels, number), value) for labels, value in family.samples]
