"""Baselines against real servers and a real name server on loopback; what is expected was written out by hand."""

import hashlib
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from audits.demo.behaviour import MUST_ISSUE_STARTTLS, Behaviour, Close, Listen, Send, TlsServer, reply
from audits.demo.certificates import Authority, Credential, new_authority, self_signed
from audits.demo.dns_answers import Trouble
from tests.certificate_factory import Issued, intermediate, leaf, root, rsa_key
from tests.loopback_world import world

ROOT = root("Old Root CA")
INTER = intermediate(ROOT, "Old Intermediate CA")
SIGNED = ("good.example", "stale.example", "web.example", "canary.example")
MAIL_REPORTS = '"v=TLSRPTv1; rua=mailto:tls@good.example"'
WEB_REPORTS = '"v=TLSRPTv1; rua=https://good.example/tls"'
HOSTS = ("good", "stale", "web", "plain", "clear", "broken", "again", "long", "own", "busy", "alias")
"""The first label of each domain, in the order of the addresses 192.0.2.1 and so on."""
POLICY_HOSTS = {"good": "192.0.2.80", "web": "192.0.2.81", "stale": "192.0.2.82"}
"""The last one refuses connections."""


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def tlsa(credential: Credential) -> list[str]:
    """3 1 1 of the leaf's key and 2 0 1 of the intermediate, as BSI TR-03108 advises."""
    key = credential.leaf.certificate.public_key()
    spki = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    issuer = credential.others[0].public_bytes(Encoding.DER)
    return [f"3 1 1 {digest(spki)}", f"2 0 1 {digest(issuer)}"]


def zone(credentials: dict[str, Credential]) -> dict[str, Any]:
    """Every domain with its host; those that publish more."""
    names: dict[str, Any] = {"ok.canary.example": {"A": ["192.0.2.99"]}, "bad.canary.example": Trouble.SERVFAIL}
    for number, name in enumerate(HOSTS, 1):
        names[f"{name}.example"] = {"MX": [f"10 mx.{name}.example."]}
        names[f"mx.{name}.example"] = {"A": [f"192.0.2.{number}"]}
    names["mx.alias.example"] = {"CNAME": ["mx.plain.example."]}
    for name in ("good", "web"):
        names[f"_25._tcp.mx.{name}.example"] = {"TLSA": tlsa(credentials[name])}
        names[f"_submissions._tcp.{name}.example"] = {"SRV": [f"0 1 465 mx.{name}.example."]}
    names["_25._tcp.mx.stale.example"] = {"TLSA": [f"3 1 1 {'00' * 32}", f"3 0 0 {'00' * 4}", f"1 1 1 {'00' * 32}"]}
    names["_smtp._tls.good.example"] = {"TXT": [MAIL_REPORTS]}
    names["_smtp._tls.web.example"] = {"TXT": [WEB_REPORTS]}
    names["_smtp._tls.stale.example"] = {"TXT": [MAIL_REPORTS, WEB_REPORTS]}
    names["_mta-sts.plain.example"] = {"TXT": ['"v=STSv1; id=;"']}
    for name, address in POLICY_HOSTS.items():
        names[f"_mta-sts.{name}.example"] = {"TXT": ['"v=STSv1; id=1;"']}
        names[f"mta-sts.{name}.example"] = {"A": [address]}
    names["null.example"] = {"MX": ["0 ."]}
    names["nullish.example"] = {"MX": ["5 .", "10 mx.plain.example."]}
    names["lost.example"] = {"MX": Trouble.SERVFAIL}
    return names


def pem(certificate: Issued, *others: Issued) -> bytes:
    return certificate.key.pem + certificate.pem + b"".join(other.pem for other in others)


