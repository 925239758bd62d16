"""A real browser without a window, and the pictures that tests keep of what it shows."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

ARTIFACTS = Path(__file__).resolve().parents[3] / "var" / "test-artifacts"
_FLAGS = ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--window-size=1280,1000", "--lang=en")


@contextmanager
def browser() -> Iterator[Any]:
    """A headless Chromium; skips the test where it is not installed."""
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not (chromium and driver):
        pytest.skip("no browser: install chromium and chromedriver (Debian: chromium chromium-driver)")
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    for flag in _FLAGS:
        options.add_argument(flag)
    running = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    try:
        yield running
    finally:
        running.quit()


def prefer(running: Any, scheme: str) -> None:
    """Have the system ask for a `light` or `dark` page."""
    wish = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    running.execute_cdp_cmd("Emulation.setEmulatedMedia", wish)


def keep_picture(running: Any, name: str) -> Path:
    """Keep what the browser shows as `var/test-artifacts/<name>.png`."""
    ARTIFACTS.mkdir(parents=True, exist_ok=True)
    path = ARTIFACTS / f"{name}.png"
    assert running.save_screenshot(str(path))
    return path


def complaints(running: Any) -> list[str]:
    """What the console says of errors since it was last asked."""
    return [entry["message"] for entry in running.get_log("browser") if entry["level"] == "SEVERE"]
