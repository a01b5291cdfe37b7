"""Published policy from the DNS to the record: real scans of small servers and policy hosts on loopback."""

import errno
from collections.abc import Mapping
from contextlib import AsyncExitStack
from typing import Any

import pytest
import trio
from msgspec import Struct

from audits.demo.behaviour import Behaviour, TlsServer
from audits.demo.certificates import Authority, Credential, Validity, new_authority, self_signed
from audits.demo.dns_server import serve_dns
from audits.demo.smtp_server import SmtpServer, serve
from audits.judge import Judge
from audits.mta_sts import StsState
from audits.must_names import MustBy
from audits.published import PublishedVerdict
from audits.records import DomainRecord
from audits.show_policy import published_lines
from audits.trust import TrustStore
from scanner.dns_lookup import Resolver
from scanner.endpoint_probe import Shells
from scanner.facts import Fact, Target
from scanner.pipeline import ProbedDomain, run_scan
from scanner.settings import ScanSettings
from scanner.tcp import TcpSocket, connect_tcp
from tests.scanner.policy_hosts import POLICY, TEXT, PolicyHost, Running, http, policy_host

AUTHORITY: Authority = new_authority()
MX, HOST, DOMAIN = "mx.example.org", "mta-sts.example.org", "example.org"
MAIL, WEB = "192.0.2.25", "192.0.2.44"
GOOD = AUTHORITY.credential(MX)
WEB_GOOD = AUTHORITY.credential(HOST)


class Scanned(Struct, frozen=True):
    """One scanned domain, and how often its servers were asked."""

    record: DomainRecord
    published: PublishedVerdict
    mail: SmtpServer
    web: Running | None
    result: ProbedDomain


def zone(**more: Any) -> dict[str, Any]:
    return {
        DOMAIN: {"MX": ["10 mx.example.org."]},
        MX: {"A": [MAIL]},
        f"_mta-sts.{DOMAIN}": {"TXT": ['"v=STSv1; id=1;"']},
        HOST: {"A": [WEB]},
        **more,
    }


def smtp(*credentials: Credential) -> Behaviour:
    return Behaviour(tls=TlsServer(chains=tuple(each.chain_pem for each in credentials)))


async def scan(
    answers: Mapping[str, Any], host: PolicyHost | None, mail: Behaviour | None = None, **choices: Any
) -> Scanned:
    """Scans example.org with the whole scanner; only ports are mapped."""
    found: list[ProbedDomain] = []

    async def deliver(domain: ProbedDomain) -> None:
        found.append(domain)
        await trio.lowlevel.checkpoint()

    async with trio.open_nursery() as nursery, AsyncExitStack() as stack:
        dns = await nursery.start(serve_dns, answers)
        server = await nursery.start(serve, mail or smtp(GOOD))
        web = await stack.enter_async_context(policy_host(host)) if host else None
        ports = {(MAIL, 25): server.port, (WEB, 443): web.port if web else None}

        async def connect(address: str, port: int) -> TcpSocket:
            if ports.get((address, port)) is None:
                raise ConnectionRefusedError(errno.ECONNREFUSED, "refused")
            return await connect_tcp("127.0.0.1", ports[address, port] or 0)

        settings = {"ports": (25,), "interval_s": 0.0, "published": True, "allow_private": True, **choices}
        shells = Shells(look_up=Resolver((f"127.0.0.1:{dns.port}",)).look_up, connect=connect)
        await run_scan([Target(DOMAIN, DOMAIN)], ScanSettings(**settings), shells, deliver)
        nursery.cancel_scope.cancel()
    judge = Judge(TrustStore([AUTHORITY.root.certificate.public_bytes(_der())]), 9, None)
    record = judge.record(found[0].facts, found[0].endpoints)
    assert record.published
    return Scanned(record, record.published, server, web, found[0])


def _der() -> Any:
    from cryptography.hazmat.primitives.serialization import Encoding

    return Encoding.DER


def web(answer: bytes = http(POLICY), credential: Credential | None = WEB_GOOD) -> PolicyHost:
    return PolicyHost(credential=credential, answer=answer)


