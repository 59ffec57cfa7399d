"""What `dragoman doctor` looks at, one finding for each thing.

The checks go from the ground up: the configuration, the data directory, the database, then what
stands on them. Where one level is broken nothing above it can be known, and the rest is left out.
"""

from __future__ import annotations

import asyncio
import os
import stat
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from enum import StrEnum

from dragoman import app, runtime
from dragoman.cli import workplace
from dragoman.config import Settings
from dragoman.errors import ConfigError, DragomanError, StoreError
from dragoman.gateway import Gateway
from dragoman.local.models import INSTALL_HINT, find_builtin, has_engine
from dragoman.management import Management
from dragoman.paths import PRIVATE_FILE, DataDirectory, open_data_directory
from dragoman.providers.presets import PRESETS
from dragoman.providers.provider import Auth, Provider, Source, Timeouts
from dragoman.secrets import SecretBox
from dragoman.upstream.seam import Request

_WORST_CLOCK_S = 120.0
_CLOCK_TIMEOUTS = Timeouts(connect_s=5, first_byte_s=10, idle_s=10, total_s=15)


class State(StrEnum):
    """How a thing is; `broken` makes the command fail."""

    OK = "ok"
    WARNING = "warning"
    BROKEN = "broken"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Finding:
    """One checked thing, and what to do where it is not right."""

    subject: str
    state: State
    message: str
    remedy: str = ""


async def check_all(load: Callable[[], Settings]) -> list[Finding]:
    """Every finding, in the order of the page that shows them."""
    try:
        settings = load()
    except ConfigError as error:
        return [Finding("configuration", State.BROKEN, error.message)]
    findings = [*_configuration(settings), *_files(settings)]
    if any(finding.state is State.BROKEN for finding in findings):
        return findings
    try:
        async with workplace.work_on_gateway(settings) as gateway:
            findings.append(_secret_key(gateway.box))
            findings.append(Finding("database", State.OK, gateway.store.database.place))
            findings.append(await _default_key(gateway))
            findings.append(await _port(gateway))
            findings += _embedded(gateway)
            findings += await _providers(gateway)
            findings.append(await _clock(gateway))
    except DragomanError as error:
        subject = "database" if isinstance(error, StoreError) else "configuration"
        findings.append(Finding(subject, State.BROKEN, error.message))
    return findings


def _configuration(settings: Settings) -> Iterator[Finding]:
    place = str(settings.file) if settings.file else "no file: defaults and the environment"
    yield Finding("configuration", State.OK, f"It is valid ({place}).")
    for warning in settings.warnings:
        yield Finding("configuration", State.WARNING, warning)


def _files(settings: Settings) -> Iterator[Finding]:
    """The data directory and the modes of its files, which opening it corrects."""
    directory = DataDirectory(settings.server.data_dir)
    exposed = [file.name for file in directory.private_files() if _is_exposed(file)]
    try:
        open_data_directory(directory.path)
    except ConfigError as error:
        yield Finding("data directory", State.BROKEN, error.message)
        return
    yield Finding("data directory", State.OK, str(directory.path))
    if exposed:
        yield Finding(
            "data directory",
            State.WARNING,
            f"Others could read {', '.join(exposed)}; only you can now.",
            "If others use this machine, rotate the keys: `dragoman key rotate default`.",
        )


def _is_exposed(file: os.PathLike[str]) -> bool:
    try:
        return bool(stat.S_IMODE(os.stat(file).st_mode) & ~PRIVATE_FILE)
    except OSError:
        return False


def _secret_key(box: SecretBox) -> Finding:
    return Finding("secret key", State.OK, f"{box.fingerprint}, from {box.origin}.")


async def _default_key(gateway: Gateway) -> Finding:
    try:
        await gateway.keys.show_default()
    except DragomanError as error:
        return Finding(
            "default key", State.BROKEN, error.message, "`dragoman key rotate default` makes one."
        )
    key = gateway.keys.find("default")
    origin = f", pinned by {key.pinned_by}" if key.pinned_by else ""
    return Finding("default key", State.OK, f"{key.hint}{origin}.")


