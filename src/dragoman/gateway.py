"""The running gateway without its HTTP shell: everything that a request or a command needs.

`Gateway` holds the parts and the two snapshots that requests read: `keys.ring` and `router`. A
change (a command, the management API, another process on the same database) ends in `reload`,
which builds new snapshots and swaps them in; a request under way keeps the ones it began with.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, replace

import structlog

from dragoman import observe
from dragoman.admission import Admission
from dragoman.catalog import Catalog
from dragoman.config import Settings
from dragoman.config.succession import succeed
from dragoman.errors import ConfigError, StoreError
from dragoman.health import Health
from dragoman.keys import KeyService, Pin
from dragoman.ledger import Ledger, forget_forever, make_record
from dragoman.limits import Limits
from dragoman.limits.memory import MemoryMeter
from dragoman.limits.redis import RedisMeter
from dragoman.local import models as local_models
from dragoman.local.process import LocalModels
from dragoman.local.transport import SCHEME, LocalTransport
from dragoman.memory import Memory
from dragoman.observe.colleagues import Colleagues
from dragoman.observe.traces import Tracer
from dragoman.paths import DataDirectory, open_data_directory
from dragoman.prices import Prices, PriceSpec, load_list
from dragoman.protocols import Protocol
from dragoman.providers.provider import Provider, Source
from dragoman.providers.resolve import resolve
from dragoman.providers.spec import ProviderSpec
from dragoman.routing import Alias, Retry, Router, Strategy
from dragoman.secrets import SecretBox
from dragoman.shared import Notices, open_redis
from dragoman.store.store import Store
from dragoman.upstream import open_transport
from dragoman.upstream.seam import Request, Response, Transport
from dragoman.usage import Entry

log = structlog.get_logger()

_POLL_S = 0.5
_PRICES_SETTING = "prices"
WHERE_AND_AS_WHOM = (
    "type", "preset", "base_url", "base_urls", "api_version", "api_key", "api_keys", "headers",
    "proxy",
)  # fmt: skip
"""The members of a provider's spec that say which server is meant, and which account there."""

_RESPONSES_SETTING = "providers_with_responses"


class Transports:
    """One `seam.Transport` for every provider: local models by their scheme, the rest by HTTP."""

    def __init__(self, http: Transport, local: LocalTransport) -> None:
        self._http = http
        self._local = local

    async def send(self, request: Request) -> Response:
        """See `seam.Transport.send`."""
        transport = self._local if request.url.startswith(SCHEME) else self._http
        return await transport.send(request)

    async def aclose(self) -> None:
        """Ends local models, then closes every connection."""
        await self._local.aclose()
        await self._http.aclose()


@dataclass(slots=True)
class ConfigState:
    """How the configuration came to be what it is: since when it holds (Unix time), what of it
    waits for a restart, and why the latest change was refused, if it was."""

    loaded_at: float
    needs_restart: tuple[str, ...] = ()
    refusal: str | None = None

    def refuse(self, reason: str) -> None:
        """Notes that a change was not taken over."""
        self.refusal = reason

    def renew(self, needs_restart: tuple[str, ...]) -> None:
        """Notes that a change was taken over, but for what waits."""
        self.loaded_at, self.needs_restart, self.refusal = time.time(), needs_restart, None


