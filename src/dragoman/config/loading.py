"""Command line over environment over file over default: from all of them to `Settings`.

Loading has no side effects, and every input is an argument, so that a running gateway can load
again whenever its file changes. The one fact taken from elsewhere is the platform's directory
for user data.
"""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import platformdirs
import pydantic

from dragoman.config.positions import KeyPath
from dragoman.config.problems import Problem, Sources, explain, value_at
from dragoman.config.reading import ConfigFile, Expansion, read_file
from dragoman.config.settings import (
    ENVIRONMENT,
    Document,
    Inputs,
    LocalSettings,
    ServerSettings,
    Settings,
    anchor,
)
from dragoman.errors import ConfigError
from dragoman.providers.provider import Source
from dragoman.providers.resolve import environment_providers, resolve
from dragoman.providers.spec import ProviderSpec

FILE_NAME = "dragoman.toml"
LOCAL_PROVIDER = "local"


def load(cli: Mapping[str, object], environ: Mapping[str, str], cwd: Path) -> Settings:
    """The effective settings.

    `cli` holds what the command line gives: `config` (a path) and any `[server]` setting by its
    name; None means not given. An environment variable that is set to nothing counts as not set.
    Raises `ConfigError` with every problem of the configuration, by line.
    """
    overlay = _overlay(cli, environ, cwd)
    path = _find_file(cli, environ, cwd, cast("Path", overlay["data_dir"].value))
    file = read_file(path) if path else None
    expansion = Expansion(environ)
    values = cast("dict[str, object]", expansion.expand(file.values)) if file else {}
    overrides: dict[KeyPath, str] = {
        ("server", name): overlay[name].origin for name in _lay_over(values, overlay)
    }
    failures = {path: text for path, text in expansion.failures.items() if path not in overrides}
    sources = Sources(
        file=file.path.name if file else "the configuration",
        lines=file.lines if file else {},
        overrides=overrides,
        written=file.values if file else {},
        unread=frozenset(failures),
    )
    problems = [sources.problem(at, f"{sources.label(at)} {text}") for at, text in failures.items()]
    context = {"folder": file.path.parent if file else cwd, "home": _home(environ)}
    document = _validate(values, context, sources, problems)
    return _settings(document, sources, Inputs(cli, environ, cwd), file)


@dataclass(frozen=True, slots=True)
class _Given:
    """A value from outside the file. A `fallback` yields to the file."""

    value: object
    origin: str
    fallback: bool = False


def _overlay(cli: Mapping[str, object], environ: Mapping[str, str], cwd: Path) -> dict[str, _Given]:
    """What the command line and the environment give for `[server]`, and where data lies."""
    overlay = {"data_dir": _Given(platformdirs.user_data_path("dragoman", False), "default", True)}
    for name, variable in ENVIRONMENT.items():
        if environ.get(variable):
            overlay[name] = _Given(environ[variable], f"environment variable {variable}")
    for name, value in cli.items():
        if name != "config" and value is not None:
            overlay[name] = _Given(value, f"command line --{name.replace('_', '-')}")
    place = overlay["data_dir"]
    absolute = anchor(Path(str(place.value)), cwd, _home(environ))
    overlay["data_dir"] = _Given(absolute, place.origin, place.fallback)
    return overlay


def _home(environ: Mapping[str, str]) -> Path | None:
    home = environ.get("HOME") or environ.get("USERPROFILE")
    return Path(home) if home else None


def _find_file(
    cli: Mapping[str, object], environ: Mapping[str, str], cwd: Path, data_dir: Path
) -> Path | None:
    for named, by in (
        (cli.get("config"), "--config"),
        (environ.get("DRAGOMAN_CONFIG"), "DRAGOMAN_CONFIG"),
    ):
        if named:
            path = anchor(Path(str(named)), cwd, _home(environ))
            if not os.path.exists(path):
                raise ConfigError(
                    f"The configuration file {path} given by {by} does not exist;"
                    " create it or correct the path."
                )
            return path
    # Unlike Path.is_file, this takes a folder that must not be entered for one without a file.
    return next(filter(os.path.isfile, (cwd / FILE_NAME, data_dir / FILE_NAME)), None)


def _lay_over(values: dict[str, object], overlay: Mapping[str, _Given]) -> list[str]:
    """Puts the overlay into the `[server]` table of `values`; returns the names that it gave."""
    server = values.setdefault("server", {})
    if not isinstance(server, dict):
        return []
    server = cast("dict[str, object]", server)
    names = [name for name, given in overlay.items() if not (given.fallback and name in server)]
    server.update((name, overlay[name].value) for name in names)
    return names


