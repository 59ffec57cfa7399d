"""The Redis or Valkey that the processes of one gateway share, where there is one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dragoman.errors import ConfigError

if TYPE_CHECKING:
    from redis.asyncio import Redis

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
