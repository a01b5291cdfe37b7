"""The grade of a domain: the strongest Postfix level that every reachable MX address sustains.

Pure: facts, a trust store and settings in, a `DomainVerdict` out. What could not be established never becomes a lower
level; it makes the grade INCONCLUSIVE unless another host caps it below.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

import msgspec

from audits.levels import Authentication, LevelAnswer, both, cause_of_failure, level_answers
from audits.names import name_match
from audits.reasons import Cause, Reason
from audits.sessions import Observed, observed
from audits.some_mx import some_mx_grade
from audits.trust import ChainVerdict
from audits.verdicts import (
    Binding,
    Coverage,
    DomainVerdict,
    EndpointVerdict,
    Grade,
    State,
    Today,
)
from scanner.facts import (
    NO_MAIL_ROUTES,
    DomainFacts,
    Endpoint,
    EndpointFacts,
    EndpointRef,
    EndpointUse,
    Fact,
    Level,
    RouteStatus,
)
from scanner.failures import Kind, ProbeFailure, Stage
from scanner.tls_facts import CertificateFacts

VerifyChain = Callable[[Sequence[CertificateFacts], datetime], ChainVerdict]
"""(chain as received, time at which it was seen) -> verdict."""

_LEVELS = tuple(Level)
_NO_ROUTE = {
    RouteStatus.NULL_MX: Cause.NULL_MX,
    RouteStatus.NO_SUCH_DOMAIN: Cause.NO_SUCH_DOMAIN,
    RouteStatus.NO_MX_NO_ADDRESS: Cause.NO_MX_NO_ADDRESS,
    RouteStatus.NO_MX_ADDRESS: Cause.NO_MX_ADDRESS,
}


def domain_verdict(
    facts: DomainFacts,
    endpoints: Mapping[Endpoint, EndpointFacts],
    verify: VerifyChain,
    required: Level | None = None,
) -> DomainVerdict:
    """Judges one domain. `required` is the level demanded of all domains; the target's own goes before it."""
    verdicts = tuple(endpoint_verdict(ref, endpoints.get(ref.endpoint), verify) for ref in facts.endpoints)
    mail = [verdict for verdict in verdicts if verdict.ref.use is EndpointUse.MAIL]
    answered = [verdict for verdict in mail if verdict.answers]
    hosts = facts.route.hosts
    missed = [host for host in hosts if not host.addresses and host.failure and host.failure.asked]
    if facts.route.status in NO_MAIL_ROUTES or not answered:
        grade, binding = _without_answers(facts, mail)
        levels: tuple[LevelAnswer, ...] = ()
    else:
        levels = tuple(_common(level, answered) for level in _LEVELS)
        grade = _grade_of(levels)
        binding = _binding(grade, levels, answered)
    verdict = DomainVerdict(
        grade=grade,
        some_mx_grade=Grade.NO_MAIL if grade is Grade.NO_MAIL and not answered else some_mx_grade(mail),
        sustained=tuple(answer.level for answer in levels if answer.sustained is Fact.YES),
        unknown=tuple(answer.level for answer in levels if answer.sustained is Fact.INCONCLUSIVE),
        today=_today(answered),
        coverage=Coverage(
            asked=sum(verdict.state is not State.NOT_ASKED for verdict in mail) + len(missed),
            answered=sum(verdict.seen is not None and verdict.seen.answered for verdict in mail),
            not_asked=sum(verdict.state is State.NOT_ASKED for verdict in mail),
        ),
        endpoints=verdicts,
        binding=binding,
        remarks=tuple(dict.fromkeys(a.remark for v in answered for a in v.answers if a.remark)),
    )
    return msgspec.structs.replace(verdict, compliant=_compliance(facts.target.required or required, verdict))


def endpoint_verdict(ref: EndpointRef, facts: EndpointFacts | None, verify: VerifyChain) -> EndpointVerdict:
    """Judges one endpoint under the name by which the domain reaches it."""
    if ref.failure is not None or facts is None or not facts.sessions:
        failure = ref.failure or (facts.failure if facts else None) or ProbeFailure(Stage.CONNECT, Kind.STOPPED)
        return EndpointVerdict(ref, State.NOT_ASKED, reason=Reason(cause_of_failure(failure), str(failure)))
    seen = observed(facts)
    if not seen.answered and (state := _silent_state(ref, seen.failure)) is not None:
        assert seen.failure is not None
        reason = Reason(cause_of_failure(seen.failure), str(seen.failure))
        return EndpointVerdict(ref, state, seen=seen, reason=reason)
    authentication, trust = _authentication(ref.mx_host, seen, facts, verify)
    answers = level_answers(seen, authentication)
    state = State.INCONCLUSIVE if any(a.sustained is Fact.INCONCLUSIVE for a in answers) else State.OK
    handshake = seen.deciding.handshake if seen.deciding else None
    return EndpointVerdict(ref, state, answers, seen, handshake, trust=trust)


def _silent_state(ref: EndpointRef, failure: ProbeFailure | None) -> State | None:
    """The state of an endpoint that lowers the coverage only; None where it was reached and is not settled."""
    if failure is None:
        return None
    if failure.stage is Stage.CONNECT:
        return State.UNREACHABLE if ref.use is EndpointUse.MAIL else State.CLOSED
    refuses = failure.kind in (Kind.TEMPORARY, Kind.PERMANENT, Kind.RESET, Kind.CLOSED)
    return State.REFUSED if failure.stage is Stage.GREETING and refuses else None


