"""What to ask the DNS about published policy, and what the answers say: a generator (RFC 7672, 8461, 8460).

TLSA records are looked for only where the host's own name is not known to be unsigned: name servers of unsigned zones
often answer such questions badly, and the answer would not count (RFC 7672 section 2.2.2).
"""

from collections.abc import Generator, Iterable

import msgspec

from scanner.facts import (
    AddressRecord,
    DnsAnswer,
    Dnssec,
    DnsStatus,
    Endpoint,
    EndpointRef,
    EndpointUse,
    Lookup,
    MailRoute,
    MxHost,
    Target,
    TlsaRecord,
    TxtRecord,
    security,
)
from scanner.failures import ProbeFailure
from scanner.mta_sts import POLICY_HOST, POLICY_PATH, sts_record
from scanner.mta_sts import RECORD_NAME as STS_NAME
from scanner.policy_facts import (
    HostTlsa,
    MtaStsFacts,
    PolicyFacts,
    SignatureEnd,
    StsMode,
    TlsaLookup,
    TlsRptFacts,
)
from scanner.route import Answers, Question, is_address
from scanner.tlsrpt import RECORD_NAME as REPORT_NAME
from scanner.tlsrpt import destination_domain, tls_rpt_record

Asking = Generator[tuple[Question, ...], Answers, "Published"]


class Published(msgspec.Struct, frozen=True):
    """What the DNS has; `host` and `addresses` are of the policy host, where a policy is to be fetched."""

    facts: PolicyFacts
    host: str = ""
    path: str = POLICY_PATH
    addresses: tuple[str, ...] = ()
    addresses_dnssec: Dnssec = Dnssec.INDETERMINATE
    failure: ProbeFailure | None = None


def policy_plan(target: Target, route: MailRoute, ports: tuple[int, ...]) -> Asking:
    """The look-ups for a target whose route is known; `ports` are those that are asked on its hosts."""
    named = not target.brackets and not is_address(target.name)
    sts, rpt = Question(f"{STS_NAME}.{target.name}", "TXT"), Question(f"{REPORT_NAME}.{target.name}", "TXT")
    mx = Question(target.name, "MX")
    hosts = {host.name: host for host in route.hosts if host.addresses and not is_address(host.name)}
    aliased = [Question(host.name, "CNAME") for host in hosts.values() if _wants_alias(host)]
    signed = [host.name for host in hosts.values() if host.dnssec is Dnssec.SECURE]
    known = (*((mx,) if named else ()), *_addresses(*signed))
    questions = (*((sts, rpt) if named else ()), *known, *aliased)
    answers = (yield questions) if questions else {}
    tlsa = [(host, port) for host in hosts.values() for port in (ports if host.dnssec is Dnssec.SECURE else ports[:1])]
    found = yield from _tlsa_of(tlsa, answers)
    reports = (yield from _rpt_facts(answers[rpt])) if named else None
    signatures = (*_first_to_end(answers, known[:named]), *_first_to_end(answers, known[named:]))
    facts = PolicyFacts(found, _sts_facts(answers[sts]) if named else None, reports, signatures)
    if facts.mta_sts is None or facts.mta_sts.record is None or not facts.mta_sts.record.id:
        return Published(facts)
    return (yield from _policy_host(facts, f"{POLICY_HOST}.{target.name}"))


def _addresses(*names: str) -> tuple[Question, ...]:
    return tuple(Question(name, rdtype) for name in names for rdtype in ("A", "AAAA"))


def _first_to_end(answers: Answers, questions: Iterable[Question]) -> tuple[SignatureEnd, ...]:
    """Of the secure answers to these questions the one whose signatures end first; none where none is secure."""
    given = (answers[question] for question in questions)
    secure = [each for each in given if isinstance(each, DnsAnswer) and each.dnssec is Dnssec.SECURE]
    ends = [SignatureEnd(each.name, each.rdtype, each.signed_until) for each in secure if each.signed_until]
    return tuple(sorted(ends, key=lambda end: end.signed_until)[:1])


# --- TLSA ----------------------------------------------------------------------------------------------------------


def _wants_alias(host: MxHost) -> bool:
    """An alias into an unsigned zone: its own record may still be signed (RFC 7672 section 2.2.2)."""
    return bool(host.aliases) and host.dnssec is Dnssec.INSECURE


def _tlsa_of(
    wanted: list[tuple[MxHost, int]], answers: Answers
) -> Generator[tuple[Question, ...], Answers, tuple[HostTlsa, ...]]:
    """The look-ups for each host and port: the expanded name first, the host's own only where that has no records."""
    states = [_before(host, port, answers) for host, port in wanted]
    bases = {(state.mx_host, state.port): _bases(host, state) for (host, _), state in zip(wanted, states, strict=True)}
    for place in range(2):
        open_ = [s for s in states if s.deciding is None and len(bases[s.mx_host, s.port]) > place]
        if not open_:
            break
        asked = {s: bases[s.mx_host, s.port][place] for s in open_}
        found = yield tuple(dict.fromkeys(_tlsa_question(base, s.port) for s, base in asked.items()))
        states = [_with_lookup(s, asked[s], found) if s in asked else s for s in states]
    return tuple(states)


def _before(host: MxHost, port: int, answers: Answers) -> HostTlsa:
    own = answers[Question(host.name, "CNAME")] if _wants_alias(host) else None
    return HostTlsa(host.name, port, host.dnssec, security(own) if own else None)


