"""What people read of a server's TLS."""

from audits.show_tls import FEATURES, deep_lines, tls_lines
from scanner.answers import Fact
from scanner.deep_facts import DeepFacts, ResumptionFacts, VulnerabilityFacts, Way
from scanner.wire_facts import ChainFacts, ClassFacts, DhFacts, Preference, TlsFacts, VersionFacts

MODERN = VersionFacts(
    version="TLSv1.3",
    offered=Fact.YES,
    suites=("TLS_AES_256_GCM_SHA384",),
    complete=True,
    groups=("x25519",),
    preference=Preference.SERVER,
)
OLD = VersionFacts(version="TLSv1.0", offered=Fact.NO, evidence="alert protocol_version")


def test_everything_known_is_told():
    facts = TlsFacts(
        versions=(MODERN, OLD),
        classes=(ClassFacts("rc4", Fact.YES), ClassFacts("null", Fact.NO), ClassFacts("export", Fact.INCONCLUSIVE)),
        chains=(ChainFacts("RSA", ("aa", "bb")),),
        dh=(DhFacts(1024, "RFC 2409 group 2", "cc", 2, False, ("TLSv1.2",), "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256"),),
        compression=Fact.YES,
        session_tickets=Fact.NO,
        large_hello=Fact.INCONCLUSIVE,
        complete=True,
    )
    text = "\n".join(tls_lines(facts))
    assert "TLSv1.3 yes\n    TLS_AES_256_GCM_SHA384\n    groups: x25519\n    preference: server" in text
    assert "TLSv1.0 no    alert protocol_version" in text
    assert "forbids: rc4" in text
    assert "unknown of these classes: export" in text
    assert "RSA chain of 2: aa" in text
    assert "DH 1024 bits RFC 2409 group 2" in text
    assert "yes: compression" in text
    assert "no: session tickets" in text
    assert "inconclusive: large hello" in text


def test_an_unfinished_picture_says_so():
    version = VersionFacts(version="TLSv1.2", offered=Fact.YES, suites=("A",))
    text = "\n".join(tls_lines(TlsFacts(versions=(version,))))
    assert "TLSv1.2 yes (at least these)" in text
    assert "--patience" in text
    assert "--patience" not in "\n".join(tls_lines(TlsFacts(versions=(), complete=True)))


def test_every_feature_shown_is_a_fact():
    for field, _ in FEATURES:
        assert isinstance(getattr(TlsFacts(versions=()), field), Fact)


def test_deep_facts_in_words():
    facts = DeepFacts(
        (ResumptionFacts(Way.TLS13_TICKET, Fact.YES, Fact.NO, 7200),),
        Fact.YES,
        (VulnerabilityFacts("robot", Fact.INCONCLUSIVE, "throttled"),),
        31,
    )
    assert list(deep_lines(facts)) == [
        "  resumption by TLSv1.3 ticket: issued yes, resumed no, lifetime hint 7200 s",
        "  STARTTLS command injection: yes",
        "  vulnerable to robot: inconclusive (throttled)",
        "  31 connections for these tests",
    ]
    assert list(deep_lines(DeepFacts())) == []