# --- MTA-STS: the states of a policy host --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("host", "state", "cause"),
    [
        (web(), StsState.VALID, None),
        (web(http(POLICY.replace("\n", "\r\n"))), StsState.VALID, None),
        (web(http(POLICY + "more: keys\n")), StsState.VALID, None),
        (web(http(POLICY.replace("enforce", "testing"))), StsState.VALID, None),
        (web(http("version: STSv1\nmode: none\nmax_age: 60\n")), StsState.VALID, None),
        (web(credential=AUTHORITY.credential("www.example.org")), StsState.WEBPKI_INVALID, "sts-webpki-invalid"),
        (
            web(credential=AUTHORITY.credential(HOST, validity=Validity.EXPIRED)),
            StsState.WEBPKI_INVALID,
            "sts-webpki-invalid",
        ),
        (web(credential=self_signed(HOST)), StsState.WEBPKI_INVALID, "sts-webpki-invalid"),
        (web(http("", "301 Moved", TEXT, "Location: https://x/")), StsState.FETCH_ERROR, "sts-policy-fetch-error"),
        (web(http("no", "404 Not Found")), StsState.FETCH_ERROR, "sts-policy-fetch-error"),
        (web(http("x" * 70_000)), StsState.FETCH_ERROR, "sts-policy-fetch-error"),
        (web(http(POLICY, media_type="text/html")), StsState.FETCH_ERROR, "sts-policy-fetch-error"),
        (web(http(POLICY.replace("STSv1", "STSv9"))), StsState.POLICY_INVALID, "sts-policy-invalid"),
        (web(credential=None), StsState.FETCH_ERROR, "sts-policy-fetch-error"),
        (None, StsState.FETCH_ERROR, "sts-policy-fetch-error"),
    ],
)
async def test_states_of_a_policy_host(host, state, cause):
    scanned = await scan(zone(), host)
    sts = scanned.published.mta_sts
    assert sts is not None
    assert sts.state is state
    assert (sts.reason.cause.value if sts.reason else None) == cause
    assert scanned.record.grade == "MUST"
    assert any("MTA-STS" in line for line in published_lines(scanned.published))


async def test_a_host_that_is_silent_leaves_it_open(monkeypatch):
    monkeypatch.setattr("scanner.settings.POLICY_TIMEOUT_S", 0.5)
    scanned = await scan(zone(), PolicyHost(credential=WEB_GOOD, answer=b"", hangs=True))
    assert scanned.published.mta_sts
    assert scanned.published.mta_sts.state is StsState.UNKNOWN


@pytest.mark.parametrize(
    ("text", "state"),
    [(None, StsState.NONE), ("v=spf1", StsState.NONE), ("v=STSv1; id=a-b", StsState.RECORD_INVALID)],
)
async def test_without_a_record_nothing_is_fetched(text, state):
    answers = zone()
    answers[f"_mta-sts.{DOMAIN}"] = {"TXT": [f'"{text}"']} if text else {}
    scanned = await scan(answers, web())
    assert scanned.published.mta_sts
    assert scanned.published.mta_sts.state is state
    assert scanned.web
    assert scanned.web.requests == []
    assert scanned.mail.connections == 1


# --- the live servers under the policy -----------------------------------------------------------------------------


async def test_a_policy_that_the_server_keeps():
    scanned = await scan(zone(), web())
    sts = scanned.published.mta_sts
    assert sts
    assert (sts.delivers, sts.id, sts.max_age_s) == (Fact.YES, "1", 604800)
    assert scanned.published.must_by == (MustBy.STS,)
    assert [cliff.what for cliff in scanned.published.cliffs].count("MTA-STS") == 1, (
        "the intermediate outlives the leaf"
    )


async def test_the_handshake_with_a_name_is_one_more_connection_and_a_second_chain_one_more():
    assert (await scan(zone(), web())).mail.connections == 3
    none = await scan(zone(), web(http("version: STSv1\nmode: none\nmax_age: 60\n")))
    assert none.mail.connections == 1
    assert [each.sni for each in none.record.endpoints] == [""]


async def test_the_second_chain_is_not_held_against_the_server():
    scanned = await scan(zone(), web())
    (named,) = [each for each in scanned.result.endpoints if each.endpoint.sni]
    assert [session.handshake is not None for session in named.sessions] == [True, False]
    (shown,) = [each for each in scanned.record.endpoints if each.sni]
    assert (shown.use, shown.sni, shown.unknown) == ("policy", MX, ())


