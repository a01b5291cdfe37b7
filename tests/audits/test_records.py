"""The machine-readable contract: the keys and words of ARCHITECTURE section 7, for hostile servers too."""

import json
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from audits.grade import domain_verdict
from audits.records import SCHEMA, DomainRecord, domain_record, json_schema
from scanner.facts import (
    DomainFacts,
    Endpoint,
    EndpointFacts,
    EndpointRef,
    EndpointUse,
    Fact,
    Level,
    MailRoute,
    RouteStatus,
    Target,
)
from scanner.failures import Kind, ProbeFailure, SmtpReply, Stage
from scanner.tls_facts import CertificateFacts
from scanner.wire_facts import TlsFacts, VersionFacts
from tests.audits.session_factory import (
    ANONYMOUS,
    BROKEN_TLS,
    GOOD,
    ISSUER,
    LEAF,
    MX,
    NO_TLS,
    OLD_TLS,
    SEEN,
    Server,
    any_server,
    asked,
    domain_facts,
    handshake,
    reference,
    reply,
    trusting,
)

VALIDATOR = Draft202012Validator(json_schema(), format_checker=Draft202012Validator.FORMAT_CHECKER)


def record_of(*seen: EndpointFacts, required: Level | None = None) -> DomainRecord:
    facts = domain_facts(*(reference(each) for each in seen))
    known = {each.endpoint: each for each in seen}
    return domain_record(facts, known, domain_verdict(facts, known, trusting, required), "example.org", required)


def printed(record: DomainRecord) -> dict[str, Any]:
    """The record as a reader of the JSON lines gets it."""
    line = msgspec.json.encode(record)
    assert b"\n" not in line
    parsed: dict[str, Any] = json.loads(line)
    return parsed


# --- the contract --------------------------------------------------------------------------------------------------

CONTRACT = {
    "": "schema domain grade some_mx_grade sustained unknown today coverage binding required compliant"
    " endpoints findings",
    "coverage": "asked answered",
    "binding": "mx_host address port reason detail",
    "endpoints": "mx_host address port state starttls sustained protocols suites suites_complete certificates"
    " connections",
}
"""What ARCHITECTURE section 7 promises. Keys may be added, never lost."""


def test_every_promised_key_is_there():
    record = printed(record_of(asked(NO_TLS)))
    parts = {"": record, **{key: record[key] for key in ("coverage", "binding")}, "endpoints": record["endpoints"][0]}
    for part, keys in CONTRACT.items():
        assert set(keys.split()) <= set(parts[part]), part


HEALTHY_DOMAIN = {
    "schema": 1,
    "domain": "example.org",
    "domain_unicode": "example.org",
    "route": "mx",
    "grade": "MUST",
    "some_mx_grade": "MUST",
    "sustained": ["NONE", "MAY", "MUST_NOPEERMATCH", "MUST"],
    "unknown": ["dane", "dane-only"],
    "today": "authenticated",
    "coverage": {"asked": 1, "answered": 1, "not_asked": 0},
    "binding": None,
    "remarks": [],
    "required": "MUST",
    "compliant": True,
    "findings": [],
    "baselines": [],
    "published": None,
}
HEALTHY_ENDPOINT = {
    "mx_host": MX,
    "preference": 10,
    "address": "192.0.2.1",
    "family": 4,
    "port": 25,
    "use": "mail",
    "state": "ok",
    "starttls": "yes",
    "sustained": ["NONE", "MAY", "MUST_NOPEERMATCH", "MUST"],
    "unknown": [],
    "reasons": [],
    "remarks": [],
    "detail": "",
    "protocols": {
        "TLSv1.3": "yes",
        "TLSv1.2": "not-tested",
        "TLSv1.1": "not-tested",
        "TLSv1.0": "not-tested",
        "SSLv3": "not-tested",
    },
    "suites": {"TLSv1.3": ["TLS_AES_256_GCM_SHA384"]},
    "suites_complete": {"TLSv1.3": False},
    "group": "X25519",
    "certificates": [LEAF.sha256, ISSUER.sha256],
    "leaf": {
        "sha256": LEAF.sha256,
        "subject": f"CN={MX}",
        "issuer": "",
        "names": [MX],
        "not_before": None,
        "not_after": "2026-11-21T06:30:00Z",
    },
    "connections": 1,
    "seen_at": "2026-11-21T06:30:00Z",
    "tls": None,
    "deep": None,
    "sni": "",
    "tls_seen_at": None,
}


def test_a_healthy_domain_in_full():
    record = printed(record_of(asked(GOOD), required=Level.MUST))
    (endpoint,) = record.pop("endpoints")
    assert record == HEALTHY_DOMAIN
    assert endpoint.pop("smtp") == {
        "keywords_clear": ["SIZE", "STARTTLS"],
        "keywords_tls": ["SIZE"],
        "auth_in_clear": "no",
        "auth_inside_tls": "no",
        "tls_required": "no",
    }
    trust = endpoint.pop("trust")
    assert (trust["trusted"], trust["result"]) == (True, "")
    assert endpoint == HEALTHY_ENDPOINT


