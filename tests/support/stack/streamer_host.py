"""The streamer's host in tests: production's script with a root of its own, on the PATH of instances."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from localaws.testing.patience import patient
from postrank.aws.resources import Resources
from tests.support.stack.terraform import Terraform

SCRIPT = Path(__file__).parents[3] / "terraform/modules/streamer/files/postrank-host"
NEEDED = ("aws", "bash", "flock", "sha256sum")


def make_host(folder: Path, *, artifacts: str, service: str, release: str = "0.0.0") -> Path:
    """A root for the host, and `postrank-host` in its `bin`, which works on it. Skips where a tool is missing."""
    for tool in NEEDED:
        if not shutil.which(tool):
            pytest.skip(f"{tool} is not installed")
    root = folder / "host"
    (root / "etc/postrank").mkdir(parents=True)
    settings = {
        "ARTIFACTS": artifacts, "REGION": "us-east-1", "RELEASE": release, "SERVICE": service,
        "VOLUME": "vol-0", "PYTHON": sys.executable, "WAIT_SECONDS": "0.1",
    }  # fmt: skip
    (root / "etc/postrank/host").write_text("".join(f"{name}={shlex.quote(one)}\n" for name, one in settings.items()))
    command = root / "bin/postrank-host"
    command.parent.mkdir()
    index = {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
    exports = "".join(f"export {name}={shlex.quote(value)}\n" for name, value in index.items())
    exports += f"export POSTRANK_ROOT={shlex.quote(str(root))}\n"
    command.write_text(f'#!/bin/sh\n{exports}exec bash {shlex.quote(str(SCRIPT))} "$@"\n')
    command.chmod(0o755)
    return root


def render_user_data(folder: Path, names: Resources, **more: str) -> str:
    """What Terraform gives the instance, rendered by Terraform, with values for what only AWS knows."""
    terraform = Terraform(folder / "root")
    files, root = terraform.folder / "modules/streamer/files", terraform.folder
    values = {
        "artifacts": names.buckets["artifacts"], "version": "0.1.0", "region": names.region,
        "volume": "vol-0123456789abcdef0", "environment": names.environment, "account": names.account,
        "service": names.streamer.service, "namespace": "Postrank/Host", "log_group": "/postrank-dev-streamer", **more,
    }  # fmt: skip
    given = json.dumps(values)
    module = (files.parent / "main.tf").read_text(encoding="utf-8")
    own = re.findall(r'(\w+)\s*= file\("\$\{path\.module\}/files/([^"]+)"\)', module)
    read = ", ".join(f'{name} = file("{files / file}")' for name, file in own)
    expression = (
        f'templatefile("{files}/cloud-init.yaml.tftpl", merge({given}, {{ {read}, '
        f'config = file("{root}/environments/streamer.toml"), '
        f'agent = templatefile("{files}/cloudwatch-agent.json.tftpl", {given}) }}))'
    )
    # In a folder without configuration the console needs no backend.
    (folder / "console").mkdir()
    done = subprocess.run(
        ["terraform", f"-chdir={folder / 'console'}", "console"],
        input=f"jsonencode({expression})\n", capture_output=True, text=True, check=True, timeout=patient(60),
    )  # fmt: skip
    return str(json.loads(json.loads(done.stdout)))
