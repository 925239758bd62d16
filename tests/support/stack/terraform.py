"""Terraform on a copy of the repository's root, with the provider from a mirror on this machine or its registry."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from localaws.testing.patience import patient

ROOT = Path(__file__).parents[3]
SECONDS = 240
_MIRRORS = ("/opt", "/usr/share", "/usr/local/share", "~/.terraform.d")  # Terraform's implied ones, and /opt/<name>


def mirror() -> Path | None:
    """The folder that holds `registry.terraform.io`: POSTRANK_TF_MIRROR, or a usual folder's own."""
    if named := os.environ.get("POSTRANK_TF_MIRROR"):
        return Path(named)
    for place in _MIRRORS:
        for found in sorted(Path(place).expanduser().glob("*/registry.terraform.io")):
            return found.parent
    return None


class Terraform:
    """The root module in a folder of its own, so that state and plug-ins never touch the repository."""

    def __init__(self, folder: Path, *, override: str = "", env: dict[str, str] | None = None) -> None:
        binary, plugins = shutil.which("terraform"), mirror()
        if not binary:
            pytest.skip("terraform is not installed")
        self.folder = folder / "terraform"
        shutil.copytree(ROOT / "terraform", self.folder, ignore=shutil.ignore_patterns(".terraform*", "*.tfstate*"))
        for read in ("src/postrank/aws", "include/sql/queries"):
            shutil.copytree(ROOT / read, folder / read)
        if override:
            (self.folder / "providers_override.tf").write_text(override, encoding="utf-8")
        settings = folder / "terraform.rc"
        source = f'filesystem_mirror {{\n    path = "{plugins}"\n  }}' if plugins else "direct {}"
        settings.write_text(f"provider_installation {{\n  {source}\n}}\n")
        passed = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "TF_"))}
        self.env = {**passed, "TF_CLI_CONFIG_FILE": str(settings), "CHECKPOINT_DISABLE": "1", **(env or {})}
        if not plugins:
            cache = ROOT / "var" / "cache" / "terraform"
            cache.mkdir(parents=True, exist_ok=True)
            self.env["TF_PLUGIN_CACHE_DIR"] = str(cache)

    def __call__(self, *words: str, expect: int = 0) -> str:
        """Run one command; returns what it said. Fails the test at any other status than `expect`."""
        argv = ["terraform", *words, "-no-color"]
        done = subprocess.run(
            argv, cwd=self.folder, env=self.env, capture_output=True, text=True, timeout=patient(SECONDS), check=False
        )
        if words[0] == "init" and "could not connect to registry" in done.stderr:
            pytest.skip("neither a mirror of Terraform's AWS provider (POSTRANK_TF_MIRROR) nor its registry")
        assert done.returncode == expect, f"{' '.join(words)}: {done.returncode}\n{done.stdout[-3000:]}\n{done.stderr}"
        return done.stdout
