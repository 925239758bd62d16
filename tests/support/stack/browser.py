"""A real browser without a window, and the pictures that tests keep of what it shows."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from localaws.testing.waiting import wait_for

ARTIFACTS = Path(__file__).resolve().parents[3] / "var" / "test-artifacts"
_FLAGS = ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--window-size=1280,1000", "--lang=en")


@contextmanager
def browser(*flags: str) -> Iterator[Any]:
    """A headless Chromium with more `flags`; skips the test where it is not installed."""
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not (chromium and driver):
        pytest.skip("no browser: install chromium and chromedriver (Debian: chromium chromium-driver)")
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    for flag in (*_FLAGS, *flags):
        options.add_argument(flag)
    running = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    try:
        yield running
    finally:
        running.quit()


def log_in(running: Any, url: str, user: str, password: str) -> None:
    """Log in to the Airflow at `url` through its form."""
    running.get(f"{url}/auth/login")
    fill_in_login(running, user, password)
    wait_for(lambda: "/auth/login" not in running.current_url, timeout=60, what="the page after the login")


def fill_in_login(running: Any, user: str, password: str) -> None:
    """Fill in the login form that is being shown, and submit it."""
    fields = wait_for(lambda: running.find_elements("css selector", "input"), timeout=60, what="the login form")
    fields[0].send_keys(user)
    fields[1].send_keys(password)
    fields[1].submit()


def prefer(running: Any, scheme: str) -> None:
    """Have the system ask for a `light` or `dark` page."""
    wish = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    running.execute_cdp_cmd("Emulation.setEmulatedMedia", wish)


def keep_picture(running: Any, name: str, folder: Path = ARTIFACTS) -> Path:
    """Keep what the browser shows as `<folder>/<name>.png`, by default below `var/test-artifacts`."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.png"
    assert running.save_screenshot(str(path))
    return path


def keep_documentation_picture(running: Any, name: str) -> Path:
    """Keep a picture of the docs, in the folder that `POSTRANK_PICTURES` names if it is set (`make pictures`)."""
    return keep_picture(running, name, Path(os.environ.get("POSTRANK_PICTURES", ARTIFACTS / "docs")))


def complaints(running: Any) -> list[str]:
    """What the console says of errors since it was last asked."""
    return [entry["message"] for entry in running.get_log("browser") if entry["level"] == "SEVERE"]
