"""verify, secure and fingerprint: which names and digests a certificate must have."""

import hashlib

import pytest

from audits.postfix.resolution import Attribute, Resolution
from audits.postfix.tls_levels import TlsLevel
from audits.simulate.certificate import Certificate, matched, seen_certificate, server_name
from audits.simulate.offer import Handshake
from audits.simulate.outcomes import Why
from audits.tlsa import public_key_info
from audits.trust import verify_chain
from scanner.facts import Fact
from scanner.tls_facts import CertificateFacts
from scanner.wire_facts import ChainFacts, TlsFacts
from tests.audits.session_factory import MX
from tests.audits.simulate.scripted_world import (
    CA,
    GOOD_CHAIN,
    UNTRUSTED,
    WEAK,
    facts_at,
    sender,
    server,
)
from tests.certificate_factory import SEEN, ip, leaf


def certificate(*chain: CertificateFacts, text: str = "") -> Certificate:
    who = sender(text)
    assert who.trust is not None
    return Certificate(chain, verify_chain(who.trust, chain, SEEN))


def fault(level: TlsLevel, *match: str, chain: tuple[CertificateFacts, ...] = GOOD_CHAIN, **more: str) -> str | None:
    """The cause why the chain does not match, at host MX of example.org unless said otherwise."""
    names = (more.pop("host", MX), more.pop("domain", "example.org"))
    given = tuple(Attribute("match", each) for each in match)
    why = matched(sender(more.get("text", "")), Resolution(level, (), attributes=given), certificate(*chain), names)
    return str(why.cause) if why else None


NAMES = ("mx.example.org", "example.org")
VERIFY, SECURE = TlsLevel.VERIFY, TlsLevel.SECURE


@pytest.mark.parametrize(
    ("level", "match", "cause"),
    [
        (VERIFY, (), None),
        (SECURE, (), None),
        (SECURE, ("nexthop",), "next-hop-mismatch"),
        (VERIFY, ("nexthop",), "certificate-host-mismatch"),
        (VERIFY, ("nexthop", "hostname"), None),
        (SECURE, ("mx.example.org",), None),
        (SECURE, (".example.org",), None),
        (SECURE, ("dot-nexthop",), None),
        (SECURE, (".other.org:.example.org",), None),
        (SECURE, (".other.org",), "next-hop-mismatch"),
    ],
)
def test_names(level: TlsLevel, match: tuple[str, ...], cause: str | None) -> None:
    assert fault(level, *match) == cause


def test_main_cf_says_what_must_match_where_the_policy_does_not() -> None:
    assert fault(VERIFY, text="smtp_tls_verify_cert_match = nexthop\n") == "certificate-host-mismatch"
    assert fault(SECURE, text="smtp_tls_secure_cert_match = hostname\n") is None


def test_a_dot_pattern_wants_something_before_the_dot() -> None:
    chain = (leaf(CA, "example.org").facts,)
    assert fault(SECURE, ".example.org", chain=chain) == "next-hop-mismatch"
    assert fault(SECURE, chain=chain) is None


def test_an_address_and_a_name_must_both_match() -> None:
    """As OpenSSL keeps them apart: with a pattern of the other kind beside it the address alone is not enough."""
    chain = (leaf(CA, ip("192.0.2.1")).facts,)
    assert fault(VERIFY, chain=chain, host="192.0.2.1") is None
    assert fault(VERIFY, "hostname:.example.org", chain=chain, host="192.0.2.1") == "certificate-host-mismatch"
    assert fault(SECURE, chain=chain, domain="192.0.2.1") == "next-hop-mismatch"


def test_trust_comes_before_names() -> None:
    assert fault(VERIFY, chain=UNTRUSTED) == "certificate-not-trusted"
    assert fault(VERIFY, chain=WEAK) == "validation-failure"
    assert certificate(*WEAK).trusted_at_level0
    assert not certificate(*UNTRUSTED).trusted_at_level0


def test_fingerprints_of_certificate_and_key() -> None:
    der = GOOD_CHAIN[0].der
    digests = [hashlib.sha256(text).hexdigest() for text in (der, public_key_info(der) or b"")]
    written = [":".join(digest[at : at + 2] for at in range(0, 64, 2)).upper() for digest in digests]
    for each in written:
        assert fault(TlsLevel.FINGERPRINT, each) is None
        assert fault(TlsLevel.FINGERPRINT, f"00:11|{each}") is None
        assert fault(TlsLevel.FINGERPRINT, text=f"smtp_tls_fingerprint_cert_match = 00:11, {each}\n") is None
    assert fault(TlsLevel.FINGERPRINT, "00:11") == "fingerprint-mismatch"
    assert fault(TlsLevel.FINGERPRINT, written[0], text="smtp_tls_fingerprint_digest = md5\n") == "fingerprint-mismatch"
    assert fault(TlsLevel.FINGERPRINT, "00", text="smtp_tls_fingerprint_digest = whirl\n") == "not-simulated"


def test_a_file_of_anchors_in_the_policy_is_not_followed() -> None:
    attributes = (Attribute("tafile", "/etc/ta.pem"),)
    why = matched(sender(), Resolution(VERIFY, (), attributes=attributes), certificate(*GOOD_CHAIN), (MX, ""))
    assert why is not None
    assert why.cause == "not-simulated"


def seen(same: bool, *others: tuple[CertificateFacts, ...], level: TlsLevel = TlsLevel.MAY) -> Certificate | Why:
    chains = tuple(ChainFacts("RSA", tuple(each.sha256 for each in chain)) for chain in others)
    facts = facts_at(server(), tls=TlsFacts(versions=(), chains=chains))
    return seen_certificate(sender(), Resolution(level, ()), facts, Handshake(Fact.YES, "TLSv1.2", same=same))


def test_another_handshake_may_show_another_certificate() -> None:
    assert isinstance(seen(True, UNTRUSTED), Certificate)
    assert isinstance(seen(False), Certificate)
    other = seen(False, UNTRUSTED)
    assert isinstance(other, Certificate)
    assert not other.verdict.trusted
    assert isinstance(seen(False, GOOD_CHAIN, UNTRUSTED), Why)
    assert isinstance(seen(False, GOOD_CHAIN, WEAK), Why)
    assert isinstance(seen(False, GOOD_CHAIN, (leaf(CA, MX).facts,), level=VERIFY), Why | Certificate)


def test_the_server_name_of_the_policy_goes_before_main_cf() -> None:
    who = sender("smtp_tls_servername = one.example\n")
    assert server_name(who, Resolution(VERIFY, ()), NAMES) == "one.example"
    given = (Attribute("servername", "two.example"),)
    assert server_name(who, Resolution(VERIFY, (), attributes=given), NAMES) == "two.example"
    assert server_name(sender(), Resolution(VERIFY, ()), NAMES) == ""


@pytest.mark.parametrize(("word", "name"), [("hostname", "mx.example.org"), ("nexthop", "example.org")])
def test_words_for_server_names(word: str, name: str) -> None:
    assert server_name(sender(f"smtp_tls_servername = {word}\n"), Resolution(VERIFY, ()), NAMES) == name
