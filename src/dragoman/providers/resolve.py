"""From what a person wrote to a provider that is ready for use: spec over preset over type."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from dragoman.errors import ConfigError
from dragoman.protocols import Protocol
from dragoman.providers import urls
from dragoman.providers.presets import PRESETS, Preset, find_preset
from dragoman.providers.provider import Auth, BodyEdits, Model, Provider, Source, Timeouts
from dragoman.providers.spec import ModelSpec, ProviderSpec
from dragoman.providers.types import TYPES, ListStyle, ProviderType, find_type

RESERVED_IDS = frozenset(
    {
        "admin", "api", "api-docs", "api-docs.json", "assets", "chat", "completions", "embeddings",
        "favicon.ico", "health", "login", "logout", "messages", "metrics", "models",
        "openapi.json", "responses", "robots.txt", "v1", "v1alpha", "v1beta",
    }
)  # fmt: skip
"""First path segments of the gateway itself; a provider of that name could not be addressed."""

# Whoever speaks these languages numbers them like their inventors.
_OWN_VERSION = {Protocol.MESSAGES: "v1", Protocol.GEMINI: "v1beta"}
_OPENAI_HOST = "api.openai.com"
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HEADER_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
_KEY = re.compile(r"[\x21-\x7e]+")
_TRANSPORT_HEADERS = frozenset(
    {"connection", "content-length", "host", "te", "trailer", "transfer-encoding", "upgrade"}
)


@dataclass(frozen=True, slots=True)
class _Ground:
    """What a provider has before its spec says anything: its preset over its type."""

    kind: ProviderType
    preset: Preset | None

    @property
    def base_url(self) -> str | None:
        return self.preset.base_url if self.preset else self.kind.base_url

    @property
    def layout(self) -> str:
        """A URL of the provider's shape, for its version segment and its paths."""
        row = self.preset or self.kind
        return row.base_url or row.example

    @property
    def base_urls(self) -> Mapping[Protocol, str]:
        return (self.preset or self.kind).base_urls

    @property
    def protocols(self) -> frozenset[Protocol]:
        if self.preset is not None and self.preset.protocols is not None:
            return self.preset.protocols
        return self.kind.protocols

    @property
    def auth(self) -> Auth:
        if self.preset is not None and self.preset.auth is not None:
            return self.preset.auth
        return self.kind.auth

    def edits(self, protocol: Protocol) -> BodyEdits:
        edits = self.kind.edits.get(protocol, BodyEdits())
        if self.preset is None:
            return edits
        return _merge(edits, self.preset.edits.get(protocol, BodyEdits()))


def resolve(spec: ProviderSpec, source: Source) -> Provider:
    """The provider that `spec` describes.

    Raises ConfigError, which names the provider, the field and the remedy. A missing key is no
    error here: the provider may be added before its key is at hand.
    """
    if spec.id in RESERVED_IDS:
        raise ConfigError(
            f'The provider id "{spec.id}" is a path of the gateway itself; choose another id, '
            f'such as "my-{spec.id.split(".")[0]}".'
        )
    ground = _ground(spec)
    query: Mapping[Protocol, Mapping[str, str]] = {}
    if ground.kind.listing is ListStyle.AZURE:
        base_urls, query, list_url = _azure(spec, ground)
    else:
        _refuse_api_version(spec)
        base_urls = _base_urls(spec, ground)
        list_url = _list_url(spec, ground, base_urls)
    return Provider(
        id=spec.id,
        type=ground.kind.id,
        name=spec.name or (ground.preset.name if ground.preset else spec.id),
        base_urls=MappingProxyType(base_urls),
        protocols=frozenset(base_urls),
        auth=ground.auth,
        api_keys=_keys(spec),
        models=_models(spec, ground),
        headers=MappingProxyType(_headers(spec)),
        query=MappingProxyType(query),
        edits=MappingProxyType(_edits(spec, ground, base_urls)),
        enabled=spec.enabled,
        timeouts=Timeouts(**spec.timeout.model_dump()),
        proxy=_proxy(spec),
        retries=spec.retries,
        source=source,
        preset=ground.preset.id if ground.preset else None,
        stream_usage=ground.preset.stream_usage if ground.preset else True,
        list_url=list_url,
    )


