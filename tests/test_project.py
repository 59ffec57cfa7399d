"""The project keeps its own promises: budgets, names, locks, documents and what no file may hold.

A failure here names the file and the rule; CONTRIBUTING.md says why there are such rules.
"""

from __future__ import annotations

import ast
import os
import re
import subprocess
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import dragoman

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src/dragoman"

MAX_FILE_LINES = 900
MAX_FUNCTION_LINES = 60

TESTED_ELSEWHERE = {
    "store/migrations/versions": "run one after the other by store/migrations/test_migrations.py",
}
"""Source files and folders without test files of their own, and why; no `__init__.py` needs one."""

VAGUE_NAMES = {"utils", "helpers", "base", "common"}

OF_ONE_MACHINE = re.compile(
    r"pypi\.org|pythonhosted\.org|npmjs\.(?:org|com)|debian\.org"
    r"|(?<![\w.}])/(?:work|tmp|root|opt)/\w"
)
"""Registry hosts, for mirrors must do as well, and absolute paths of somebody's machine."""


@cache
def files() -> tuple[Path, ...]:
    """Every file that is in the repository or about to be."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    paths = {ROOT / name for name in listing.split("\0") if name}
    return tuple(sorted(path for path in paths if path.is_file()))


@cache
def read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def named(path: Path) -> str:
    """The path as the repository names it."""
    return path.relative_to(ROOT).as_posix()


def python_files(folder: Path = ROOT) -> list[Path]:
    return [path for path in files() if path.suffix == ".py" and path.is_relative_to(folder)]


def calls(path: Path) -> Iterator[ast.Call]:
    for node in ast.walk(ast.parse(read(path))):
        if isinstance(node, ast.Call):
            yield node


def test_every_source_file_has_its_test_file() -> None:
    missing: list[str] = []
    for path in python_files(SOURCE):
        place = path.relative_to(SOURCE)
        test = ROOT / "tests" / place.with_name(f"test_{place.name}")
        excepted = {place.as_posix(), place.parent.as_posix()} & TESTED_ELSEWHERE.keys()
        if path.name != "__init__.py" and not excepted and not test.exists():
            missing.append(named(test))
    assert not missing, "\n".join(missing)


def test_exceptions_from_that_rule_are_real() -> None:
    assert all((SOURCE / place).exists() for place in TESTED_ELSEWHERE)


def test_no_file_is_too_long() -> None:
    lengths = {named(path): len(read(path).splitlines()) for path in python_files()}
    assert not {name: lines for name, lines in lengths.items() if lines > MAX_FILE_LINES}


def test_no_function_is_too_long() -> None:
    too_long: dict[str, int] = {}
    for path in python_files():
        for node in ast.walk(ast.parse(read(path))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                assert node.end_lineno is not None
                lines = node.end_lineno - node.lineno + 1
                if lines > MAX_FUNCTION_LINES:
                    too_long[f"{named(path)}:{node.lineno} {node.name}"] = lines
    assert not too_long


def test_modules_are_named_after_what_they_hold() -> None:
    assert not [named(path) for path in python_files() if path.stem in VAGUE_NAMES]


def test_only_the_command_line_prints() -> None:
    printing = [
        f"{named(path)}:{call.lineno}"
        for path in python_files(SOURCE)
        if not path.is_relative_to(SOURCE / "cli")
        for call in calls(path)
        if isinstance(call.func, ast.Name) and call.func.id == "print"
    ]
    assert not printing, "\n".join(printing)


def test_every_task_is_kept() -> None:
    """A task that nobody holds may be collected while it runs, and its error is never seen.

    Those of a TaskGroup are held by the group.
    """
    dropped = [
        f"{named(path)}:{node.lineno}"
        for path in python_files(SOURCE)
        for node in ast.walk(ast.parse(read(path)))
        if isinstance(node, ast.Expr)
        and re.search(r"(asyncio|loop)\.(create_task|ensure_future)\(", ast.unparse(node))
    ]
    assert not dropped, "\n".join(dropped)


def test_no_file_speaks_of_one_machine() -> None:
    found: list[str] = []
    for path in files():
        try:
            text = read(path)
        except UnicodeDecodeError:
            continue
        for number, line in enumerate(text.splitlines(), start=1):
            if match := OF_ONE_MACHINE.search(line):
                found.append(f"{named(path)}:{number} {match[0]}")
    assert not found, "\n".join(found)


def test_scripts_can_be_run() -> None:
    scripts = [
        path for path in files() if path.parent.name == "scripts" or named(path) == ".ci/run"
    ]
    assert scripts
    assert not [named(path) for path in scripts if not os.access(path, os.X_OK)]


def locked(name: str) -> dict[str, list[Requirement]]:
    """The requirements of a lock by package; each line must be pinned and hashed."""
    text = read(ROOT / "requirements" / name).replace("\\\n", " ")
    found: dict[str, list[Requirement]] = {}
    for line in text.splitlines():
        entry = line.partition(" #")[0].strip()
        if not entry or entry.startswith("#"):
            continue
        requirement, *hashes = entry.split(" --hash=")
        assert hashes, f"{requirement} has no hash"
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}\s*", each) for each in hashes), requirement
        parsed = Requirement(requirement)
        assert str(parsed.specifier).startswith("=="), requirement
        found.setdefault(canonicalize_name(parsed.name), []).append(parsed)
    return found


def wanted(name: str) -> list[Requirement]:
    """What pyproject.toml asks for, of all that goes into a lock."""
    table = tomllib.loads(read(ROOT / "pyproject.toml"))
    extras = table["project"]["optional-dependencies"]
    groups = table["dependency-groups"]
    lines = [*table["project"]["dependencies"], *extras["postgres"], *extras["redis"]]
    lines += groups["local"] + (groups["dev"] if name == "test.txt" else [])
    return [Requirement(line) for line in lines]


@pytest.mark.parametrize("name", ["serve.txt", "test.txt"])
def test_locks_hold_what_the_project_asks_for(name: str) -> None:
    lock = locked(name)
    for requirement in wanted(name):
        pins = lock.get(canonicalize_name(requirement.name))
        assert pins, f"{requirement.name} is not in requirements/{name}: run scripts/lock"
        for pin in pins:
            version = str(pin.specifier).removeprefix("==")
            assert requirement.specifier.contains(version, prereleases=True), requirement.name


def test_locks_agree() -> None:
    serve, test = locked("serve.txt"), locked("test.txt")
    assert {name: pins for name, pins in serve.items() if pins != test.get(name)} == {}


def test_the_changelog_tells_of_this_version() -> None:
    headings = re.findall(r"^## \[(.+?)\]", read(ROOT / "CHANGELOG.md"), re.MULTILINE)
    assert dragoman.__version__ in headings


def links(path: Path) -> list[str]:
    """The targets of a document's links and pictures, code blocks left out."""
    text = re.sub(r"^```.*?^```", "", read(path), flags=re.DOTALL | re.MULTILINE)
    return re.findall(r"\]\(([^)\s]+)\)", text)


