"""Where real posts with independently counted truths lie, when the machine has them."""

import os
from pathlib import Path

import pytest

_ROOT = Path(__file__).resolve().parents[3]


def given_data() -> Path:
    """The folder of given data; skips the test where it is absent."""
    folder = Path(os.environ.get("POSTRANK_GIVEN_DATA", _ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no given data at {folder}: set POSTRANK_GIVEN_DATA to the folder with *.truth.json")
    return folder