@pytest.mark.parametrize(
    ("mail", "body", "word"),
    [
        (smtp(AUTHORITY.credential("other.example.org")), POLICY, "certificate-host-mismatch"),
        (smtp(AUTHORITY.credential(MX, validity=Validity.EXPIRED)), POLICY, "certificate-expired"),
        (smtp(self_signed(MX)), POLICY, "certificate-not-trusted"),
        (Behaviour(), POLICY, "starttls-not-supported"),
        (smtp(GOOD), POLICY.replace("mx.example.org", "*.mx.example.org"), "validation-failure"),
    ],
)
async def test_a_policy_that_the_server_breaks(mail, body, word):
    scanned = await scan(zone(), web(http(body)), mail)
    sts = scanned.published.mta_sts
    assert sts
    assert sts.delivers is Fact.NO
    assert sts.reason
    assert sts.reason.cause.value == word


async def test_a_wildcard_stands_for_one_label():
    scanned = await scan(zone(), web(http(POLICY.replace("mx.example.org", "*.example.org"))))
    assert scanned.published.mta_sts
    assert scanned.published.mta_sts.delivers is Fact.YES


async def test_the_policy_host_obeys_the_rules_for_addresses():
    scanned = await scan(zone(), web(), allow_private=False)
    sts = scanned.published.mta_sts
    assert sts
    assert sts.state is StsState.UNKNOWN
    assert sts.reason
    assert "address-not-public" in sts.reason.detail
    assert scanned.web
    assert scanned.web.names == []


async def test_an_excluded_policy_host_is_not_even_looked_up():
    scanned = await scan(zone(), web(), excluded_names=(HOST,))
    assert scanned.published.mta_sts
    assert scanned.published.mta_sts.state is StsState.UNKNOWN
    assert scanned.web
    assert scanned.web.names == []


# --- names, reports, and no policy at all --------------------------------------------------------------------------


async def test_a_certificate_of_the_domain_itself():
    scanned = await scan(zone(**{f"_mta-sts.{DOMAIN}": {}}), None, smtp(AUTHORITY.credential(MX, DOMAIN)))
    assert scanned.published.must_by == (MustBy.NEXTHOP,)


async def test_names_from_unsigned_records_alone():
    scanned = await scan(zone(**{f"_mta-sts.{DOMAIN}": {}}), None)
    assert scanned.published.must_by == (MustBy.INSECURE_MX,)


async def test_tls_reports():
    answers = zone(**{f"_smtp._tls.{DOMAIN}": {"TXT": ['"v=TLSRPTv1; " "rua=mailto:tls@example.org"']}})
    scanned = await scan(answers, web())
    assert scanned.published.tls_rpt
    assert scanned.published.tls_rpt.destinations == ("mailto:tls@example.org",)


async def test_tlsa_records_without_a_validating_resolver_stay_open():
    answers = zone(**{f"_25._tcp.{MX}": {"TLSA": ["3 1 1 " + "00" * 32]}, f"_mta-sts.{DOMAIN}": {}})
    scanned = await scan(answers, None)
    dane = scanned.published.dane
    assert dane
    assert (dane.dane, dane.dane_only) == (Fact.INCONCLUSIVE, Fact.INCONCLUSIVE)
    assert scanned.mail.connections == 1


async def test_nothing_is_looked_for_where_nobody_wants_it():
    scanned = await scan(zone(), web(), published=False)
    assert (scanned.published.dane, scanned.published.mta_sts) == (None, None)
    assert scanned.mail.connections == 1
    assert scanned.web
    assert scanned.web.requests == []


async def test_without_policy_its_levels_are_unknown() -> None:
    """--no-policy: nobody asks, and nothing is denied."""
    scanned = await scan(zone(), None, published=False)
    assert (scanned.published.dane, scanned.published.mta_sts) == (None, None)
    assert [str(level) for level in scanned.record.unknown] == ["dane", "dane-only"]
    assert "MUST" in scanned.record.sustained
    assert scanned.mail.connections == 1