class Gateway:
    """See the module's docstring; made by `open_gateway`.

    `specs` are the providers as their owners wrote them, `problems` say by provider id why one is
    not there. `stop` ends the server, where there is one, as SIGTERM does. `tell_others` says to
    the other processes of this gateway that the database has changed; each of them looks by itself
    soon after anyway. `tracer` is set where traces are wanted, `colleagues` where several workers
    serve.
    """

    def __init__(
        self,
        settings: Settings,
        directory: DataDirectory,
        box: SecretBox,
        store: Store,
        keys: KeyService,
        local: LocalModels,
        transport: Transport,
    ) -> None:
        self.settings = settings
        self.directory = directory
        self.box = box
        self.store = store
        self.keys = keys
        self.local = local
        self.transport = transport
        self.catalog = Catalog(store.model_lists, transport)
        self.health = Health()
        server = settings.server
        self.admission = Admission(server.max_requests, server.max_queue, server.queue_s)
        self.memory = Memory(store.responses, settings.memory)
        self.limits = Limits(MemoryMeter(self.spent_since))
        self.ledger = Ledger(store.requests)
        self.prices = Prices(settings.prices)
        self.router = Router(())
        self.specs: dict[str, ProviderSpec] = {}
        self.problems: dict[str, str] = {}
        self.totals = observe.Totals()
        self.metrics = observe.Metrics()
        self.tracer: Tracer | None = None
        self.colleagues: Colleagues | None = None
        self.started_at = time.time()
        self.config = ConfigState(self.started_at)
        self.stop: Callable[[], None] = lambda: None
        self.notices: Notices | None = None
        self.tell_others: Callable[[], None] = lambda: None
        self._revision = -1
        self._reloading = asyncio.Lock()
        self._heard = asyncio.Event()

    @property
    def max_body(self) -> int:
        """The largest request body in bytes."""
        return self.settings.server.max_body_mb * 1_048_576

    @property
    def revision(self) -> int:
        """The database's revision that the snapshots were made of."""
        return self._revision

    async def reload(self) -> None:
        """Takes over what the database says now. Raises StoreError.

        One at a time, so that an older reading never replaces a newer one. The revision is read
        first and noted last: what changes or fails meanwhile is read again.
        """
        async with self._reloading:
            revision = await self.store.database.revision()
            await self.keys.reload()
            await self.catalog.load()
            await self._rebuild()
            self._revision = revision

    async def take_over(self, settings: Settings) -> None:
        """Goes by `settings` from now on; requests under way go on with what they began with.

        What cannot change while the gateway runs stays, and is noted in `config`. Raises
        StoreError; then everything stays.
        """
        old = self.settings
        self.settings, waiting = succeed(old, settings)
        try:
            await self._forget_moved(old.providers, settings.providers)
            await self.reload()
        except StoreError:
            self.settings = old
            raise
        server = self.settings.server
        self.admission.limit, self.admission.line = server.max_requests, server.max_queue
        self.admission.patience_s = server.queue_s
        self.config.renew(waiting)

    async def _forget_moved(self, old: Sequence[ProviderSpec], new: Sequence[ProviderSpec]) -> None:
        """What was found out about a provider does not hold at another address."""
        before = {spec.id: spec for spec in old}
        for spec in new:
            known = before.get(spec.id, spec)
            if any(getattr(spec, name) != getattr(known, name) for name in WHERE_AND_AS_WHOM):
                await self.store.model_lists.remove(spec.id)
                await self.forget_responses(spec.id)
                self.health.forget(spec.id)

    async def rebuild(self) -> None:
        """Makes a new router out of the current lists of models."""
        self.router = self._make_router(self.router.providers.values())

    async def follow_changes(self) -> None:
        """Reloads whenever another process has changed the database; runs until cancelled.

        It looks twice a second, and at once when it hears of a change (`look`). While the database
        fails, what is known goes on to hold; the log says so once.
        """
        failure: str | None = None
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(_POLL_S):
                    await self._heard.wait()
            self._heard.clear()
            try:
                if await self.store.database.revision() != self._revision:
                    await self.reload()
                if failure is not None:
                    log.info("changes are read again")
                failure = None
            except StoreError as error:
                if error.message != failure:
                    log.warning("changes not read", error=error.message)
                failure = error.message

    def look(self) -> None:
        """Makes `follow_changes` look at the database now."""
        self._heard.set()

    async def refresh_models(self) -> None:
        """Keeps the lists of models fresh; runs until cancelled."""
        await self.catalog.refresh_forever(
            lambda: self.router.providers.values(),
            self.settings.server.model_refresh_s,
            self.rebuild,
        )

    async def set_prices(self, prices: Sequence[PriceSpec]) -> None:
        """Replaces the database's prices; those of the configuration file stay before them."""
        stored = [price.model_dump(mode="json", exclude_none=True) for price in prices]
        await self.store.settings.set(_PRICES_SETTING, stored)
        await self.reload()

    async def stored_prices(self) -> tuple[PriceSpec, ...]:
        """The database's prices."""
        stored = await self.store.settings.get(_PRICES_SETTING, [])
        return tuple(PriceSpec.model_validate(price) for price in stored)

    async def keep_records(self) -> None:
        """Writes the records of requests and deletes old ones; runs until cancelled."""

        def ages() -> tuple[float, float]:
            server = self.settings.server
            return server.retention_days, server.log_bodies_days

        async with asyncio.TaskGroup() as group:
            group.create_task(self._load_prices())
            group.create_task(self.ledger.run())
            group.create_task(forget_forever(self.store.requests, ages))

    async def _load_prices(self) -> None:
        """Reads the list of prices, which takes 0.4 s and 7 MB, once a provider costs money."""
        while all(each.source is Source.LOCAL for each in self.router.providers.values()):  # noqa: ASYNC110
            await asyncio.sleep(_POLL_S)
        await asyncio.to_thread(load_list)

    async def remember_responses(self, provider_id: str) -> None:
        """Notes that an OpenAI-compatible provider was found to have the Responses API."""
        known = await self.store.settings.get(_RESPONSES_SETTING, [])
        if provider_id not in known:
            await self.store.settings.set(_RESPONSES_SETTING, [*known, provider_id])
            await self.reload()

    async def forget_responses(self, provider_id: str) -> None:
        """Takes that note back, since another server may be there now; holds after a reload."""
        known = await self.store.settings.get(_RESPONSES_SETTING, [])
        if provider_id in known:
            left = [each for each in known if each != provider_id]
            await self.store.settings.set(_RESPONSES_SETTING, left)

    async def spent_since(self, key_id: str, since: int) -> int:
        """What requests of a key have cost since the full hour `since` (Unix milliseconds), in
        nanodollars. Raises StoreError."""
        await self.ledger.flush()
        return await self.store.usage.spent(key_id, since)

    def finish(self, entry: Entry) -> None:
        """Takes the record of a request that is over."""
        entry.ended = time.monotonic()
        entry.charge(self.prices)
        if entry.hold is not None:
            self.limits.settle(entry.hold, entry.count_against(entry.hold))
        self.totals.add(entry)
        self.metrics.add(entry)
        trace_id = self.tracer.record(entry) if self.tracer else None
        observe.log_request(entry, trace_id)
        self.ledger.add(make_record(entry))

    async def _rebuild(self) -> None:
        providers: dict[str, Provider] = {}
        used: dict[str, ProviderSpec] = {}
        problems: dict[str, str] = {}
        local = local_models.describe_provider(self._local_models())
        if local.models:
            providers[local.id] = local
        responses = await self.store.settings.get(_RESPONSES_SETTING, [])
        source = Source.FILE if self.settings.file else Source.ENVIRONMENT
        specs = [(spec, source) for spec in self.settings.providers]
        specs += [(spec, Source.DATABASE) for spec in await self.store.providers.list()]
        for spec, where in specs:
            if spec.id in providers:
                problems[spec.id] = f"It is shadowed by the provider of the {source.value}."
                continue
            try:
                provider = resolve(spec, where)
                if spec.id in responses and lacks_responses(provider, spec):
                    provider = _with_responses(provider)
                providers[spec.id] = provider
                used[spec.id] = spec
            except ConfigError as error:
                problems[spec.id] = error.message
        self.specs, self.problems = used, problems
        self.prices = Prices(self.settings.prices, await self.stored_prices())
        self.router = self._make_router(providers.values())

    def _make_router(self, providers: Iterable[Provider]) -> Router:
        server = self.settings.server
        self.health.breaker_failures = server.breaker_failures
        self.health.breaker_s = server.breaker_s
        aliases = {
            name: Alias(
                tuple((each.model, each.weight) for each in alias.targets),
                Strategy(alias.strategy),
            )
            for name, alias in self.settings.aliases.items()
        }
        retry = Retry(server.max_attempts, server.retry_within_s)
        return Router(providers, self.catalog.models(), aliases, retry)

    def _local_models(self) -> tuple[local_models.LocalModelFile, ...]:
        if not self.settings.local.enabled or not local_models.has_engine():
            return ()
        listed = [(model.id, model.path) for model in self.settings.local.models]
        found = local_models.find_models(self.directory.path, listed)
        self.local.configure(found, idle_s=self.settings.local.idle_s)
        return found


