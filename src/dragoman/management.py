"""What can be changed and tried while the gateway runs: the one place behind commands and API."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from dragoman.errors import (
    ConfigError,
    Conflict,
    DragomanError,
    InvalidRequest,
    ProviderNotFound,
    UpstreamError,
)
from dragoman.gateway import WHERE_AND_AS_WHOM, Gateway, lacks_responses
from dragoman.protocols import CHAT, MESSAGES, RESPONSES, ErrorShape, Operation, Protocol
from dragoman.providers.auth import ANTHROPIC_VERSION, auth_headers
from dragoman.providers.provider import Provider, Source, Timeouts
from dragoman.providers.resolve import resolve
from dragoman.providers.spec import ProviderSpec
from dragoman.providers.urls import endpoint_url
from dragoman.upstream.refusal import read_refusal
from dragoman.upstream.seam import Request

_TEST_TIMEOUTS = Timeouts(connect_s=5, first_byte_s=60, idle_s=60, total_s=90)
_SPAN = re.compile(r"([0-9]{1,6})([mhdw])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_GREETING = [{"role": "user", "content": "Say hello."}]


@dataclass(frozen=True, slots=True)
class TestResult:
    """How a provider answered. `message` is its own words where it refused; `models` counts those
    it listed (None where it has no list), `answered` names the model that gave a completion."""

    __test__ = False  # no test case, whatever pytest thinks of the name

    ok: bool
    message: str
    milliseconds: int
    models: int | None = None
    answered: str | None = None
    protocols: tuple[str, ...] = ()


class Management:
    """Changes go to the database and into the running snapshots at once.

    Only providers of the database can be changed; those of the file or the environment raise
    Conflict, which says where they stand.
    """

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._changing = asyncio.Lock()

    def provider(self, provider_id: str) -> Provider:
        """Raises ProviderNotFound."""
        provider = self._gateway.router.providers.get(provider_id)
        if provider is None:
            problem = self._gateway.problems.get(provider_id)
            raise ProviderNotFound(
                f"The provider `{provider_id}` cannot be used: {problem}"
                if problem
                else f"There is no provider `{provider_id}`. `dragoman provider list` shows all."
            )
        return provider

    def resolve(self, spec: ProviderSpec) -> Provider:
        """The provider that `spec` would give. Raises InvalidRequest where it cannot work."""
        try:
            return resolve(spec, Source.DATABASE)
        except ConfigError as error:
            raise InvalidRequest(error.message) from error

    async def add_provider(self, spec: ProviderSpec) -> Provider:
        """Raises InvalidRequest for a spec that cannot work, Conflict for an id that is taken."""
        self.resolve(spec)
        if spec.id in self._gateway.router.providers:
            raise Conflict(
                f"There is a provider `{spec.id}` already: choose another id, or change that one.",
                param="id",
            )
        await self._gateway.store.providers.add(spec)
        await self._gateway.reload()
        return self.provider(spec.id)

    async def change_provider(
        self, provider_id: str, change: Callable[[ProviderSpec], ProviderSpec]
    ) -> Provider:
        """Replaces a provider's spec by what `change` makes of it.

        A stored spec that cannot work can be changed too, so that it can be put right. With
        another address or key, what was found out before is forgotten and asked for again.
        """
        self._require_changeable(provider_id)
        async with self._changing:  # two changes at once would each undo the other
            stored = await self._gateway.store.providers.get(provider_id)
            spec = change(stored)
            self.resolve(spec)
            await self._gateway.store.providers.replace(spec)
            if any(getattr(spec, name) != getattr(stored, name) for name in WHERE_AND_AS_WHOM):
                await self._gateway.store.model_lists.remove(provider_id)
                await self._gateway.forget_responses(provider_id)
                self._gateway.health.forget(provider_id)
        await self._gateway.reload()
        return self.provider(provider_id)

    async def remove_provider(self, provider_id: str) -> None:
        """Removes the provider and what is known of its models."""
        self._require_changeable(provider_id)
        await self._gateway.store.providers.remove(provider_id)
        await self._gateway.forget_responses(provider_id)
        await self._gateway.reload()

    async def set_enabled(self, provider_id: str, enabled: bool) -> Provider:
        """Switches a provider on or off."""
        self._require_changeable(provider_id)
        await self._gateway.store.providers.set_enabled(provider_id, enabled)
        await self._gateway.reload()
        return self.provider(provider_id)

    async def test_provider(self, provider_id: str) -> TestResult:
        """Asks the provider for its models, or for a short answer where it has no list, and finds
        out whether an OpenAI-compatible one has the Responses API."""
        result = await self.test(self.provider(provider_id))
        if result.ok:
            self._gateway.health.forget(provider_id)
        return result

    async def test(self, provider: Provider) -> TestResult:
        """As `test_provider`, also for one that is not stored."""
        began = time.monotonic()

        def elapsed() -> int:
            return round((time.monotonic() - began) * 1000)

        try:
            if provider.list_url:
                models = await self._gateway.catalog.fetch(provider)
                spoken = await self._find_protocols(provider)
                return TestResult(
                    True, f"It lists {len(models)} models.", elapsed(), len(models), None, spoken
                )
            model, answer = await self._ask(provider)
            return TestResult(True, answer, elapsed(), None, model, tuple(provider.protocols))
        except DragomanError as error:
            return TestResult(False, error.message, elapsed())

    async def fetch_models(self, provider_id: str) -> int:
        """Fetches the provider's list anew; the number of its models.

        Raises UpstreamError, or InvalidRequest where the provider has no list.
        """
        provider = self.provider(provider_id)
        if not provider.list_url:
            raise InvalidRequest(
                f"The provider `{provider_id}` has no list of its models: name them in `models`."
            )
        known = await self._gateway.catalog.refresh(provider)
        await self._gateway.rebuild()
        if known.error is not None:
            raise UpstreamError(known.error)
        return len(known.models)

    def _require_changeable(self, provider_id: str) -> None:
        provider = self._gateway.router.providers.get(provider_id)
        source = provider.source if provider else Source.DATABASE
        match source:
            case Source.DATABASE:
                return
            case Source.FILE:
                place = f"{self._gateway.settings.file}"
            case Source.ENVIRONMENT:
                place = "an environment variable"
            case Source.LOCAL:
                place = "the embedded models ([local] in dragoman.toml)"
        raise Conflict(f"The provider `{provider_id}` comes from {place}: change it there.")

    async def _find_protocols(self, provider: Provider) -> tuple[str, ...]:
        """The provider's protocols; Responses is asked for where its type does not promise it.

        A server that has the path refuses an empty request (400, 422); one that has not answers
        404 or 405. What was found is remembered of a provider that is stored.
        """
        spoken = set(provider.protocols)
        if lacks_responses(provider, self._gateway.specs.get(provider.id)):
            url = provider.base_urls[Protocol.CHAT] + RESPONSES.path
            response = await self._send(provider, RESPONSES, url, {})
            await response.aclose()
            if response.status in {400, 422}:
                spoken.add(Protocol.RESPONSES)
                if self._gateway.router.providers.get(provider.id) is provider:
                    await self._gateway.remember_responses(provider.id)
        return tuple(sorted(spoken))

    async def _ask(self, provider: Provider) -> tuple[str, str]:
        """The first model of the provider, and what it says."""
        known = provider.models or ()
        if not known:
            raise UpstreamError(
                f"The provider `{provider.id}` has no list of its models to ask for: name at least"
                " one in `models`, and it will be asked for a short answer."
            )
        model = known[0].id
        operation = CHAT if Protocol.CHAT in provider.protocols else MESSAGES
        url = endpoint_url(provider, operation, model)
        body = {"model": model, "max_tokens": 16, "messages": _GREETING}
        response = await self._send(provider, operation, url, body)
        if response.status >= 300:
            raise await read_refusal(response, provider, ErrorShape.OPENAI)
        await response.read(65536)
        await response.aclose()
        return model, f"`{model}` answered."

    async def _send(
        self, provider: Provider, operation: Operation, url: str, body: dict[str, Any]
    ) -> Any:
        key = next(iter(provider.api_keys), None)
        headers = [
            *auth_headers(provider, key, operation.protocol),
            (b"content-type", b"application/json"),
        ]
        if operation.protocol is Protocol.MESSAGES:
            headers.append((b"anthropic-version", ANTHROPIC_VERSION.encode()))
        headers += [
            (name.lower().encode(), value.encode()) for name, value in provider.headers.items()
        ]
        return await self._gateway.transport.send(
            Request("POST", url, headers, msgspec.json.encode(body), _TEST_TIMEOUTS, provider.proxy)
        )


def read_expiry(text: str, now: datetime) -> int:
    """When something ends, in Unix milliseconds, as a person writes it: a time from `now` (`30d`;
    also `m`, `h` and `w`) or an ISO 8601 time, in UTC where it does not say.

    Raises InvalidRequest, also for a time that has passed.
    """
    text = text.strip()
    try:
        if span := _SPAN.fullmatch(text):
            end = now + timedelta(**{_UNITS[span[2]]: int(span[1])})
        else:
            end = datetime.fromisoformat(text)
            end = end if end.tzinfo else end.replace(tzinfo=UTC)
        milliseconds = round(end.timestamp() * 1000)
    except (ValueError, OverflowError) as error:
        raise InvalidRequest(
            f"`{text}` is no time: write `30d`, `12h` or a date such as `2027-01-31`.",
            param="expires",
        ) from error
    if end <= now:
        raise InvalidRequest(f"`{text}` has passed already: give a later time.", param="expires")
    return milliseconds
