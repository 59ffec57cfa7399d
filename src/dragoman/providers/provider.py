"""A provider as the gateway uses it: every default filled in, every URL complete."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from dragoman.protocols import Operation, Protocol


class Auth(StrEnum):
    """How a provider wants its key."""

    BEARER = "bearer"  # Authorization: Bearer KEY
    X_API_KEY = "x-api-key"  # Anthropic
    API_KEY = "api-key"  # Azure OpenAI
    X_GOOG_API_KEY = "x-goog-api-key"  # Gemini
    NONE = "none"  # local servers


class Source(StrEnum):
    """Where a provider was defined; only those of the database can be changed at run time."""

    FILE = "file"
    DATABASE = "database"
    ENVIRONMENT = "environment"
    LOCAL = "local"


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds; `None` means no limit. The defaults suit models that think for minutes."""

    connect_s: float = 10.0
    first_byte_s: float = 600.0
    idle_s: float = 300.0
    total_s: float | None = None


@dataclass(frozen=True, slots=True)
class Model:
    """One model of a provider. `created` is a Unix time that never changes for the same model;
    `abilities` holds words such as `chat`, `embeddings`, `vision`, `tools`, `reasoning`, and is
    empty where the provider does not tell; so is `protocols`, which narrows the provider's own."""

    id: str
    name: str
    created: int = 0
    owned_by: str = ""
    context_length: int | None = None
    max_output: int | None = None
    abilities: frozenset[str] = frozenset()
    protocols: frozenset[Protocol] = frozenset()


@dataclass(frozen=True, slots=True)
class BodyEdits:
    """What a provider's row changes at the top level of a relayed request body: keys to `rename`,
    then to `drop`, then to `set` where they are absent. It never lists what is allowed."""

    set: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))
    drop: frozenset[str] = frozenset()
    rename: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class Provider:
    """One provider, ready for use.

    `base_urls` maps each protocol in `protocols` to a URL that includes the version segment and
    has no trailing slash; `{model}` in it stands for the model id (an Azure deployment). `models`
    is None where the list is to be asked of the provider, at `list_url` (empty where it has no
    list). `query` (Azure's `api-version`) and `edits` are keyed by protocol; `urls.endpoint_url`
    has added the query already. `retries` is how many more times a request is tried here after
    failures that may pass. `stream_usage` is false where the provider refuses
    `stream_options`. `thin` are protocols whose streams fall short of what clients need: only
    what never streams (counting tokens) is asked in them, answers in another protocol.
    """

    id: str
    type: str
    name: str
    base_urls: Mapping[Protocol, str]
    protocols: frozenset[Protocol]
    auth: Auth
    api_keys: tuple[str, ...] = ()
    models: tuple[Model, ...] | None = None
    headers: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    query: Mapping[Protocol, Mapping[str, str]] = field(
        default_factory=lambda: MappingProxyType({})
    )
    edits: Mapping[Protocol, BodyEdits] = field(default_factory=lambda: MappingProxyType({}))
    enabled: bool = True
    timeouts: Timeouts = field(default_factory=Timeouts)
    proxy: str | None = None
    retries: int = 1
    source: Source = Source.DATABASE
    preset: str | None = None
    stream_usage: bool = True
    thin: frozenset[Protocol] = frozenset()
    list_url: str = ""

    def speaks(self, operation: Operation, model: Model | None = None) -> bool:
        """Whether the provider natively speaks the operation's protocol, for `model` where the
        provider says which of its protocols each model has."""
        if model is not None and model.protocols and operation.protocol not in model.protocols:
            return False
        if operation.protocol in self.thin and operation.streams != "never":
            return False
        return operation.protocol in self.protocols