def _validate(
    values: dict[str, object],
    context: Mapping[str, object],
    sources: Sources,
    problems: list[Problem],
) -> Document:
    """The document, or a `ConfigError` with `problems` and everything else that is wrong."""
    document = None
    try:
        document = Document.model_validate(values, context=dict(context))
    except pydantic.ValidationError as error:
        problems += explain(error.errors(include_url=False), values, sources)
    problems += _duplicate_ids(values, sources)
    problems += _unusable_providers(values, sources)
    if problems or document is None:
        raise ConfigError(_report(problems))
    return document


def _report(problems: Sequence[Problem]) -> str:
    lines = [str(problem) for problem in sorted(problems, key=lambda problem: problem.line)]
    if len(lines) == 1:
        return lines[0]
    return "\n".join([f"The configuration has {len(lines)} problems:", *lines])


def _tables(values: Mapping[str, object], *path: str) -> list[tuple[KeyPath, dict[str, object]]]:
    """The tables of the list at `path`, with their key paths; nothing where it is not a list."""
    found = value_at(values, path)
    items = cast("list[object]", found) if isinstance(found, list) else []
    return [
        ((*path, n), cast("dict[str, object]", item))
        for n, item in enumerate(items)
        if isinstance(item, dict)
    ]


def _duplicate_ids(values: Mapping[str, object], sources: Sources) -> Iterator[Problem]:
    has_local = "local" in values and value_at(values, ("local", "enabled")) is not False
    for path in (("providers",), ("local", "models")):
        first: dict[object, int] = {}
        for place, table in _tables(values, *path):
            name = table.get("id")
            if not isinstance(name, str):
                continue
            if name in first:
                text = f'the id "{name}" is already taken on line {first[name]}; choose another.'
                yield sources.problem((*place, "id"), text)
            first.setdefault(name, sources.line((*place, "id")))
            if path == ("providers",) and name == LOCAL_PROVIDER and has_local:
                text = 'the id "local" belongs to the embedded models of [local]; choose another.'
                yield sources.problem((*place, "id"), text)


def _unusable_providers(values: Mapping[str, object], sources: Sources) -> Iterator[Problem]:
    """What only the knowledge about providers can tell: unknown types, presets, bad URLs."""
    unread = {path[:2] for path in sources.unread}
    for place, table in _tables(values, "providers"):
        if place in unread:
            continue
        try:
            resolve(ProviderSpec.model_validate(table), Source.FILE)
        except pydantic.ValidationError:
            continue  # reported with the document
        except ConfigError as error:
            yield sources.problem(place, error.message)


def _settings(
    document: Document, sources: Sources, inputs: Inputs, file: ConfigFile | None
) -> Settings:
    origins: dict[KeyPath, str] = {
        path: f"{sources.file}, line {line}" for path, line in sources.lines.items()
    }
    origins |= sources.overrides
    providers, local = document.providers, document.local
    if file is None:
        providers, local = environment_providers(inputs.environ), LocalSettings()
        origins |= {
            ("providers", n, name): "environment"
            for n, provider in enumerate(providers)
            for name in provider.model_fields_set
        }
    return Settings(
        server=document.server,
        providers=providers,
        aliases=document.aliases,
        local=local,
        memory=document.memory,
        prices=document.prices,
        file=file.path if file else None,
        warnings=(*_exposure(document.server), *_unknown_targets(document, sources)),
        origins=origins,
        inputs=inputs,
    )


def _exposure(server: ServerSettings) -> Iterator[str]:
    host = server.host
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        if host == "localhost":
            return
        who = f"every machine that can reach {host}"
    else:
        if address.is_loopback:
            return
        if address.is_unspecified:
            who = "every machine on any network that this one is connected to"
        elif address.is_private:
            who = f"every machine on the network of {host}"
        else:
            who = "anyone on the internet"
    yield (
        f"host {host} is not loopback: {who} can reach the gateway and, with a key, spend your"
        ' providers\' quota; use "127.0.0.1" to keep it to this machine.'
    )


def _unknown_targets(document: Document, sources: Sources) -> Iterator[str]:
    """Targets that the file does not know; the database may, so they are no errors."""
    known = {provider.id: provider for provider in document.providers}
    for alias, settings in document.aliases.items():
        place = sources.place(("aliases", alias))
        for target in settings.names:
            name, _, model = target.partition(":")
            if name == LOCAL_PROVIDER and document.local.enabled:
                continue
            if name not in known:
                yield (
                    f'{place}: the alias "{alias}" points to "{target}", but the file has no'
                    f' provider "{name}"; it works only once one is added.'
                )
            elif model not in _listed_models(known[name], model):
                yield (
                    f'{place}: the alias "{alias}" points to "{target}", but the models listed'
                    f' for "{name}" do not include it.'
                )


def _listed_models(provider: ProviderSpec, default: str) -> set[str]:
    """The ids in the provider's own list; `default` alone where it is asked for its models."""
    if provider.models is None:
        return {default}
    return {model if isinstance(model, str) else model.id for model in provider.models}
