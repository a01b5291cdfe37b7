"""Ways of resumption, where they were asked."""

import msgspec

from audits.established.tls_resumption import Resumption
from audits.established.views import Inapplicable, Missing
from scanner.answers import Fact
from scanner.deep_facts import DeepFacts, ResumptionFacts, Way
from tests.audits.session_factory import GOOD, NO_TLS, SILENT, asked
from tests.audits.views_factory import endpoint_view

WAYS = (ResumptionFacts(Way.TLS13_TICKET, Fact.YES, Fact.YES, 7200),)


def test_ways_that_were_asked():
    facts = msgspec.structs.replace(asked(GOOD), deep=DeepFacts(resumption=WAYS))
    assert Resumption.of_endpoint(endpoint_view(facts)) == Resumption(WAYS)


def test_otherwise_open():
    for deep in (None, DeepFacts(command_injection=Fact.NO)):
        told = Resumption.of_endpoint(endpoint_view(msgspec.structs.replace(asked(GOOD), deep=deep)))
        assert isinstance(told, Missing)
        assert "--depth full" in told.why
    assert isinstance(Resumption.of_endpoint(endpoint_view(asked(SILENT))), Missing)
    assert isinstance(Resumption.of_endpoint(endpoint_view(asked(NO_TLS))), Inapplicable)
