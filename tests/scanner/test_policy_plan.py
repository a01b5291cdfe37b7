"""The look-ups for published policy, with answers by hand: which names, in which order, and which are left unasked."""

from datetime import UTC, datetime

import pytest

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
    RouteStatus,
    Target,
    TlsaRecord,
    TxtRecord,
)
from scanner.failures import Kind, ProbeFailure, Stage
from scanner.policy_facts import MtaStsFacts, PolicyFacts, SignatureEnd, StsMode, StsPolicy
from scanner.policy_plan import Published, policy_plan, policy_refs

D, MX, REAL = "example.org", "mx.example.org", "real.example.net"
SECURE, INSECURE, OPEN = Dnssec.SECURE, Dnssec.INSECURE, Dnssec.INDETERMINATE
RECORD = TlsaRecord(3, 1, 1, b"x" * 32)
UNTIL = datetime(2030, 1, 1, tzinfo=UTC)
TARGET = Target(D, D)


def answer(name: str, rdtype: str, *records: object, dnssec: Dnssec = SECURE, **more: object) -> DnsAnswer:
    status = DnsStatus.RECORDS if records else DnsStatus.NODATA
    return DnsAnswer(name, rdtype, status, tuple(records), dnssec=dnssec, **more)  # type: ignore[arg-type]


def route(dnssec: Dnssec = SECURE, aliases: tuple[str, ...] = ()) -> MailRoute:
    host = MxHost(MX, 10, ("192.0.2.1",), aliases, dnssec=dnssec)
    return MailRoute(RouteStatus.MX, (host,), mx_dnssec=SECURE)


def run(given: dict[tuple[str, str], Lookup], where: MailRoute, target: Target = TARGET, ports=(25,)):
    """What the plan gives, and all that it asked."""
    plan = policy_plan(target, where, ports)
    asked: list[tuple[str, str]] = []
    try:
        questions = next(plan)
        while True:
            asked += [(q.name, q.rdtype) for q in questions]
            answers = {q: given.get((q.name, q.rdtype), answer(q.name, q.rdtype)) for q in questions}
            questions = plan.send(answers)
    except StopIteration as stop:
        published: Published = stop.value
        return published, asked


def tlsa(base: str, *records: TlsaRecord, dnssec: Dnssec = SECURE, port: int = 25) -> dict[tuple[str, str], Lookup]:
    name = f"_{port}._tcp.{base}"
    return {(name, "TLSA"): answer(name, "TLSA", *records, dnssec=dnssec)}


def bases(published: Published) -> list[str]:
    return [look.base for look in published.facts.tlsa[0].lookups]


# --- TLSA base names (RFC 7672 sections 2.2.2 and 2.2.3) -----------------------------------------------------------


@pytest.mark.parametrize(
    ("where", "answers", "asked_for", "deciding"),
    [
        (route(), tlsa(MX, RECORD), [MX], MX),
        (route(), {}, [MX], None),
        (route(), tlsa(MX, RECORD, dnssec=INSECURE), [MX], None),
        (route(INSECURE), tlsa(MX, RECORD), [], None),
        (route(OPEN), tlsa(MX, RECORD, dnssec=OPEN), [MX], None),
        (route(SECURE, (REAL,)), tlsa(REAL, RECORD), [REAL], REAL),
        (route(SECURE, ("x.example", REAL)), tlsa(MX, RECORD), [REAL, MX], MX),
        (route(SECURE, (REAL,)), tlsa(REAL, RECORD, dnssec=INSECURE) | tlsa(MX, RECORD), [REAL, MX], MX),
        (
            route(INSECURE, (REAL,)),
            {(MX, "CNAME"): answer(MX, "CNAME", dnssec=SECURE), **tlsa(MX, RECORD)},
            [MX],
            MX,
        ),
        (
            route(INSECURE, (REAL,)),
            {(MX, "CNAME"): answer(MX, "CNAME", dnssec=INSECURE), **tlsa(MX, RECORD)},
            [],
            None,
        ),
    ],
)
def test_base_names(where, answers, asked_for, deciding):
    published, _ = run(answers, where)
    assert bases(published) == asked_for
    found = published.facts.tlsa[0].deciding
    assert (found.base if found else None) == deciding


def test_a_failed_look_up_decides_and_the_next_name_is_not_asked():
    bogus = ProbeFailure(Stage.DNS, Kind.BOGUS)
    published, _ = run({(f"_25._tcp.{REAL}", "TLSA"): bogus, **tlsa(MX, RECORD)}, route(SECURE, (REAL,)))
    assert bases(published) == [REAL]
    assert published.facts.tlsa[0].deciding


