"""Whether hellos were asked at all, and whether an older version is spoken."""

import msgspec
import pytest

from audits.established.tls_asked import OLDER, asked_older_tls, asked_tls, unanswered
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
