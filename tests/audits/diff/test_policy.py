"""Published policy between two nights: what senders act on, and when it breaks."""

import hashlib

import msgspec
import pytest

from audits.diff import Kind, Severity
from scanner.facts import DnsAnswer, Dnssec, DnsStatus, TlsaRecord
from scanner.failures import Kind as FailureKind
from scanner.failures import ProbeFailure, Stage
from scanner.policy_facts import HostTlsa, MtaStsFacts, PolicyFetch, StsMode, StsPolicy, StsRecord, TlsRptFacts
from scanner.tls_facts import CertificateFacts
from tests.audits.diff.looks import DAY, FAILED, Night, changes, kinds, one
from tests.audits.policy_factory import host_tlsa, tlsa_answer
from tests.audits.session_factory import GOOD, LEAF, MX, SEEN, SILENT

WEB = CertificateFacts("dd" * 32, b"web", names_dns=("mta-sts.example.org",), has_san=True)
FETCH = PolicyFetch(SEEN, "192.0.2.9", 200, "text/plain", "...", (WEB,))
HERE, OTHER = (TlsaRecord(3, 0, 1, hashlib.sha256(data).digest()) for data in (LEAF.der, b"other"))


def tlsa(*records: TlsaRecord, **answer: object) -> tuple[HostTlsa, ...]:
    return (host_tlsa(tlsa_answer(*records, **answer)),)  # type: ignore[arg-type]


def sts(mode: StsMode = StsMode.ENFORCE, id: str = "1", mx: tuple[str, ...] = (MX,), **fetch: object) -> MtaStsFacts:
    record = StsRecord(f"v=STSv1; id={id}", id)
    return MtaStsFacts(record, fetch=msgspec.structs.replace(FETCH, **fetch), policy=StsPolicy(mode, 604_800, mx))


def published(**more: object):
    return one(published=True, **more)


def only(*nights):
    (found,) = changes(*nights)
    return found


# --- DANE ----------------------------------------------------------------------------------------------------------


def test_records_that_come_and_go():
    new = only(published(tlsa=tlsa()), published(tlsa=tlsa(TlsaRecord(3, 0, 1, HERE.data), dnssec=Dnssec.INSECURE)))
    assert (new.kind, new.before) == (Kind.TLSA_CHANGED, "none")
    assert new.after.startswith("unsigned 3 0 1 ")
    gone = only(published(tlsa=tlsa(HERE)), published(tlsa=tlsa()))
    assert (gone.kind, gone.severity, gone.after, gone.where) == (Kind.TLSA_CHANGED, Severity.WARNING, "none", MX)


def test_records_that_match_no_longer_break_dane():
    broken, changed = changes(published(tlsa=tlsa(HERE)), published(tlsa=tlsa(OTHER)))
    assert (broken.kind, broken.severity, broken.before, broken.after) == (
        Kind.DANE_BROKEN,
        Severity.ALARM,
        "yes",
        "no",
    )
    assert broken.evidence.startswith("tlsa-invalid: ")
    assert changed.kind is Kind.TLSA_CHANGED
    assert "dane-mended" in kinds(published(tlsa=tlsa(OTHER)), published(tlsa=tlsa(HERE)))


def test_the_order_of_records_means_nothing():
    assert kinds(published(tlsa=tlsa(HERE, OTHER)), published(tlsa=tlsa(OTHER, HERE))) == []


@pytest.mark.parametrize(
    "answer",
    [ProbeFailure(Stage.DNS, FailureKind.SERVFAIL), tlsa_answer(HERE, dnssec=Dnssec.INDETERMINATE)],
    ids=["servfail", "no validating resolver"],
)
def test_records_that_were_not_told_did_not_change(answer):
    unknown = published(tlsa=(host_tlsa(answer),))
    assert kinds(published(tlsa=tlsa(HERE)), unknown) == []
    assert kinds(published(tlsa=tlsa(HERE)), unknown, published(tlsa=tlsa(HERE))) == []
    assert kinds(published(tlsa=tlsa(HERE)), unknown, published(tlsa=tlsa())) == ["tlsa-changed"]


