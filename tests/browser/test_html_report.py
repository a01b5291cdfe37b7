"""The HTML report in a browser: no error, no request, filters, sorting, details, and hostile words that do nothing."""

import time
from datetime import UTC, datetime

import pytest

from audits.baseline import shipped_baseline
from audits.reports.html import Head, write_html
from tests.audits.reports.report_factory import baselines, few, judged, many

SECONDS = 3.0
"""In which a report of 5,000 domains is to be open and sorted."""


@pytest.fixture(scope="module")
def page(tmp_path_factory, chromium):
    file = tmp_path_factory.mktemp("report") / "report.html"
    head = Head("2026-11-21", datetime(2026, 11, 21, tzinfo=UTC), None, "1", "ab" * 32, baselines())
    with file.open("w", encoding="utf-8", newline="") as stream:
        write_html(stream, head, judged(few()))
    chromium.console()
    chromium.requests()
    chromium.open(file)
    return chromium


def visible(page) -> list[str]:
    return page.run(
        "return [...document.querySelectorAll('#table tbody tr:not(.detail)')].filter(r => !r.hidden)"
        ".map(r => r.cells[0].textContent)"
    )


def test_it_opens_without_an_error_and_asks_for_nothing(page):
    assert [url for url in page.requests() if not url.startswith("file://")] == []
    assert page.console() == []
    assert len(visible(page)) == len(few())


def test_it_filters_by_words_and_by_grade(page):
    page.run("const s = document.getElementById('search'); s.value = 'silent'; s.dispatchEvent(new Event('input'))")
    assert visible(page) == ["silent.example"]
    page.run("const s = document.getElementById('search'); s.value = ''; s.dispatchEvent(new Event('input'))")
    page.run("const g = document.getElementById('grade'); g.value = 'MAY'; g.dispatchEvent(new Event('change'))")
    assert visible(page) == ["plain.example"]
    page.run("const g = document.getElementById('grade'); g.value = ''; g.dispatchEvent(new Event('change'))")
    assert len(visible(page)) == len(few())


def test_it_sorts_both_ways(page):
    page.run("document.querySelectorAll('#table th button')[0].click()")
    assert visible(page) == sorted(few())
    page.run("document.querySelectorAll('#table th button')[0].click()")
    assert visible(page) == sorted(few(), reverse=True)


def test_a_domain_opens_with_its_evidence_and_hostile_words_are_text(page):
    page.run("[...document.querySelectorAll('button.open')].find(b => b.textContent == 'hostile.example').click()")
    detail = page.run("return document.querySelector('tr.detail').textContent")
    assert "<img src=x onerror=alert(1)>" in detail
    assert page.run("return document.querySelectorAll('tr.detail img, tr.detail script').length") == 0
    assert page.run("return document.querySelectorAll('script').length") == 2, "the details and our own"
    assert page.console() == []
    page.run("[...document.querySelectorAll('button.open')].find(b => b.textContent == 'hostile.example').click()")
    assert page.run("return document.querySelectorAll('tr.detail').length") == 0


def test_the_policy_of_the_page_lets_nothing_else_run(page):
    page.run("const s = document.createElement('script'); s.textContent = 'window.evil = 1'; document.body.append(s)")
    assert page.run("return window.evil") is None
    assert any("Content Security Policy" in line for line in page.console())


def test_five_thousand_domains_open_and_sort_in_time(tmp_path, chromium):
    file = tmp_path / "large.html"
    chosen = tuple(map(shipped_baseline, ("rfc", "mozilla-intermediate")))
    head = Head("large", datetime(2026, 11, 21, tzinfo=UTC), None, "1", "ab" * 32, chosen)
    with file.open("w", encoding="utf-8", newline="") as stream:
        assert write_html(stream, head, judged(many(5000), chosen)) == 5000
    best = min(_opened(chromium, file) for _ in range(2))
    assert best < SECONDS, f"{best:.1f} s, {file.stat().st_size / 1e6:.0f} MB"
    assert len(visible(chromium)) == 500
    chromium.run("document.getElementById('more').click()")
    assert len(visible(chromium)) == 1000
    chromium.run("dispatchEvent(new Event('beforeprint'))")
    assert len(visible(chromium)) == 5000
    chromium.run("document.querySelector('button.open').click()")
    assert "TLSv1.3" in chromium.run("return document.querySelector('tr.detail').textContent")


def _opened(chromium, file) -> float:
    began = time.monotonic()
    chromium.open(file)
    chromium.run("document.querySelectorAll('#table th button')[3].click()")
    return time.monotonic() - began
