"""The certificates that an endpoint served."""

import msgspec
import pytest

from audits.established.certificates import ServedChains, ServedKeys, ServedLeaf, Stapling, described, is_anchored
from audits.established.views import Inapplicable, Missing
from scanner.answers import Fact
from scanner.dns_facts import TlsaRecord
from scanner.facts import EndpointUse
from scanner.failures import Kind, ProbeFailure, Stage
from scanner.tls_facts import HelloStyle
from scanner.wire_facts import ChainFacts, TlsFacts, VersionFacts
from tests.audits.policy_factory import host_tlsa, seen_with_chain, tlsa_answer, tlsa_of
from tests.audits.rules.chains import INTER, MX, ROOT
from tests.audits.session_factory import BROKEN_TLS, NO_CERTIFICATE, NO_TLS, SILENT, asked, handshake
from tests.certificate_factory import SEEN, extension, intermediate, leaf, rsa_key, self_signed

from .views import endpoint, serving, verify, view_of

LEAF = leaf(INTER, MX)
RSA = leaf(INTER, MX, key=rsa_key(2048))
TLS12 = TlsFacts(versions=(VersionFacts(version="TLSv1.2", offered=Fact.YES),), complete=True)
MUST_STAPLE = extension("1.3.6.1.5.5.7.1.24", bytes.fromhex("3003020105"))


def with_second(chain, style=HelloStyle.RSA_CHAIN, failed=False):
    """An endpoint that shows LEAF, and another chain (or nothing) to a hello of one kind of key."""
    seen = serving(LEAF, INTER)
    shake = None if failed else handshake("TLSv1.2", [each.facts for each in chain])
    lost = ProbeFailure(Stage.HANDSHAKE, Kind.TLS, "alert 40") if failed else None
    other = msgspec.structs.replace(seen.sessions[0], hello=style, handshake=shake, failure=lost)
    known = {each.sha256: each for each in (*seen.certificates, *(c.facts for c in chain))}
    return msgspec.structs.replace(seen, sessions=(*seen.sessions, other), certificates=tuple(known.values()))


def test_chains_are_shown_once_the_deciding_first():
    seen = ServedChains.of_endpoint(endpoint(with_second((RSA, INTER))))
    assert isinstance(seen, ServedChains)
    assert [chain.leaf.sha256 for chain in seen.chains] == [LEAF.sha256, RSA.sha256]
    assert [chain.anchored for chain in seen.chains] == [True, True]
    assert (seen.host, [issuer.subject for issuer in seen.chains[0].issuers]) == (MX, ["CN=Example Intermediate CA"])


def test_mail_programs_would_have_sent_the_name():
    mail = ServedChains.of_endpoint(endpoint(serving(LEAF, INTER)))
    submission = ServedChains.of_endpoint(endpoint(serving(LEAF, INTER, port=465), EndpointUse.SUBMISSION))
    assert isinstance(mail, ServedChains)
    assert isinstance(submission, ServedChains)
    assert (mail.as_clients_ask, submission.as_clients_ask) == (True, False)


def test_a_second_chain_of_another_issuer_is_not_anchored():
    seen = ServedChains.of_endpoint(endpoint(with_second((self_signed(MX),))))
    assert isinstance(seen, ServedChains)
    assert [chain.anchored for chain in seen.chains] == [True, False]


@pytest.mark.parametrize(
    ("chain", "anchored", "complete"),
    [
        ((LEAF, INTER), True, Fact.YES),
        ((LEAF, INTER, ROOT), True, Fact.YES),
        ((leaf(INTER, MX, not_after=SEEN), INTER), True, Fact.YES),
        ((LEAF,), False, Fact.NO),
        ((self_signed(MX),), False, Fact.YES),
        ((leaf(intermediate(ROOT, "Other CA"), MX), INTER), False, Fact.NO),
    ],
)
def test_what_a_chain_comes_to(chain, anchored, complete):
    view = endpoint(serving(*chain))
    shape = ServedLeaf.of_endpoint(view)
    assert isinstance(shape, ServedLeaf)
    assert (is_anchored(shape.trust), shape.complete) == (anchored, complete)
    assert not shape.root_needed


@pytest.mark.parametrize(
    ("record", "needed"),
    [
        (tlsa_of(2, 0, ROOT.facts), True),
        (tlsa_of(2, 1, ROOT.facts), True),
        (TlsaRecord(2, 0, 0, ROOT.der), True),
        (tlsa_of(2, 0, INTER.facts), False),
        (tlsa_of(3, 1, LEAF.facts), False),
    ],
)
def test_a_root_is_needed_where_the_record_that_matched_names_it(record, needed):
    chain = [each.facts for each in (LEAF, INTER, ROOT)]
    (view,) = view_of(seen_with_chain(chain, host_tlsa(tlsa_answer(record)))).endpoint_views()
    assert view.published.dane.endpoints[0].matched is Fact.YES
    assert ServedLeaf.of_endpoint(view).root_needed is needed


def test_kinds_of_keys_are_known_as_far_as_they_were_asked_for():
    def kinds(facts):
        seen = ServedKeys.of_endpoint(endpoint(facts))
        assert isinstance(seen, ServedKeys)
        return seen.kinds

    assert kinds(serving(LEAF, INTER)) == {"EC": Fact.YES}
    assert kinds(with_second((RSA, INTER))) == {"EC": Fact.YES, "RSA": Fact.YES}
    assert kinds(with_second((), failed=True)) == {"EC": Fact.YES, "RSA": Fact.INCONCLUSIVE}
    assert kinds(msgspec.structs.replace(serving(LEAF, INTER), tls=TLS12)) == {"EC": Fact.YES, "RSA": Fact.NO}
    open_ = msgspec.structs.replace(TLS12, complete=False, chains=(ChainFacts("DSS", ("aa",)),))
    assert kinds(msgspec.structs.replace(serving(LEAF, INTER), tls=open_)) == {"EC": Fact.YES, "DSA": Fact.YES}


def test_stapling_is_asked_of_certificates_that_demand_it():
    demanding = serving(leaf(INTER, MX, more=(MUST_STAPLE,)), INTER)
    assert isinstance(Stapling.of_endpoint(endpoint(serving(LEAF, INTER))), Inapplicable)
    assert isinstance(Stapling.of_endpoint(endpoint(demanding)), Missing)
    tls = msgspec.structs.replace(TLS12, ocsp_staple=Fact.NO)
    assert Stapling.of_endpoint(endpoint(msgspec.structs.replace(demanding, tls=tls))) == Stapling(Fact.NO)


@pytest.mark.parametrize("fact", [ServedChains, ServedLeaf, ServedKeys, Stapling])
def test_nothing_is_known_where_nothing_was_shown(fact):
    assert isinstance(fact.of_endpoint(endpoint(asked(SILENT))), Missing)
    assert isinstance(fact.of_endpoint(endpoint(asked(BROKEN_TLS))), Missing)
    assert isinstance(fact.of_endpoint(endpoint(asked(NO_TLS))), Inapplicable)
    assert isinstance(fact.of_endpoint(endpoint(asked(NO_CERTIFICATE))), Inapplicable)
    lost = msgspec.structs.replace(serving(LEAF, INTER), certificates=())
    assert isinstance(fact.of_endpoint(endpoint(lost)), Missing)


def test_a_certificate_without_a_subject_is_named_by_its_digest():
    bare = msgspec.structs.replace(LEAF.facts, subject="")
    assert described(bare) == f"sha256 {LEAF.sha256[:16]}"


def test_no_verdict_is_no_anchor():
    assert not is_anchored(None)
    assert not is_anchored(verify([], SEEN))
