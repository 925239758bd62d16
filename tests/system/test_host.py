"""The streamer's host: its unit is what systemd understands, and keeps what it promises."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

UNIT = Path(__file__).parents[2] / "terraform/modules/streamer/files/postrank-streamer.service"
EXPOSURE = 2.0  # of systemd-analyze's 10; an unhardened service has 9.6


@pytest.fixture
def unit(tmp_path) -> Path:
    """The unit, with a command that this machine has."""
    if not shutil.which("systemd-analyze"):
        pytest.skip("systemd-analyze is not installed")
    text = UNIT.read_text(encoding="utf-8")
    path = tmp_path / UNIT.name
    path.write_text(text.replace("/opt/postrank/venv/bin/postrank", shutil.which("true") or ""), encoding="utf-8")
    return path


def analyze(*words: str) -> str:
    done = subprocess.run(["systemd-analyze", *words], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def test_systemd_finds_nothing_to_say_about_the_unit(unit):
    assert UNIT.name not in analyze("verify", str(unit))


def test_the_unit_is_hardened(unit):
    said = analyze("security", "--offline=true", str(unit))
    exposure = re.search(r"exposure level for \S+: ([\d.]+)", said)
    assert exposure, said
    assert float(exposure.group(1)) <= EXPOSURE