def test_other_ports_are_asked_of_signed_hosts_only():
    _, asked = run({}, route(), ports=(25, 465, 587))
    assert [name for name, kind in asked if kind == "TLSA"] == [f"_{port}._tcp.{MX}" for port in (25, 465, 587)]
    _, asked = run({}, route(OPEN), ports=(25, 465, 587))
    assert [name for name, kind in asked if kind == "TLSA"] == [f"_25._tcp.{MX}"]


def test_the_first_signatures_to_end_are_kept_of_secure_answers():
    """Of the MX answer, and of the addresses of all hosts together."""
    soon = UNTIL.replace(year=2029)
    mx = {(D, "MX"): answer(D, "MX", signed_until=UNTIL)}
    host = {(MX, "A"): answer(MX, "A", signed_until=UNTIL), (MX, "AAAA"): answer(MX, "AAAA", signed_until=soon)}
    of_mx, of_host = SignatureEnd(D, "MX", UNTIL), SignatureEnd(MX, "AAAA", soon)
    assert run(mx | host, route())[0].facts.signatures == (of_mx, of_host)
    assert run(mx | host, route(INSECURE))[0].facts.signatures == (of_mx,)
    assert run({(D, "MX"): answer(D, "MX", dnssec=INSECURE, signed_until=UNTIL)}, route())[0].facts.signatures == ()
    assert run({}, route())[0].facts.signatures == ()


def test_signatures_of_tlsa_answers_are_kept_with_their_records():
    name = f"_25._tcp.{MX}"
    for records in ((RECORD,), ()):
        given = {(name, "TLSA"): answer(name, "TLSA", *records, signed_until=UNTIL)}
        (look,) = run(given, route())[0].facts.tlsa[0].lookups
        assert isinstance(look.answer, DnsAnswer)
        assert look.answer.signed_until == (UNTIL if records else None)


def test_signatures_on_the_way_to_a_policy():
    record = answer(f"_mta-sts.{D}", "TXT", TxtRecord("v=STSv1; id=1;"), signed_until=UNTIL)
    host = f"mta-sts.{D}"
    given = {(f"_mta-sts.{D}", "TXT"): record, (host, "A"): answer(host, "A", signed_until=UNTIL)}
    sts = run(given, route())[0].facts.mta_sts
    assert sts
    assert [(end.name, end.rdtype) for end in sts.signatures] == [(f"_mta-sts.{D}", "TXT"), (host, "A")]
    nothing = {(f"_mta-sts.{D}", "TXT"): answer(f"_mta-sts.{D}", "TXT", signed_until=UNTIL)}
    assert run(nothing, route())[0].facts.mta_sts == MtaStsFacts(None, SECURE)


# --- TLSRPT: does the domain of the first destination exist? -------------------------------------------------------


@pytest.mark.parametrize(
    ("rua", "asked_for"),
    [
        ("mailto:tls@reports.example.net", ("reports.example.net", "MX")),
        ("mailto:tls@Reports.Example.NET?subject=x", ("reports.example.net", "MX")),
        ("https://reports.example.net:8443/v1?x=1", ("reports.example.net", "A")),
        ("HTTPS://reports.example.net", ("reports.example.net", "A")),
        ("mailto:tls@reports.example.net,https://second.example.net/", ("reports.example.net", "MX")),
        ("https://192.0.2.1/report", None),
        ("mailto:tls@[192.0.2.1]", None),
        ("https://-.-/", None),
        ("ftp://reports.example.net", None),
    ],
)
def test_the_first_destination_of_reports(rua, asked_for):
    record = {(f"_smtp._tls.{D}", "TXT"): answer(f"_smtp._tls.{D}", "TXT", TxtRecord(f"v=TLSRPTv1; rua={rua}"))}
    plain, before = run({}, route(INSECURE))
    assert plain.facts.tls_rpt is None
    for status in DnsStatus:
        given = {asked_for: DnsAnswer(*asked_for, status)} if asked_for else {}
        published, asked = run(record | given, route(INSECURE))
        assert published.facts.tls_rpt
        assert published.facts.tls_rpt.missing == ("reports.example.net" if given and status == "nxdomain" else "")
        assert asked == [*before, *given], "one question more, and none for what is no name"
    unanswered = {asked_for: ProbeFailure(Stage.DNS, Kind.SERVFAIL)} if asked_for else {}
    left_open = run(record | unanswered, route(INSECURE))[0].facts.tls_rpt
    assert left_open
    assert left_open.missing == ""


def test_a_next_hop_in_brackets_has_tlsa_and_nothing_of_a_domain():
    published, asked = run(tlsa(MX, RECORD), route(), Target(f"[{MX}]", MX, brackets=True))
    assert asked == [(MX, "A"), (MX, "AAAA"), (f"_25._tcp.{MX}", "TLSA")], "its addresses are known from the route"
    assert (published.facts.mta_sts, published.facts.tls_rpt) == (None, None)


