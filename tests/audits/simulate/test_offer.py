"""What becomes of an offer: versions, suites, anonymous ones; by facts of a scan with and without depth."""

import pytest

from audits.sessions import Observed, observed
from audits.simulate.offer import Handshake, Offer, handshake_under, suites_of, wire_version
from scanner.facts import Fact
from scanner.wire.registry import suite_code
from scanner.wire_facts import ClassFacts, Preference, TlsFacts, VersionFacts
from tests.audits.session_factory import NO_CERTIFICATE, OLD_TLS, Server
from tests.audits.simulate.scripted_world import facts_at, server

MEDIUM = suites_of("aNULL:-aNULL:HIGH:MEDIUM:+RC4:@STRENGTH")
NAMED = suites_of("aNULL:-aNULL:HIGH:MEDIUM:+RC4:@STRENGTH:!aNULL")
ALL = frozenset({"TLSv1.0", "TLSv1.1", "TLSv1.2", "TLSv1.3"})
GCM = "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"
ANON = "TLS_DH_anon_WITH_AES_256_GCM_SHA384"


def seen_at(*servers: Server) -> Observed:
    return observed(facts_at(*servers))


def version(name: str, offered: Fact = Fact.YES, *suites: str, **more: object) -> VersionFacts:
    return VersionFacts(version=name, offered=offered, suites=suites, **more)  # type: ignore[arg-type]


def tls(*versions: VersionFacts, anonymous: Fact = Fact.NO) -> TlsFacts:
    return TlsFacts(versions=versions, classes=(ClassFacts("anonymous", anonymous),))


def under(offer: Offer, seen: Observed, facts: TlsFacts | None = None) -> Handshake:
    return handshake_under(offer, seen, facts, Fact.YES)


def test_the_lists_of_openssl() -> None:
    assert suite_code(ANON) in MEDIUM
    assert suite_code(ANON) not in NAMED
    assert Offer(ALL, MEDIUM).anonymous
    assert not Offer(ALL, NAMED).anonymous
    assert suites_of("nonsense") == ()
    assert wire_version("TLSv1") == "TLSv1.0"


def test_tls_1_3_has_neither_anonymous_suites_nor_a_choice() -> None:
    found = under(Offer(ALL, MEDIUM), seen_at(server()))
    assert found == Handshake(Fact.YES, "TLSv1.3", Fact.NO, same=True)


@pytest.mark.parametrize(
    ("anonymous", "suites", "more", "answer"),
    [
        (Fact.NO, (GCM,), {}, Fact.NO),
        (Fact.YES, (GCM, ANON), {}, Fact.YES),
        (Fact.INCONCLUSIVE, (GCM,), {}, Fact.INCONCLUSIVE),
        (Fact.YES, (GCM, ANON), {"preference": Preference.SERVER}, Fact.INCONCLUSIVE),
        (Fact.YES, (GCM, ANON), {"preference": Preference.SERVER, "complete": True}, Fact.NO),
        (Fact.YES, (ANON, GCM), {"preference": Preference.SERVER, "complete": True}, Fact.YES),
        (Fact.YES, (GCM,), {}, Fact.INCONCLUSIVE),
        (Fact.YES, (GCM,), {"complete": True}, Fact.NO),
    ],
)
def test_anonymous_suites_come_first_where_the_server_takes_them(
    anonymous: Fact, suites: tuple[str, ...], more: dict[str, object], answer: Fact
) -> None:
    facts = tls(version("TLSv1.2", Fact.YES, *suites, **more), anonymous=anonymous)
    found = under(Offer(ALL, MEDIUM), seen_at(server(version="TLSv1.2")), facts)
    assert (found.works, found.anonymous) == (Fact.YES, answer)


def test_without_the_fact_nothing_is_said_of_anonymous_suites() -> None:
    """Depth policy: the handshake is known, the rest of the server's list is not."""
    seen = seen_at(server(version="TLSv1.2"))
    assert under(Offer(ALL, MEDIUM), seen).anonymous is Fact.INCONCLUSIVE
    assert under(Offer(ALL, NAMED), seen).anonymous is Fact.NO


@pytest.mark.parametrize(
    ("versions", "lower", "works"),
    [
        ({"TLSv1.2"}, Fact.YES, Fact.YES),
        ({"TLSv1.2"}, Fact.NO, Fact.NO),
        ({"TLSv1.2"}, Fact.INCONCLUSIVE, Fact.INCONCLUSIVE),
        ({"TLSv1.2"}, None, Fact.INCONCLUSIVE),
        (set(), None, Fact.NO),
    ],
)
def test_other_versions_need_a_fact(versions: set[str], lower: Fact | None, works: Fact) -> None:
    facts = tls(version("TLSv1.2", lower, GCM)) if lower else None
    assert under(Offer(frozenset(versions), NAMED), seen_at(server()), facts).works is works


def test_a_server_of_one_old_version() -> None:
    found = under(Offer(frozenset({"TLSv1.2", "TLSv1.3"}), NAMED), seen_at(OLD_TLS))
    assert found.works is Fact.NO
    assert found.why is not None
    assert found.why.cause == "no-common-protocol"


def test_no_common_suite() -> None:
    seen = seen_at(server(version="TLSv1.2"))
    only_cbc = suites_of("AES128-SHA")
    whole = tls(version("TLSv1.2", Fact.YES, GCM, complete=True))
    assert under(Offer(ALL, only_cbc), seen, whole).works is Fact.NO
    assert under(Offer(ALL, only_cbc), seen).works is Fact.INCONCLUSIVE


def test_a_server_without_a_certificate() -> None:
    seen = seen_at(NO_CERTIFICATE)
    assert under(Offer(ALL, NAMED), seen).works is Fact.NO
    whole = tls(version("TLSv1.2", Fact.YES, ANON), anonymous=Fact.YES)
    assert under(Offer(ALL, MEDIUM), seen, whole).anonymous is Fact.YES


def test_what_does_not_work_is_not_asked() -> None:
    assert handshake_under(Offer(ALL, MEDIUM), seen_at(server()), None, Fact.NO) == Handshake(Fact.NO)
