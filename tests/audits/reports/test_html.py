"""The HTML report as text; tests/browser opens it."""

import io
import re
from datetime import UTC, datetime
from html.parser import HTMLParser

import msgspec

from audits.reports.html import Head, write_html
from tests.audits.reports.report_factory import HOSTILE, baselines, few, judged

HEAD = Head("2026-11-21", datetime(2026, 11, 21, tzinfo=UTC), None, "1", "ab" * 32, baselines())


NO_BASELINE = Head("r", datetime(2026, 11, 21, tzinfo=UTC), None, "1", "t")


def html(head: Head = HEAD) -> str:
    stream = io.StringIO()
    assert write_html(stream, head, judged(few())) == len(few())
    return stream.getvalue()


class Elements(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def test_it_needs_no_other_file_and_runs_two_scripts_of_its_own():
    elements = Elements()
    elements.feed(html())
    names = [tag for tag, _ in elements.found]
    assert names.count("script") == 2
    assert not {"img", "link", "iframe", "object", "embed", "base", "form"} & set(names)
    assert not any("src" in attributes for _, attributes in elements.found)
    links = [attributes["href"] for tag, attributes in elements.found if tag == "a"]
    assert all(link and link.startswith("#") for link in links)
    assert not any(name.startswith("on") or name == "style" for _, attributes in elements.found for name in attributes)


def test_hostile_words_are_text():
    page = html()
    assert HOSTILE not in page
    assert "<img" not in page
    assert "<script>alert" not in page


def test_a_warning_stands_above_the_summary():
    page = html(msgspec.structs.replace(HEAD, warning="look <here>"))
    assert 0 < page.index("Warning: look &lt;here&gt;") < page.index('<section id="summary">')
    assert "Warning" not in html()


def test_what_is_not_known_is_never_shown_as_bad():
    row = re.search(r"<tr data-n[^\n]*silent\.example.*?</tr>", html(), re.DOTALL)
    assert row
    assert "g-inconclusive" in row[0]
    assert "v-fail" not in row[0]


def test_verdicts_of_the_scan_have_a_column_a_filter_and_a_row_in_the_summary_each():
    page = html(NO_BASELINE)
    given = [baseline.head.id for baseline in baselines()]
    heads = re.findall(r'<th scope="col" aria-sort="none"><button type="button">([^<]*)<', page)
    assert heads[6:] == given
    assert page.count('<select class="verdict">') == len(given)
    assert {len(re.findall("<td>", row)) for row in re.findall(r"<tr data-n.*?</tr>", page)} == {len(heads)}
    assert re.findall(r'<th scope="row" title="[^"]*">([^<]*)<', page) == given


def test_without_a_baseline_it_still_tells_the_grades():
    stream = io.StringIO()
    write_html(stream, NO_BASELINE, judged(few(), ()))
    page = stream.getvalue()
    assert 'class="heat"' not in page
    assert "g-may" in page
    assert "organisational evidence" in page
