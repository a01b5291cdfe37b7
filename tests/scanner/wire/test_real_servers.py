"""The plans against real servers: the same set as the slow truth, at the price of the floor.

Every configuration is asked three times over: by a plan, by OpenSSL one suite at a time, and by one-suite hellos.
"""

import shutil
import socket
import subprocess
import threading

import pytest
from OpenSSL import SSL

from scanner.answers import Fact
from scanner.failures import Kind
from scanner.wire.code_points import GROUP_NAMES, SECP256R1, SSL3, TLS10, TLS11, TLS12, TLS13, VERSION_NAMES
from scanner.wire.registry import suite, suite_code
from scanner.wire.server_flight import ServerFlight
from scanner.wire.suite_traits import Trait
from scanner.wire.tls_plans import STANDARD_BUDGET, full_plan, standard_plan
from scanner.wire.weakness import classes_of
from scanner.wire_facts import Preference, TlsFacts
from tests.scanner.wire.direct_driver import ask, run
from tests.scanner.wire.loopback_servers import (
    certificate_files,
    free_port,
    gnutls_server,
    openssl_server,
    tlslite_server,
)
from tests.scanner.wire.one_by_one import openssl_suites, plain_hello, suites_by_hello, suites_by_openssl

ALL = ("-cipher", "ALL:COMPLEMENTOFALL:@SECLEVEL=0", "-min_protocol", "TLSv1")
MEDIUM = ("-cipher", "aNULL:-aNULL:HIGH:MEDIUM:+RC4:@STRENGTH", "-min_protocol", "TLSv1.2")
ANONYMOUS = ("-cipher", "aNULL:@SECLEVEL=0", "-tls1_2")
LEGACY = "NORMAL:+VERS-ALL:+CIPHER-ALL:+KX-ALL:+MAC-ALL:+SIGN-ALL:+GROUP-ALL"

SERVERS = {
    "openssl-rsa": (openssl_server, (), {}),
    "openssl-rsa-server-order": (openssl_server, ("-serverpref",), {}),
    "openssl-medium": (openssl_server, MEDIUM, {}),
    "openssl-everything": (openssl_server, ALL, {"certificates": ("rsa", "ec")}),
    "openssl-everything-server-order": (openssl_server, (*ALL, "-serverpref"), {"certificates": ("rsa", "ec")}),
    "openssl-ecdsa": (openssl_server, ("-serverpref",), {"certificates": ("ec",)}),
    "openssl-tls13-only": (openssl_server, ("-tls1_3",), {"certificates": ("ec",)}),
    "openssl-dhe": (openssl_server, ("-cipher", "DHE:@SECLEVEL=0", "-tls1_2"), {}),
    "openssl-anonymous": (openssl_server, ANONYMOUS, {"certificates": ()}),
    "gnutls": (gnutls_server, ("NORMAL",), {}),
    "gnutls-server-order": (gnutls_server, ("NORMAL:%SERVER_PRECEDENCE",), {}),
    "gnutls-legacy": (gnutls_server, (LEGACY,), {"certificates": ("rsa",)}),
    "gnutls-ecdsa": (gnutls_server, ("SECURE192",), {"certificates": ("ec",)}),
}


@pytest.fixture(scope="module", params=[pytest.param(name, id=name) for name in SERVERS])
def port(request):
    start, options, keywords = SERVERS[request.param]
    with start(*options, **keywords) as running:
        yield running


def pairs_of(facts: TlsFacts) -> set[tuple[int, int]]:
    codes = {name: code for code, name in VERSION_NAMES.items()}
    return {(codes[v.version], suite_code(name) or 0) for v in facts.versions for name in v.suites}


def floor_of(facts: TlsFacts) -> int:
    return sum(len(version.suites) + 1 for version in facts.versions)


def groups_of(facts: TlsFacts) -> int:
    return sum(len(version.groups) for version in facts.versions) + len(facts.dh)


def test_the_exact_pairs_and_groups_at_the_price_of_the_floor(port):
    picture, connections = run(full_plan(), port)
    facts = picture.facts
    versions = (SSL3, TLS10, TLS11, TLS12, TLS13)
    truth = {(version, code) for version in versions for code in suites_by_hello(port, version)}
    assert pairs_of(facts) == truth
    assert facts.complete, facts.failures
    assert facts.connections == connections
    assert connections <= floor_of(facts) + groups_of(facts) + 3
    known = openssl_suites()
    for version in (TLS10, TLS11, TLS12):
        completed = suites_by_openssl(port, version)
        assert completed == {code for v, code in truth if v == version and code in known}
    for version in (TLS12, TLS13):
        one = facts.version(VERSION_NAMES[version])
        taken = {code for v, code in truth if v == version}
        assert not one.groups_complete or set(one.groups) == groups_by_hello(port, version, taken)


def groups_by_hello(port: int, version: int, suites: set[int]) -> set[str]:
    """Every group that the server uses, asked one by one.

    A server with an ECDSA certificate alone must see its certificate's curve, secp256r1, beside the group in question.
    """
    elliptic = sorted(code for code in suites if version == TLS13 or suite(code).has(Trait.ECDHE))
    free = [code for code in elliptic if suite(code).parts.authentication != "ECDSA"]
    found = set()
    for group, name in GROUP_NAMES.items():
        hello = plain_hello(version, tuple(free or elliptic), (group,) if free else (group, SECP256R1))
        answer = ask(port, hello) if elliptic else None
        if isinstance(answer, ServerFlight) and answer.accepted and answer.group == group:
            found.add(name)
    return found


