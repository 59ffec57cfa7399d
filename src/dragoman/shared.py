"""The Redis or Valkey that the processes of one gateway share, where there is one."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import structlog

from dragoman.errors import ConfigError

if TYPE_CHECKING:
    from redis.asyncio import Redis

log = structlog.get_logger()

_CHANNEL = "dragoman:changes"
_PATIENCE_S = 5.0
_PAUSE_S = 1.0
_TIMEOUT_S = 2.0
_RETRY_S = 0.05


def open_redis(url: str) -> Redis:
    """A client for the server at `url`; it connects when it is first used.

    A command whose connection breaks is sent again, so all that is sent must be harmless twice.
    Raises ConfigError for a URL that is not understood and where the package is not installed.
    """
    try:
        from redis.asyncio import Redis
        from redis.asyncio.retry import Retry
        from redis.backoff import ConstantBackoff
    except ModuleNotFoundError:
        raise ConfigError(
            "DRAGOMAN_REDIS_URL needs the package redis. Install it with `pip install"
            " 'dragoman[redis]'`, or unset it for a gateway of one process."
        ) from None
    client: Any = Redis  # the keyword arguments of `from_url` have no types
    try:
        return client.from_url(
            url,
            decode_responses=True,
            socket_connect_timeout=_TIMEOUT_S,
            socket_timeout=_TIMEOUT_S,
            retry=Retry(ConstantBackoff(_RETRY_S), 2),
            health_check_interval=15,
        )
    except ValueError:
        raise ConfigError(
            "DRAGOMAN_REDIS_URL is not a URL that Dragoman knows. Write redis://HOST:6379/0,"
            " rediss://USER:PASSWORD@HOST/0 or unix:///path/to/socket."
        ) from None


class Notices:
    """Tells the other processes of a gateway that the database has changed, and hears it of them.

    A notice says no more than that: whoever hears one looks at the database. One may get lost, so
    every process looks by itself as well from time to time; a notice makes it prompt.
    """

    def __init__(self, client: Redis, heard: Callable[[], None]) -> None:
        self._client: Any = client
        self._heard = heard
        self._due = asyncio.Event()

    def publish(self) -> None:
        """Tells the others, as soon as `run` gets to it; several at once become one."""
        self._due.set()

    async def run(self) -> None:
        """Tells and listens until cancelled, also while Redis comes and goes."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._keep_on(self._tell))
            group.create_task(self._keep_on(self._listen))

    async def _keep_on(self, work: Callable[[], Awaitable[None]]) -> None:
        from redis.exceptions import RedisError

        failed = False
        while True:
            try:
                await work()
                failed = False
            except (RedisError, OSError) as error:
                if not failed:
                    log.warning("no notices of changes", error=str(error))
                failed = True
                await asyncio.sleep(_PAUSE_S)

    async def _tell(self) -> None:
        await self._due.wait()
        self._due.clear()
        try:
            await self._client.publish(_CHANNEL, "changed")
        except BaseException:
            self._due.set()  # another try
            raise

    async def _listen(self) -> None:
        async with self._client.pubsub(ignore_subscribe_messages=True) as subscription:
            await subscription.subscribe(_CHANNEL)
            self._heard()  # something may have changed while nobody listened
            while True:
                if await subscription.get_message(timeout=_PATIENCE_S) is not None:
                    self._heard()