def test_an_address_literal_is_asked_nothing():
    literal = MailRoute(RouteStatus.NEXT_HOP, (MxHost("192.0.2.1", 0, ("192.0.2.1",)),))
    published, asked = run({}, literal, Target("[192.0.2.1]", "192.0.2.1", brackets=True))
    assert asked == []
    assert published.facts == PolicyFacts()


# --- TXT and the policy host ---------------------------------------------------------------------------------------


def sts(text: str) -> dict[tuple[str, str], Lookup]:
    return {(f"_mta-sts.{D}", "TXT"): answer(f"_mta-sts.{D}", "TXT", TxtRecord(text))}


def test_the_policy_host_is_looked_up_for_a_valid_record_only():
    host = f"mta-sts.{D}"
    addresses = {(host, "A"): answer(host, "A", AddressRecord("192.0.2.9"))}
    published, asked = run(sts("v=STSv1; id=1") | addresses, route(INSECURE))
    assert (published.host, published.addresses, published.failure) == (host, ("192.0.2.9",), None)
    assert asked[-2:] == [(host, "A"), (host, "AAAA")]
    for text in ("v=STSv1; id=", "v=spf1"):
        published, asked = run(sts(text) | addresses, route(INSECURE))
        assert published.host == ""
        assert (host, "A") not in asked


def test_failures_are_kept_as_failures():
    servfail = ProbeFailure(Stage.DNS, Kind.SERVFAIL)
    answers: dict[tuple[str, str], Lookup] = {
        (f"_mta-sts.{D}", "TXT"): servfail,
        (f"_smtp._tls.{D}", "TXT"): servfail,
    }
    published, _ = run(answers, route(INSECURE))
    assert published.facts.mta_sts
    assert published.facts.mta_sts.failure == servfail
    assert published.facts.tls_rpt
    assert published.facts.tls_rpt.failure == servfail


def test_what_was_refused_for_its_signatures_is_bogus():
    bogus = ProbeFailure(Stage.DNS, Kind.BOGUS)
    published, _ = run({(f"_mta-sts.{D}", "TXT"): bogus, (f"_smtp._tls.{D}", "TXT"): bogus}, route(INSECURE))
    assert published.facts.mta_sts
    assert published.facts.tls_rpt
    assert (published.facts.mta_sts.dnssec, published.facts.tls_rpt.dnssec) == (Dnssec.BOGUS, Dnssec.BOGUS)


# --- handshakes with a name ----------------------------------------------------------------------------------------

REF = EndpointRef(MX, 10, Endpoint("192.0.2.1", 25))


@pytest.mark.parametrize(
    ("record", "wanted"),
    [
        (RECORD, True),
        (TlsaRecord(2, 0, 1, b"x" * 32), True),
        (TlsaRecord(1, 1, 1, b"x" * 32), False),
        (TlsaRecord(3, 7, 1, b"x" * 32), False),
        (TlsaRecord(3, 1, 9, b"x" * 32), False),
        (TlsaRecord(3, 1, 1, b"x"), False),
    ],
)
def test_usable_records_want_a_handshake_with_their_base_name(record, wanted):
    published, _ = run(tlsa(REAL, record), route(SECURE, (REAL,)))
    refs = policy_refs([REF], published.facts)
    assert [(ref.endpoint.sni, ref.use) for ref in refs] == ([(REAL, EndpointUse.POLICY)] if wanted else [])


@pytest.mark.parametrize("mode", list(StsMode))
def test_a_policy_wants_a_handshake_with_the_name_of_the_host(mode):
    facts = PolicyFacts(mta_sts=MtaStsFacts(policy=StsPolicy(mode)))
    refs = policy_refs([REF], facts)
    assert [ref.endpoint.sni for ref in refs] == ([] if mode is StsMode.NONE else [MX])


def test_one_handshake_serves_both_and_what_is_left_alone_stays_so():
    published, _ = run(tlsa(MX, RECORD), route())
    facts = PolicyFacts(published.facts.tlsa, MtaStsFacts(policy=StsPolicy(StsMode.ENFORCE)))
    assert len(policy_refs([REF, REF], facts)) == 1
    excluded = EndpointRef(MX, 10, REF.endpoint, failure=ProbeFailure(Stage.CONNECT, Kind.EXCLUDED))
    submission = EndpointRef(MX, 10, Endpoint("192.0.2.1", 587), EndpointUse.SUBMISSION)
    assert policy_refs([excluded, submission], facts) == ()


def test_questions_are_asked_once():
    host = MxHost(MX, 10, ("192.0.2.1",), dnssec=SECURE)
    twice = MailRoute(RouteStatus.MX, (host, MxHost(MX, 20, ("192.0.2.1",), dnssec=SECURE)))
    _, asked = run({}, twice)
    assert len(asked) == len(set(asked))
