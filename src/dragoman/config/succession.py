"""New settings for a gateway that runs: read again, and what of them can hold at once."""

from __future__ import annotations

from dataclasses import replace

from dragoman.config.loading import load
from dragoman.config.settings import ServerSettings, Settings
from dragoman.errors import ConfigError

LIVE = frozenset(
    {
        "max_body_mb",
        "keepalive_s",
        "max_attempts",
        "retry_within_s",
        "breaker_failures",
        "breaker_s",
        "max_requests",
        "max_queue",
        "queue_s",
        "log_bodies",
        "log_body_kb",
        "log_bodies_days",
        "retention_days",
        "metrics",
    }
)
"""The `[server]` settings that a running gateway takes over. The others are fixed when it starts:
they are about the socket, the database, or work that is under way since then."""


def reload(settings: Settings) -> Settings:
    """The settings as they would be loaded now, from the same places as `settings`.

    Raises ConfigError, also where the file that they came from is gone.
    """
    inputs = settings.inputs
    fresh = load(inputs.cli, inputs.environ, inputs.cwd)
    if settings.file is not None and fresh.file != settings.file:
        raise ConfigError(
            f"The configuration file {settings.file} is gone; put it back, or restart the gateway"
            " to do without it."
        )
    return fresh


def succeed(old: Settings, new: Settings) -> tuple[Settings, tuple[str, ...]]:
    """The settings that hold when a gateway that runs with `old` is given `new`, and the names of
    those that wait for its restart."""
    waiting = [
        name
        for name in ServerSettings.model_fields
        if name not in LIVE and getattr(old.server, name) != getattr(new.server, name)
    ]
    kept = {name: getattr(old.server, name) for name in waiting}
    names = [f"server.{name}" for name in waiting]
    if old.memory != new.memory:
        names.append("memory")
    server = new.server.model_copy(update=kept)
    return replace(new, server=server, memory=old.memory), tuple(names)
