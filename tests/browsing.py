"""A headless Chromium for tests and benchmarks, and how they read the player's page."""

from __future__ import annotations

import importlib
import shutil
from pathlib import Path
from typing import Any

import pytest

PROGRAMS = ("chromium", "chromedriver")
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--window-size=1500,950",
)


def open_chromium() -> Any:
    """A browser; skips where Selenium, Chromium or its driver is missing."""
    webdriver = pytest.importorskip(
        "selenium.webdriver", reason="the player is driven by Selenium: pip install selenium"
    )
    missing = [program for program in PROGRAMS if shutil.which(program) is None]
    if missing:
        pytest.skip(f"the player is tested in {' and '.join(PROGRAMS)}; missing: {missing}")
    chrome = importlib.import_module("selenium.webdriver.chrome.service")
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium")
    for flag in FLAGS:
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    service = chrome.Service(shutil.which("chromedriver"))  # the system's: nothing is downloaded
    return webdriver.Chrome(options=options, service=service)


class Page:
    """The player in the browser: what it shows, and what a reader does to it."""

    def __init__(self, browser: Any, path: Path) -> None:
        self.browser, self.path = browser, path

    def open(self, link: str = "") -> Page:
        self.browser.get("about:blank")  # a change of the link alone would not load the page
        self.browser.get(f"{self.path.as_uri()}{link}")
        return self

    def run(self, script: str, *arguments: Any) -> Any:
        return self.browser.execute_script(script, *arguments)

    def find(self, selector: str) -> Any:
        return self.browser.find_element("css selector", selector)

    def all(self, selector: str) -> list[Any]:
        return self.browser.find_elements("css selector", selector)

    def text(self, selector: str) -> str:
        return self.run("return document.querySelector(arguments[0]).textContent", selector)

    def texts(self, selector: str) -> list[str]:
        return self.run(
            "return [...document.querySelectorAll(arguments[0])].map(e => e.textContent)", selector
        )

    def formulas(self, selector: str) -> list[str]:
        """What is set as formulas, as it is written in one line."""
        return self.run(
            """return [...document.querySelectorAll(`${arguments[0]} :is(math, [role=math])`)]
            .filter(e => !e.ariaHidden).map(e => e.ariaLabel)""",
            selector,
        )

    def rows(self, selector: str) -> dict[str, str]:
        """A description list by its labels."""
        labels, values = self.texts(f"{selector} dt"), self.texts(f"{selector} dd")
        return dict(zip(labels, values, strict=True))

    def go(self, step: int) -> None:
        self.run("go(arguments[0])", step)

    @property
    def step(self) -> int:
        return int(self.text("#count").split("/")[0])

    def gradients(self) -> dict[str, list[str]]:
        """What stands in the grad row of every box, by the box's id."""
        return self.run(
            """const found = {};
            for (const box of document.querySelectorAll("#stage .box")) {
              const lines = [...box.querySelectorAll("text.grad")];
              if (lines.length) found[box.id] = lines.map(e => e.textContent);
            }
            return found"""
        )

    def marked(self, name: str) -> set[str]:
        return set(self.run(f"return [...document.querySelectorAll('.box.{name}')].map(e => e.id)"))

    def flows(self, name: str = "flowed") -> set[tuple[str, str]]:
        """The ends of the visible (or active) gradients along edges."""
        pairs = self.run(
            f"""return [...document.querySelectorAll("#stage .gradient.{name}")]
            .filter(e => getComputedStyle(e).visibility === "visible")
            .map(e => [e.dataset.from, e.dataset.to])"""
        )
        return {tuple(pair) for pair in pairs}

    def style(self, selector: str, name: str) -> str:
        return self.run(
            "return getComputedStyle(document.querySelector(arguments[0]))[arguments[1]]",
            selector,
            name,
        )

    def place(self) -> tuple[float, float, float]:
        """Where the drawing stands: x, y and scale."""
        matrix = self.style("#drawing", "transform")
        scale, _, _, _, x, y = map(float, matrix.removeprefix("matrix(")[:-1].split(","))
        return x, y, scale

    def press(self, *keys: str) -> None:
        for key in keys:
            self.browser.switch_to.active_element.send_keys(key)

    def emulate(self, **features: str) -> None:
        """Ask for a colour scheme or for less motion, as the reader's system does."""
        pairs = [{"name": k.replace("_", "-"), "value": v} for k, v in features.items()]
        self.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": pairs})

    def resize(self, width: int, height: int) -> None:
        self.browser.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600},
        )

    def wait(self, script: str, *arguments: Any, seconds: float = 5) -> None:
        """Wait until a JavaScript expression is true."""
        waiting = importlib.import_module("selenium.webdriver.support.wait").WebDriverWait
        waiting(self.browser, seconds, 0.02).until(
            lambda _: self.run(f"return {script}", *arguments)
        )

    def complaints(self) -> list[str]:
        """What the console has said since it was last asked."""
        return [entry["message"] for entry in self.browser.get_log("browser")]