def documents() -> list[Path]:
    return [path for path in files() if path.suffix == ".md"]


def test_the_index_links_every_page_of_the_documentation() -> None:
    linked = {link.partition("#")[0] for link in links(ROOT / "docs/index.md")}
    pages = {path.name for path in documents() if path.parent == ROOT / "docs"}
    assert pages - {"index.md"} - linked == set()


@pytest.mark.parametrize("document", documents(), ids=named)
def test_links_within_the_repository_lead_somewhere(document: Path) -> None:
    local = [link for link in links(document) if not re.match(r"[a-z]+:", link)]
    broken = [
        link
        for link in local
        if not (document.parent / link.partition("#")[0]).exists()
        or ("#" in link and not has_anchor(document, link))
    ]
    assert not broken


def has_anchor(document: Path, link: str) -> bool:
    """Whether the heading that `link` names is there, spelt as GitHub makes anchors."""
    place, _, anchor = link.partition("#")
    text = read(document.parent / place if place else document)
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return anchor in {re.sub(r"[^\w\- ]", "", each.lower()).replace(" ", "-") for each in headings}


def code_blocks(name: str) -> list[tuple[str, str]]:
    """Language and text of each block of code."""
    return re.findall(r"^```(\w*)\n(.*?)^```", read(ROOT / name), re.DOTALL | re.MULTILINE)


def without_words(code: str) -> str:
    """Code without its comments and without what it asks and answers: those are translated."""
    return re.sub(r"\s+#.*|(\"?content\"?: ?)\"[^\"]*\"", r"\1", code)


def test_the_readmes_give_the_same_code() -> None:
    english, chinese = (
        [(language, without_words(code)) for language, code in code_blocks(name)]
        for name in ("README.md", "README.zh-CN.md")
    )
    assert english == chinese


def test_the_readmes_give_the_same_links_and_sections() -> None:
    english, chinese = (
        (re.findall(r"^#+ ", read(ROOT / name), re.MULTILINE), set(links(ROOT / name)))
        for name in ("README.md", "README.zh-CN.md")
    )
    assert english[0] == chinese[0]
    assert english[1] ^ chinese[1] == {"README.md", "README.zh-CN.md"}


def test_ci_runs_the_second_command_of_the_readme() -> None:
    commands = [code.strip() for language, code in code_blocks("README.md") if language == "sh"]
    assert commands[1] in read(ROOT / ".ci/run")
