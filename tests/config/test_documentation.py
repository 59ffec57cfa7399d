"""docs/configuration.md names every setting, and what it shows is true."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pydantic
import pytest

from dragoman.config.loading import load
from dragoman.config.rendering import check
from dragoman.config.settings import (
    ENVIRONMENT,
    AliasSettings,
    Document,
    LocalModel,
    LocalSettings,
    MemorySettings,
    ServerSettings,
)
from dragoman.prices import PriceSpec
from dragoman.providers.spec import ModelSpec, ProviderSpec, TimeoutSpec

PAGE = (Path(__file__).parents[2] / "docs/configuration.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```toml\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
MISTAKES = re.findall(r"^```toml mistake\n(.*?)```\n```text\n(.*?)\n```$", PAGE, re.DOTALL | re.M)


def rows(after: str) -> dict[str, list[str]]:
    """The rows of the first table after a text, by the setting that they are about."""
    table = PAGE.split(after, 1)[1].split("\n|", 1)[1].split("\n\n", 1)[0]
    cells = [re.split(r"(?<!\\)\|", row)[1:-1] for row in ("|" + table).splitlines()[2:]]
    return {first.strip().strip("`"): [cell.strip() for cell in rest] for first, *rest in cells}


@pytest.mark.parametrize(
    ("after", "model"),
    [
        ("\n## `[server]`", ServerSettings),
        ("\n## `[[providers]]`", ProviderSpec),
        ("An element of `models` is an id", ModelSpec),
        ("The table `timeout`:", TimeoutSpec),
        ("As a table, an alias has:", AliasSettings),
        ("\n## `[local]`", LocalSettings),
        ("\n## `[[prices]]`", PriceSpec),
        ("An element of `models`:", LocalModel),
        ("\n## `[memory]`", MemorySettings),
    ],
)
def test_every_setting_stands_in_the_page_with_its_default(
    after: str, model: type[pydantic.BaseModel]
) -> None:
    documented = rows(after)
    assert list(documented) == list(model.model_fields)
    for name, field in model.model_fields.items():
        default = documented[name][1]
        if field.is_required():
            assert default == "required" or name == "data_dir"
        elif isinstance(field.default, str | int | float | list | tuple):
            assert default == f"`{json.dumps(field.default)}`"


def test_every_table_has_a_section() -> None:
    for name in Document.model_fields:
        assert re.search(rf"^## `\[+{name}\]+`$", PAGE, re.MULTILINE)


def test_every_environment_name_stands_with_its_setting() -> None:
    documented = rows("\n## `[server]`")
    assert {name: cells[2].strip("`") for name, cells in documented.items() if cells[2]} == dict(
        ENVIRONMENT
    )


def test_the_section_examples_use_every_setting() -> None:
    for section, model in (("[server]", ServerSettings), ("[[providers]]", ProviderSpec)):
        example = PAGE.split(f"\n## `{section}`", 1)[1].split("\n```toml\n", 1)[1].split("```")[0]
        for name in set(model.model_fields) - {"type", "preset"}:
            assert re.search(rf"^{name} = ", example, re.MULTILINE), name


def place(tmp_path: Path, text: str) -> None:
    (tmp_path / "dragoman.toml").write_text(text, encoding="utf-8")


@pytest.mark.parametrize("text", EXAMPLES)
def test_every_example_is_valid_and_gives_no_warning(tmp_path: Path, text: str) -> None:
    place(tmp_path, text)
    environ = dict.fromkeys(re.findall(r"\$\{(\w+)\}", text), "0123456789abcdef")
    environ |= {"PORT": "8080", "DRAGOMAN_DATA_DIR": str(tmp_path)}
    assert load({}, environ, tmp_path).warnings == ()


@pytest.mark.parametrize(("text", "told"), MISTAKES)
def test_every_mistake_gives_the_message_shown(tmp_path: Path, text: str, told: str) -> None:
    place(tmp_path, text)
    assert check({}, {"DRAGOMAN_DATA_DIR": str(tmp_path)}, tmp_path) == (False, told)


def test_the_page_has_examples_and_mistakes() -> None:
    assert len(EXAMPLES) >= 8
    assert len(MISTAKES) >= 10
