"""Attacks are known only where they were tried."""

import msgspec
import pytest

from audits.established.tls_weaknesses import CommandInjection, Ssl2Ciphers, TriedAttacks
from audits.established.views import Inapplicable, Missing
from scanner.answers import Fact
from scanner.deep_facts import DeepFacts, VulnerabilityFacts
from scanner.facts import EndpointFacts, EndpointUse
from scanner.wire_facts import TlsFacts, VersionFacts
from tests.audits.established.test_tls_asked import speaking
from tests.audits.established.test_tls_features import seen
from tests.audits.session_factory import GOOD, NO_TLS, SILENT, asked, domain_facts, reference
from tests.audits.views_factory import domain_view, endpoint_view


def deep(facts: EndpointFacts, **more: object) -> EndpointFacts:
    return msgspec.structs.replace(facts, deep=DeepFacts(**more))


@pytest.mark.parametrize("fact", [TriedAttacks, CommandInjection, Ssl2Ciphers])
def test_what_was_not_tried_is_open(fact):
    for facts in (asked(GOOD), deep(asked(GOOD)), asked(SILENT)):
        assert isinstance(fact.of_endpoint(endpoint_view(facts)), Missing)
    assert isinstance(fact.of_endpoint(endpoint_view(asked(NO_TLS))), Inapplicable)


def test_attacks_and_the_words_of_the_test():
    tried = (VulnerabilityFacts("robot", Fact.YES, "VULNERABLE_STRONG"), VulnerabilityFacts("heartbleed", Fact.NO))
    found = TriedAttacks.of_endpoint(endpoint_view(deep(asked(GOOD), vulnerabilities=tried)))
    assert found == TriedAttacks({"robot": Fact.YES, "heartbleed": Fact.NO}, {"robot": "VULNERABLE_STRONG"})


def test_injection_needs_starttls():
    tried = deep(asked(GOOD), command_injection=Fact.YES)
    assert CommandInjection.of_endpoint(endpoint_view(tried)) == CommandInjection(Fact.YES)
    implicit = asked(GOOD, port=465)
    about = domain_facts(reference(implicit, use=EndpointUse.SUBMISSION))
    (view,) = domain_view(implicit, facts=about).endpoint_views()
    assert isinstance(CommandInjection.of_endpoint(view), Inapplicable)


def test_ssl2():
    version = VersionFacts(version="SSLv2", offered=Fact.YES)
    tls = TlsFacts(versions=(version,), ssl2_ciphers=("SSL_CK_RC4_128_WITH_MD5",))
    assert seen(Ssl2Ciphers, tls) == Ssl2Ciphers(("SSL_CK_RC4_128_WITH_MD5",), Fact.YES)
    assert seen(Ssl2Ciphers, speaking(v3=Fact.YES)) == Ssl2Ciphers((), Fact.NOT_TESTED)
