"""Certificates between two nights: renewed, exchanged, soon to expire."""

from datetime import timedelta

import msgspec
import pytest

from audits.diff import Kind, Severity
from audits.diff.certificates import crossed, issuer_name
from scanner.tls_facts import PublicKeyFacts
from tests.audits.diff.looks import DAY, DROPS, certificate, changes, kinds, one
from tests.audits.session_factory import SEEN

OLD = certificate(1)


def between(old, new, *more):
    nights = (one(leaf=old), *more, one(leaf=new))
    return changes(*nights, certificates=(old, new))


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"issuer": "CN=R10,O=Example Trust,C=XX"},
        {"names_dns": ("MX.example.org",)},
        {"subject": "", "common_names": ()},
    ],
)
def test_a_renewal_is_information(more):
    (found,) = between(OLD, certificate(2, 180, **more))
    assert (found.kind, found.severity, found.where) == (
        Kind.CERTIFICATE_RENEWED,
        Severity.INFORMATION,
        "mx.example.org",
    )
    assert (found.before, found.after) == ("until 2027-02-19", "until 2027-05-20")
    assert found.evidence == f"sha256 {'01' * 32} -> {'02' * 32}"


def test_two_ends_on_one_day_are_told_apart():
    later = msgspec.structs.replace(OLD, sha256="02" * 32, not_after=OLD.not_after + timedelta(minutes=5))
    found = {c.kind: c for c in between(OLD, later)}[Kind.CERTIFICATE_RENEWED]
    assert (found.before, found.after) == ("until 2027-02-19 06:30Z", "until 2027-02-19 06:35Z")


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"issuer": "CN=Other CA,O=Other"}, "issuer CN=R3,O=Example Trust,C=XX -> CN=Other CA,O=Other"),
        ({"key": PublicKeyFacts("RSA", 1024, 80)}, "key RSA 2048 -> RSA 1024"),
        ({"key": PublicKeyFacts("EC", 256, 128, "P-256")}, "key RSA 2048 -> EC P-256"),
        ({"names_dns": ("other.example.org",)}, "without mx.example.org; also for other.example.org"),
    ],
)
def test_another_issuer_key_or_name_is_a_change(more, said):
    found = {c.kind: c for c in between(OLD, certificate(2, **more))}
    assert found[Kind.CERTIFICATE_CHANGED].detail == said
    assert found[Kind.CERTIFICATE_CHANGED].severity is Severity.NOTICE


def test_a_key_that_was_not_read_is_no_change():
    assert [c.kind for c in between(OLD, certificate(2, key=None))] == [Kind.CERTIFICATE_RENEWED]


def test_servers_that_take_turns_behind_one_address_change_nothing():
    other = certificate(2)
    assert kinds(one(leaf=OLD), one(leaf=other), one(leaf=OLD)) == []
    assert kinds(one(leaf=OLD), one(leaf=other), one(DROPS), one(leaf=OLD)) == []


def test_a_certificate_is_compared_with_the_last_one_seen():
    (found,) = between(OLD, certificate(2), one(DROPS), one(DROPS))
    assert (found.kind, found.since) == (Kind.CERTIFICATE_RENEWED, "night-0")


@pytest.mark.parametrize(
    ("issuer", "name"),
    [
        ("CN=R3,O=Let's Encrypt,C=US", "Let's Encrypt"),
        ("O=A\\, B,CN=x", "A\\, B"),
        ("CN=a\\,O=b", "CN=a\\,O=b"),
        ("CN=FOO=x", "CN=FOO=x"),
        ("", ""),
    ],
)
def test_the_issuer_is_its_organisation(issuer, name):
    assert issuer_name(issuer) == name


# --- days that come near -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("days", "life", "severity"),
    [
        (30.5, 400, Severity.NOTICE),
        (30.5, 90, Severity.INFORMATION),
        (14.5, 90, Severity.NOTICE),
        (7.5, 90, Severity.WARNING),
        (7.5, 10, Severity.INFORMATION),
    ],
)
def test_a_threshold_is_told_on_the_night_that_crosses_it(days, life, severity):
    """As information alone where the certificate is so short that its renewal is not yet due."""
    leaf = certificate(1, days, not_before=SEEN + (days - life) * DAY)
    (found,) = changes(one(leaf=leaf), one(leaf=leaf))
    assert (found.kind, found.severity) == (Kind.CERTIFICATE_EXPIRING, severity)
    assert (found.before, found.after) == (f"{days} days", f"{days - 1} days")


def test_each_threshold_is_told_once_and_a_renewed_certificate_not_at_all():
    leaf = certificate(1, 16.5)
    nights = [one(leaf=leaf)] * 12
    told = [number for number in range(2, 13) if kinds(*nights[:number])]
    assert told == [4, 11], "at 14 and at 7 days"
    assert kinds(one(leaf=leaf), one(leaf=leaf), one(leaf=certificate(2, 90))) == ["certificate-renewed"]


def test_a_night_without_an_answer_hides_no_threshold():
    leaf = certificate(1, 14.5)
    assert kinds(one(leaf=leaf), one(DROPS)) == []
    (found,) = changes(one(leaf=leaf), one(DROPS), one(leaf=leaf))
    assert (found.kind, found.since) == (Kind.CERTIFICATE_EXPIRING, "night-0")


def test_only_the_lowest_threshold_counts_and_an_end_behind_us_is_the_business_of_the_grade():
    assert crossed(40 * DAY, 13 * DAY) == 14
    assert crossed(40 * DAY, 30 * DAY) == 30
    assert crossed(30 * DAY, 29 * DAY) is None
    assert crossed(40 * DAY, -DAY) is None
    assert crossed(29 * DAY, 40 * DAY) is None


def test_a_new_certificate_that_soon_ends_is_told_unless_that_is_usual_there():
    renewed, near = changes(one(leaf=certificate(1, 80)), one(leaf=certificate(2, 6, not_before=SEEN - 400 * DAY)))[
        ::-1
    ]
    assert (renewed.kind, near.kind) == (Kind.CERTIFICATE_RENEWED, Kind.CERTIFICATE_EXPIRING)
    assert (near.severity, near.before, near.after) == (Severity.WARNING, "80.0 days", "5.0 days")
    assert kinds(one(leaf=certificate(1, 6)), one(leaf=certificate(2, 6.5))) == ["certificate-renewed"]


def test_a_certificate_without_dates_has_no_end():
    bare = msgspec.structs.replace(OLD, not_after=None, not_before=None)
    assert kinds(one(leaf=bare), one(leaf=bare)) == []
