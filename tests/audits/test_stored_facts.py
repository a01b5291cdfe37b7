"""Facts come back from their stored form as they were, whatever stands in them."""

from datetime import UTC, datetime

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from audits.cliffs import Cliff
from audits.stored_facts import (
    Coding,
    certificate_from_text,
    certificate_text,
    cliffs_from_text,
    content,
    domain_content,
    domain_from_text,
    endpoint_content,
    endpoint_from_text,
    judgement_content,
    judgement_from_text,
    packed_times,
    target_from_stored,
    target_text,
    unpacked,
    unpacked_times,
)
from scanner.answers import Fact
from scanner.deep_facts import DeepFacts
from scanner.facts import DnsAnswer, Dnssec, DnsStatus, DomainFacts, EndpointFacts, Level, SessionFacts, Target
from scanner.failures import SmtpReply
from scanner.policy_facts import HostTlsa, MtaStsFacts, PolicyFacts, PolicyFetch, SignatureEnd, TlsaLookup
from scanner.tls_facts import HelloStyle
from scanner.wire_facts import TlsFacts
from tests.stored_samples import NIGHT, certificate, domain, endpoint, seen, unreachable

LATIN = st.text(alphabet=st.characters(max_codepoint=255), max_size=40)


def round_trip(facts: EndpointFacts) -> EndpointFacts:
    text = endpoint_from_text(unpacked(*endpoint_content(facts).packed()), facts.seen_at)
    stored = {one.sha256: certificate_from_text(certificate_text(one), one.der) for one in facts.certificates}
    return text.facts(stored)


def test_endpoints_come_back() -> None:
    for facts in (seen(), unreachable(), EndpointFacts(endpoint(), NIGHT)):
        assert round_trip(facts) == facts


def test_every_field_of_an_endpoint_comes_back() -> None:
    deep = DeepFacts(command_injection=Fact.YES, vulnerability_connections=3)
    full = msgspec.structs.replace(
        seen(),
        failure=unreachable().failure,
        tls=TlsFacts(versions=(), connections=7),
        hello_connections=7,
        deep=deep,
        tls_seen_at=NIGHT,
    )
    empty = EndpointFacts(endpoint(), NIGHT)
    fields = [field for field in EndpointFacts.__struct_fields__ if field not in ("endpoint", "seen_at")]
    assert all(getattr(full, field) != getattr(empty, field) for field in fields), "a field is new: fill it here"
    assert round_trip(full) == full


@given(st.lists(LATIN, max_size=3), st.integers(100, 599), LATIN)
def test_whatever_a_server_said_comes_back(lines: list[str], code: int, said: str) -> None:
    session = SessionFacts(HelloStyle.CLASSIC, greeting=SmtpReply(code, tuple(lines)), transcript=(f"S: {said}",))
    facts = EndpointFacts(endpoint(), NIGHT, (session,))
    assert round_trip(facts) == facts


@given(LATIN, st.binary(max_size=100))
def test_whatever_a_certificate_holds_comes_back(name: str, der: bytes) -> None:
    facts = msgspec.structs.replace(certificate(), names_dns=(name,), subject=name, der=der)
    text = certificate_text(facts)
    assert certificate_from_text(text, der) == facts
    assert "\x00" not in text


def test_domains_come_back() -> None:
    facts = domain(1, 1, 2, 300)
    stored, times = domain_content(facts)
    assert domain_from_text(unpacked(*stored.packed()), times) == facts
    assert times == ""


DAYS = st.datetimes(timezones=st.just(UTC))


def publishing(fetched: datetime, signed: datetime, said: str = "") -> DomainFacts:
    """A domain with every kind of time that moves although nothing changes."""
    tlsa = DnsAnswer("_25._tcp.mx", "TLSA", DnsStatus.RECORDS, dnssec=Dnssec.SECURE, signed_until=signed)
    sts = MtaStsFacts(fetch=PolicyFetch(fetched, body=said), signatures=(SignatureEnd("_mta-sts", "TXT", signed),))
    hosts = (HostTlsa("mx", 25, Dnssec.SECURE, None, (TlsaLookup("mx", 25, tlsa),)),)
    policy = PolicyFacts(hosts, sts, None, (SignatureEnd("example.org", "MX", signed),))
    return msgspec.structs.replace(domain(1), policy=policy)


@given(DAYS, DAYS, LATIN)
def test_what_was_fetched_and_signed_anew_is_the_same_content(fetched: datetime, signed: datetime, said: str) -> None:
    facts = publishing(fetched, signed, said)
    stored, times = domain_content(facts)
    assert domain_from_text(unpacked(*stored.packed()), times) == facts
    assert domain_content(publishing(NIGHT, NIGHT, said))[0] == stored
    assert stored != domain_content(publishing(fetched, signed, said + "x"))[0]
    assert len(times.split()) == 4


