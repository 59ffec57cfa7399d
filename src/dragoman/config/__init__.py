"""The configuration: read from command line, environment and `dragoman.toml`, checked, shown."""

from dragoman.config.loading import load
from dragoman.config.rendering import check, render
from dragoman.config.settings import (
    AliasSettings,
    Document,
    LocalModel,
    LocalSettings,
    MemorySettings,
    ServerSettings,
    Settings,
)

__all__ = [
    "AliasSettings",
    "Document",
    "LocalModel",
    "LocalSettings",
    "MemorySettings",
    "ServerSettings",
    "Settings",
    "check",
    "load",
    "render",
]
