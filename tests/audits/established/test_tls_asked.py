"""Whether hellos were asked at all, and whether an older version is spoken."""

import msgspec
import pytest

from audits.established.tls_asked import OLDER, asked_older_tls, asked_tls, open_suites, unanswered
from audits.established.views import Inapplicable, Missing
from scanner.answers import Fact
from scanner.failures import Kind
from scanner.wire_facts import TlsFacts, VersionFacts
from tests.audits.session_factory import GOOD, NO_TLS, SILENT, asked
from tests.audits.views_factory import endpoint_view, with_tls


def speaking(**offered: Fact) -> TlsFacts:
    """`v2=YES`: TLS 1.2 is spoken; what is not named is refused."""
    given = {f"TLSv1.{name[-1]}": fact for name, fact in offered.items()}
    names = ("TLSv1.3", *OLDER)
    return TlsFacts(versions=tuple(VersionFacts(version=name, offered=given.get(name, Fact.NO)) for name in names))


@pytest.mark.parametrize("reader", [asked_tls, asked_older_tls])
def test_without_hellos_the_question_stays_open(reader):
    told = reader(endpoint_view(asked(GOOD)))
    assert isinstance(told, Missing)
    assert "--depth standard" in told.why
    for tls in (speaking(), speaking(v2=Fact.INCONCLUSIVE)):
        assert isinstance(reader(endpoint_view(with_tls(asked(SILENT), tls))), Missing)
    assert isinstance(reader(endpoint_view(asked(NO_TLS))), Inapplicable)


def test_hellos_that_were_answered_count_though_the_grade_is_open():
    tls = speaking(v2=Fact.YES)
    useless = msgspec.structs.replace(GOOD, ehlo_tls=Kind.TIMEOUT)
    for server in (useless, SILENT):
        view = endpoint_view(with_tls(asked(server), tls))
        assert view.unanswered() is not None
        assert unanswered(view) is None
        assert asked_tls(view) == tls
    assert unanswered(endpoint_view(asked(useless))) is not None


@pytest.mark.parametrize(
    ("tls", "kind"),
    [
        (speaking(v3=Fact.YES, v2=Fact.YES), TlsFacts),
        (speaking(v0=Fact.YES, v2=Fact.INCONCLUSIVE), TlsFacts),
        (speaking(v3=Fact.YES), Inapplicable),
        (speaking(v3=Fact.YES, v2=Fact.INCONCLUSIVE), Missing),
        (TlsFacts(versions=()), Missing),
    ],
)
def test_older_versions(tls, kind):
    assert isinstance(asked_older_tls(endpoint_view(with_tls(asked(GOOD), tls))), kind)


def test_suites_of_a_version_are_open_until_the_version_is_settled():
    spoken = VersionFacts(version="TLSv1.3", offered=Fact.YES, unsettled=(0x1302,))
    assert open_suites(spoken) == ("TLS_AES_256_GCM_SHA384",)
    assert open_suites(msgspec.structs.replace(spoken, offered=Fact.NO)) == ()
    for fact in (Fact.INCONCLUSIVE, Fact.NOT_TESTED):
        names = open_suites(msgspec.structs.replace(spoken, offered=fact))
        assert {"TLS_AES_128_GCM_SHA256", "TLS_AES_128_CCM_8_SHA256"} <= set(names)
        assert "TLS_RSA_WITH_RC4_128_SHA" not in names
        assert "TLS_RSA_WITH_RC4_128_SHA" in open_suites(VersionFacts(version="SSLv3", offered=fact))
        assert open_suites(VersionFacts(version="SSLv2", offered=fact)) == ()
