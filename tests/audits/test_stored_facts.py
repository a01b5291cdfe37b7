"""Facts come back from their stored form as they were, whatever stands in them."""

from datetime import UTC, datetime

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from audits.stored_facts import (
    Coding,
    certificate_from_text,
    certificate_text,
    content,
    domain_content,
    domain_from_text,
    endpoint_content,
    endpoint_from_text,
    judgement_content,
    judgement_from_text,
    target_from_stored,
    target_text,
    unpacked,
)
from scanner.answers import Fact
from scanner.deep_facts import DeepFacts
from scanner.facts import EndpointFacts, Level, SessionFacts, Target
from scanner.failures import SmtpReply
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
        seen(), failure=unreachable().failure, tls=TlsFacts(versions=(), connections=7), hello_connections=7, deep=deep
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
    assert domain_from_text(unpacked(*domain_content(facts).packed())) == facts


def test_time_and_certificates_are_not_part_of_the_content() -> None:
    first = endpoint_content(seen())
    later = endpoint_content(msgspec.structs.replace(seen(), seen_at=NIGHT.replace(year=2027)))
    assert first == later
    assert first.sha256 != endpoint_content(seen(2)).sha256
    assert len(first.text) < len(msgspec.json.encode(seen())) - sum(len(one.der) for one in seen().certificates)


TIMES = st.lists(st.datetimes(timezones=st.just(UTC)), max_size=3)
SLIPS = st.sampled_from(
    [b'"seen_at":""', b'"seen_at":"x"', b'"seen_at":"2026', b'"seen_at":" "', b'"', b'"seen_at":"2026-11-21T06:30:00Z"']
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