def environment_providers(environ: Mapping[str, str]) -> tuple[ProviderSpec, ...]:
    """One provider for each well-known key that `environ` holds, named after its preset.

    Where several presets read the same variable the first one takes it. A service whose address
    differs for each user is made only if its address is in the environment too.
    """
    specs: list[ProviderSpec] = []
    taken: set[str] = set()
    for preset in PRESETS.values():
        variable = next((name for name in preset.keys if environ.get(name, "").strip()), None)
        if variable is None or variable in taken or not preset.implied:
            continue
        address = environ.get(preset.endpoint_variable or "", "").strip() or None
        if preset.base_url is None and address is None:
            continue
        taken.add(variable)
        specs.append(
            ProviderSpec(
                id=preset.id,
                preset=preset.id,
                base_url=address,
                api_keys=[environ[variable].strip()],
            )
        )
    return tuple(specs)


def _ground(spec: ProviderSpec) -> _Ground:
    name = spec.preset
    if name is None and spec.type is None and spec.id in PRESETS:
        name = spec.id
    try:
        preset = find_preset(name) if name is not None else None
        if spec.type is not None:
            return _Ground(find_type(spec.type), preset)
    except ConfigError as error:
        hint = ""
        if spec.type in PRESETS and spec.type not in TYPES:
            hint = f' "{spec.type}" is a preset: write preset = "{spec.type}".'
        raise _error(spec, error.message + hint) from error
    if preset is None:
        raise _error(spec, f"It needs a `type` or a `preset`; the types are {', '.join(TYPES)}.")
    return _Ground(TYPES[preset.type], preset)


def _base_urls(spec: ProviderSpec, ground: _Ground) -> dict[Protocol, str]:
    """Where each protocol that the provider speaks is; settles `protocols` on the way."""
    known = {protocol: ground.base_urls.get(protocol, ground.layout) for protocol in Protocol}
    if spec.base_url is not None:
        places = _places_from_base_url(spec, spec.base_url, ground, known)
    elif ground.base_url is not None:
        places = {protocol: urls.complete(url) for protocol, url in known.items()}
    else:
        places = {}
    for protocol, url in spec.base_urls.items():
        version = _version_for(ground, protocol)
        places[protocol] = _address(spec, f"base_urls.{protocol}", url, version)
    if spec.base_url is None and Protocol.CHAT in spec.base_urls:
        # The rest of the OpenAI family lives where chat does.
        for protocol in (Protocol.RESPONSES, Protocol.EMBEDDINGS, Protocol.COMPLETIONS):
            if protocol not in spec.base_urls:
                places[protocol] = places[Protocol.CHAT]
    return {protocol: places[protocol] for protocol in _protocols(spec, ground, places)}


def _version_for(ground: _Ground, protocol: Protocol) -> str:
    """The version segment of a URL that was given for `protocol` alone."""
    own = ground.base_urls.get(protocol)
    if own is None and protocol in _OWN_VERSION:
        return _OWN_VERSION[protocol]
    return urls.version_of(own or ground.layout)


def _places_from_base_url(
    spec: ProviderSpec, base_url: str, ground: _Ground, known: Mapping[Protocol, str]
) -> dict[Protocol, str]:
    text = base_url.strip()
    if ground.kind.root_suffix:
        text = text.rstrip("/").removesuffix(ground.kind.root_suffix)
    given = _address(spec, "base_url", text, urls.version_of(ground.layout))
    moved = urls.relocate(given, {p: urls.complete(url) for p, url in known.items()})
    if moved:
        return moved
    # Nothing is known about this server's paths: what shares the main URL is there, and what
    # lives elsewhere is only spoken if `protocols` asks for it.
    asked = set(spec.protocols or ())
    return {p: given for p in Protocol if p not in ground.base_urls or p in asked}


