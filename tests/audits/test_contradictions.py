"""Where standards contradict each other: the same server passes one and not the other. Never one merged score."""

import msgspec
import pytest

from audits.baseline import shipped_baseline
from audits.dane import Seen
from audits.established.views import DomainView
from audits.evaluate import Evaluator
from audits.findings import Finding
from audits.grade import domain_verdict
from audits.published import published_verdict
from scanner.mta_sts import sts_policy, sts_record
from scanner.policy_facts import MtaStsFacts, PolicyFetch
from tests.audits.established.views import serving, verify, view_of
from tests.audits.policy_factory import host_tlsa, seen_of, seen_with_chain, tlsa_answer, tlsa_of
from tests.audits.rules.chains import INTER, MX, ROOT
from tests.audits.session_factory import GOOD, SEEN, reference
from tests.certificate_factory import intermediate, leaf, rsa_key, self_signed

from .established.views import domain

POLICY = f"version: STSv1\nmode: enforce\nmax_age: 1209600\nmx: {MX}\n"
RSA_CA = intermediate(ROOT, "RSA CA", key=rsa_key(3072))


def findings(view: DomainView, *ids: str) -> dict[str, Finding]:
    """Requirement -> finding; for a requirement of several subjects the last."""
    judged = Evaluator([shipped_baseline(id) for id in ids]).judge(view)
    return {finding.requirement: finding for finding in judged.findings}


def sts(*names: str) -> MtaStsFacts:
    fetch = PolicyFetch(SEEN, "192.0.2.7", 200, "text/plain", POLICY, (self_signed(*names).facts,))
    return MtaStsFacts(sts_record(["v=STSv1; id=1;"]), fetch=fetch, policy=sts_policy(POLICY))


def showing(*chain) -> DomainView:
    seen = serving(*chain)
    return domain((reference(seen), seen))


@pytest.mark.parametrize(
    ("chain", "passing", "objecting"),
    [
        (
            (leaf(INTER, MX, key=rsa_key(2048)), INTER),
            ("BCP195-4.5-RSA", "BR-6.1.5", "MOZ-INTER-CERT-KEY", "NCSCNL25-3.3.2.1-RSA"),
            {"TR02102-2-3.6.1-CERT": "warn", "NCSCNL25-3.3.2.1-PHASE": "warn", "MOZ-MODERN-CERT-KEY": "warn"},
        ),
        (
            (leaf(RSA_CA, MX), RSA_CA),
            ("BCP195-4.5-HASH", "BR-7.1.3.2", "MOZ-INTER-CERT-SIGNATURE", "NCSCNL25-3.3.2-SIG"),
            {"TR02102-2-3.4.3-CERT": "warn", "MOZ-MODERN-CERT-SIGNATURE": "warn"},
        ),
        (
            (leaf(INTER, MX), INTER),
            ("BCP195-4.5-RSA", "BR-6.1.5", "MOZ-MODERN-CERT-KEY", "TR02102-2-3.6.1-CERT", "TR02102-2-3.4.3-CERT"),
            {},
        ),
    ],
)
def test_keys_and_signatures_of_certificates(chain, passing, objecting):
    """Mozilla counts one step milder on port 25, hence warn; NIST's clauses are not confirmed and only advise."""
    asked = (
        "rfc9325-bcp195",
        "cabf-tls-br",
        "mozilla-intermediate",
        "mozilla-modern",
        "ncsc-nl-2025-05",
        "bsi-tr-02102-2",
    )
    found = findings(showing(*chain), *asked)
    assert {id: found[id].verdict for id in passing} == dict.fromkeys(passing, "pass")
    assert {id: found[id].verdict for id in objecting} == objecting


def test_a_wildcard_on_the_policy_host():
    wild = findings(view_of(seen_of(GOOD, sts=sts("*.example.org"))), "rfc8461-mta-sts", "bsi-tr-03108")
    assert (wild["RFC8461-3.3-CERT"].verdict, wild["TR-03108-08-R"].verdict) == ("pass", "warn")
    exact = findings(view_of(seen_of(GOOD, sts=sts("mta-sts.example.org"))), "rfc8461-mta-sts", "bsi-tr-03108")
    assert (exact["RFC8461-3.3-CERT"].verdict, exact["TR-03108-08-R"].verdict) == ("pass", "pass")


def test_a_self_signed_certificate_is_good_for_dane_and_not_for_mta_sts():
    own = self_signed("somebody.else.example")
    seen = seen_with_chain([own.facts], host_tlsa(tlsa_answer(tlsa_of(3, 1, own.facts), tlsa_of(3, 0, own.facts))))
    policy = msgspec.structs.replace(seen.facts.policy, mta_sts=sts("mta-sts.example.org"))
    facts = msgspec.structs.replace(seen.facts, policy=policy)
    verdict = domain_verdict(facts, seen.endpoints, verify)

    def trusts_the_policy_host(chain, at):
        public = msgspec.structs.replace(verify([], at), trusted=True, result="", reason="")
        return public if chain[0].names_dns == ("mta-sts.example.org",) else verify(chain, at)

    judged = Seen(facts, seen.endpoints, verdict.endpoints)
    published = published_verdict(judged, verdict.sustained, trusts_the_policy_host)
    view = DomainView(facts, seen.endpoints, verdict, published)
    found = findings(view, "rfc7672-dane", "ncsc-nl-2025-05", "rfc8461-mta-sts", "cabf-tls-br")
    assert found["RFC7672-3.1.1-MATCH"].verdict == "pass"
    assert (found["NCSCNL25-4.4-TRUST"].verdict, found["NCSCNL25-4.4-NAME"].verdict) == ("advice", "advice")
    assert found["RFC8461-4.2-CERT"].verdict == "fail"
    assert found["BR-6.1.5"].verdict == "not-applicable"


def test_records_2_1_1_are_a_roll_over_here_and_advised_against_there():
    certificate = leaf(INTER, MX)
    records = tlsa_of(3, 1, certificate.facts), tlsa_of(2, 1, INTER.facts)
    seen = seen_with_chain([certificate.facts, INTER.facts], host_tlsa(tlsa_answer(*records)))
    found = findings(view_of(seen), "rfc7672-dane", "ncsc-nl-2025-05", "bsi-tr-03108")
    assert found["RFC7672-3.1.2-SEL"].verdict == "warn"
    assert found["INTERNETNL-DANE-ROLLOVER"].verdict == "pass"
    assert found["TR-03108-05-M-TWO"].verdict == "pass"


def test_what_is_not_confirmed_never_fails_a_server():
    weak = showing(leaf(INTER, MX, key=rsa_key(1024), hash="sha1"), INTER)
    found = findings(weak, "nist-800-52r2")
    assert found["SP800-52R2-3.2.1-112"].verdict == "advice"
    assert found["SP800-52R2-3.2.1-SIG"].verdict == "advice"