def test_standard_says_the_same_as_the_exact_plan(port):
    exact = run(full_plan(), port)[0].facts
    picture, connections = run(standard_plan(), port)
    facts = picture.facts
    assert facts.complete, facts.failures
    assert pairs_of(facts) <= pairs_of(exact)
    assert [v.offered for v in facts.versions] == [v.offered for v in exact.versions]
    accepted = {name for _, code in pairs_of(exact) for name in classes_of(code)}
    assert {entry.name for entry in facts.classes if entry.accepted is Fact.YES} == accepted
    assert {entry.name for entry in facts.classes if entry.accepted is Fact.NO} == {
        entry.name for entry in facts.classes if entry.name not in accepted
    }
    assert facts.hybrid_group == exact.hybrid_group
    assert {chain.authentication for chain in facts.chains} == {chain.authentication for chain in exact.chains}
    assert facts.connections == connections
    legacy = {v.version for v in exact.versions if v.offered is Fact.YES} - {"TLSv1.2", "TLSv1.3"}
    if not legacy:
        assert connections <= STANDARD_BUDGET


@pytest.mark.parametrize(("options", "preference"), [((), Preference.CLIENT), (("-serverpref",), Preference.SERVER)])
def test_preference_of_openssl(options, preference):
    with openssl_server(*options) as port:
        facts = run(full_plan(), port)[0].facts
    assert facts.version("TLSv1.2").preference is preference
    assert facts.version("TLSv1.3").preference is preference


@pytest.mark.parametrize("bits", [1536, 2048])
def test_dh_prime_of_a_file(bits, tmp_path):
    made = tmp_path / "dh.pem"
    group = {1536: "modp_1536", 2048: "ffdhe2048"}[bits]
    command = ["openssl", "genpkey", "-genparam", "-algorithm", "DH", "-pkeyopt", f"group:{group}", "-out", str(made)]
    subprocess.run(command, check=True, capture_output=True)
    with openssl_server("-cipher", "DHE:@SECLEVEL=0", "-tls1_2", "-dhparam", str(made)) as port:
        facts = run(full_plan(), port)[0].facts
    expected = {1536: ("modp1536", 1536), 2048: ("ffdhe2048", 2048)}[bits]
    assert {(dh.name, dh.bits) for dh in facts.dh} == {expected}


def test_features_of_openssl():
    with openssl_server(*ALL, "-status_verbose", "-verify", "1", "-no_ticket") as port:
        facts = run(full_plan(), port)[0].facts
    assert facts.client_certificate is Fact.YES
    assert facts.session_tickets is Fact.NO
    assert facts.extended_master_secret is Fact.YES
    assert facts.secure_renegotiation is Fact.YES
    assert facts.encrypt_then_mac is Fact.YES
    assert facts.compression is Fact.NO
    assert facts.downgrade_sentinel is Fact.YES
    assert facts.fallback_scsv is Fact.YES
    assert facts.sha1_signatures is Fact.YES
    assert facts.large_hello is Fact.YES
    assert facts.ocsp_staple is Fact.NO


def test_hybrid_group_of_a_new_openssl():
    """The OpenSSL inside cryptography is newer than Debian's and knows ML-KEM; we need no ML-KEM to see it."""
    certificate, key = certificate_files("rsa")
    context = SSL.Context(SSL.TLS_SERVER_METHOD)
    context.use_certificate_file(certificate)
    context.use_privatekey_file(key)
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                accepted, _ = listener.accept()
            except OSError:
                return
            with accepted:
                connection = SSL.Connection(context, accepted)
                connection.set_accept_state()
                try:
                    connection.do_handshake()
                except SSL.Error:
                    continue

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    port = listener.getsockname()[1]
    try:
        exact, quick = (run(plan(), port)[0].facts for plan in (full_plan, standard_plan))
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(10)
    assert exact.hybrid_group is quick.hybrid_group is Fact.YES
    assert "X25519MLKEM768" in exact.version("TLSv1.3").groups
    assert exact.complete
    assert quick.complete


def test_ssl3_and_old_suites_of_tlslite():
    names = ["rc4", "null", "3des", "aes128", "aes256"]
    exchanges = ["rsa", "dhe_rsa", "dh_anon"]
    versions = [(3, 0), (3, 1), (3, 2), (3, 3)]
    settings = {"minVersion": (3, 0), "maxVersion": (3, 3), "versions": versions}
    settings |= {"cipherNames": names, "keyExchangeNames": exchanges, "macNames": ["sha", "md5", "sha256"]}
    with tlslite_server(**settings) as port:
        picture, connections = run(full_plan(), port)
        truth = {(v, code) for v in (SSL3, TLS10, TLS11, TLS12, TLS13) for code in suites_by_hello(port, v)}
    facts = picture.facts
    assert pairs_of(facts) == truth
    assert {code for version, code in truth if version == SSL3} >= {0x0004, 0x0005, 0x000A}
    assert facts.complete
    assert connections <= floor_of(facts) + groups_of(facts) + 3


def test_nobody_there():
    picture, connections = run(full_plan(), free_port())
    assert connections == 3
    assert {failure.kind for failure in picture.facts.failures} == {Kind.REFUSED}


def test_the_tools_are_there():
    """These tests prove nothing on a machine without the servers."""
    assert shutil.which("openssl")
    assert shutil.which("gnutls-serv"), "install gnutls-bin"