def test_what_binds_is_told_with_the_remedy():
    record = printed(record_of(asked(Server(starttls=reply(502, "5.5.1 No TLS here")))))
    assert record["binding"] == {
        "mx_host": MX,
        "address": "192.0.2.1",
        "port": 25,
        "reason": "starttls-refused",
        "detail": "starttls: permanent-reply (502 5.5.1 No TLS here)",
        "remedy": "accept STARTTLS where it is announced, or announce it no longer",
    }
    reasons = record["endpoints"][0]["reasons"]
    assert [(each["level"], each["sustained"], each["reason"]) for each in reasons] == [
        ("MUST_NOPEERMATCH", "no", "starttls-refused"),
        ("MUST", "no", "starttls-refused"),
    ]


def enums(schema: dict[str, Any], name: str) -> set[str]:
    return set(schema["$defs"][name]["enum"])


def test_the_words_of_the_contract():
    schema = json_schema()
    assert enums(schema, "Grade") == {"NONE", "MAY", "MUST_NOPEERMATCH", "MUST", "INCONCLUSIVE", "NO_MAIL"}
    assert enums(schema, "Level") == {"NONE", "MAY", "MUST_NOPEERMATCH", "MUST"}
    assert enums(schema, "Fact") == {"yes", "no", "inconclusive", "not-tested"}
    assert enums(schema, "Today") == {"lost", "clear", "encrypted", "authenticated", "unknown"}
    assert enums(schema, "State") == {"ok", "unreachable", "closed", "refused", "inconclusive", "not-asked"}


# --- protocols and suites ------------------------------------------------------------------------------------------


def test_every_session_shows_its_version_and_suite():
    (endpoint,) = printed(record_of(asked(OLD_TLS)))["endpoints"]
    assert endpoint["protocols"]["TLSv1.0"] == "yes"
    assert endpoint["suites"] == {"TLSv1.0": ["TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"]}
    assert endpoint["connections"] == 2
    both = printed(record_of(asked(Server(shake=Kind.RESET, classic=handshake("TLSv1.2"), level1=handshake()))))
    assert set(both["endpoints"][0]["suites"]) == {"TLSv1.3", "TLSv1.2"}


def test_a_version_that_nobody_got_is_not_tested_rather_than_no():
    (endpoint,) = printed(record_of(asked(BROKEN_TLS)))["endpoints"]
    assert set(endpoint["protocols"].values()) == {"not-tested"}
    assert (endpoint["suites"], endpoint["suites_complete"]) == ({}, {})
    assert (endpoint["group"], endpoint["certificates"], endpoint["leaf"]) == (None, [], None)


def test_hellos_and_handshakes_are_told_together():
    tls = TlsFacts(
        versions=(
            VersionFacts(version="TLSv1.3", offered=Fact.YES, suites=("TLS_AES_256_GCM_SHA384",), complete=True),
            VersionFacts(version="TLSv1.2", offered=Fact.YES, suites=("TLS_RSA_WITH_AES_128_CBC_SHA",), complete=True),
            VersionFacts(version="TLSv1.1", offered=Fact.NO),
            VersionFacts(version="SSLv2", offered=Fact.INCONCLUSIVE),
        )
    )
    seen = asked(Server(shake=Kind.RESET, classic=handshake("TLSv1.2"), level1=handshake()))
    record = record_of(msgspec.structs.replace(seen, tls=tls))
    (endpoint,) = printed(record)["endpoints"]
    assert endpoint["protocols"] == {
        **{"TLSv1.3": "yes", "TLSv1.2": "yes", "TLSv1.1": "no"},
        **{"TLSv1.0": "not-tested", "SSLv3": "not-tested", "SSLv2": "inconclusive"},
    }
    assert len(endpoint["suites"]["TLSv1.2"]) == 2
    assert endpoint["suites_complete"] == {"TLSv1.3": True, "TLSv1.2": False}
    assert VALIDATOR.is_valid(printed(record))


def test_an_anonymous_suite_has_no_certificate():
    (endpoint,) = printed(record_of(asked(Server(shake=Kind.TLS, classic=ANONYMOUS))))["endpoints"]
    assert (endpoint["certificates"], endpoint["leaf"]) == ([], None)
    assert endpoint["reasons"][0]["reason"] == "no-certificate"


# --- other domains -------------------------------------------------------------------------------------------------


def test_a_domain_without_hosts():
    facts = domain_facts(status=RouteStatus.NULL_MX)
    record = printed(domain_record(facts, {}, domain_verdict(facts, {}, trusting), "example.org"))
    assert (record["grade"], record["route"], record["endpoints"]) == ("NO_MAIL", "null-mx", [])
    assert record["binding"]["reason"] == "null-mx"
    assert (record["binding"]["mx_host"], record["binding"]["address"], record["binding"]["port"]) == ("", "", 0)
    VALIDATOR.validate(record)