def servers(authority: Authority, credentials: dict[str, Credential]) -> dict[tuple[str, int], Behaviour]:
    def speaking(name: str, chain: bytes = b"", **more: Any) -> Behaviour:
        given = chain or credentials[name].chain_pem
        return Behaviour(name=f"mx.{name}.example", tls=TlsServer(chains=(given,)), **more)

    long = pem(leaf(INTER, "mx.long.example", key=rsa_key(2048, "long")), INTER, ROOT)
    said = ("SIZE 1000", "AUTH PLAIN")
    by_name = {
        **{name: speaking(name) for name in ("good", "stale", "web", "plain")},
        "clear": Behaviour(name="mx.clear.example", keywords=said),
        "broken": Behaviour(name="mx.broken.example", after_220=(Send(b"no TLS here\r\n"),)),
        "again": speaking(
            "again", ehlo_tls=reply(250, "mx.again.example", "STARTTLS"), keywords=said, mail=MUST_ISSUE_STARTTLS
        ),
        "long": speaking("long", long),
        "own": speaking("own", self_signed("mx.own.example").chain_pem),
        "busy": Behaviour(name="mx.busy.example", greeting=reply(421, "4.7.0 too busy")),
    }
    placed = {(f"192.0.2.{HOSTS.index(name) + 1}", 25): behaviour for name, behaviour in by_name.items()}
    for name in ("good", "web"):
        address = f"192.0.2.{HOSTS.index(name) + 1}"
        placed[address, 587] = speaking(name)
        placed[address, 465] = speaking(name, implicit_tls=True)
    return placed


def policy_hosts(authority: Authority) -> dict[tuple[str, int], Behaviour]:
    """HTTPS servers that answer any request with a policy; one has a wildcard certificate."""

    def serving(name: str, certified: str) -> Behaviour:
        body = f"version: STSv1\r\nmode: enforce\r\nmax_age: 1209600\r\nmx: mx.{name}.example\r\n"
        head = f"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {len(body)}\r\n\r\n"
        chain = authority.credential(certified).chain_pem
        script = (Listen(), Send((head + body).encode()), Close())
        return Behaviour(name=name, tls=TlsServer(chains=(chain,)), implicit_tls=True, greeting=script)

    return {
        (POLICY_HOSTS["good"], 443): serving("good", "mta-sts.good.example"),
        (POLICY_HOSTS["web"], 443): serving("web", "*.web.example"),
    }


BASELINES = ("rfc", "bsi-tr-03108", "bod-18-01", "cabf-tls-br", "mail-practice")
DOMAINS = [*(f"{name}.example" for name in HOSTS), "null.example", "nullish.example", "lost.example"]


CHOSEN = [word for id in BASELINES for word in ("--baseline", id)]


@pytest.fixture(scope="module")
def scan(tmp_path_factory):
    """The world, and what one scan of it printed."""
    authority = new_authority()
    credentials = {
        name: authority.credential(f"mx.{name}.example") for name in ("good", "stale", "web", "plain", "again")
    }
    folder = tmp_path_factory.mktemp("baselines")
    (folder / "old.pem").write_bytes(ROOT.pem)
    running_servers = servers(authority, credentials) | policy_hosts(authority)
    with world(folder, zone(credentials), running_servers, authority, SIGNED) as running:
        options = ["--depth", "full", "--envelope", "--cafile", "old.pem", "--format", "jsonl", "-q"]
        more = ["--dnssec-canary", "ok.canary.example,bad.canary.example", "--max-inconclusive", "100"]
        done = running.run("scan", *running.arguments(), *options, *more, *CHOSEN, *DOMAINS)
        assert done.returncode == 0, done.stderr
        yield running, done.stdout


@pytest.fixture(scope="module")
def scanned(scan):
    """Domain -> its record."""
    return {record["domain"]: record for record in map(json.loads, scan[1].splitlines())}


