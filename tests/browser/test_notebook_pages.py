"""The notebooks as pages in a browser: no error, no request, every chart drawn, nothing beyond the edge."""

import pytest

from audits.notebook_report import write_notebook_report
from tests.demo_history import demo_history
from tests.notebooks.notebooks import FILES

CHARTS = {"nightly_report": 3, "trends": 5, "domain_deep_dive": 1}
"""So many at least."""


@pytest.fixture(scope="module", params=[file.stem for file in FILES])
def page(request, tmp_path_factory, chromium):
    """The page of one notebook, opened."""
    file = tmp_path_factory.mktemp("pages") / f"{request.param}.html"
    given = {"store": str(demo_history(tmp_path_factory))}
    if request.param == "domain_deep_dive":
        given["domain"] = "hostile-words.example"
    write_notebook_report(file, request.param, given)
    chromium.console()
    chromium.requests()
    chromium.open(file)
    return request.param, chromium


def test_it_opens_without_an_error_and_asks_for_nothing(page):
    _, chromium = page
    assert [url for url in chromium.requests() if not url.startswith(("file://", "data:"))] == []
    assert chromium.console() == []


def test_every_chart_is_drawn_and_has_words_for_those_who_do_not_see_it(page):
    name, chromium = page
    widths = chromium.run("return [...document.images].map(i => i.complete ? i.naturalWidth : 0)")
    assert len(widths) >= CHARTS[name]
    assert min(widths) > 100
    words = chromium.run("return [...document.images].map(i => i.alt)")
    assert [each for each in words if not each or each.startswith("No description")] == []


def test_nothing_runs_and_nothing_is_wider_than_the_page(page):
    _, chromium = page
    assert chromium.run("return document.scripts.length") == 0
    wide = "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert chromium.run(wide) <= 0
