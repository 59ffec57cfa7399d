"""The files of `deploy/`: read by the programs that they are for, where those are installed."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from dragoman.config.settings import ENVIRONMENT

FOLDER = Path(__file__).parents[2] / "deploy"
COMPOSE = (FOLDER / "compose.yaml").read_text()
EXAMPLE = (FOLDER / "example.env").read_text()


def test_nginx_takes_its_configuration(tmp_path: Path) -> None:
    nginx = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/bin")
    if nginx is None:
        pytest.skip("nginx is not installed")
    text = (FOLDER / "nginx.conf").read_text().replace("gateway:23333", "127.0.0.1:23333")
    text = f"pid {tmp_path}/pid;\nerror_log stderr;\n{text}"
    (tmp_path / "nginx.conf").write_text(text)
    checked = subprocess.run(
        [nginx, "-t", "-p", str(tmp_path), "-c", str(tmp_path / "nginx.conf")],
        capture_output=True,
        text=True,
    )
    assert checked.returncode == 0, checked.stderr


def test_the_services_fit_together() -> None:
    services = yaml.safe_load(COMPOSE)["services"]
    gateway = services["gateway"]
    assert gateway["deploy"]["replicas"] == 2
    for service in services.values():
        assert set(service.get("depends_on", {})) <= set(services)
    hosts = re.findall(r"(?:@|//)(\w+)[:/]", " ".join(gateway["environment"].values()))
    assert {"postgres", "valkey"} <= set(hosts)
    (image, port) = ("gateway", "23333")
    assert f"server {image}:{port};" in (FOLDER / "nginx.conf").read_text()
    assert f"EXPOSE {port}" in (FOLDER / "Dockerfile").read_text()


def test_every_variable_is_one_that_is_read() -> None:
    own = set(re.findall(r"\bDRAGOMAN_[A-Z_]+", COMPOSE + EXAMPLE))
    own |= set(re.findall(r"\bDRAGOMAN_[A-Z_]+", (FOLDER / "Dockerfile").read_text()))
    assert own <= {*ENVIRONMENT.values(), "DRAGOMAN_SECRET_KEY"}


def test_what_the_composition_demands_stands_in_the_example() -> None:
    demanded = set(re.findall(r"\$\{(\w+):\?\}", COMPOSE))
    assert demanded == {"POSTGRES_PASSWORD", "DRAGOMAN_SECRET_KEY"}
    assert demanded <= set(re.findall(r"^(\w+)=", EXAMPLE, re.MULTILINE))
