"""The options of `tlsaudit scan` and what they mean; nothing is scanned here."""

import click
import pytest

from audits.scan_command import LEVEL_WORDS, scan, scan_settings
from scanner.facts import Level
from scanner.settings import ScanSettings


def settings(*arguments: str) -> ScanSettings:
    return scan_settings(scan.make_context("scan", [*arguments, "example.org"]).params)


def test_the_defaults_are_those_of_the_issue():
    found = settings()
    assert found.ports == (25, 465, 587)
    assert (found.interval_s, found.jobs, found.provider_jobs) == (1.0, 500, 10)
    assert (found.ipv4, found.ipv6, found.allow_private, found.envelope) == (True, True, False, False)
    assert (found.ehlo, found.resolvers) == ("", ())


def test_what_is_asked_for_is_set():
    found = settings(
        *("--ports", "25,2525,25"), *("--interval", "0.5"), *("--jobs", "7"), *("--provider-jobs", "2"), "--envelope",
        *("--ehlo", "mx.example.net"), *("--resolver", "192.0.2.53"), *("--resolver", "[2001:db8::53]:5353"), "-4",
        *("--depth", "policy"), "--allow-private",
    )  # fmt: skip
    assert found.ports == (25, 2525)
    assert (found.interval_s, found.jobs, found.provider_jobs) == (0.5, 7, 2)
    assert (found.ipv4, found.ipv6, found.allow_private, found.envelope) == (True, False, True, True)
    assert found.ehlo == "mx.example.net"
    assert found.resolvers == ("192.0.2.53", "[2001:db8::53]:5353")


@pytest.mark.parametrize("option", ["-4", "-6"])
def test_one_family_leaves_out_the_other(option):
    found = settings(option)
    assert (found.ipv4, found.ipv6) == (option == "-4", option == "-6")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["-4", "-6"], "exclude each other"),
        (["--ports", "465,587"], "25 must be among them"),
        (["--ports", "25,0"], "1 to 65535"),
        (["--ports", "25,65536"], "1 to 65535"),
        (["--ports", "25;465"], "write numbers with commas"),
        (["--ports", ""], "write numbers with commas"),
        (["--ehlo", "two words"], "without spaces"),
        (["--ehlo", "x\r\nRCPT TO:<a@example.org>"], "without spaces"),
        (["--ehlo", "bücher.example"], "without spaces"),
        (["--ehlo", "a" * 256], "without spaces"),
        (["--interval", "-1"], "--interval"),
        (["--interval", "nan"], "--interval"),
        (["--max-inconclusive", "nan"], "--max-inconclusive"),
        (["--max-inconclusive", "101"], "--max-inconclusive"),
        (["--require", "SECURE"], "--require"),
        (["--depth", "deepest"], "--depth"),
        (["--jobs", "0"], "--jobs"),
        (["--verify-depth", "-1"], "--verify-depth"),
    ],
)
def test_what_cannot_be_meant_is_wrong_use(arguments, words):
    with pytest.raises(click.UsageError) as refused:
        settings(*arguments)
    assert words in refused.value.format_message()
    assert refused.value.exit_code == 2


def test_level_words_are_the_levels():
    assert tuple(Level) == LEVEL_WORDS


def test_a_required_level_is_taken_in_any_case():
    assert scan.make_context("scan", ["--require", "Must", "x.example"]).params["require"].upper() == "MUST"


def test_without_input_it_is_wrong_use():
    with pytest.raises(click.UsageError, match="inputs"):
        scan.make_context("scan", [])
