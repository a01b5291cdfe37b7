"""Submission: TLS on its ports, and the SRV records that lead there."""

import msgspec

from audits.established.submission import SubmissionPorts, SubmissionServices
from audits.rules.submission_service import AnyPort, Services, submission_port, submission_srv
from scanner.answers import Fact
from scanner.dns_facts import SrvRecord
from scanner.facts import ServiceLookup
from scanner.failures import Kind, ProbeFailure, Stage
from tests.audits.rules.examples import Examples

TLS, STARTTLS = "_submissions._tcp", "_submission._tcp"
FAILED = ProbeFailure(Stage.DNS, Kind.SERVFAIL, "SRV")


def ports(**works: Fact) -> SubmissionPorts:
    known = {int(name[1:]): fact for name, fact in works.items()}
    return SubmissionPorts(known, {port: (f"mx.example.org:{port} TLS works: {fact}",) for port, fact in known.items()})


def service(name: str, *ranks: tuple[int, int], target: str = "mail.example.org") -> ServiceLookup:
    return ServiceLookup(name, tuple(SrvRecord(priority, weight, 465, target) for priority, weight in ranks))


def services(*looks: ServiceLookup) -> SubmissionServices:
    return SubmissionServices(looks)


EXAMPLES = {
    "SUBMIT-001": Examples(
        expects={"ports": [465, 587]},
        passes=(ports(p465=Fact.YES, p587=Fact.INCONCLUSIVE), ports(p587=Fact.YES)),
        fails=(ports(p465=Fact.NO, p587=Fact.NO),),
        opens=(ports(p465=Fact.NO), ports(p465=Fact.INCONCLUSIVE, p587=Fact.NO)),
    ),
    "SUBMIT-002": Examples(
        expects={"names": [TLS]},
        passes=(services(service(TLS, (0, 1)), service(STARTTLS)),),
        fails=(services(service(TLS)), services(service(TLS, (0, 0), target=""))),
        opens=(services(ServiceLookup(TLS, failure=FAILED)),),
    ),
    "SUBMIT-003": Examples(
        expects={"first": TLS, "second": STARTTLS},
        passes=(
            services(service(TLS, (0, 1)), service(STARTTLS, (10, 1))),
            services(service(TLS, (0, 5)), service(STARTTLS, (0, 1))),
            services(service(TLS, (0, 1)), service(STARTTLS, (0, 1))),
        ),
        fails=(
            services(service(TLS, (10, 1)), service(STARTTLS, (0, 1))),
            services(service(TLS), service(STARTTLS, (0, 1))),
        ),
        opens=(services(ServiceLookup(TLS, failure=FAILED), service(STARTTLS, (0, 1))),),
    ),
}


def test_a_standard_for_those_who_have_submission_leaves_the_others_alone():
    hidden = msgspec.structs.replace(ports(p465=Fact.INCONCLUSIVE), visible=False)
    assert not [*submission_port.ask(hidden, AnyPort((465,), where_seen=True))]
    assert [item.met for item in submission_port.ask(hidden, AnyPort((465,)))] == [Fact.INCONCLUSIVE]


def test_srv_records_are_asked_of_those_who_have_submission():
    wants = Services((TLS,), where_seen=True)
    hidden = SubmissionServices((service(TLS, (0, 0), target=""),), visible=False)
    assert not [*submission_srv.ask(hidden, wants)]
    assert [item.met for item in submission_srv.ask(services(service(TLS)), wants)] == [Fact.NO]
    failed = SubmissionServices((ServiceLookup(TLS, failure=FAILED),), visible=False)
    assert [item.met for item in submission_srv.ask(failed, wants)] == [Fact.INCONCLUSIVE], "it may name a host"