def _protocols(
    spec: ProviderSpec, ground: _Ground, places: Mapping[Protocol, str]
) -> list[Protocol]:
    if spec.protocols is None:
        wanted = ground.protocols
        if ground.kind.id == "openai" and not _is_openai(places.get(Protocol.CHAT, "")):
            wanted = TYPES["openai-compatible"].protocols
        found = [p for p in Protocol if p in places and (p in wanted or p in spec.base_urls)]
        if not found:
            raise _error(spec, f"It has no address; give `base_url`, such as {_example(ground)}.")
        return found
    if not spec.protocols:
        raise _error(spec, "`protocols` is empty; name at least one, or leave it out.")
    for protocol in spec.base_urls:
        if protocol not in spec.protocols:
            raise _error(
                spec,
                f"`base_urls` has {protocol}, but `protocols` does not; add it there or remove "
                "its URL.",
            )
    for protocol in spec.protocols:
        if protocol not in places:
            raise _error(
                spec,
                f"`protocols` has {protocol}, but nothing says where it is; give `base_url`, such "
                f"as {_example(ground)}, or `base_urls`.",
            )
    return [p for p in Protocol if p in spec.protocols]


def _azure(
    spec: ProviderSpec, ground: _Ground
) -> tuple[dict[Protocol, str], dict[Protocol, Mapping[str, str]], str]:
    """Azure's URLs, queries and list of deployments, in the layout that `api_version` asks for."""
    if spec.base_url is None:
        raise _error(
            spec,
            "Azure needs `base_url`, the endpoint of your resource, such as "
            f"{_example(ground)}; a dated `api_version` selects the older API.",
        )
    version = (spec.api_version or "").strip()
    if spec.base_url.strip().endswith("#"):
        address = _address(spec, "base_url", spec.base_url, "")
        places = {protocol: address for protocol in Protocol}
        queries = {p: {"api-version": version} for p in Protocol if version}
        list_url = address + "/models"
    else:
        root = _azure_root(spec, spec.base_url)
        places = {protocol: f"{root}/openai/v1" for protocol in Protocol}
        queries = {p: {"api-version": version} for p in Protocol if version}
        if urls.is_dated(version):
            del queries[Protocol.RESPONSES]
            for protocol in (Protocol.CHAT, Protocol.EMBEDDINGS, Protocol.COMPLETIONS):
                places[protocol] = f"{root}/openai/deployments/{{model}}"
        list_url = root + urls.AZURE_DEPLOYMENT_LIST
    for protocol, url in spec.base_urls.items():
        places[protocol] = _address(spec, f"base_urls.{protocol}", url, "v1")
        queries.pop(protocol, None)
    base_urls = {p: places[p] for p in _protocols(spec, ground, places)}
    return base_urls, {p: q for p, q in queries.items() if p in base_urls}, list_url


def _list_url(spec: ProviderSpec, ground: _Ground, base_urls: Mapping[Protocol, str]) -> str:
    """Where the provider's models are listed, "" where it has no list."""
    preset = ground.preset
    if preset is not None and spec.base_url is None:
        if preset.models_url is not None:
            return preset.models_url
        if preset.models:
            return ""
    order = (Protocol.CHAT, Protocol.RESPONSES, Protocol.MESSAGES, Protocol.GEMINI)
    main = next((base_urls[p] for p in order if p in base_urls), next(iter(base_urls.values())))
    if ground.kind.listing is ListStyle.OLLAMA:
        return urls.without_version(main) + "/api/tags"
    return main + "/models"


def _keys(spec: ProviderSpec) -> tuple[str, ...]:
    """The keys in the order in which they are tried, each once."""
    keys = dict.fromkeys(key.strip() for key in (spec.api_key or "", *spec.api_keys))
    for key in keys:
        if key and not _KEY.fullmatch(key):
            raise _error(
                spec,
                "A key in `api_keys` holds a space, a line break or a character outside ASCII; "
                "copy it again.",
            )
    return tuple(key for key in keys if key)


