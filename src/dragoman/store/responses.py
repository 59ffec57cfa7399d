"""The answers that the gateway remembers for clients that go on by a response's id.

Each row is one turn: what the caller said then and what it was answered, sealed, and which
response it went on from. A conversation is the chain of its turns; one that has lost a link is
not given out at all, since a model must not be shown half of what was said.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import delete, func, insert, literal, select, update

from dragoman.secrets import SecretBox
from dragoman.store.clock import now_ms
from dragoman.store.database import Database
from dragoman.store.schema import responses


@dataclass(frozen=True, slots=True)
class Turn:
    """One remembered turn: the items that the caller sent and the response object."""

    id: str
    previous_id: str | None
    input: list[dict[str, Any]]
    response: dict[str, Any]


class ResponseStore:
    """Reads and writes remembered turns. Every one belongs to the gateway key that made it, and
    is not there for any other."""

    def __init__(self, database: Database, box: SecretBox) -> None:
        self._database = database
        self._box = box

    async def add(self, key_id: str, turn: Turn, chain: Collection[str] = ()) -> None:
        """Remembers `turn`, which goes on from those in `chain`: they stay as fresh as it is."""
        content = {"input": turn.input, "response": turn.response}
        sealed = self._box.encrypt(msgspec.json.encode(content).decode())
        now = now_ms()
        async with self._database.write(counted=False) as connection:
            if chain:
                await connection.execute(
                    update(responses).where(responses.c.id.in_(chain)).values(used_at=now)
                )
            await connection.execute(
                insert(responses).values(
                    id=turn.id,
                    key_id=key_id,
                    previous_id=turn.previous_id,
                    sealed=sealed,
                    size=len(sealed),
                    created_at=now,
                    used_at=now,
                )
            )

    async def get(self, key_id: str, id: str) -> Turn | None:
        """One turn."""
        async with self._database.read() as connection:
            found = await connection.execute(
                select(responses.c.id, responses.c.previous_id, responses.c.sealed).where(
                    responses.c.id == id, responses.c.key_id == key_id
                )
            )
            row = found.one_or_none()
        return None if row is None else self._read(row.id, row.previous_id, row.sealed)

    async def chain(self, key_id: str, id: str) -> Sequence[Turn]:
        """The turns up to and including `id`, the first one first; none where one is missing."""
        wanted = (responses.c.id, responses.c.previous_id, responses.c.sealed)
        last = (
            select(*wanted, literal(0).label("depth"))
            .where(responses.c.id == id, responses.c.key_id == key_id)
            .cte("chain", recursive=True)
        )
        chain = last.union_all(
            select(*wanted, last.c.depth + 1)
            .join(last, responses.c.id == last.c.previous_id)
            .where(responses.c.key_id == key_id)
        )
        async with self._database.read() as connection:
            rows = (await connection.execute(select(chain).order_by(chain.c.depth.desc()))).all()
        if not rows or rows[0].previous_id is not None:
            return ()
        return [self._read(row.id, row.previous_id, row.sealed) for row in rows]

    async def remove(self, key_id: str, id: str) -> bool:
        """Forgets one turn, and so every conversation that goes on from it."""
        async with self._database.write(counted=False) as connection:
            gone = await connection.execute(
                delete(responses).where(responses.c.id == id, responses.c.key_id == key_id)
            )
            return gone.rowcount > 0

    async def prune(self, oldest: int, most: int, largest: int) -> None:
        """Forgets what nobody has gone on from since `oldest` (Unix milliseconds), then those used
        longest ago, until `most` turns of `largest` bytes together are left."""
        ranked = select(
            responses.c.id,
            func.row_number().over(order_by=_freshest).label("number"),
            func.sum(responses.c.size).over(order_by=_freshest).label("bytes"),
        ).subquery()
        excess = select(ranked.c.id).where((ranked.c.number > most) | (ranked.c.bytes > largest))
        async with self._database.write(counted=False) as connection:
            await connection.execute(delete(responses).where(responses.c.used_at < oldest))
            await connection.execute(delete(responses).where(responses.c.id.in_(excess)))

    def _read(self, id: str, previous_id: str | None, sealed: bytes) -> Turn:
        content = msgspec.json.decode(self._box.decrypt(sealed))
        return Turn(id, previous_id, content["input"], content["response"])


_freshest = (responses.c.used_at.desc(), responses.c.id)