def _authentication(
    mx_host: str, seen: Observed, facts: EndpointFacts, verify: VerifyChain
) -> tuple[Authentication, ChainVerdict | None]:
    """Trust first, then the name: both as Postfix at MUST. With what verification said of the chain."""
    handshake = seen.deciding.handshake if seen.deciding else None
    if handshake is None or not handshake.chain:
        return Authentication(Fact.NO, Reason(Cause.NO_CERTIFICATE, "no certificate was presented")), None
    known = {certificate.sha256: certificate for certificate in facts.certificates}
    if not known.keys() >= set(handshake.chain):
        return Authentication(Fact.INCONCLUSIVE, Reason(Cause.UNANSWERED, "the certificates were not kept")), None
    chain = [known[digest] for digest in handshake.chain]
    trust = verify(chain, facts.seen_at)
    if not trust.trusted:
        return Authentication(Fact.NO, Reason(Cause(trust.result), trust.reason)), trust
    return _named(mx_host, chain[0]), trust


def _named(mx_host: str, leaf: CertificateFacts) -> Authentication:
    match = name_match(leaf, mx_host)
    if match.matched:
        return Authentication(Fact.YES)
    names = ", ".join(match.presented[:8]) or "no name"
    return Authentication(Fact.NO, Reason(Cause.CERTIFICATE_HOST_MISMATCH, f"{mx_host} is not among: {names}"))


def _common(level: Level, answered: list[EndpointVerdict]) -> LevelAnswer:
    """The level over every host that answered."""
    answers = [answer for verdict in answered if (answer := verdict.answer(level))]
    return LevelAnswer(level, both(answer.sustained for answer in answers))


def _grade_of(levels: Sequence[LevelAnswer]) -> Grade:
    """The strongest sustained level, unless a stronger one is still open."""
    for answer in reversed(levels):
        if answer.sustained is Fact.YES:
            return Grade(answer.level.value)
        if answer.sustained is Fact.INCONCLUSIVE:
            return Grade.INCONCLUSIVE
    return Grade.NO_MAIL


def _binding(grade: Grade, levels: Sequence[LevelAnswer], answered: list[EndpointVerdict]) -> Binding | None:
    """The first host and fact that keep the domain from the next level above the strongest that it sustains."""
    wanted = Fact.INCONCLUSIVE if grade is Grade.INCONCLUSIVE else Fact.NO
    sustained = [place for place, answer in enumerate(levels) if answer.sustained is Fact.YES]
    stronger = levels[sustained[-1] + 1 :] if sustained else levels
    for common in stronger:
        for verdict in answered:
            answer = verdict.answer(common.level)
            if common.sustained is wanted and answer and answer.sustained is wanted and answer.reason:
                endpoint = verdict.ref.endpoint
                return Binding(answer.reason, verdict.ref.mx_host, endpoint.address, endpoint.port)
    return None


def _without_answers(facts: DomainFacts, mail: list[EndpointVerdict]) -> tuple[Grade, Binding | None]:
    """NO_MAIL where Postfix bounces at once; INCONCLUSIVE where nobody answered."""
    route = facts.route
    if route.status in NO_MAIL_ROUTES:
        return Grade.NO_MAIL, Binding(Reason(_NO_ROUTE[route.status], facts.target.name))
    for verdict in mail:
        if verdict.reason:
            endpoint = verdict.ref.endpoint
            return Grade.INCONCLUSIVE, Binding(verdict.reason, verdict.ref.mx_host, endpoint.address, endpoint.port)
    failure = route.failure or ProbeFailure(Stage.DNS, Kind.STOPPED)
    return Grade.INCONCLUSIVE, Binding(Reason(cause_of_failure(failure), str(failure)))


def _today(answered: list[EndpointVerdict]) -> Today:
    """The least that any answering host gives to opportunistic mail."""
    order = (Today.LOST, Today.CLEAR, Today.UNKNOWN, Today.ENCRYPTED, Today.AUTHENTICATED)
    return min(map(_today_of, answered), key=order.index, default=Today.UNKNOWN)


def _today_of(verdict: EndpointVerdict) -> Today:
    """What one host gives a sender at MAY."""
    if Level.MAY not in verdict.sustained:
        return Today.UNKNOWN if Level.MAY in verdict.unknown else Today.LOST
    if Level.MUST in verdict.sustained:
        return Today.AUTHENTICATED
    if Level.MUST_NOPEERMATCH in verdict.sustained:
        return Today.ENCRYPTED
    if Level.MUST_NOPEERMATCH in verdict.unknown:
        return Today.UNKNOWN
    return Today.CLEAR


def _compliance(required: Level | None, verdict: DomainVerdict) -> bool | None:
    """Whether the demanded level is sustained; None where nothing was demanded or the question is open."""
    if required is None:
        return None
    if required in verdict.sustained:
        return True
    unanswered = verdict.grade is Grade.INCONCLUSIVE and not verdict.coverage.answered
    return None if unanswered or required in verdict.unknown else False