async def _port(gateway: Gateway) -> Finding:
    """Whether a gateway of this data directory runs, else whether the port is free for one."""
    answer = await runtime.ask_running(
        gateway.directory, gateway.box, gateway.transport, "GET", "/health"
    )
    note = runtime.read_note(gateway.directory)
    if answer is not None and note is not None:
        return Finding("port", State.OK, f"The gateway runs at {note.url} (process {note.pid}).")
    server = gateway.settings.server
    try:
        app.listen(server.host, server.port).close()
    except ConfigError as error:
        return Finding("port", State.BROKEN, error.message)
    return Finding("port", State.OK, f"{server.host}:{server.port} is free; no gateway runs.")


def _embedded(gateway: Gateway) -> Iterator[Finding]:
    if not gateway.settings.local.enabled:
        yield Finding("embedded model", State.SKIPPED, "It is switched off.")
    elif not has_engine():
        yield Finding("embedded model", State.WARNING, "Its engine is missing.", INSTALL_HINT)
    elif (found := find_builtin(gateway.directory.path)) is None:
        yield Finding(
            "embedded model",
            State.WARNING,
            "Its file is not here.",
            "`dragoman local pull` brings it.",
        )
    else:
        yield Finding("embedded model", State.OK, str(found.path))


async def _providers(gateway: Gateway) -> list[Finding]:
    findings = [
        Finding(
            f"provider {provider_id}",
            State.BROKEN,
            problem,
            f"Correct it, or remove it: `dragoman provider remove {provider_id}`.",
        )
        for provider_id, problem in gateway.problems.items()
    ]
    remote = [p for p in gateway.router.providers.values() if p.source is not Source.LOCAL]
    findings += await asyncio.gather(*(_provider(gateway, each) for each in remote))
    if not findings:
        return [
            Finding(
                "providers",
                State.WARNING,
                "There is none but the embedded model.",
                "`dragoman provider add` adds one.",
            )
        ]
    return findings


async def _provider(gateway: Gateway, provider: Provider) -> Finding:
    subject = f"provider {provider.id}"
    if not provider.enabled:
        return Finding(subject, State.SKIPPED, "It is disabled.")
    if not provider.api_keys and provider.auth is not Auth.NONE:
        known_place = PRESETS[provider.preset].key_url if provider.preset else ""
        where = f" from {known_place}" if known_place else ""
        missing = "It has no key"
        remedy = f"Give it one{where}, or disable it."
    else:
        missing, remedy = "", _remedy(gateway, provider)
    result = await Management(gateway).test(provider)
    if result.ok:
        return Finding(subject, State.OK, f"{result.message} ({result.milliseconds} ms)")
    message = f"{missing}: {result.message}" if missing else result.message
    return Finding(subject, State.BROKEN, message, remedy)


def _remedy(gateway: Gateway, provider: Provider) -> str:
    match provider.source:
        case Source.FILE:
            return f"Correct its key or its address in {gateway.settings.file}."
        case Source.ENVIRONMENT:
            return "Correct the environment variable that holds its key."
        case _:
            return "If its key or its address is wrong, remove it and add it again."


async def _clock(gateway: Gateway) -> Finding:
    """This machine's clock against the `Date` that a provider sends, asked without a key."""
    for provider in gateway.router.providers.values():
        if not (provider.enabled and provider.list_url):
            continue
        request = Request("GET", provider.list_url, [], b"", _CLOCK_TIMEOUTS, provider.proxy)
        try:
            response = await gateway.transport.send(request)
            await response.aclose()
            date = dict(response.headers)[b"date"].decode("ascii")
            ahead = time.time() - parsedate_to_datetime(date).timestamp()
        except (DragomanError, KeyError, ValueError):
            continue
        if abs(ahead) <= _WORST_CLOCK_S:
            return Finding("clock", State.OK, f"It agrees with that of {provider.id}.")
        direction = "ahead of" if ahead > 0 else "behind"
        return Finding(
            "clock",
            State.BROKEN,
            f"It is {abs(ahead):.0f} s {direction} that of {provider.id}.",
            "Set the clock, for instance by switching on network time: keys would expire at the"
            " wrong moment.",
        )
    return Finding("clock", State.SKIPPED, "No provider could be asked for the time.")
