"""Policies by HTTPS from small servers on loopback: what is read of each, and that none can hold or fill us."""

import errno
import tracemalloc
from datetime import UTC, datetime

import pytest
import trio

from audits.demo.certificates import Validity, new_authority, self_signed
from scanner import settings
from scanner.failures import Kind
from scanner.https_fetch import PolicyRequest, fetch_policy
from scanner.mta_sts import POLICY_PATH, sts_policy
from scanner.policy_facts import PolicyFetch, StsMode
from scanner.tcp import TcpSocket, connect_tcp
from tests.scanner.policy_hosts import POLICY, PolicyHost, Running, http, policy_host

HOST = "mta-sts.example.org"
AUTHORITY = new_authority()
GOOD = AUTHORITY.credential(HOST)


def now() -> datetime:
    return datetime.now(UTC)


async def fetched(host: PolicyHost) -> tuple[PolicyFetch, Running]:
    async with policy_host(host) as running:
        request = PolicyRequest(HOST, ("127.0.0.1",), POLICY_PATH, running.port)
        return await fetch_policy(request, connect_tcp, now), running


async def test_a_good_policy_and_what_was_asked_for_it():
    fetch, running = await fetched(PolicyHost(credential=GOOD, answer=http(POLICY)))
    assert (fetch.failure, fetch.status, fetch.body) == (None, 200, POLICY)
    assert fetch.media_type.startswith("text/plain")
    assert fetch.certificates[0].names_dns == (HOST,)
    assert len(fetch.certificates) == 2
    assert running.names == [HOST]
    assert running.requests[0].startswith(f"GET {POLICY_PATH} HTTP/1.1\r\n".encode())
    assert f"host: {HOST}\r\n".encode() in running.requests[0].lower()


@pytest.mark.parametrize(
    "credential",
    [
        AUTHORITY.credential("www.example.org"),
        AUTHORITY.credential(HOST, validity=Validity.EXPIRED),
        self_signed(HOST),
        AUTHORITY.credential(HOST, complete=False),
    ],
)
async def test_the_chain_is_kept_and_judged_later(credential):
    fetch, _ = await fetched(PolicyHost(credential=credential, answer=http(POLICY)))
    assert (fetch.failure, fetch.body) == (None, POLICY)
    assert fetch.certificates


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (http("", "301 Moved", None, "Location: https://www.example.org/"), 301),
        (http("", "302 Found", None, "Location: /other"), 302),
        (http("no", "404 Not Found", "text/html"), 404),
        (http("", "500 Internal Server Error"), 500),
        (http("x" * (settings.MAX_POLICY_BYTES + 1), "404 Not Found", "text/html"), 404),
        (http("\x1f\x8b", "301 Moved", None, "Location: /other", "Content-Encoding: gzip"), 301),
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 50\r\n\r\ncut off", 404),
        (http(POLICY, "200 OK", "text/html"), 200),
        (http(POLICY, "200 OK", None), 200),
    ],
)
async def test_status_and_media_type_are_facts_and_no_redirect_is_followed(answer, status):
    fetch, running = await fetched(PolicyHost(credential=GOOD, answer=answer))
    assert (fetch.failure, fetch.status) == (None, status)
    assert len(running.requests) == 1


@pytest.mark.parametrize(
    ("body", "mode"),
    [
        (POLICY.replace("\n", "\r\n"), StsMode.ENFORCE),
        (POLICY + "unknown: key\n", StsMode.ENFORCE),
        (POLICY.replace("enforce", "testing"), StsMode.TESTING),
        ("version: STSv1\nmode: none\nmax_age: 60", StsMode.NONE),
    ],
)
async def test_other_policies(body, mode):
    fetch, _ = await fetched(PolicyHost(credential=GOOD, answer=http(body)))
    policy = sts_policy(fetch.body)
    assert (policy.problem, policy.mode) == ("", mode)


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n"
        + b"".join(b"%x\r\n%s\r\n" % (len(line) + 1, line.encode() + b"\n") for line in POLICY.splitlines())
        + b"0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n" + POLICY.encode(),
        b"HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\n" + POLICY.encode(),
    ],
)
async def test_chunked_and_without_a_length(answer):
    fetch, _ = await fetched(PolicyHost(credential=GOOD, answer=answer))
    assert (fetch.failure, fetch.body) == (None, POLICY)


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"


