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


class Page:
    """What a person does with a page of the plug-in, and sees of it. `base` is the address below which pages are."""

    def __init__(self, running: Any, base: str) -> None:
        self.browser, self.base = running, base

    def open(self, path: str) -> None:
        self.browser.get(f"{self.base}/{path}")
        self.settle()

    def settle(self) -> None:
        """Wait until nothing is being fetched, something is shown, and nothing fades: a faint table has no contrast."""
        wait_for(lambda: self.browser.execute_script(_IDLE), timeout=20, what="the page")

    def find(self, selector: str) -> Any:
        return self.browser.find_element("css selector", selector)

    def texts(self, selector: str) -> list[str]:
        script = "return [...document.querySelectorAll(arguments[0])].map((node) => node.innerText)"
        return self.browser.execute_script(script, selector)

    @property
    def status(self) -> str:
        return self.find("#status").text

    def click(self, selector: str) -> None:
        self.find(selector).click()
        self.settle()

    def press(self, *keys: str) -> None:
        from selenium.webdriver import ActionChains

        ActionChains(self.browser).send_keys(*keys).perform()
        self.settle()

    def choose(self, selector: str, text: str) -> None:
        from selenium.webdriver.support.ui import Select

        Select(self.find(selector)).select_by_visible_text(text)
        self.settle()

    def resize(self, width: int, height: int = 1000) -> None:
        """Show the page in a viewport of so many CSS pixels; a window cannot be as narrow as a phone."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)

    def violations(self) -> list[str]:
        """What axe-core objects to, as `rule: element`."""
        import axe_playwright_python

        script = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
        self.browser.execute_cdp_cmd(
            "Runtime.evaluate", {"expression": script}
        )  # the page's policy forbids a script tag
        report = self.browser.execute_async_script(_RUN_AXE)
        return [f"{item['id']}: {node['html'][:200]}" for item in report["violations"] for node in item["nodes"]]


_IDLE = (
    "return !document.body.hasAttribute('aria-busy') && !!document.querySelector('#message h2, #content:not([hidden])')"
    " && document.getAnimations().every((animation) => animation.playState === 'finished')"
)
_RUN_AXE = "const done = arguments[0]; axe.run(document, { resultTypes: ['violations'] }).then(done);"