ELSEWHERE = ("BCP195-", "RFC10015-", "RFC9155-", "RFC7919-", "RFC3207-INJECTION", "PRACTICE-STORES", "PRACTICE-KINDS")
"""Requirements that other tests hold against servers of their own."""
UNSIGNED = {
    "TR-03108-05-M-DOMAIN": "fail",
    "TR-03108-05-M-HOSTS": "fail",
    "TR-03108-05-M-TLSA": "fail",
}
NO_SUBMISSION = {"TR-03108-01-M-SRV": "advice"}
HIDDEN_SUBMISSION = {"TR-03108-01-M": "unknown", "TR-03108-02-R": "unknown"}
NO_POLICY = {"TR-03108-07-R": "warn", "TR-03108-10-M": "fail", "PRACTICE-RPT": "advice"}
ALONE = {"PRACTICE-IPV6": "advice", "PRACTICE-TWO-HOSTS": "advice"}
NO_BRAINPOOL = {"TR-03116-4-2.2.2-BRAINPOOL": "advice"}
USUAL = UNSIGNED | NO_SUBMISSION | HIDDEN_SUBMISSION | NO_POLICY | ALONE | NO_BRAINPOOL

EXPECTED = {
    "good": ALONE | NO_BRAINPOOL,
    "web": ALONE | NO_BRAINPOOL | {
        "TR-03108-10-M-MAIL": "fail",  # RFC 8460 allows https
        "TR-03108-08-R": "warn",  # RFC 8461 allows a wildcard certificate on the policy host
    },
    "stale": ALONE | NO_BRAINPOOL | NO_SUBMISSION | HIDDEN_SUBMISSION | {
        "RFC7672-2.2.3-COMMIT": "fail",
        "RFC7672-3.1.1-MATCH": "fail",
        "RFC7672-3.1.2-FULL": "warn",
        "RFC7672-3.1.3-PKIX": "warn",
        "RFC6698-PARAM": "fail",
        "RFC7671-8-ROLL": "advice",
        "RFC8460-3-RECORD": "fail",
        "TR-03108-05-M-TWO": "advice",
        "RFC8461-3.3-200": "fail",  # the policy host refuses connections
        "TR-03108-07-R-FETCH": "warn",
        "TR-03108-08-R": "unknown",
    },
    "plain": {key: verdict for key, verdict in USUAL.items() if key != "TR-03108-07-R"} | {
        "RFC8461-3.1-TXT": "fail",  # the id is empty; that there is a record is enough for TR-03108-07-R
    },
    "clear": {key: verdict for key, verdict in USUAL.items() if key not in NO_BRAINPOOL} | {
        "RFC3207-3-OFFER": "advice",
        "TR-03108-03-M": "fail",
        "BOD1801-STARTTLS": "fail",
        "PRACTICE-AUTH": "warn",
    },
    "again": USUAL | {
        "RFC3207-4-NOREQ": "fail",
        "RFC3207-4.2-NOREPEAT": "fail",
        "PRACTICE-AUTH": "warn",
    },
    "long": USUAL | {
        "BR-6.3.2-398": "fail",  # 15 years, issued in 2025
        "BR-6.3.2-SPARE-398": "warn",
        "PRACTICE-ROOT": "advice",
    },
    "own": USUAL | {
        "PRACTICE-TRUST": "advice",
        "PRACTICE-SELF-SIGNED": "advice",
    },
    "alias": USUAL | {
        "RFC5321-5.1-NOCNAME": "advice",
        "PRACTICE-NAME": "warn",
    },
}  # fmt: skip
"""Domain -> the requirements that are not met or stay open, written from the descriptions of the servers above."""


def told(record: dict[str, Any]) -> dict[str, str]:
    """Requirement -> verdict, of what is neither met nor out of question."""
    return {
        finding["requirement"]: finding["verdict"]
        for finding in record["findings"]
        if finding["verdict"] not in ("pass", "not-applicable") and not finding["requirement"].startswith(ELSEWHERE)
    }


def verdict(record: dict[str, Any], baseline: str) -> str:
    return next(each["verdict"] for each in record["baselines"] if each["baseline"] == baseline)


@pytest.mark.parametrize("name", EXPECTED)
def test_verdicts_are_those_of_the_documents(scanned, name):
    assert told(scanned[f"{name}.example"]) == EXPECTED[name]