def _models(spec: ProviderSpec, ground: _Ground) -> tuple[Model, ...] | None:
    listed: Iterable[str | ModelSpec] | None = spec.models
    if listed is None:
        if ground.preset is None or not ground.preset.models or spec.base_url is not None:
            return None
        listed = ground.preset.models
    models: dict[str, Model] = {}
    for entry in listed:
        item = ModelSpec(id=entry) if isinstance(entry, str) and entry.strip() else entry
        if isinstance(item, str):
            raise _error(spec, "`models` has an empty id; remove it.")
        if item.id in models:
            raise _error(spec, f'`models` has "{item.id}" twice; remove one of them.')
        models[item.id] = Model(
            id=item.id,
            name=item.name or item.id,
            context_length=item.context_length,
            max_output=item.max_output,
            abilities=frozenset(item.abilities),
        )
    return tuple(models.values())


def _headers(spec: ProviderSpec) -> dict[str, str]:
    headers: dict[str, str] = {}
    for name, value in spec.headers.items():
        if not _HEADER_NAME.fullmatch(name) or not _HEADER_VALUE.fullmatch(value):
            raise _error(spec, f"`headers` has {name!r}, which is no valid header; correct it.")
        if name.lower() in _TRANSPORT_HEADERS:
            raise _error(spec, f"`headers` has {name!r}, which Dragoman sets itself; remove it.")
        headers[name.lower()] = value.strip()
    return headers


def _edits(
    spec: ProviderSpec, ground: _Ground, protocols: Iterable[Protocol]
) -> dict[Protocol, BodyEdits]:
    own = BodyEdits(
        set=MappingProxyType(dict(spec.set)),
        drop=frozenset(spec.drop),
        rename=MappingProxyType(dict(spec.rename)),
    )
    for name in ("model", "stream"):
        if name in own.set or name in own.drop or name in own.rename:
            raise _error(spec, f"`{name}` is not for `set`, `drop` or `rename`; remove it there.")
    merged = {protocol: _merge(ground.edits(protocol), own) for protocol in protocols}
    return {protocol: edits for protocol, edits in merged.items() if edits != BodyEdits()}


def _merge(under: BodyEdits, over: BodyEdits) -> BodyEdits:
    return BodyEdits(
        set=MappingProxyType({**under.set, **over.set}),
        drop=under.drop | over.drop,
        rename=MappingProxyType({**under.rename, **over.rename}),
    )


def _proxy(spec: ProviderSpec) -> str | None:
    if spec.proxy is None:
        return None
    if not spec.proxy.startswith(("http://", "https://")) or not urls.host_of(spec.proxy):
        raise _error(spec, "`proxy` is no HTTP proxy; give a URL such as http://127.0.0.1:3128.")
    return spec.proxy


def _refuse_api_version(spec: ProviderSpec) -> None:
    if spec.api_version is not None:
        raise _error(spec, "`api_version` is for the type azure-openai alone; remove it.")


def _is_openai(base_url: str) -> bool:
    host = urls.host_of(base_url)
    return host == _OPENAI_HOST or host.endswith("." + _OPENAI_HOST)


def _example(ground: _Ground) -> str:
    return urls.complete(ground.layout)


def _address(spec: ProviderSpec, name: str, url: str, version: str) -> str:
    """`url` as it is used, with `version` where it has none."""
    try:
        return urls.complete(urls.normalize(url, version))
    except ConfigError as error:
        raise _error(spec, f"`{name}`: {error.message}") from error


def _azure_root(spec: ProviderSpec, url: str) -> str:
    try:
        return urls.azure_root(url)
    except ConfigError as error:
        raise _error(spec, f"`base_url`: {error.message}") from error


def _error(spec: ProviderSpec, message: str) -> ConfigError:
    return ConfigError(f'Provider "{spec.id}": {message}')
