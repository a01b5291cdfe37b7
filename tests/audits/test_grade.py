"""The grade of a domain: from hosts to one word, with what binds it; nothing unknown and nobody unheard lowers it."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec
import pytest

from audits.grade import VerifyChain, domain_verdict, endpoint_verdict
from audits.reasons import Cause
from audits.trust import ChainVerdict, TrustStore, verify_chain
from audits.verdicts import Coverage, DomainVerdict, EndpointVerdict, Grade, State, Today
from scanner.facts import (
    NO_MAIL_ROUTES,
    DomainFacts,
    Endpoint,
    EndpointFacts,
    EndpointRef,
    EndpointUse,
    Fact,
    Level,
    MailRoute,
    MxHost,
    RouteStatus,
    Target,
)
from scanner.failures import Kind, ProbeFailure, Stage
from scanner.tls_facts import CertificateFacts
from tests.audits.session_factory import (
    BROKEN_TLS,
    DEMANDS_TLS,
    GOOD,
    ISSUER,
    LEAF,
    MX,
    NO_CERTIFICATE,
    NO_TLS,
    OLD_TLS,
    OTHER,
    SEEN,
    SILENT,
    Server,
    asked,
    distrusting,
    domain_facts,
    facts_of,
    handshake,
    reference,
    reply,
    trusting,
)
from tests.certificate_factory import intermediate, leaf, root, self_signed

WRONG_NAME = Server(shake=handshake(chain=(OTHER,)))
GREETING_421 = Server(greeting=reply(421, "4.7.0 Too many connections"))
REFUSED = Server(connect=Kind.REFUSED)
TARPIT = Server(greeting=Kind.TIMEOUT)
NEVER = reply(550, "5.7.0 Never")


def graded(
    *servers: Server | EndpointFacts, verify: VerifyChain = trusting, required: Level | None = None
) -> DomainVerdict:
    """The verdict on a domain with these hosts in order of preference, each with an address of its own."""
    seen = [
        server if isinstance(server, EndpointFacts) else asked(server, address=f"192.0.2.{number}")
        for number, server in enumerate(servers, 1)
    ]
    refs = [reference(facts, 10 * number) for number, facts in enumerate(seen, 1)]
    return domain_verdict(domain_facts(*refs), {facts.endpoint: facts for facts in seen}, verify, required)


def cause(verdict: DomainVerdict) -> Cause | None:
    return verdict.binding.reason.cause if verdict.binding else None


# --- one host ------------------------------------------------------------------------------------------------------

ONE_HOST = {
    "good": (GOOD, "MUST", State.OK, Fact.YES, Today.AUTHENTICATED, None),
    "tls-demanded": (DEMANDS_TLS, "MUST", State.OK, Fact.YES, Today.AUTHENTICATED, None),
    "wrong-name": (WRONG_NAME, "MUST_NOPEERMATCH", State.OK, Fact.YES, Today.ENCRYPTED, "certificate-host-mismatch"),
    "old": (OLD_TLS, "MUST_NOPEERMATCH", State.OK, Fact.YES, Today.ENCRYPTED, "handshake-too-weak"),
    "no-certificate": (NO_CERTIFICATE, "MUST_NOPEERMATCH", State.OK, Fact.YES, Today.ENCRYPTED, "no-certificate"),
    "no-tls": (NO_TLS, "MAY", State.OK, Fact.NO, Today.CLEAR, "starttls-not-supported"),
    "starttls-502": (Server(starttls=reply(502)), "MAY", State.OK, Fact.NO, Today.CLEAR, "starttls-refused"),
    "tls-close": (BROKEN_TLS, "MAY", State.OK, Fact.YES, Today.CLEAR, "handshake-failed"),
    "inside-close": (Server(ehlo_tls=Kind.CLOSED), "MAY", State.OK, Fact.YES, Today.CLEAR, "tls-session-failed"),
    "inside-550": (Server(mail_tls=NEVER), "NONE", State.OK, Fact.YES, Today.LOST, "tls-session-failed"),
    "starttls-502-close": (
        *(Server(starttls=reply(502), reset_refused=Kind.CLOSED), "NONE", State.OK, Fact.NO),
        *(Today.LOST, "starttls-refused"),
    ),
    "mail-refused": (Server(mail=NEVER, mail_tls=NEVER), "NO_MAIL", State.OK, Fact.YES, Today.LOST, "mail-refused"),
    "client-certificate-demanded": (
        *(Server(mail=reply(530), ehlo_tls=Kind.TLS), "NO_MAIL", State.OK, Fact.YES),
        *(Today.LOST, "tls-required"),
    ),
    "starttls-454": (
        *(Server(starttls=reply(454)), "INCONCLUSIVE", State.INCONCLUSIVE, Fact.INCONCLUSIVE),
        *(Today.UNKNOWN, "throttled"),
    ),
    "ehlo-550": (
        *(Server(ehlo=NEVER, helo=NEVER), "INCONCLUSIVE", State.INCONCLUSIVE, Fact.INCONCLUSIVE),
        *(Today.UNKNOWN, "client-refused"),
    ),
    "tarpit": (TARPIT, "INCONCLUSIVE", State.INCONCLUSIVE, Fact.INCONCLUSIVE, Today.UNKNOWN, "unanswered"),
    "greeting-421": (GREETING_421, "INCONCLUSIVE", State.REFUSED, Fact.INCONCLUSIVE, Today.UNKNOWN, "throttled"),
    "greeting-554": (
        *(Server(greeting=reply(554)), "INCONCLUSIVE", State.REFUSED, Fact.INCONCLUSIVE),
        *(Today.UNKNOWN, "client-refused"),
    ),
    "greeting-closed": (
        *(Server(greeting=Kind.CLOSED), "INCONCLUSIVE", State.REFUSED, Fact.INCONCLUSIVE),
        *(Today.UNKNOWN, "throttled"),
    ),
    "refused": (REFUSED, "INCONCLUSIVE", State.UNREACHABLE, Fact.INCONCLUSIVE, Today.UNKNOWN, "unreachable"),
    "silent": (SILENT, "INCONCLUSIVE", State.UNREACHABLE, Fact.INCONCLUSIVE, Today.UNKNOWN, "unreachable"),
}


@pytest.mark.parametrize("name", ONE_HOST)
def test_a_domain_with_one_host(name):
    server, grade, state, starttls, today, bound = ONE_HOST[name]
    verdict = graded(server)
    (endpoint,) = verdict.endpoints
    assert verdict.grade == Grade(grade)
    assert verdict.some_mx_grade is verdict.grade
    assert (endpoint.state, endpoint.starttls, verdict.today) == (state, starttls, today)
    assert cause(verdict) == bound
    if verdict.binding:
        assert (verdict.binding.mx_host, verdict.binding.address, verdict.binding.port) == (MX, "192.0.2.1", 25)


def test_the_binding_of_an_open_grade_is_the_level_that_is_open_above_all_that_is_sustained():
    """MAIL in clear is greylisted and the handshake at level 1 open: only the second one hides the grade."""
    verdict = graded(Server(mail=reply(450), shake=Kind.RESET, classic=handshake("TLSv1.2", ())))
    assert (verdict.grade, verdict.sustained) == (Grade.INCONCLUSIVE, (Level.MAY, Level.MUST_NOPEERMATCH))
    assert verdict.unknown == (Level.NONE, Level.MUST)
    assert cause(verdict) is Cause.UNCONFIRMED


# --- several hosts -------------------------------------------------------------------------------------------------

SEVERAL = {
    "good-good": ((GOOD, GOOD), "MUST", "MUST", 2, None, ""),
    "good-wrong": ((GOOD, WRONG_NAME), "MUST_NOPEERMATCH", "MUST", 2, "certificate-host-mismatch", "192.0.2.2"),
    "no-tls-good": ((NO_TLS, GOOD), "MAY", "MUST", 2, "starttls-not-supported", "192.0.2.1"),
    "502-good": ((Server(starttls=reply(502)), GOOD), "MAY", "MAY", 2, "starttls-refused", "192.0.2.1"),
    "demands-good": ((DEMANDS_TLS, GOOD), "MUST", "MUST", 2, None, ""),
    "demands-no-tls": ((DEMANDS_TLS, NO_TLS), "MAY", "MUST", 2, "starttls-not-supported", "192.0.2.2"),
    "only-clear-only-tls": ((Server(mail_tls=NEVER), DEMANDS_TLS), "NO_MAIL", "NONE", 2, "tls-required", "192.0.2.2"),
    "refused-good": ((REFUSED, GOOD), "MUST", "MUST", 1, None, ""),
    "good-421": ((GOOD, GREETING_421), "MUST", "MUST", 1, None, ""),
    "421-refused": ((GREETING_421, REFUSED), "INCONCLUSIVE", "INCONCLUSIVE", 0, "throttled", "192.0.2.1"),
    "open-good": ((Server(starttls=reply(454)), GOOD), "INCONCLUSIVE", "MUST", 2, "throttled", "192.0.2.1"),
    "tarpit-good": ((TARPIT, GOOD), "INCONCLUSIVE", "MUST", 1, "unanswered", "192.0.2.1"),
    "open-above-the-cap": (
        (Server(starttls=reply(454)), NO_TLS),
        "MAY",
        "INCONCLUSIVE",
        2,
        "starttls-not-supported",
        "",
    ),
    "open-below-the-cap": ((TARPIT, NO_TLS), "INCONCLUSIVE", "INCONCLUSIVE", 1, "unanswered", "192.0.2.1"),
}


@pytest.mark.parametrize("name", SEVERAL)
def test_a_domain_with_several_hosts(name):
    servers, grade, some, answered, bound, address = SEVERAL[name]
    verdict = graded(*servers)
    assert (verdict.grade, verdict.some_mx_grade) == (Grade(grade), Grade(some))
    assert verdict.coverage == Coverage(asked=len(servers), answered=answered)
    assert cause(verdict) == bound
    if address:
        assert verdict.binding is not None
        assert verdict.binding.address == address


def test_today_is_the_least_that_a_host_gives():
    assert graded(GOOD, WRONG_NAME).today is Today.ENCRYPTED
    assert graded(GOOD, NO_TLS).today is Today.CLEAR
    assert graded(NO_TLS, TARPIT).today is Today.CLEAR
    assert graded(GOOD, TARPIT).today is Today.UNKNOWN


def test_remarks_are_those_of_the_hosts_each_once():
    assert (graded(GOOD).remarks, graded(BROKEN_TLS, GOOD, BROKEN_TLS).remarks) == ((), ("delayed-then-clear",))


# --- routes --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "bound"),
    [
        (RouteStatus.NULL_MX, Cause.NULL_MX),
        (RouteStatus.NO_SUCH_DOMAIN, Cause.NO_SUCH_DOMAIN),
        (RouteStatus.NO_MX_NO_ADDRESS, Cause.NO_MX_NO_ADDRESS),
        (RouteStatus.NO_MX_ADDRESS, Cause.NO_MX_ADDRESS),
    ],
)
def test_routes_on_which_postfix_bounces_are_no_mail(status, bound):
    assert status in NO_MAIL_ROUTES
    verdict = domain_verdict(domain_facts(status=status), {}, trusting)
    assert (verdict.grade, verdict.some_mx_grade, cause(verdict)) == (Grade.NO_MAIL, Grade.NO_MAIL, bound)
    assert verdict.coverage == Coverage(asked=0, answered=0)
    assert verdict.today is Today.UNKNOWN


@pytest.mark.parametrize(
    ("kind", "bound"),
    [(Kind.SERVFAIL, Cause.DNS_UNANSWERED), (Kind.TIMEOUT, Cause.DNS_UNANSWERED), (Kind.EXCLUDED, Cause.NOT_ASKED)],
)
def test_a_route_without_an_answer_is_inconclusive(kind, bound):
    failure = ProbeFailure(Stage.DNS, kind, "example.org")
    facts = DomainFacts(Target("example.org", "example.org"), MailRoute(RouteStatus.UNRESOLVED, failure=failure))
    verdict = domain_verdict(facts, {}, trusting)
    assert (verdict.grade, verdict.some_mx_grade, cause(verdict)) == (Grade.INCONCLUSIVE, Grade.INCONCLUSIVE, bound)


def test_a_host_whose_name_was_not_answered_lowers_the_coverage_alone():
    seen = asked(GOOD)
    lost = MxHost("lost.example.org", 5, failure=ProbeFailure(Stage.DNS, Kind.SERVFAIL))
    facts = domain_facts(reference(seen))
    facts = msgspec.structs.replace(facts, route=msgspec.structs.replace(facts.route, hosts=(lost, *facts.route.hosts)))
    verdict = domain_verdict(facts, {seen.endpoint: seen}, trusting)
    assert (verdict.grade, verdict.coverage) == (Grade.MUST, Coverage(asked=2, answered=1))


# --- who was not asked ---------------------------------------------------------------------------------------------

PRIVATE = ProbeFailure(Stage.CONNECT, Kind.ADDRESS_NOT_PUBLIC, "192.0.2.1")
PAUSED = ProbeFailure(Stage.CONNECT, Kind.PROVIDER_PAUSED, "example.org")


def test_an_endpoint_that_nobody_asked():
    ref = EndpointRef(MX, 10, Endpoint("192.0.2.1", 25), failure=PRIVATE)
    verdict = domain_verdict(domain_facts(ref), {}, trusting)
    assert (verdict.grade, cause(verdict)) == (Grade.INCONCLUSIVE, Cause.NOT_ASKED)
    assert verdict.coverage == Coverage(asked=0, answered=0, not_asked=1)
    (endpoint,) = verdict.endpoints
    assert (endpoint.state, endpoint.answers, endpoint.starttls) == (State.NOT_ASKED, (), Fact.NOT_TESTED)


@pytest.mark.parametrize("facts", [None, facts_of(), EndpointFacts(Endpoint("192.0.2.1", 25), SEEN, failure=PAUSED)])
def test_facts_without_a_session_are_nobody_asked(facts):
    ref = EndpointRef(MX, 10, Endpoint("192.0.2.1", 25))
    verdict = endpoint_verdict(ref, facts, trusting)
    assert verdict.state is State.NOT_ASKED
    assert verdict.reason is not None
    assert verdict.reason.cause is Cause.NOT_ASKED


def test_hosts_that_were_left_alone_count_apart():
    left = EndpointRef(MX, 5, Endpoint("2001:db8::1", 25), failure=ProbeFailure(Stage.CONNECT, Kind.NO_LOCAL_IPV6))
    seen = asked(GOOD)
    verdict = domain_verdict(domain_facts(left, reference(seen)), {seen.endpoint: seen}, trusting)
    assert (verdict.grade, verdict.coverage) == (Grade.MUST, Coverage(asked=1, answered=1, not_asked=1))


# --- submission ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("server", [NO_TLS, REFUSED, TARPIT, GREETING_421, Server(shake=Kind.TLS)])
def test_submission_has_no_influence_on_the_grade(server):
    mail = asked(GOOD)
    services = [asked(server, port=port, envelope=False) for port in (465, 587)]
    refs = [reference(mail), *(reference(facts, use=EndpointUse.SUBMISSION) for facts in services)]
    everything = {facts.endpoint: facts for facts in (mail, *services)}
    verdict = domain_verdict(domain_facts(*refs), everything, trusting)
    assert (verdict.grade, verdict.some_mx_grade, verdict.binding) == (Grade.MUST, Grade.MUST, None)
    assert verdict.coverage == Coverage(asked=1, answered=1)
    assert len(verdict.endpoints) == 3


@pytest.mark.parametrize("kind", [Kind.REFUSED, Kind.TIMEOUT, Kind.UNREACHABLE])
def test_a_submission_port_without_a_server_is_closed(kind):
    facts = asked(Server(connect=kind), port=587)
    verdict = endpoint_verdict(reference(facts, use=EndpointUse.SUBMISSION), facts, trusting)
    assert (verdict.state, verdict.answers) == (State.CLOSED, ())


# --- the chain -----------------------------------------------------------------------------------------------------

AUTHORITY = root()
MIDDLE = intermediate(AUTHORITY)
STORE = TrustStore([AUTHORITY.der])


def real(chain: Sequence[CertificateFacts], at: datetime) -> ChainVerdict:
    return verify_chain(STORE, chain, at)


@pytest.mark.parametrize(
    ("names", "chain", "bound"),
    [
        ((MX,), (MIDDLE,), None),
        (("*.example.org",), (MIDDLE,), None),
        (("www.example.org", "other.example.org"), (MIDDLE,), "certificate-host-mismatch"),
        ((MX,), (), "certificate-not-trusted"),
    ],
)
def test_a_real_chain_is_verified_and_then_its_name(names, chain, bound):
    certificates = (leaf(MIDDLE, *names).facts, *(issued.facts for issued in chain))
    seen = asked(Server(shake=handshake(chain=certificates)))
    seen = msgspec.structs.replace(seen, certificates=certificates, seen_at=datetime.fromisoformat("2026-01-15T12:00Z"))
    verdict = graded(seen, verify=real)
    assert (verdict.grade, cause(verdict)) == (Grade.MUST_NOPEERMATCH if bound else Grade.MUST, bound)
    if bound == "certificate-host-mismatch":
        assert verdict.binding is not None
        assert verdict.binding.reason.detail == f"{MX} is not among: www.example.org, other.example.org"


@pytest.mark.parametrize(
    ("days", "bound"), [(0, None), (40_000, "certificate-expired"), (-40_000, "validation-failure")]
)
def test_a_chain_is_judged_at_the_time_at_which_it_was_seen(days, bound):
    certificates = (leaf(MIDDLE, MX).facts, MIDDLE.facts)
    seen = asked(Server(shake=handshake(chain=certificates)))
    at = datetime.fromisoformat("2026-01-15T12:00Z") + timedelta(days=days)
    verdict = graded(msgspec.structs.replace(seen, certificates=certificates, seen_at=at), verify=real)
    assert cause(verdict) == bound


def test_a_self_signed_certificate_is_not_trusted_whatever_it_names():
    certificate = self_signed(MX).facts
    seen = asked(Server(shake=handshake(chain=(certificate,))))
    seen = msgspec.structs.replace(seen, certificates=(certificate,))
    assert cause(graded(seen, verify=real)) in (Cause.CERTIFICATE_NOT_TRUSTED, Cause.CERTIFICATE_EXPIRED)


def test_the_chain_is_verified_as_received_and_under_the_name_that_led_there():
    calls: list[tuple[list[str], datetime]] = []

    def note(chain: Sequence[CertificateFacts], at: datetime) -> ChainVerdict:
        calls.append(([certificate.sha256 for certificate in chain], at))
        return ChainVerdict(trusted=True)

    seen = asked(Server(shake=handshake(chain=(LEAF, OTHER, ISSUER))))
    named = reference(seen, 20, "alias.example.org")
    verdict = domain_verdict(domain_facts(reference(seen), named), {seen.endpoint: seen}, note)
    assert calls == [([LEAF.sha256, OTHER.sha256, ISSUER.sha256], SEEN)] * 2
    assert [Level.MUST in endpoint.sustained for endpoint in verdict.endpoints] == [True, False]
    assert cause(verdict) is Cause.CERTIFICATE_HOST_MISMATCH


def test_trust_comes_before_the_name():
    assert cause(graded(WRONG_NAME, verify=distrusting)) is Cause.CERTIFICATE_EXPIRED


def test_certificates_that_were_not_kept_leave_must_open():
    seen = msgspec.structs.replace(asked(GOOD), certificates=(LEAF,))
    verdict = graded(seen, verify=distrusting)
    assert (verdict.grade, verdict.unknown) == (Grade.INCONCLUSIVE, (Level.MUST,))


# --- demands -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("server", "required", "compliant"),
    [
        (GOOD, None, None),
        (GOOD, Level.MUST, True),
        (GOOD, Level.NONE, True),
        (WRONG_NAME, Level.MUST, False),
        (WRONG_NAME, Level.MAY, True),
        (DEMANDS_TLS, Level.NONE, False),
        (Server(starttls=reply(454)), Level.MAY, True),
        (Server(starttls=reply(454)), Level.MUST, None),
        (TARPIT, Level.MUST, None),
        (REFUSED, Level.MUST, None),
    ],
)
def test_a_demand_is_met_missed_or_open(server, required, compliant):
    assert graded(server, required=required).compliant is compliant


def test_a_domain_without_mail_misses_every_demand():
    verdict = domain_verdict(domain_facts(status=RouteStatus.NULL_MX), {}, trusting, Level.MAY)
    assert verdict.compliant is False


def test_the_targets_own_demand_goes_before_that_of_the_run():
    seen = asked(WRONG_NAME)
    facts = msgspec.structs.replace(
        domain_facts(reference(seen)), target=Target("example.org", "example.org", required=Level.MAY)
    )
    assert domain_verdict(facts, {seen.endpoint: seen}, trusting, Level.MUST).compliant is True


def test_every_state_of_an_endpoint_is_reached():
    verdicts: list[EndpointVerdict] = [graded(server).endpoints[0] for server in (GOOD, REFUSED, GREETING_421, TARPIT)]
    closed, left = asked(REFUSED, port=465), EndpointRef(MX, 1, Endpoint("192.0.2.1", 25), failure=PRIVATE)
    verdicts.append(endpoint_verdict(reference(closed, use=EndpointUse.SUBMISSION), closed, trusting))
    verdicts.append(endpoint_verdict(left, None, trusting))
    assert {verdict.state for verdict in verdicts} == set(State)