def judged(at: datetime, *found: Cliff) -> bytes:
    return msgspec.json.encode({"endpoints": [{"seen_at": at}], "published": {"cliffs": found}})


@given(DAYS, DAYS, LATIN)
def test_the_day_of_a_rolling_cliff_moves_and_that_of_a_certificate_does_not(
    at: datetime, day: datetime, said: str
) -> None:
    def both(at: datetime, day: datetime, rolling: bool) -> bytes:
        return judged(at, Cliff(NIGHT, "MUST", said), Cliff(day, "DANE", "signatures", "mx", rolling))

    stored, times = judgement_content(both(at, day, True))
    assert judgement_from_text(stored.text, times) == both(at, day, True)
    assert judgement_content(both(NIGHT, NIGHT, True))[0] == stored
    assert cliffs_from_text(stored.text, times) == both(at, day, True).replace(msgspec.json.encode(at), b'""', 1)
    fixed, times = judgement_content(both(at, day, False))
    assert len(times.split()) == 1
    assert (judgement_content(both(at, NIGHT, False))[0] == fixed) is (day == NIGHT)


WORDS = st.lists(st.sampled_from(["2026-11-21T06:30:00Z", "2026-11-22T06:30:00.000001Z", "5", "0", "-"]), max_size=6)


@given(WORDS, WORDS)
def test_times_are_packed_and_come_back(of_judgement: list[str], of_facts: list[str]) -> None:
    packed = packed_times(" ".join(of_judgement), " ".join(of_facts))
    assert unpacked_times(packed) == (" ".join(of_judgement), " ".join(of_facts))
    assert all(packed.split().count(word) <= 1 for word in (*of_judgement, *of_facts))


def test_time_and_certificates_are_not_part_of_the_content() -> None:
    first = endpoint_content(seen())
    later = endpoint_content(msgspec.structs.replace(seen(), seen_at=NIGHT.replace(year=2027)))
    assert first == later
    assert first.sha256 != endpoint_content(seen(2)).sha256
    assert len(first.text) < len(msgspec.json.encode(seen())) - sum(len(one.der) for one in seen().certificates)


TIMES = st.lists(st.datetimes(timezones=st.just(UTC)), max_size=3)
SLIPS = st.sampled_from(
    [
        b'"at":"',
        b'","what":"a","why":"b","where":"c","rolling":true',
        b'"signed_until":""',
        b'"seen_at":""',
        b'"seen_at":"x"',
        b'"seen_at":"2026',
        b'"seen_at":" "',
        b'"',
        b'"seen_at":"2026-11-21T06:30:00Z"',
    ]
)


@given(TIMES, LATIN)
def test_the_times_of_a_judgement_are_kept_apart(times: list[datetime], said: str) -> None:
    def judged(seen: list[datetime]) -> bytes:
        return msgspec.json.encode({"why": said, "endpoints": [{"seen_at": at, "detail": said} for at in seen]})

    stored, apart = judgement_content(judged(times))
    assert judgement_from_text(stored.text, apart) == judged(times)
    assert judgement_content(judged([NIGHT] * len(times)))[0] == stored
    assert len(apart.split()) == len(times)


@given(st.lists(SLIPS | TIMES.map(msgspec.json.encode) | st.binary(max_size=9), max_size=6).map(b"".join))
def test_any_judgement_comes_back_to_the_byte(judgement: bytes) -> None:
    stored, apart = judgement_content(judgement)
    assert judgement_from_text(stored.text, apart) == judgement


def test_the_shorter_coding_is_taken() -> None:
    short, long = content("judgement", b"{}"), content("judgement", b'{"grade":"MUST"}' * 20)
    assert short.packed() == (Coding.PLAIN, b"{}")
    assert long.packed()[0] is Coding.ZLIB
    assert unpacked(*long.packed()) == long.text


def test_targets_come_back() -> None:
    assert target_text(Target("example.org", "example.org", required=Level.MUST)) is None
    for target in (
        Target("example.org", "example.org"),
        Target("example.org", "example.org", required=Level.MAY),
        Target("example.org:587", "example.org", port=587),
        Target("[IPv6:2001:db8::1]:25", "2001:db8::1", True, 25, Level.MUST),
    ):
        assert target_from_stored(target.entry, target.required, target_text(target)) == target


def test_the_column_decides_what_is_required() -> None:
    weak = Target("example.org:587", "example.org", port=587, required=Level.MAY)
    assert target_from_stored(weak.entry, "MUST", target_text(weak)).required is Level.MUST