def test_a_bogus_look_up_breaks_dane():
    bogus = published(tlsa=(host_tlsa(ProbeFailure(Stage.DNS, FailureKind.BOGUS)),))
    broken = only(published(tlsa=tlsa(HERE)), bogus)
    assert (broken.kind, broken.severity) == (Kind.DANE_BROKEN, Severity.ALARM)


def two_hosts(first: TlsaRecord, second: TlsaRecord):
    hosts = {"mx1.example.org": {"192.0.2.1": GOOD}, "mx2.example.org": {"192.0.2.2": GOOD}}
    records = zip(hosts, (first, second), strict=True)
    answers = tuple(host_tlsa(tlsa_answer(record), mx_host=host) for host, record in records)
    return Night(servers=hosts, published=True, tlsa=answers)


def test_a_host_that_breaks_beside_a_broken_one_is_told_and_only_once():
    """Senders go to the second host while the first is broken; then to none."""
    nights = [two_hosts(HERE, HERE), two_hosts(OTHER, HERE), *[two_hosts(OTHER, OTHER)] * 2, two_hosts(HERE, OTHER)]
    told = [[c for c in changes(*nights[:count]) if "dane" in c.kind.value] for count in range(2, len(nights) + 1)]
    assert [[(c.kind, c.where) for c in found] for found in told] == [
        [(Kind.DANE_BROKEN, "")],
        [(Kind.DANE_BROKEN, "mx2.example.org")],
        [],
        [],
    ]
    both = changes(two_hosts(HERE, HERE), two_hosts(OTHER, OTHER))
    assert [c.where for c in both if c.kind is Kind.DANE_BROKEN] == [""], "once for the domain"


# --- MTA-STS and TLSRPT --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "after", "severity", "words"),
    [
        (sts(), sts(StsMode.TESTING, "2"), Severity.WARNING, ("enforce id=1", "testing id=2")),
        (sts(StsMode.TESTING), sts(id="2"), Severity.NOTICE, ("testing id=1", "enforce id=2")),
        (sts(), sts(id="2"), Severity.NOTICE, ("enforce id=1", "enforce id=2")),
        (MtaStsFacts(), sts(StsMode.TESTING), Severity.NOTICE, ("none", "testing id=1")),
        (sts(), MtaStsFacts(), Severity.WARNING, ("enforce id=1", "none")),
    ],
)
def test_a_policy_changes(before, after, severity, words):
    found = only(published(sts=before), published(sts=after))
    assert (found.kind, found.severity, found.before, found.after) == (Kind.STS_CHANGED, severity, *words)


def test_the_hosts_of_a_policy_are_told():
    found = only(published(sts=sts(StsMode.NONE)), published(sts=sts(StsMode.NONE, mx=(MX, "b.example.org"))))
    assert found.detail == f"mx {MX} -> b.example.org, {MX}"


def test_a_policy_that_cannot_be_fetched_for_a_while_did_not_change():
    unknown = published(sts=MtaStsFacts(failure=FAILED))
    assert kinds(published(sts=sts()), unknown) == []
    assert kinds(published(sts=sts()), unknown, published(sts=sts())) == []
    assert kinds(published(sts=sts()), one()) == [], "nobody looked"


def test_a_broken_policy_is_an_alarm_and_its_words_stay_what_they_were():
    gone = msgspec.structs.replace(sts(status=404), policy=None)
    broken = only(published(sts=sts(StsMode.TESTING)), published(sts=gone))
    assert (broken.kind, broken.severity) == (Kind.STS_BROKEN, Severity.WARNING)
    assert kinds(published(sts=sts()), published(sts=gone), published(sts=sts())) == ["mta-sts-mended"]
    unkept = [c for c in changes(published(sts=sts()), published(sts=sts(mx=("else.example",)))) if "sts" in c.kind]
    assert [c.kind for c in unkept] == [Kind.STS_BROKEN, Kind.STS_CHANGED]
    assert unkept[0].severity is Severity.ALARM


