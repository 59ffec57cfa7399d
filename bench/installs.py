"""Puts the other gateways where the bench finds them: a folder for each, outside the repository."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from bench.gateways import Gateway


def install(gateway: Gateway, cache: Path) -> None:
    """Installs what the gateway needs, unless exactly that is there already."""
    wanted = [*gateway.python, *gateway.node]
    folder = cache / gateway.name
    note = folder / "installed.json"
    if not wanted or (note.exists() and json.loads(note.read_text()) == wanted):
        return
    folder.mkdir(parents=True, exist_ok=True)
    if gateway.python:
        python = ["--python", str(folder)]
        subprocess.run(["uv", "venv", "--quiet", "--allow-existing", str(folder)], check=True)
        subprocess.run(["uv", "pip", "install", "--quiet", *python, *gateway.python], check=True)
    if gateway.node:
        pins = dict(each.rsplit("@", 1) for each in gateway.node)
        # As overrides they hold for what is installed along with them too.
        package = {"private": True, "dependencies": pins, "overrides": pins}
        (folder / "package.json").write_text(json.dumps(package))
        npm = ["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", str(folder)]
        subprocess.run(npm, check=True)
    note.write_text(json.dumps(wanted))