@pytest.mark.parametrize(
    ("host", "kind"),
    [
        (PolicyHost(credential=GOOD, answer=http("x" * (settings.MAX_POLICY_BYTES + 1))), Kind.PROTOCOL),
        (
            PolicyHost(credential=GOOD, answer=HEAD + b"Content-Length: 9999999999\r\n\r\n" + b"a: b\n" * 20_000),
            Kind.PROTOCOL,
        ),
        (PolicyHost(credential=GOOD, answer=HEAD + b"X-More: y\r\n" * 3000), Kind.PROTOCOL),
        (PolicyHost(credential=GOOD, answer=b"220 mail.example.org ESMTP\r\n"), Kind.PROTOCOL),
        (PolicyHost(credential=GOOD, answer=HEAD + b"Content-Encoding: gzip\r\n\r\n\x1f\x8b"), Kind.PROTOCOL),
        (PolicyHost(credential=GOOD, answer=HEAD + b"Content-Length: 50\r\n\r\nversion"), Kind.PROTOCOL),
        (PolicyHost(credential=GOOD, answer=b""), Kind.PROTOCOL),
        (PolicyHost(credential=None, answer=b""), Kind.TLS),
    ],
)
async def test_what_is_no_answer(host, kind):
    fetch, _ = await fetched(host)
    assert fetch.failure is not None
    assert fetch.failure.kind is kind
    assert len(fetch.body) <= settings.MAX_POLICY_BYTES


async def test_exactly_the_limit_is_read():
    body = POLICY + "#" * (settings.MAX_POLICY_BYTES - len(POLICY))
    fetch, _ = await fetched(PolicyHost(credential=GOOD, answer=http(body)))
    assert (fetch.failure, len(fetch.body)) == (None, settings.MAX_POLICY_BYTES)


@pytest.mark.parametrize("hangs_after", [HEAD, HEAD + b"\r\nversion: STSv1\n", b""])
async def test_a_host_that_hangs_is_left_in_time(monkeypatch, hangs_after):
    monkeypatch.setattr(settings, "POLICY_TIMEOUT_S", 0.5)
    began = trio.current_time()
    fetch, _ = await fetched(PolicyHost(credential=GOOD, answer=hangs_after, hangs=True))
    assert fetch.failure is not None
    assert fetch.failure.kind is Kind.TIMEOUT
    assert trio.current_time() - began < 5


async def test_what_a_slow_host_showed_is_kept(monkeypatch):
    """Its certificate may have ended; an error whose page never ends is an answer."""
    monkeypatch.setattr(settings, "POLICY_TIMEOUT_S", 0.5)
    fetch, _ = await fetched(PolicyHost(credential=GOOD, answer=HEAD, hangs=True))
    assert (fetch.address, fetch.certificates[0].names_dns) == ("127.0.0.1", (HOST,))
    error = b"HTTP/1.1 404 Not Found\r\nContent-Length: 50\r\n\r\n"
    fetch, _ = await fetched(PolicyHost(credential=GOOD, answer=error, hangs=True))
    assert (fetch.status, fetch.failure) == (404, None)


async def test_a_host_that_drips_is_left_in_time(monkeypatch):
    monkeypatch.setattr(settings, "POLICY_TIMEOUT_S", 0.5)
    fetch, _ = await fetched(PolicyHost(credential=GOOD, answer=HEAD, times=100, every_s=0.1))
    assert fetch.failure is not None
    assert fetch.failure.kind is Kind.TIMEOUT


async def test_a_flood_is_cut_in_memory():
    flood = PolicyHost(credential=GOOD, answer=HEAD + b"\r\n" + b"x" * 1_000_000, times=30)
    tracemalloc.start()
    fetch, _ = await fetched(flood)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert fetch.failure is not None
    assert peak < 20_000_000


async def test_the_next_address_is_tried_and_a_refusal_is_a_failure():
    async with policy_host(PolicyHost(credential=GOOD, answer=http(POLICY))) as running:
        tried = []

        async def connect(address: str, port: int) -> TcpSocket:
            tried.append(address)
            if address != "192.0.2.2":
                raise ConnectionRefusedError(errno.ECONNREFUSED, "refused")
            return await connect_tcp("127.0.0.1", running.port)

        fetch = await fetch_policy(PolicyRequest(HOST, ("192.0.2.1", "192.0.2.2"), POLICY_PATH), connect, now)
        refused = await fetch_policy(PolicyRequest(HOST, ("192.0.2.1",), POLICY_PATH), connect, now)
    assert (fetch.failure, fetch.address, fetch.body) == (None, "192.0.2.2", POLICY)
    assert refused.failure is not None
    assert refused.failure.kind is Kind.REFUSED
    assert tried == ["192.0.2.1", "192.0.2.2", "192.0.2.1"]