def _bases(host: MxHost, state: HostTlsa) -> tuple[str, ...]:
    """The base names to try, in order (RFC 7672 section 2.2.3)."""
    if host.dnssec is Dnssec.INSECURE:
        return (host.name,) if state.alias_dnssec is Dnssec.SECURE else ()
    return tuple(dict.fromkeys((*host.aliases[-1:], host.name)))


def _tlsa_question(base: str, port: int) -> Question:
    return Question(f"_{port}._tcp.{base}", "TLSA")


def _with_lookup(state: HostTlsa, base: str, found: Answers) -> HostTlsa:
    answer = found[_tlsa_question(base, state.port)]
    if isinstance(answer, DnsAnswer) and not answer.records:
        answer = msgspec.structs.replace(answer, signed_until=None)  # that there is none need not be signed for long
    look_up = TlsaLookup(base, state.port, answer)
    return msgspec.structs.replace(state, lookups=(*state.lookups, look_up))


# --- TXT, and the policy host --------------------------------------------------------------------------------------


def _texts(answer: DnsAnswer) -> tuple[str, ...]:
    return tuple(record.text for record in answer.records if isinstance(record, TxtRecord))


def _sts_facts(answer: Lookup) -> MtaStsFacts:
    if isinstance(answer, ProbeFailure):
        return MtaStsFacts(failure=answer, dnssec=security(answer))
    record = sts_record(_texts(answer))
    question = Question(answer.name, answer.rdtype)
    signatures = _first_to_end({question: answer}, (question,)) if record else ()
    return MtaStsFacts(record, answer.dnssec, signatures=signatures)


def _rpt_facts(answer: Lookup) -> Generator[tuple[Question, ...], Answers, TlsRptFacts | None]:
    """The record; one question more tells whether the domain of its first destination exists."""
    if isinstance(answer, ProbeFailure):
        return TlsRptFacts(failure=answer, dnssec=security(answer))
    found = tls_rpt_record(_texts(answer))
    if found is None:
        return None
    asked = _destination(found)
    given = (yield (asked,))[asked] if asked else None
    absent = isinstance(given, DnsAnswer) and given.status is DnsStatus.NXDOMAIN
    return msgspec.structs.replace(found, dnssec=answer.dnssec, missing=asked.name if asked and absent else "")


def _destination(found: TlsRptFacts) -> Question | None:
    """The question whose answer tells whether reports have somewhere to go: of any type, as only NXDOMAIN counts."""
    domain, by_mail = destination_domain(found.destinations[0]) if found.destinations else ("", False)
    return Question(domain, "MX" if by_mail else "A") if domain and not is_address(domain) else None


def _policy_host(facts: PolicyFacts, host: str) -> Asking:
    questions = _addresses(host)
    answers = yield questions
    sts = facts.mta_sts
    assert sts is not None
    signatures = (*sts.signatures, *_first_to_end(answers, questions))
    facts = msgspec.structs.replace(facts, mta_sts=msgspec.structs.replace(sts, signatures=signatures))
    given = [answer for answer in map(answers.__getitem__, questions) if isinstance(answer, DnsAnswer)]
    records = [record.address for answer in given for record in answer.records if isinstance(record, AddressRecord)]
    failure = next((answer for answer in answers.values() if isinstance(answer, ProbeFailure)), None)
    return Published(
        facts,
        host,
        addresses=tuple(dict.fromkeys(records)),
        addresses_dnssec=security(*answers.values()),
        failure=None if records else failure,
    )


# --- the handshakes that judging it needs --------------------------------------------------------------------------


def _may_match(record: TlsaRecord) -> bool:
    """DANE-TA and DANE-EE with parameters that are assigned; the rest is not for SMTP (RFC 7672 section 3.1.3)."""
    sizes = {0: len(record.data), 1: 32, 2: 64}
    return record.usage in (2, 3) and record.selector in (0, 1) and sizes.get(record.matching_type) == len(record.data)


def policy_refs(refs: Iterable[EndpointRef], facts: PolicyFacts) -> tuple[EndpointRef, ...]:
    """An endpoint with a server name for each mail endpoint whose host has usable TLSA records or an MTA-STS policy.

    The name is the TLSA base name (RFC 7672 section 8.1) or the MX host (RFC 8461 section 7.1): mostly the same.
    """
    mode = facts.mta_sts.policy.mode if facts.mta_sts and facts.mta_sts.policy else None
    wanted: dict[tuple[str, Endpoint], EndpointRef] = {}
    for ref in refs:
        if ref.use is not EndpointUse.MAIL or ref.failure is not None:
            continue
        names = [ref.mx_host] if mode in (StsMode.ENFORCE, StsMode.TESTING) and not is_address(ref.mx_host) else []
        tlsa = facts.host(ref.mx_host, ref.endpoint.port)
        if tlsa and tlsa.deciding and any(map(_may_match, tlsa.deciding.records)):
            names.insert(0, tlsa.deciding.base)
        for name in names:
            endpoint = msgspec.structs.replace(ref.endpoint, sni=name)
            wanted.setdefault(
                (ref.mx_host, endpoint), EndpointRef(ref.mx_host, ref.preference, endpoint, EndpointUse.POLICY)
            )
    return tuple(wanted.values())
