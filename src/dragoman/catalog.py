"""The models of each provider: asked for, remembered, and asked for again in the background.

A list that is known is never emptied by a failure to fetch it anew; the failure is noted beside
it. Lists live in the database, so that a gateway that starts knows them before it has asked.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace

import structlog

from dragoman.errors import DragomanError, StoreError, UpstreamError
from dragoman.protocols import ErrorShape
from dragoman.providers.listing import list_request, parse_models
from dragoman.providers.provider import Model, Provider, Timeouts
from dragoman.store.clock import now_ms
from dragoman.store.model_lists import ModelList, ModelListStore
from dragoman.upstream.refusal import read_refusal
from dragoman.upstream.seam import Request, Transport

log = structlog.get_logger()

_TIMEOUTS = Timeouts(connect_s=5, first_byte_s=20, idle_s=20, total_s=40)
_LONGEST_LIST = 64 * 1024 * 1024
_MOST_PAGES = 50
_AT_ONCE = 8
_RETRY_S = 60.0


class Catalog:
    """What is known of every provider's models; `lists` is keyed by provider id."""

    def __init__(self, store: ModelListStore, transport: Transport) -> None:
        self._store = store
        self._transport = transport
        self.lists: dict[str, ModelList] = {}

    async def load(self) -> None:
        """Takes over what the database knows."""
        self.lists = await self._store.list()

    def models(self) -> dict[str, tuple[Model, ...]]:
        """The fetched models by provider id."""
        return {provider_id: known.models for provider_id, known in self.lists.items()}

    async def fetch(self, provider: Provider) -> tuple[Model, ...]:
        """The provider's models, asked for now; remembers nothing.

        Raises UpstreamError, or ConfigError for a provider that has no list.
        """
        key = next(iter(provider.api_keys), None)
        models: dict[str, Model] = {}
        page: str | None = None
        for _ in range(_MOST_PAGES):
            url, headers = list_request(provider, key, page)
            found = parse_models(provider, await self._get(provider, url, headers), time.time())
            models |= {model.id: model for model in found.models}
            page = found.next_page
            if page is None:
                break
        return tuple(models.values())

    async def refresh(self, provider: Provider) -> ModelList:
        """Asks the provider for its models and remembers the answer, or why there was none.

        Where the database fails the answer is known to this process alone.
        """
        before = self.lists.get(provider.id, ModelList(provider.id))
        try:
            models = await self.fetch(provider)
        except DragomanError as error:
            log.warning("model list not fetched", provider=provider.id, error=error.message)
            known = replace(before, error=error.message, error_at=now_ms())
        else:
            known = ModelList(provider.id, models, fetched_at=now_ms())
        self.lists[provider.id] = known
        try:
            if known.error is None:
                await self._store.record(provider.id, known.models)
            else:
                await self._store.record_failure(provider.id, known.error)
        except StoreError as error:
            log.warning("model list not stored", provider=provider.id, error=error.message)
        return known

    async def refresh_forever(
        self,
        providers: Callable[[], Iterable[Provider]],
        refresh_s: float,
        changed: Callable[[], Awaitable[None]],
    ) -> None:
        """Keeps every list younger than `refresh_s` seconds (0: fetches only lists that are not
        there yet) and calls `changed` after each round that brought something."""
        while True:
            due = [each for each in providers() if self._is_due(each, refresh_s)]
            if due:
                limit = asyncio.Semaphore(_AT_ONCE)
                await asyncio.gather(*(self._refresh_within(limit, each) for each in due))
                await changed()
            await asyncio.sleep(1.0)

    async def _refresh_within(self, limit: asyncio.Semaphore, provider: Provider) -> None:
        async with limit:
            await self.refresh(provider)

    def _is_due(self, provider: Provider, refresh_s: float) -> bool:
        if not provider.enabled or provider.models is not None or not provider.list_url:
            return False
        known = self.lists.get(provider.id)
        if known is None:
            return True
        if known.error_at is not None and _age_s(known.error_at) < _RETRY_S:
            return False
        if known.fetched_at is None:
            return True
        return refresh_s > 0 and _age_s(known.fetched_at) > refresh_s

    async def _get(self, provider: Provider, url: str, headers: list[tuple[bytes, bytes]]) -> bytes:
        response = await self._transport.send(
            Request(
                method="GET",
                url=url,
                headers=[*headers, (b"accept-encoding", b"identity")],
                timeouts=_TIMEOUTS,
                proxy=provider.proxy,
            )
        )
        if response.status >= 300:
            raise await read_refusal(response, provider, ErrorShape.OPENAI)
        try:
            body = await response.read(_LONGEST_LIST)
        finally:
            await response.aclose()
        if not body:
            raise UpstreamError(f"The provider `{provider.id}` answered with nothing.")
        return body


def _age_s(at: int) -> float:
    """Seconds since `at`; a time that is still to come (the clock was put back) is long ago."""
    age = (now_ms() - at) / 1000
    return age if age >= 0 else math.inf
