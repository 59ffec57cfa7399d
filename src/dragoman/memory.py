"""Conversations that the gateway remembers for clients of Responses.

`previous_response_id` and `item_reference` lean on a server that remembers. A provider that speaks
Responses does that itself, and its ids are left to it. What the gateway itself has answered, by
translation, no provider knows: of that it keeps each turn (encrypted, bounded, for the key that
made it alone) and puts what is leant on back into the request before it goes anywhere.

A response's id is `resp_` and 24 hexadecimal digits, and each of its items' ids holds the same
digits, so that either leads to the turn; OpenAI's own ids are longer.
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any, cast

import msgspec
import structlog

from dragoman import edit, sse
from dragoman.calls import Answer, Call
from dragoman.config import MemorySettings
from dragoman.edit import Document
from dragoman.errors import StoreError
from dragoman.protocols import RESPONSES, Protocol
from dragoman.store.clock import now_ms
from dragoman.store.responses import ResponseStore, Turn

log = structlog.get_logger()

Item = dict[str, Any]

_OWN_RESPONSE = re.compile(r"resp_[0-9a-f]{24}")
_OWN_ITEM = re.compile(r"[a-z]+_([0-9a-f]{24})_\d+")
_INPUT_PATH = re.compile(r"input\.(\d+)(.*)", re.DOTALL)
_LAST_EVENT = re.compile(rb'"type":"response\.(?:completed|incomplete)"')
_PREVIOUS = "previous_response_id"
_PRUNE_EVERY = 50


@dataclass(frozen=True, slots=True)
class Continuation:
    """A request with all that it goes on from.

    `document` is whole: what it leant on stands in its input, the first `recalled` items of which
    are not the caller's. `previous_id` is what the caller went on from, `chain` every turn before.
    `resolved` says that something was put in at all.
    """

    document: Document
    resolved: bool = False
    previous_id: str | None = None
    recalled: int = 0
    chain: tuple[str, ...] = ()

    def own_path(self, path: str) -> str:
        """A place in `document` as the caller knows it."""
        found = _INPUT_PATH.fullmatch(path)
        if found is None or not self.recalled:
            return path
        index = int(found[1]) - self.recalled
        return _PREVIOUS if index < 0 else f"input.{index}{found[2]}"


class Memory:
    """Recalls and keeps turns."""

    def __init__(self, store: ResponseStore, settings: MemorySettings) -> None:
        self.store = store
        self._settings = settings
        self._kept = 0

    async def resume(self, call: Call, document: Document) -> Continuation:
        """The request with what the gateway remembers of it; the rest stays as it is, for the
        provider to know or for a codec to refuse. Raises InvalidRequest, StoreError."""
        if call.operation.protocol is not Protocol.RESPONSES or not self._settings.enabled:
            return Continuation(document)
        previous = document.read(_PREVIOUS, str, "a string")
        refers = b'"item_reference"' in document.body
        items = _items_of(document) if refers or previous else None
        if items is None:
            return Continuation(document)
        turns: Sequence[Turn] = ()
        if previous is not None and _OWN_RESPONSE.fullmatch(previous):
            turns = await self.store.chain(call.key.id, previous)
        own = await self._resolve(call, items) if refers else items
        if not turns and own == items:
            return Continuation(document)
        recalled = [item for turn in turns for item in (*turn.input, *turn.response["output"])]
        put = {"input": msgspec.json.encode([*recalled, *own])}
        return Continuation(
            edit.parse(document.edit(put, {_PREVIOUS} if turns else ())),
            resolved=True,
            previous_id=previous if turns else None,
            recalled=len(recalled),
            chain=tuple(turn.id for turn in turns),
        )

    async def keep(self, call: Call, continuation: Continuation, answer: Answer) -> Answer:
        """`answer`, which the gateway has translated, remembered before the client can go on from
        it: unless it is none of Responses', or the client does not want that."""
        if call.operation is not RESPONSES or not self._settings.enabled:
            return answer
        if continuation.document.read("store", bool, "true or false") is False:
            return answer
        if isinstance(answer.body, bytes):
            await self._keep(call, continuation, msgspec.json.decode(answer.body))
            return answer
        await self._keep_last(call, continuation, answer.opening)
        return replace(answer, body=self._watch(call, continuation, answer.body))

    async def _watch(
        self, call: Call, continuation: Continuation, body: AsyncGenerator[bytes, None]
    ) -> AsyncGenerator[bytes, None]:
        async with aclosing(body):
            async for events in body:
                await self._keep_last(call, continuation, events)
                yield events

    async def _keep_last(self, call: Call, continuation: Continuation, events: bytes) -> None:
        """Keeps the response where `events` end with it."""
        if _LAST_EVENT.search(events):
            *_, last = sse.read(events)
            await self._keep(call, continuation, msgspec.json.decode(last.data)["response"])

    async def _keep(self, call: Call, continuation: Continuation, response: Item) -> None:
        """A failure is no reason to fail the request: going on from it will be refused."""
        items = _items_of(continuation.document) or []
        previous = continuation.previous_id
        turn = Turn(response["id"], previous, items[continuation.recalled :], response)
        try:
            await self.store.add(call.key.id, turn, continuation.chain)
            if self._kept % _PRUNE_EVERY == 0:
                await self._prune()
            self._kept += 1
        except StoreError as error:
            log.warning("response not remembered", response=turn.id, error=error.message)

    async def _prune(self) -> None:
        settings = self._settings
        oldest = now_ms() - round(settings.max_age_s * 1000)
        await self.store.prune(oldest, settings.max_responses, settings.max_mb * 1_048_576)

    async def _resolve(self, call: Call, items: list[Item]) -> list[Item]:
        """`items` with the gateway's own in place of references to them."""
        turns: dict[str, Turn | None] = {}
        resolved: list[Item] = []
        for item in items:
            id = str(item.get("id"))
            named = _OWN_ITEM.fullmatch(id) if item.get("type") == "item_reference" else None
            if named is not None:
                response = f"resp_{named[1]}"
                if response not in turns:
                    turns[response] = await self.store.get(call.key.id, response)
                turn = turns[response]
                output = turn.response["output"] if turn is not None else ()
                item = next((each for each in output if each["id"] == id), item)
            resolved.append(item)
        return resolved


def _items_of(document: Document) -> list[Item] | None:
    """The input as items; None where it is none, which its codec will say."""
    raw = document.members.get("input")
    value: Any = None if raw is None else msgspec.json.decode(raw)
    if value is None:
        return []
    if isinstance(value, str):
        return [{"type": "message", "role": "user", "content": value}]
    if not isinstance(value, list):
        return None
    items = cast("list[Any]", value)
    return items if all(isinstance(item, dict) for item in items) else None