def test_an_endpoint_that_nobody_asked():
    left = ProbeFailure(Stage.CONNECT, Kind.NO_LOCAL_IPV6, "2001:db8::1")
    facts = domain_facts(EndpointRef(MX, 10, Endpoint("2001:db8::1", 25), failure=left))
    record = printed(domain_record(facts, {}, domain_verdict(facts, {}, trusting), "example.org"))
    (endpoint,) = record["endpoints"]
    assert (endpoint["state"], endpoint["family"], endpoint["connections"], endpoint["seen_at"]) == (
        "not-asked",
        6,
        0,
        None,
    )
    assert endpoint["detail"] == "connect: no-local-ipv6 (2001:db8::1)"
    VALIDATOR.validate(record)


def test_the_targets_own_demand_and_names_are_shown():
    target = Target("[mx.xn--bcher-kva.example]:587", "mx.xn--bcher-kva.example", True, 587, Level.MAY)
    facts = DomainFacts(target, MailRoute(RouteStatus.NEXT_HOP))
    verdict = domain_verdict(facts, {}, trusting, Level.MUST)
    record = printed(domain_record(facts, {}, verdict, "[mx.b\xfccher.example]:587", Level.MUST))
    assert (record["domain"], record["domain_unicode"]) == (target.entry, "[mx.b\xfccher.example]:587")
    assert (record["required"], record["compliant"]) == ("MAY", None)


def test_submission_is_marked():
    seen = asked(GOOD, port=465, envelope=False)
    facts = domain_facts(reference(seen, use=EndpointUse.SUBMISSION))
    known = {seen.endpoint: seen}
    (endpoint,) = printed(domain_record(facts, known, domain_verdict(facts, known, trusting), ""))["endpoints"]
    assert (endpoint["use"], endpoint["state"], endpoint["starttls"]) == ("submission", "ok", "not-tested")


# --- schema, round trip, hostile text ------------------------------------------------------------------------------


def test_the_schema_is_one():
    Draft202012Validator.check_schema(json_schema())
    assert json_schema()["title"].endswith(f"schema {SCHEMA}")


@pytest.mark.parametrize("key", ["grade", "coverage", "endpoints", "domain", "schema"])
def test_the_schema_refuses_a_record_without_a_key(key):
    record = printed(record_of(asked(GOOD)))
    VALIDATOR.validate(record)
    del record[key]
    assert not VALIDATOR.is_valid(record)


@pytest.mark.parametrize(("key", "value"), [("grade", "A+"), ("today", "yes"), ("sustained", ["ENCRYPT"])])
def test_the_schema_refuses_other_words(key, value):
    assert not VALIDATOR.is_valid(printed(record_of(asked(GOOD))) | {key: value})


@settings(deadline=None)
@given(st.lists(any_server(), min_size=1, max_size=3), st.sampled_from([None, *Level]))
def test_any_record_fits_the_schema_and_survives_a_round_trip(servers, required):
    record = record_of(*(asked(server, address=f"192.0.2.{n}") for n, server in enumerate(servers)), required=required)
    VALIDATOR.validate(printed(record))
    assert msgspec.json.decode(msgspec.json.encode(record), type=DomainRecord) == record


LATIN = st.binary(max_size=40).map(lambda data: data.decode("latin-1"))
HOSTILE = st.one_of(LATIN, st.sampled_from(["\x00", "\x1b[2J", "\r\n", "\u2028", '"}\n{"', "=cmd()", "\x7f\x9b"]))


@settings(deadline=None)
@given(HOSTILE, HOSTILE, HOSTILE)
def test_hostile_text_survives(words, subject, name):
    leaf = CertificateFacts(
        "dd" * 32, b"", subject, subject, names_dns=(name,), not_after=datetime.max.replace(tzinfo=UTC)
    )
    server = Server(
        mail=SmtpReply(550, (words, words)),
        shake=msgspec.structs.replace(handshake(chain=(leaf,)), group=words),
    )
    seen = msgspec.structs.replace(asked(server), certificates=(leaf,))
    ref = EndpointRef(name, 10, seen.endpoint)
    facts, known = domain_facts(ref), {seen.endpoint: seen}
    record = domain_record(facts, known, domain_verdict(facts, known, trusting), words)
    assert msgspec.json.decode(msgspec.json.encode(record), type=DomainRecord) == record
    read = printed(record)
    VALIDATOR.validate(read)
    (endpoint,) = read["endpoints"]
    assert (endpoint["leaf"]["subject"], endpoint["leaf"]["names"]) == (subject, [name])
    assert endpoint["reasons"][0]["detail"] == f"mail: permanent-reply ({SmtpReply(550, (words, words)).text})"
    assert (read["domain_unicode"], endpoint["mx_host"]) == (words, name)


def test_facts_seen_at_are_utc():
    assert record_of(asked(GOOD)).endpoints[0].seen_at == SEEN
