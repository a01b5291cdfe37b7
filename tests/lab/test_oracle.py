"""The oracle test: the levels at which a real Postfix delivers are those that tlsaudit calls sustained."""

import pytest

from .comparison import Disagreement, alone, needlessly_open, some_mx, sound, today, together
from .conftest import Asked
from .laboratory import Laboratory
from .mail_domains import MAIL_DOMAINS, SEVERAL, Shape

pytestmark = pytest.mark.lab
PASSES_UNSEEN = {"ehlo-450-helo-good.test"}
"""Postfix goes on with HELO after a 450 to EHLO, and does not write that it was temporary."""
SHAPES = {domain.name: domain.shape for domain in MAIL_DOMAINS}


def tell(what: str, asked: int, disagreements: list[Disagreement]) -> None:
    """Print the count; fail with every disagreement."""
    wrong = {each.domain for each in disagreements}
    print(f"{what}: {asked} asked, {asked - len(wrong)} agree, {len(wrong)} disagree")
    if disagreements:
        pytest.fail("\n\n".join(map(str, disagreements)), pytrace=False)


def test_server_states(lab: Laboratory, asked: Asked) -> None:
    domains = [each.state.domain for each in lab.states if not each.state.hostile]
    assert len(domains) >= 60
    tell("server states", len(domains), [each for name in domains for each in alone(asked.case(name))])


def test_open_answers(lab: Laboratory, asked: Asked) -> None:
    """Where tlsaudit leaves a level open, Postfix, too, saw only what may pass."""
    cases = [asked.case(each.state.domain) for each in lab.states if not each.state.hostile]
    partly = [case for case in cases if case.report["unknown"] and case.domain not in PASSES_UNSEEN]
    tell("states with an open level", len(partly), [each for case in partly for each in needlessly_open(case)])


def test_odd_names(lab: Laboratory, asked: Asked) -> None:
    names = [domain for domain in lab.mail_domains if domain not in SEVERAL and domain.shape is not Shape.CUT_OFF]
    wrong = []
    for domain in names:
        rule = sound if domain.shape is Shape.SHUFFLED else alone
        wrong += rule(asked.case(domain.name))
    tell("domains with odd DNS", len(names), wrong)


def test_several_hosts(lab: Laboratory, asked: Asked) -> None:
    domains = [domain for domain in lab.mail_domains if domain in SEVERAL]
    assert len(domains) >= 20
    wrong = []
    for domain in domains:
        case = asked.case(domain.name)
        wrong += together(case, asked.deliveries, asked.reports)
        wrong += [] if domain.shape is Shape.CUT_OFF else sound(case)
    tell("domains with several MX hosts", len(domains), wrong)


def test_some_mx(lab: Laboratory, asked: Asked) -> None:
    wrong = []
    for name in lab.domains:
        wrong += some_mx(asked.case(name), at_most=SHAPES.get(name) is Shape.SHUFFLED)
    tell("some-MX grades", len(lab.domains), wrong)


def test_how_mail_arrives_today(lab: Laboratory, asked: Asked) -> None:
    domains = [each.state.domain for each in lab.states if not each.state.hostile]
    wrong = [each for name in domains for each in today(asked.case(name), asked.arrivals.get(("MAY", name)))]
    tell("clear or encrypted today", len(domains), wrong)


def test_delivered_is_received(lab: Laboratory, asked: Asked) -> None:
    """The lab itself: what the sender calls sent was taken, and above MAY never in clear."""
    for domain, outcomes in asked.deliveries.items():
        for level, outcome in outcomes.items():
            arrived = asked.arrivals.get((level, domain))
            assert (arrived is not None) == outcome.delivered, (domain, level, outcome.evidence)
            assert arrived in {None, "tls"} or level in {"NONE", "MAY"}, (domain, level, outcome.evidence)


def test_connections(lab: Laboratory, asked: Asked) -> None:
    """At most three connections to one endpoint at depth policy."""
    used = {(each["address"], each["connections"]) for report in asked.reports.values() for each in report["endpoints"]}
    assert {pair for pair in used if pair[1] > 3} == set()
    print(f"connections: {sum(count for _, count in used)} to {len({address for address, _ in used})} addresses")