def test_a_null_mx_is_judged_by_its_form_and_by_nothing_else(scanned):
    assert told(scanned["null.example"]) == {}
    assert verdict(scanned["null.example"], "rfc") == "pass"
    assert told(scanned["nullish.example"]) == {"RFC7505-3-NULLMX": "fail", "RFC7505-3-ALONE": "fail"}
    assert verdict(scanned["nullish.example"], "bsi-tr-03108") == "not-applicable"


def test_what_broke_behind_starttls_is_told_from_what_stayed_open(scanned):
    found = told(scanned["broken.example"])
    decided = {key: verdict for key, verdict in found.items() if verdict != "unknown" and key not in USUAL}
    assert decided == {
        "RFC3207-4-220": "fail",
        "TR-03108-03-M-WORKS": "fail",
        "BOD1801-STARTTLS-WORKS": "advice",
    }
    assert {found[key] for key in ("BR-6.1.5", "BOD1801-SSL", "PRACTICE-NAME", "RFC3207-4.2-NOREPEAT")} == {"unknown"}


def test_a_throttled_server_and_a_lost_route_fail_nothing(scanned):
    """But what the DNS alone says of the busy one is known."""
    busy = told(scanned["busy.example"])
    known = {key for key, verdict in busy.items() if verdict != "unknown"}
    assert known == {*UNSIGNED, *NO_SUBMISSION, *NO_POLICY, *ALONE}
    assert {verdict for key, verdict in busy.items() if key.startswith(("RFC3207-", "BR-", "BOD1801-"))} == {"unknown"}
    assert told(scanned["lost.example"]).items() >= {"RFC7505-3-ALONE": "unknown", "TR-03108-10-M": "unknown"}.items()
    assert set(told(scanned["lost.example"]).values()) <= {"unknown", *NO_SUBMISSION.values()}


def test_one_verdict_for_each_baseline(scanned):
    """DANE and TLSRPT by mail are what TR-03108 demands, and MTA-STS what it only recommends."""
    names = ("good", "web", "plain", "clear", "long", "own")
    assert [verdict(scanned[f"{name}.example"], "bsi-tr-03108") for name in names] == ["pass", *["fail"] * 5]
    rfc = [verdict(scanned[f"{name}.example"], "rfc") for name in names]
    assert rfc == ["pass", "pass", "fail", "pass", "warn", "pass"], "no RFC demands STARTTLS, or submission"
    assert [verdict(scanned[f"{name}.example"], "bod-18-01") for name in names] == [
        *["pass"] * 3, "fail", "pass", "pass"
    ]  # fmt: skip
    cabf = [verdict(scanned[f"{name}.example"], "cabf-tls-br") for name in names]
    assert cabf == [*["pass"] * 3, "not-applicable", "fail", "not-applicable"]
    advised = {name: verdict(scanned[f"{name}.example"], "mail-practice") for name in HOSTS}
    unanswered = {name: advised.pop(name) for name in ("broken", "busy")}
    assert set(advised.values()) == {"pass", "warn"}
    assert set(unanswered.values()) == {"unknown"}


def test_the_stores_of_devices_were_asked_offline(scanned):
    finding = next(f for f in scanned["good.example"]["findings"] if f["requirement"] == "PRACTICE-STORES")
    assert finding["verdict"] == "advice"
    assert all(f"{name} (sslyze " in finding["evidence"] for name in ("mozilla", "apple", "android", "java", "windows"))


def test_judged_again_from_the_store_the_findings_are_the_same(scan):
    running, printed = scan
    trust = ["--no-system-trust", "--cafile", "root.pem", "--cafile", "old.pem"]
    done = running.run("judge", "latest", "--store", "runs.db", *trust, *CHOSEN, "--format", "jsonl")
    assert done.returncode == 0, done.stderr
    assert sorted(done.stdout.splitlines()) == sorted(printed.splitlines())
