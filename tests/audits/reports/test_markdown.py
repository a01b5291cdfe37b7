"""Tickets: what is to be mended, by operator; foreign words are neither markup nor links."""

import io

import pytest

from audits.reports.markdown import escaped, write_markdown
from tests.audits.reports.report_factory import HOSTILE, few, judged


def markdown() -> str:
    stream = io.StringIO()
    write_markdown(stream, "2026-11-21", judged(few()))
    return stream.getvalue()


def test_a_ticket_names_operator_domains_and_what_to_mend():
    text = markdown()
    assert "\n## example.org\n" in text
    assert "- [ ] mx.example.org: starttls-not-supported" in text
    assert "plain.example" in text


def test_a_warning_stands_above_the_tickets():
    stream = io.StringIO()
    write_markdown(stream, "r", judged(few()), "look <here>")
    assert stream.getvalue().splitlines()[2] == r"**Warning: look \<here\>**"
    assert "Warning" not in markdown()


def test_hostile_words_are_text():
    text = markdown()
    assert "<img" not in text.replace("\\<", "")
    assert "\x1b" not in text


@pytest.mark.parametrize(
    ("foreign", "shown"),
    [
        ("[a](http://b)", r"\[a\]\(http\://b\)"),
        ("<b>", r"\<b\>"),
        ("@all", r"\@all"),
        ("a\nb", r"a\\nb"),
        ("| x |", r"\| x \|"),
    ],
)
def test_escaping(foreign, shown):
    assert escaped(foreign) == shown


def test_it_is_cut():
    assert len(escaped(HOSTILE * 100)) < 1000