def test_an_error_of_the_policy_host_is_news_when_a_second_look_meets_it():
    good, error = published(sts=sts()), published(sts=msgspec.structs.replace(sts(status=503), policy=None))
    assert kinds(good, error) == []
    assert kinds(good, error, good) == []
    assert kinds(good, error, error) == ["mta-sts-broken"]
    assert kinds(good, error, error, error) == []
    assert kinds(good, error, good, error) == []
    assert kinds(good, error, error, good) == ["mta-sts-mended"]


@pytest.mark.parametrize("rpt", [None, TlsRptFacts("v=TLSRPTv1; rua=mailto:b@example.org")])
def test_a_tlsrpt_record_changes(rpt):
    found = only(published(rpt=TlsRptFacts("v=TLSRPTv1; rua=mailto:a@example.org")), published(rpt=rpt))
    assert (found.kind, found.after) == (Kind.TLSRPT_CHANGED, rpt.text if rpt else "none")


def test_a_tlsrpt_record_that_was_not_told_did_not_change():
    first = published(rpt=TlsRptFacts("v=TLSRPTv1; rua=mailto:a@example.org"))
    assert kinds(first, published(rpt=TlsRptFacts(failure=FAILED))) == []
    assert kinds(first, one()) == []


# --- DNSSEC and cliffs ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "after", "severity"),
    [
        (Dnssec.SECURE, Dnssec.INSECURE, Severity.WARNING),
        (Dnssec.INSECURE, Dnssec.SECURE, Severity.NOTICE),
        (Dnssec.SECURE, Dnssec.BOGUS, Severity.ALARM),
        (Dnssec.BOGUS, Dnssec.INSECURE, Severity.NOTICE),
    ],
)
def test_dnssec(before, after, severity):
    found = only(one(mx_dnssec=before), one(mx_dnssec=after))
    assert (found.kind, found.severity, found.before, found.after) == (Kind.DNSSEC_CHANGED, severity, before, after)
    assert kinds(one(mx_dnssec=before), one(mx_dnssec=Dnssec.INDETERMINATE)) == []


def signed(days: float) -> tuple[HostTlsa, ...]:
    record = TlsaRecord(3, 1, 1, HERE.data)
    answer = DnsAnswer("_25._tcp.mx", "TLSA", DnsStatus.RECORDS, (record,), dnssec=Dnssec.SECURE)
    return (host_tlsa(msgspec.structs.replace(answer, signed_until=SEEN + days * DAY)),)


def test_signatures_that_nobody_renews_are_a_cliff_and_short_ones_that_move_are_none():
    near = only(published(tlsa=signed(3.5)), published(tlsa=signed(3.5)))
    assert (near.kind, near.severity) == (Kind.CLIFF_NEAR, Severity.WARNING)
    assert near.detail.startswith("DANE: signatures of the TLSA answer end 2026-11-24")
    assert kinds(published(tlsa=signed(2)), published(tlsa=signed(3))) == []
    assert kinds(published(tlsa=signed(8)), published(tlsa=signed(15))) == []


def test_the_certificate_of_the_policy_host_is_a_cliff():
    leaf = msgspec.structs.replace(WEB, not_after=SEEN + 14.5 * DAY)
    near = only(*[published(sts=sts(certificates=(leaf,)))] * 2)
    assert (near.kind, near.severity, near.where) == (Kind.CLIFF_NEAR, Severity.NOTICE, "mta-sts.example.org")


def test_a_silent_server_says_nothing_of_dane():
    assert kinds(published(tlsa=tlsa(HERE)), one(SILENT, published=True, tlsa=tlsa(HERE))) == []