@asynccontextmanager
async def open_gateway(
    settings: Settings, environ: Mapping[str, str]
) -> AsyncGenerator[Gateway, None]:
    """A gateway with its snapshots made; nothing listens and nothing runs in the background.

    Raises ConfigError or StoreError.
    """
    server = settings.server
    directory = open_data_directory(server.data_dir)
    box = SecretBox.open(directory, environ.get("DRAGOMAN_SECRET_KEY"))
    where = server.database_url.get_secret_value() if server.database_url else directory.database
    async with AsyncExitStack() as stack:
        store = await Store.open(where, box)
        stack.push_async_callback(store.aclose)
        keys = await KeyService.open(
            store.keys,
            box,
            default_pin=_pin(settings, "api_key"),
            admin_pin=_pin(settings, "admin_key"),
        )
        local = LocalModels()
        http = open_transport()
        transport = Transports(http, LocalTransport(local, http))
        stack.push_async_callback(transport.aclose)
        gateway = Gateway(settings, directory, box, store, keys, local, transport)
        stack.push_async_callback(gateway.ledger.aclose)
        store.database.on_change = lambda: gateway.tell_others()
        if server.redis_url is not None:
            client = open_redis(server.redis_url.get_secret_value())
            stack.push_async_callback(client.aclose)
            gateway.limits = Limits(RedisMeter(client, gateway.spent_since))
            gateway.notices = Notices(client, gateway.look)
        stack.push_async_callback(gateway.limits.aclose)
        await gateway.reload()
        yield gateway


def lacks_responses(provider: Provider, spec: ProviderSpec | None) -> bool:
    """Whether the provider is of a kind that may have the Responses API without saying so: one
    that speaks Chat and whose owner has not listed its protocols."""
    return (
        provider.type in {"openai", "openai-compatible"}
        and Protocol.CHAT in provider.protocols
        and Protocol.RESPONSES not in provider.protocols
        and (spec is None or spec.protocols is None)
    )


def _with_responses(provider: Provider) -> Provider:
    urls = {Protocol.RESPONSES: provider.base_urls[Protocol.CHAT], **provider.base_urls}
    return replace(provider, base_urls=urls, protocols=frozenset(urls))


def _pin(settings: Settings, name: str) -> Pin | None:
    secret = getattr(settings.server, name)
    if secret is None:
        return None
    return Pin(secret.get_secret_value(), settings.origin("server", name))
