"""A headless chromium that tells its console and its requests, and reaches no network."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium import webdriver

from tests.real_programs import program


class Browser:
    """One page after another; `console()` and `requests()` since the last call."""

    def __init__(self, driver: webdriver.Chrome) -> None:
        self.driver = driver

    def open(self, file: Path) -> None:
        self.driver.get(file.as_uri())

    def run(self, script: str):
        return self.driver.execute_script(script)

    def console(self) -> list[str]:
        """Errors and warnings of the console."""
        return [entry["message"] for entry in self.driver.get_log("browser")]

    def requests(self) -> list[str]:
        """The addresses that the page asked for."""
        messages = (json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance"))
        return [m["params"]["request"]["url"] for m in messages if m["method"] == "Network.requestWillBeSent"]


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    options = webdriver.ChromeOptions()
    options.binary_location = program("chromium", "chromium")
    folder = tmp_path_factory.mktemp("chromium")
    quiet = ("--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync")
    nowhere = ("--proxy-server=127.0.0.1:9", "--proxy-bypass-list=<-loopback>")
    for word in ("--headless=new", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder}", *quiet, *nowhere):
        options.add_argument(word)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    service = webdriver.ChromeService(program("chromedriver", "chromium-driver"))
    driver = webdriver.Chrome(options, service)
    driver.set_window_size(1400, 1000)
    yield Browser(driver)
    driver.quit()
