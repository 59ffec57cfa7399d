"""The models of each provider: asked for, remembered, and asked for again in the background.

A list that is known is never emptied by a failure to fetch it anew; the failure is noted beside
it. Lists live in the database, so that a gateway that starts knows them before it has asked.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable

import structlog

from dragoman.errors import DragomanError, UpstreamError
from dragoman.protocols import ErrorShape
from dragoman.providers.listing import list_request, parse_models
from dragoman.providers.provider import Model, Provider, Timeouts
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
        """Asks the provider for its models and remembers the answer, or why there was none."""
        try:
            models = await self.fetch(provider)
        except DragomanError as error:
            log.warning("model list not fetched", provider=provider.id, error=error.message)
            await self._store.record_failure(provider.id, error.message)
        else:
            await self._store.record(provider.id, models)
        self.lists[provider.id] = await self._store.get(provider.id)
        return self.lists[provider.id]

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
        now = time.time() * 1000
        if known.error_at is not None and now - known.error_at < _RETRY_S * 1000:
            return False
        if known.fetched_at is None:
            return True
        return refresh_s > 0 and now - known.fetched_at > refresh_s * 1000

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
